/// What a store keeps apart. Closed: never a tree per room (sled keeps every tree in memory, and never gives one back).
///
/// The number is the key's first byte on disk: never reuse one, never renumber.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Tree {
    /// The profile: who we are, the relay, its incarnation. Key: [`super::keys::meta`].
    Meta = 1,
    /// The signed chains of accounts. Key: [`super::keys::chain`].
    Chains = 2,
    /// Where each room stands: head, held ranges, counts. Key: [`super::keys::room`].
    Rooms = 3,
    /// Timeline entries. Key: [`super::keys::entry`].
    Entries = 4,
    /// What the control entries of a room come to, by control head. Key: [`super::keys::control`].
    Control = 5,
    /// The latest value of each register. Key: [`super::keys::register`].
    Registers = 6,
    /// Registers in the order of their revs: the value is the register's key. Key: [`super::keys::rev`].
    Revs = 7,
    /// What the relay told us of accounts: handles and names. Key: [`super::keys::account`] or [`super::keys::handle`].
    Directory = 8,
    /// The outbox and its local echoes as the timeline shows them; the vault holds the truth. Key:
    /// [`super::keys::outbox`].
    Outbox = 9,
    /// What was notified of, at most once each. Key: [`super::keys::notice`].
    Notices = 10,
    /// What this device alone knows: drafts, scroll places, choices. Key: [`super::keys::local`].
    Local = 11,
}

impl Tree {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 11] = [
        Self::Meta,
        Self::Chains,
        Self::Rooms,
        Self::Entries,
        Self::Control,
        Self::Registers,
        Self::Revs,
        Self::Directory,
        Self::Outbox,
        Self::Notices,
        Self::Local,
    ];

    /// The first byte of the keys of this tree on disk.
    pub(crate) fn tag(self) -> u8 {
        self as u8
    }

    /// The tree's name: that of its own sled tree in format 1, and what seals a value to its tree.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Chains => "chains",
            Self::Rooms => "rooms",
            Self::Entries => "entries",
            Self::Control => "control",
            Self::Registers => "registers",
            Self::Revs => "revs",
            Self::Directory => "directory",
            Self::Outbox => "outbox",
            Self::Notices => "notices",
            Self::Local => "local",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_tree_has_a_number_and_a_name_of_its_own() {
        let tags: BTreeSet<u8> = Tree::ALL.iter().map(|tree| tree.tag()).collect();
        let names: BTreeSet<&str> = Tree::ALL.iter().map(|tree| tree.name()).collect();
        assert_eq!(tags.len(), Tree::ALL.len());
        assert_eq!(names.len(), Tree::ALL.len());
        assert!(!tags.contains(&0), "0 is where the format stands");
    }
}
