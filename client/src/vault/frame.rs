//! One frame of the log: a mark, its number, its length, and what was written, sealed to that number.
//!
//! `mark 4 | index u64 | length u32 | sealed` (numbers big-endian); inside, one after the other:
//! `1 | key length u32 | key | value length u32 | value` sets, `0 | key length u32 | key` removes.

use super::Writes;
use crate::keys::DataKey;

/// Where frames begin: what the reader looks for behind a damaged one.
const MARK: [u8; 4] = *b"\xf5KF1";
const HEAD: usize = MARK.len() + 8 + 4;

/// The most that one frame may hold, sealed. A longer one is not one of ours.
pub(crate) const SEALED_MAX: usize = 4 * 1024 * 1024;

/// A frame as it was read.
pub(crate) struct Frame {
    pub(crate) index: u64,
    pub(crate) writes: Writes,
    /// Where the next one begins.
    pub(crate) end: usize,
}

/// The bytes of frame number `index`.
pub(crate) fn encode(data: &DataKey, index: u64, writes: &Writes) -> Vec<u8> {
    let sealed = data.seal(&place(index), &plain(writes));
    let mut frame = Vec::with_capacity(HEAD + sealed.len());
    frame.extend_from_slice(&MARK);
    frame.extend_from_slice(&index.to_be_bytes());
    frame.extend_from_slice(&(sealed.len() as u32).to_be_bytes());
    frame.extend_from_slice(&sealed);
    frame
}

/// The frame that begins at `at`, if a sound one does.
pub(crate) fn decode(data: &DataKey, log: &[u8], at: usize) -> Option<Frame> {
    let rest = log.get(at..)?.strip_prefix(&MARK)?;
    let (index, rest) = rest.split_first_chunk()?;
    let (length, rest) = rest.split_first_chunk()?;
    let (index, length) = (u64::from_be_bytes(*index), u32::from_be_bytes(*length) as usize);
    if length > SEALED_MAX {
        return None;
    }
    let writes = parse(&data.open(&place(index), rest.get(..length)?)?)?;
    Some(Frame { index, writes, end: at + HEAD + length })
}

/// The first sound frame after `at`, wherever it begins.
pub(crate) fn resync(data: &DataKey, log: &[u8], at: usize) -> Option<(usize, Frame)> {
    let marks = log.windows(MARK.len()).enumerate().skip(at + 1).filter(|(_, window)| *window == MARK);
    marks.map(|(start, _)| start).find_map(|start| Some((start, decode(data, log, start)?)))
}

fn place(index: u64) -> Vec<u8> {
    [&b"kith/vault/1\0"[..], &index.to_be_bytes()].concat()
}

fn plain(writes: &Writes) -> zeroize::Zeroizing<Vec<u8>> {
    // Grown once: a vector that grows leaves copies of secrets behind.
    let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(size(writes)));
    for (key, value) in writes {
        bytes.push(u8::from(value.is_some()));
        sized(&mut bytes, key);
        if let Some(value) = value {
            sized(&mut bytes, value);
        }
    }
    bytes
}

/// The length of `writes` in a frame before it is sealed.
pub(crate) fn size(writes: &Writes) -> usize {
    writes.iter().map(|(key, value)| 5 + key.len() + value.as_ref().map_or(0, |value| 4 + value.len())).sum()
}

fn sized(bytes: &mut Vec<u8>, part: &[u8]) {
    bytes.extend_from_slice(&(part.len() as u32).to_be_bytes());
    bytes.extend_from_slice(part);
}

fn parse(mut plain: &[u8]) -> Option<Writes> {
    let mut writes = Writes::new();
    while let Some((kind, rest)) = plain.split_first() {
        plain = rest;
        let key = take(&mut plain)?.to_vec();
        let value = match kind {
            0 => None,
            1 => Some(take(&mut plain)?.to_vec()),
            _ => return None,
        };
        writes.push((key, value));
    }
    Some(writes)
}

fn take<'a>(plain: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = plain.split_first_chunk()?;
    let (part, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    *plain = rest;
    Some(part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn frames_read_back(index: u64, writes: Writes, before: Vec<u8>) {
            let data = DataKey::from_bytes([7; 32]);
            let bytes = encode(&data, index, &writes);
            prop_assert_eq!(plain(&writes).len(), size(&writes));

            let frame = decode(&data, &bytes, 0).unwrap();
            prop_assert_eq!((frame.index, frame.end), (index, bytes.len()));
            prop_assert_eq!(&frame.writes, &writes);

            let log = [&before[..], &bytes, b"and more"].concat();
            let frame = decode(&data, &log, before.len()).unwrap();
            prop_assert_eq!(frame.end, before.len() + bytes.len());
        }

        #[test]
        fn what_a_frame_holds_is_never_misread(plain: Vec<u8>) {
            if let Some(writes) = parse(&plain) {
                prop_assert_eq!(super::plain(&writes).to_vec(), plain);
            }
        }
    }
}
