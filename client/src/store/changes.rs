use super::Tree;
use std::collections::BTreeMap;

/// What one commit does: puts and removes over any trees. The later of two operations on one key counts.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Changes {
    operations: BTreeMap<(Tree, Vec<u8>), Option<Vec<u8>>>,
}

impl Changes {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the value under `key`.
    pub fn put(&mut self, tree: Tree, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> &mut Self {
        self.operations.insert((tree, key.into()), Some(value.into()));
        self
    }

    /// Leaves no value under `key`.
    pub fn remove(&mut self, tree: Tree, key: impl Into<Vec<u8>>) -> &mut Self {
        self.operations.insert((tree, key.into()), None);
        self
    }

    /// Adds the operations of `later` after these.
    pub fn append(&mut self, mut later: Self) -> &mut Self {
        self.operations.append(&mut later.operations);
        self
    }

    /// What these changes say about `key`: `Some(None)` if they remove it, `None` if they do not touch it.
    pub fn get(&self, tree: Tree, key: &[u8]) -> Option<Option<&[u8]>> {
        self.operations.get(&(tree, key.to_vec())).map(Option::as_deref)
    }

    /// The number of operations.
    pub fn len(&self) -> usize {
        self.operations.len()
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    pub(crate) fn into_operations(self) -> impl Iterator<Item = (Tree, Vec<u8>, Option<Vec<u8>>)> {
        self.operations.into_iter().map(|((tree, key), value)| (tree, key, value))
    }
}

/// Sizes alone: values may be what a person wrote.
impl std::fmt::Debug for Changes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes: usize = self.operations.values().flatten().map(Vec::len).sum();
        f.debug_struct("Changes").field("operations", &self.len()).field("bytes", &bytes).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_later_operation_counts() {
        let mut changes = Changes::new();
        changes.put(Tree::Meta, "a", "1").remove(Tree::Meta, "a").put(Tree::Local, "a", "2");
        let mut later = Changes::new();
        later.put(Tree::Local, "a", "3");
        changes.append(later);

        assert_eq!(changes.len(), 2);
        assert_eq!(changes.get(Tree::Meta, b"a"), Some(None));
        assert_eq!(changes.get(Tree::Local, b"a"), Some(Some(&b"3"[..])));
        assert_eq!(changes.get(Tree::Local, b"b"), None);
    }

    #[test]
    fn debug_shows_sizes_alone() {
        let mut changes = Changes::new();
        changes.put(Tree::Entries, "key", "a secret");
        assert_eq!(format!("{changes:?}"), "Changes { operations: 1, bytes: 8 }");
    }
}
