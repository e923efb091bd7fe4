//! Old formats of the store, and how each is read.
//!
//! 1: one sled tree per [`Tree`], by its name; a value was sealed to its key alone.
//! 2: one sled tree for all, keys begin with the tree's number, so that one batch is atomic over all trees; a value is
//!    sealed to its tree and key.

use super::Tree;
use super::guard::{Fault, Guarded};
use super::rebuild::{each_row, rebuild};
use crate::keys::DataKey;
use std::path::Path;

/// Rewrites the store at `path` from format 1 to the current one.
pub(crate) fn from_1(path: &Path, data: &DataKey, old: Guarded) -> Result<(), Fault> {
    rebuild(path, data, old, |old, copy| {
        let names = old.run(|db| Ok(db.tree_names()))?;
        for tree in Tree::ALL {
            if !names.iter().any(|name| name == tree.name().as_bytes()) {
                continue;
            }
            let rows = old.run(|db| db.open_tree(tree.name()))?;
            each_row(old, &rows, |key, sealed| {
                let place = [b"kith/store/1\0", key.as_ref()].concat();
                let value = data
                    .open(&place, &sealed)
                    .ok_or_else(|| Fault::Damaged(format!("a value of {} does not open", tree.name())))?;
                copy.row(data, tree, &key, &value)
            })?;
        }
        Ok(())
    })
}
