//! `master.json`: which of the places holds the key of this home.

use serde::{Deserialize, Serialize};

const FORMAT: u32 = 1;

/// Where the key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Record {
    /// In the system's key store, under this name.
    Keyring { name: String },
    /// In `master.key`, which says itself whether it is sealed.
    File,
}

#[derive(Serialize, Deserialize)]
struct Json {
    kith_master: u32,
    kept: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

impl Record {
    pub(crate) fn write(&self) -> String {
        let (kept, name) = match self {
            Self::Keyring { name } => ("keyring", Some(name.clone())),
            Self::File => ("file", None),
        };
        let json = Json { kith_master: FORMAT, kept: kept.into(), name };
        format!("{}\n", serde_json::to_string(&json).expect("texts and numbers are JSON"))
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let json: Json = serde_json::from_str(text).ok()?;
        match (json.kith_master, json.kept.as_str(), json.name) {
            (FORMAT, "keyring", Some(name)) => Some(Self::Keyring { name }),
            (FORMAT, "file", None) => Some(Self::File),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_read_back() {
        for record in [Record::Keyring { name: "profile-00".into() }, Record::File] {
            assert_eq!(Record::parse(&record.write()), Some(record));
        }
        for other in ["", "{}", r#"{"kith_master":2,"kept":"file"}"#, r#"{"kith_master":1,"kept":"keyring"}"#]
        {
            assert_eq!(Record::parse(other), None);
        }
    }
}
