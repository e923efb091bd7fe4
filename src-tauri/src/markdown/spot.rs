//! What stands in plain text and is more than that: people who are meant, and addresses.

use super::safe_href;
use crate::ipc::{AccountId, Inline};

/// Finds mentions and bare addresses in plain text.
pub(super) fn spot(text: &str, mention: &dyn Fn(&str) -> Option<AccountId>, links: bool) -> Vec<Inline> {
    let mut parts = Vec::new();
    let mut done = 0;
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let fresh =
            text.get(..at).and_then(|before| before.chars().next_back()).is_none_or(|c| !c.is_alphanumeric());
        let found = if !fresh {
            None
        } else if rest.starts_with('@') {
            mentioned(rest, mention)
        } else if links {
            address(rest)
        } else {
            None
        };
        if let Some((length, part)) = found {
            push_text(&mut parts, text.get(done..at).unwrap_or_default());
            parts.push(part);
            at += length;
            done = at;
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    push_text(&mut parts, text.get(done..).unwrap_or_default());
    parts
}

fn push_text(parts: &mut Vec<Inline>, text: &str) {
    if !text.is_empty() {
        parts.push(Inline::Text { text: text.to_owned() });
    }
}

fn mentioned(rest: &str, mention: &dyn Fn(&str) -> Option<AccountId>) -> Option<(usize, Inline)> {
    let body = rest.strip_prefix('@')?;
    let of_handle = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let end = body.find(|c| !of_handle(c)).unwrap_or(body.len());
    // A full stop at the end is the sentence's.
    let handle = body.get(..end)?.trim_end_matches(['.', '-']);
    let account = mention(&handle.to_ascii_lowercase())?;
    let length = 1 + handle.len();
    Some((length, Inline::Mention { account, text: rest.get(..length)?.to_owned() }))
}

fn address(rest: &str) -> Option<(usize, Inline)> {
    let scheme = ["https://", "http://"].iter().find(|scheme| {
        rest.get(..scheme.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(scheme))
    })?;
    let end = rest.find(|c: char| c.is_whitespace() || "<>\"`".contains(c)).unwrap_or(rest.len());
    let mut found = rest.get(..end)?.trim_end_matches(['.', ',', ':', ';', '!', '?', '\'', '*', '_', '~']);
    // A closing bracket belongs to the address only if it opened one.
    while found.ends_with(')') && found.matches(')').count() > found.matches('(').count() {
        found = found.strip_suffix(')')?;
    }
    if found.len() <= scheme.len() {
        return None;
    }
    let href = safe_href(found)?;
    Some((found.len(), Inline::Link { href, inlines: vec![Inline::Text { text: found.to_owned() }] }))
}
