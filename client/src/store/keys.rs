//! The keys of all trees. Built here alone, so that their order is decided in one place: numbers are big-endian, ids have
//! their full length, and what has no fixed length stands last.

const ID: usize = 16;
const DIGEST: usize = 32;

/// [`super::Tree::Meta`]: a fixed name.
pub fn meta(name: &str) -> Vec<u8> {
    name.as_bytes().to_vec()
}

/// [`super::Tree::Chains`]: the entry of an account's chain at `index`, from 0. Prefix: [`account`].
pub fn chain(account: &[u8; DIGEST], index: u64) -> Vec<u8> {
    join(&[account, &index.to_be_bytes()])
}

/// [`super::Tree::Rooms`]; and the prefix of all that belongs to one room in the other trees.
pub fn room(room: &[u8; ID]) -> Vec<u8> {
    room.to_vec()
}

/// [`super::Tree::Entries`]: the entry at `seq`. Prefix: [`room`].
pub fn entry(room: &[u8; ID], seq: u64) -> Vec<u8> {
    join(&[room, &seq.to_be_bytes()])
}

/// The seq of an [`entry`], [`control`] or [`notice`] key, or the rev of a [`rev`] key: their last eight bytes.
pub fn place(key: &[u8]) -> Option<u64> {
    let (_, place) = key.split_last_chunk()?;
    Some(u64::from_be_bytes(*place))
}

/// [`super::Tree::Control`]: what the control entries come to at the one with this `seq`. Prefix: [`room`].
pub fn control(room: &[u8; ID], seq: u64) -> Vec<u8> {
    entry(room, seq)
}

/// [`super::Tree::Registers`]: the register `name` that `owner` holds in a room. Prefixes: [`room`], [`owner`].
pub fn register(room: &[u8; ID], owner: &[u8; DIGEST], name: &[u8]) -> Vec<u8> {
    join(&[room, owner, name])
}

/// The prefix of all registers of one owner in a room.
pub fn owner(room: &[u8; ID], owner: &[u8; DIGEST]) -> Vec<u8> {
    join(&[room, owner])
}

/// [`super::Tree::Revs`]: the register that was written with `rev`. Prefix: [`room`].
pub fn rev(room: &[u8; ID], rev: u64) -> Vec<u8> {
    entry(room, rev)
}

/// [`super::Tree::Directory`]: an account; and the prefix of its chain.
pub fn account(account: &[u8; DIGEST]) -> Vec<u8> {
    account.to_vec()
}

/// [`super::Tree::Directory`]: the account behind a handle. Never as long as an account's key: handles are shorter.
pub fn handle(handle: &str) -> Vec<u8> {
    join(&[b"@", handle.as_bytes()])
}

/// [`super::Tree::Outbox`]: in the order written, over all rooms.
pub fn outbox(order: u64, txn: &[u8; ID]) -> Vec<u8> {
    join(&[&order.to_be_bytes(), txn])
}

/// [`super::Tree::Notices`]: what was decided about the entry at `seq`. Prefix: [`room`].
pub fn notice(room: &[u8; ID], seq: u64) -> Vec<u8> {
    entry(room, seq)
}

/// [`super::Tree::Local`]: a fixed name, or one per room.
pub fn local(name: &str, room: Option<&[u8; ID]>) -> Vec<u8> {
    // A zero byte ends the name, so that no name is the prefix of another.
    join(&[name.as_bytes(), &[0], room.map_or(&[], |room| room.as_slice())])
}

fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Span;
    use proptest::prelude::*;

    #[test]
    fn the_bytes_of_each_key() {
        let (r, a) = ([0xab; 16], [0xcd; 32]);
        assert_eq!(entry(&r, 0x0102), [&[0xab; 16][..], &[0, 0, 0, 0, 0, 0, 1, 2]].concat());
        assert_eq!(control(&r, 7), entry(&r, 7));
        assert_eq!(chain(&a, 1), [&[0xcd; 32][..], &[0, 0, 0, 0, 0, 0, 0, 1]].concat());
        assert_eq!(register(&r, &a, b"key"), [&[0xab; 16][..], &[0xcd; 32], b"key"].concat());
        assert_eq!(outbox(1, &r), [&[0, 0, 0, 0, 0, 0, 0, 1][..], &[0xab; 16]].concat());
        assert_eq!(handle("alice"), b"@alice");
        assert_eq!(local("draft", Some(&r)), [&b"draft\0"[..], &[0xab; 16]].concat());
        assert_eq!(meta("relay"), b"relay");
    }

    proptest! {
        #[test]
        fn keys_sort_by_room_then_by_number(a: [u8; 16], b: [u8; 16], n: u64, m: u64) {
            prop_assert_eq!(entry(&a, n).cmp(&entry(&b, m)), (a, n).cmp(&(b, m)));
            prop_assert_eq!(place(&entry(&a, n)), Some(n));
            prop_assert!(Span::prefix(room(&a)).contains(&entry(&a, n)));
        }

        #[test]
        fn registers_stay_with_their_owner(r: [u8; 16], a: [u8; 32], b: [u8; 32], name: Vec<u8>) {
            let key = register(&r, &a, &name);
            prop_assert_eq!(Span::prefix(owner(&r, &b)).contains(&key), a == b);
        }
    }
}
