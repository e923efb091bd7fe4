//! Dotted keys over TOML tables: `limits.max_body_bytes`.

use std::collections::BTreeMap;

use toml::{Table, Value};

/// A table with its sections opened up; BTreeMap, so that messages and diffs come in one order.
pub(super) type Flat = BTreeMap<String, Value>;

pub(super) fn flatten(table: Table) -> Flat {
    let mut flat = Flat::new();
    for (name, value) in table {
        match value {
            Value::Table(section) => {
                flat.extend(
                    flatten(section).into_iter().map(|(key, value)| (format!("{name}.{key}"), value)),
                );
            }
            value => {
                flat.insert(name, value);
            }
        }
    }
    flat
}

pub(super) fn unflatten(flat: Flat) -> Table {
    let mut table = Table::new();
    for (key, value) in flat {
        match key.split_once('.') {
            Some((section, key)) => {
                let section = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
                if let Value::Table(section) = section {
                    section.insert(key.to_owned(), value);
                }
            }
            None => {
                table.insert(key, value);
            }
        }
    }
    table
}

/// `limits.max_body_bytes` is `KITH_LIMITS_MAX_BODY_BYTES`.
pub(super) fn variable(key: &str) -> String {
    format!("{VARIABLE_PREFIX}{}", key.replace('.', "_").to_uppercase())
}

pub(super) const VARIABLE_PREFIX: &str = "KITH_";

/// The candidate most like `word`; a candidate is also met by its last part alone, for a forgotten section.
pub(super) fn nearest(word: &str, candidates: impl Iterator<Item = String>) -> String {
    let likeness = |candidate: &str| {
        let last = candidate.rsplit('.').next().unwrap_or(candidate);
        strsim::jaro_winkler(word, candidate).max(strsim::normalized_damerau_levenshtein(word, last))
    };
    candidates.max_by(|a, b| likeness(a).total_cmp(&likeness(b))).unwrap_or_default()
}
