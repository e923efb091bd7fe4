//! Whether devices hold the same history: what each one tells of a room, line by line.

use serde_json::Value;

use crate::failure::Failure;

/// One device's account of a room.
pub(crate) struct Account {
    pub(crate) device: &'static str,
    lines: Vec<Line>,
}

impl Account {
    /// Parses what `kith-cli history ROOM --json` printed.
    pub(crate) fn parse(device: &'static str, json_lines: &str) -> Result<Self, Failure> {
        let lines = json_lines.lines().map(|line| Line::parse(device, line)).collect::<Result<_, _>>()?;
        Ok(Self { device, lines })
    }

    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }

    /// How many lines have this text.
    pub(crate) fn count_of(&self, text: &str) -> usize {
        self.lines.iter().filter(|line| line.field("text") == text).count()
    }

    /// The place in the timeline of the newest line with this text.
    pub(crate) fn seq_of(&self, text: &str) -> Result<String, Failure> {
        let line = self.lines.iter().rev().find(|line| line.field("text") == text);
        line.map(|line| line.field("seq"))
            .ok_or_else(|| Failure::new(format!("{} does not hold the message '{text}'.", self.device)))
    }
}

/// The first difference between the accounts, as a sentence; `None` when they tell the same.
pub(crate) fn difference(accounts: &[Account]) -> Option<String> {
    let (first, others) = accounts.split_first()?;
    others.iter().find_map(|other| {
        let lines = first.lines.len().max(other.lines.len());
        (0..lines).find_map(|at| {
            let (mine, theirs) = (first.lines.get(at), other.lines.get(at));
            (mine != theirs).then(|| {
                let shown = |line: Option<&Line>| {
                    line.map_or_else(|| "nothing".to_owned(), |line| line.0.to_string())
                };
                format!(
                    "Line {} differs: {} has {}, {} has {}.",
                    at + 1,
                    first.device,
                    shown(mine),
                    other.device,
                    shown(theirs)
                )
            })
        })
    })
}

/// The fields that must be the same everywhere.
#[derive(PartialEq)]
struct Line(Value);

impl Line {
    fn parse(device: &str, line: &str) -> Result<Self, Failure> {
        let told: Value = serde_json::from_str(line).map_err(|error| {
            Failure::new(format!("{device} told its history with a line that is no JSON: {error}."))
        })?;
        let shared =
            SHARED.iter().map(|&field| (field.to_owned(), told.get(field).cloned().unwrap_or(Value::Null)));
        Ok(Self(Value::Object(shared.collect())))
    }

    fn field(&self, name: &str) -> String {
        match self.0.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => String::new(),
        }
    }
}

const SHARED: [&str; 11] =
    ["room", "seq", "sender", "device", "txn", "kind", "text", "at", "edited", "redacted", "reactions"];

#[cfg(test)]
mod tests {
    use super::{Account, difference};

    const HELLO: &str = r#"{"room":"r","room_name":"Bob","seq":2,"sender":"@alice","device":"d","txn":"t","kind":"message","text":"hello","at":"now"}"#;

    #[test]
    fn a_room_has_another_name_for_each_and_they_agree() {
        let alice = Account::parse("alice", HELLO).unwrap();
        let bob = Account::parse("bob", &HELLO.replace("Bob", "Alice")).unwrap();
        assert_eq!(difference(&[alice, bob]), None);
    }

    #[test]
    fn a_missing_and_an_edited_line_are_told() {
        let alice = Account::parse("alice", HELLO).unwrap();
        let nobody = Account::parse("bob", "").unwrap();
        let edited = Account::parse("bob", &HELLO.replace("hello", "hallo")).unwrap();
        assert!(difference(&[alice, nobody]).unwrap().ends_with("bob has nothing."));
        let alice = Account::parse("alice", HELLO).unwrap();
        assert!(difference(&[alice, edited]).unwrap().contains("hallo"));
        let alice = Account::parse("alice", HELLO).unwrap();
        let liked = Account::parse("bob", &HELLO.replace('}', r#","reactions":["+1"]}"#)).unwrap();
        assert!(difference(&[alice, liked]).is_some());
    }

    #[test]
    fn a_message_is_found_by_its_text() {
        let alice = Account::parse("alice", HELLO).unwrap();
        assert_eq!(alice.seq_of("hello").unwrap(), "2");
        assert!(alice.seq_of("goodbye").is_err());
        assert_eq!((alice.count_of("hello"), alice.count_of("goodbye")), (1, 0));
    }

    #[test]
    fn something_else_than_json_is_a_failure() {
        assert!(Account::parse("alice", "hello").is_err());
    }
}
