//! How values are sealed: to their tree, their key and the format, so that none can be moved to where it does not belong.

use super::Tree;
use crate::keys::DataKey;

/// Seals values of the current format.
pub(crate) fn seal(data: &DataKey, tree: Tree, key: &[u8], value: &[u8]) -> Vec<u8> {
    data.seal(&place(tree, key), value)
}

/// Opens a value of the current format; `None` if it was not sealed under this key for this place.
pub(crate) fn open(data: &DataKey, tree: Tree, key: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    data.open(&place(tree, key), sealed)
}

fn place(tree: Tree, key: &[u8]) -> Vec<u8> {
    [b"kith/store/2\0", tree.name().as_bytes(), b"\0", key].concat()
}
