use std::ops::Bound;

/// Which way a range is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Smallest key first.
    Forward,
    /// Largest key first.
    Backward,
}

/// A run of neighbouring keys of one tree: from a first key, up to but without an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    from: Vec<u8>,
    to: Option<Vec<u8>>,
}

impl Span {
    /// Every key.
    pub fn all() -> Self {
        Self { from: Vec::new(), to: None }
    }

    /// The keys that begin with `prefix`.
    pub fn prefix(prefix: impl Into<Vec<u8>>) -> Self {
        let from = prefix.into();
        let to = successor(&from);
        Self { from, to }
    }

    /// `from` and what follows, up to but without `to`. Empty if `to` is not after `from`.
    pub fn between(from: impl Into<Vec<u8>>, to: impl Into<Vec<u8>>) -> Self {
        Self { from: from.into(), to: Some(to.into()) }
    }

    /// This span without the keys before `from`.
    #[must_use]
    pub fn starting_at(mut self, from: impl Into<Vec<u8>>) -> Self {
        self.from = self.from.max(from.into());
        self
    }

    /// Whether no key can be in it.
    pub fn is_empty(&self) -> bool {
        self.to.as_ref().is_some_and(|to| *to <= self.from)
    }

    /// Whether `key` is in it.
    pub fn contains(&self, key: &[u8]) -> bool {
        key >= self.from.as_slice() && self.to.as_ref().is_none_or(|to| key < to.as_slice())
    }

    /// The same span among keys that all begin with `tag`.
    pub(crate) fn tagged(&self, tag: u8) -> (Vec<u8>, Vec<u8>) {
        let to = match &self.to {
            Some(to) => tagged(tag, to),
            None => vec![tag + 1],
        };
        (tagged(tag, &self.from), to)
    }

    pub(crate) fn bounds(&self) -> (Bound<&[u8]>, Bound<&[u8]>) {
        let to = self.to.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        (Bound::Included(self.from.as_slice()), to)
    }
}

/// `tag`, then `key`.
pub(crate) fn tagged(tag: u8, key: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1 + key.len());
    bytes.push(tag);
    bytes.extend_from_slice(key);
    bytes
}

/// The smallest key after all that begin with `prefix`, if there is one.
fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut end = prefix.get(..=last)?.to_vec();
    *end.last_mut()? += 1;
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_prefix_of_highest_bytes_has_no_end() {
        assert!(Span::prefix([0xff, 0xff]).contains(&[0xff, 0xff, 0xff, 0xff]));
        assert!(!Span::prefix([0xff, 0xff]).contains(&[0xff, 0xfe]));
        assert!(!Span::prefix([1, 0xff]).contains(&[2]));
        assert_eq!(Span::prefix([]), Span::all());
    }

    #[test]
    fn spans_narrow_and_never_widen() {
        let room = Span::prefix("r");
        assert_eq!(room.clone().starting_at("a"), room);
        assert!(room.starting_at("s").is_empty());
    }

    proptest! {
        #[test]
        fn a_prefix_holds_what_begins_with_it(prefix: Vec<u8>, key: Vec<u8>) {
            prop_assert_eq!(Span::prefix(prefix.clone()).contains(&key), key.starts_with(&prefix));
        }

        #[test]
        fn a_tag_changes_nothing_else(from: Vec<u8>, to: Vec<u8>, key: Vec<u8>, tag in 1u8..12) {
            let span = Span::between(from, to);
            let (low, high) = span.tagged(tag);
            let key_on_disk = tagged(tag, &key);
            prop_assert_eq!(span.contains(&key), key_on_disk >= low && key_on_disk < high);
        }
    }
}
