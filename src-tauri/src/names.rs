//! Names as they are shown: nothing hidden, nothing turned around, and those told apart that look alike.

use crate::ipc;
use kith_client::Person;
use kith_protocol::ids::AccountId;
use std::collections::{BTreeMap, BTreeSet};

/// Everybody whom a profile knows, as they are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Names {
    people: BTreeMap<AccountId, ipc::Person>,
    handles: BTreeMap<String, AccountId>,
}

impl Names {
    /// Of all that is known.
    pub(crate) fn new(known: &BTreeMap<AccountId, Person>) -> Self {
        let mut people: BTreeMap<AccountId, ipc::Person> =
            known.iter().map(|(account, person)| (*account, shown(person))).collect();
        let mut alike: BTreeMap<String, BTreeSet<AccountId>> = BTreeMap::new();
        for (account, person) in &people {
            alike.entry(skeleton(&person.shown)).or_default().insert(*account);
        }
        for account in alike.values().filter(|accounts| accounts.len() > 1).flatten() {
            if let Some(person) = people.get_mut(account) {
                person.ambiguous = true;
            }
        }
        let handles = people
            .values()
            .filter(|person| !person.handle.is_empty())
            .map(|person| (person.handle.clone(), person.account.0))
            .collect();
        Self { people, handles }
    }

    /// A person; of somebody unknown the beginning of the id.
    pub(crate) fn person(&self, account: &AccountId) -> ipc::Person {
        self.people
            .get(account)
            .cloned()
            .unwrap_or_else(|| shown(&Person { account: *account, ..Person::default() }))
    }

    /// Whether anything is known of somebody.
    pub(crate) fn knows(&self, account: &AccountId) -> bool {
        self.people.contains_key(account)
    }

    /// Whom a handle means.
    pub(crate) fn by_handle(&self, handle: &str) -> Option<AccountId> {
        self.handles.get(handle).copied()
    }

    /// Everybody.
    pub(crate) fn all(&self) -> impl Iterator<Item = &ipc::Person> {
        self.people.values()
    }

    /// Those who are not as they were in `before`.
    pub(crate) fn news(&self, before: &Self) -> Vec<ipc::Person> {
        let changed = |person: &&ipc::Person| before.people.get(&person.account.0) != Some(*person);
        self.people.values().filter(changed).cloned().collect()
    }

    /// One person among those who are known: told apart from all who look alike.
    pub(crate) fn among(&self, person: &Person) -> ipc::Person {
        let mut shown = shown(person);
        let mine = skeleton(&shown.shown);
        shown.ambiguous = self
            .people
            .values()
            .any(|other| other.account != shown.account && skeleton(&other.shown) == mine);
        shown
    }
}

fn shown(person: &Person) -> ipc::Person {
    let name = plain(&person.name, NAME_CHARS_MAX);
    let handle = plain(&person.handle, NAME_CHARS_MAX);
    let shown = Person { name: name.clone(), handle: handle.clone(), ..person.clone() }.shown();
    ipc::Person { account: person.account.into(), handle, name, shown, ambiguous: false }
}

/// What two names have in common that a person takes for the same (UTS 39).
fn skeleton(name: &str) -> String {
    let folded: String = name.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
    unicode_security::skeleton(&folded).collect::<String>().to_lowercase()
}

/// One line without control characters and without what hides or turns direction; longer ones end in an ellipsis.
pub(crate) fn plain(text: &str, chars_max: usize) -> String {
    let mut line = String::new();
    let mut chars = 0;
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        let mut rest = word.chars().filter(|c| !is_hidden(*c)).peekable();
        if rest.peek().is_none() {
            continue;
        }
        let space = (!line.is_empty()).then_some(' ');
        for c in space.into_iter().chain(rest) {
            if chars == chars_max {
                line.push('…');
                return line;
            }
            line.push(c);
            chars += 1;
        }
    }
    line
}

/// Characters that draw nothing, or turn what follows. The joiners that emoji and some scripts need are none of them.
pub(crate) fn is_hidden(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
        | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{e0000}'..='\u{e001f}'
    )
}

/// What fits into a line of a list, with room to spare.
const NAME_CHARS_MAX: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    fn names(of: &[(&str, &str)]) -> Names {
        let known = of.iter().enumerate().map(|(at, (handle, name))| {
            let account = AccountId([u8::try_from(at).unwrap(); 32]);
            (account, Person { account, handle: (*handle).into(), name: (*name).into(), integration: false })
        });
        Names::new(&known.collect())
    }

    fn ambiguous(of: &[(&str, &str)]) -> Vec<bool> {
        names(of).all().map(|person| person.ambiguous).collect()
    }

    #[test]
    fn names_that_imitate_are_told_apart() {
        // A Cyrillic letter, a hidden character, another case, a zero for an O.
        assert_eq!(
            ambiguous(&[("alice", "Alice"), ("mallory", "\u{410}lice"), ("bob", "Bob")]),
            [true, true, false]
        );
        assert_eq!(ambiguous(&[("alice", "Alice"), ("mallory", "Al\u{200b}ice")]), [true, true]);
        assert_eq!(ambiguous(&[("bob", "Bob"), ("b0b", "bob")]), [true, true]);
        assert_eq!(ambiguous(&[("bob", "Bob"), ("rob", "Rob")]), [false, false]);
    }

    #[test]
    fn nothing_hides_in_a_name() {
        assert_eq!(plain("\u{202e}evil\u{2066} \u{200b} name\n", 80), "evil name");
        // A family is one picture, held together by joiners.
        assert_eq!(plain("\u{1F468}\u{200d}\u{1F469}", 80), "\u{1F468}\u{200d}\u{1F469}");
        let nameless = names(&[("", "\u{200b}")]);
        assert_eq!(nameless.all().next().unwrap().shown, "00000000");
    }

    #[test]
    fn changes_are_found() {
        let (before, after) = (names(&[("bob", "Bob")]), names(&[("bob", "Robert"), ("carol", "Carol")]));
        assert_eq!(after.news(&before).len(), 2);
        assert!(after.news(&after).is_empty());
    }
}
