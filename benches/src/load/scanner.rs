//! WebSocket frames in what a server sends, without copying what they hold (RFC 6455, section 5.2).

/// Finds the frames of one connection.
#[derive(Debug, Default)]
pub(crate) struct Scanner {
    /// Header and first bytes of a frame that is not all there.
    held: Vec<u8>,
    /// How much of its payload is still to come, beyond what is held.
    rest: usize,
}

impl Scanner {
    /// Calls `frame` with the first [`PREFIX`] bytes of each frame that ends in `bytes`.
    pub(crate) fn feed(&mut self, mut bytes: &[u8], mut frame: impl FnMut(&[u8])) {
        if !self.held.is_empty() {
            bytes = self.complete(bytes, &mut frame);
        }
        while !bytes.is_empty() {
            let Some((header, payload)) = header(bytes) else {
                self.held.extend(bytes);
                return;
            };
            if let Some(after) = bytes.get(header + payload..) {
                frame(&bytes[header..header + payload.min(PREFIX)]);
                bytes = after;
            } else {
                let keep = bytes.len().min(header + payload.min(PREFIX));
                self.held.extend(&bytes[..keep]);
                self.rest = header + payload - bytes.len();
                return;
            }
        }
    }

    /// Finishes the frame that is held, and hands back what follows it.
    fn complete<'a>(&mut self, mut bytes: &'a [u8], frame: &mut impl FnMut(&[u8])) -> &'a [u8] {
        let mut found = header(&self.held);
        while found.is_none() {
            let Some((first, after)) = bytes.split_first() else { return bytes };
            self.held.push(*first);
            bytes = after;
            found = header(&self.held);
            if let Some((_, payload)) = found {
                self.rest = payload;
            }
        }
        let Some((header, payload)) = found else { return bytes };
        let missing =
            (header + payload.min(PREFIX)).saturating_sub(self.held.len()).min(bytes.len()).min(self.rest);
        self.held.extend(&bytes[..missing]);
        let passed = self.rest.min(bytes.len());
        self.rest -= passed;
        if self.rest == 0 {
            frame(&self.held[header..]);
            self.held.clear();
        }
        &bytes[passed..]
    }
}

/// Lengths of header and payload, once the header is there.
pub(crate) fn header(bytes: &[u8]) -> Option<(usize, usize)> {
    match bytes.get(1)? & 0x7f {
        126 => Some((4, usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)))),
        127 => Some((10, usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?)),
        short => Some((2, usize::from(short))),
    }
}

/// How much of a frame is shown: enough to see what it is and how much it holds.
pub(crate) const PREFIX: usize = 96;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_found_however_the_bytes_come() {
        let lens = [0, 1, 5, 95, 96, 97, 125, 126, 127, 300, 70_000];
        let mut bytes = Vec::new();
        for (at, len) in lens.into_iter().enumerate() {
            bytes.push(0x82);
            match len {
                0..126 => bytes.push(u8::try_from(len).unwrap()),
                126..65_536 => {
                    bytes.push(126);
                    bytes.extend(u16::try_from(len).unwrap().to_be_bytes());
                }
                _ => {
                    bytes.push(127);
                    bytes.extend((len as u64).to_be_bytes());
                }
            }
            bytes.extend(vec![u8::try_from(at).unwrap(); len]);
        }
        for step in [1, 2, 3, 7, 64, 100, 1000, bytes.len()] {
            let (mut scanner, mut seen) = (Scanner::default(), Vec::new());
            for chunk in bytes.chunks(step) {
                scanner.feed(chunk, |prefix| seen.push(prefix.to_vec()));
            }
            let wanted: Vec<_> = lens
                .iter()
                .enumerate()
                .map(|(at, len)| vec![u8::try_from(at).unwrap(); (*len).min(PREFIX)])
                .collect();
            assert_eq!(seen, wanted, "in steps of {step}");
        }
    }
}
