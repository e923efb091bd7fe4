//! The keys of a vault's map. The first byte says of what kind; ids have their full length, numbers are big-endian.

const DEVICE: u8 = b'k';
const OUTBOX: u8 = b'o';
const STATE: u8 = b's';

/// A secret of this device, such as its signing key. Write it with [`super::DurableMap::create`]: never twice.
pub fn device(name: &str) -> Vec<u8> {
    [&[DEVICE], name.as_bytes()].concat()
}

/// The message with this transaction id, in the order written over all rooms.
pub fn outbox(order: u64, txn: &[u8; 16]) -> Vec<u8> {
    [&[OUTBOX][..], &order.to_be_bytes(), txn].concat()
}

/// The prefix of all [`outbox`] keys.
pub fn outbox_all() -> Vec<u8> {
    vec![OUTBOX]
}

/// Order and transaction id of an [`outbox`] key.
pub fn outbox_place(key: &[u8]) -> Option<(u64, [u8; 16])> {
    let (order, txn) = key.strip_prefix(&[OUTBOX])?.split_first_chunk()?;
    Some((u64::from_be_bytes(*order), txn.try_into().ok()?))
}

/// Anything else that has one value per profile and cannot be fetched: the relay's address and pin, the account id.
pub fn state(name: &str) -> Vec<u8> {
    [&[STATE], name.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_back_and_kinds_stay_apart() {
        let id = [0xab; 16];
        assert_eq!(outbox_place(&outbox(258, &id)), Some((258, id)));
        assert_eq!(outbox(258, &id), [&b"o\0\0\0\0\0\0\x01\x02"[..], &id].concat());
        assert_eq!(outbox_place(&device("sign")), None);
        assert!(outbox(1, &id) < outbox(256, &id));
        assert_eq!(device("sign"), b"ksign");
        assert_eq!(state("relay"), b"srelay");
    }
}
