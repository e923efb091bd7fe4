//! Bytes with their meaning beside them.

use std::fmt::Write as _;

const PER_LINE: usize = 16;

/// One frame, body or part: a type byte if `named` is given, then a MessagePack value.
pub(crate) fn tagged(name: &str, bytes: &[u8]) -> String {
    let mut dump = Dump { bytes, at: 0, out: String::new() };
    dump.token(1, 0, &format!("type {}, {name}", bytes[0]));
    dump.value(0, "");
    assert_eq!(dump.at, bytes.len(), "nothing is left over");
    dump.out
}

/// Fields of known lengths, one after the other; a length of `None` takes the rest.
pub(crate) fn fields(bytes: &[u8], fields: &[(&str, Option<usize>)]) -> String {
    let mut dump = Dump { bytes, at: 0, out: String::new() };
    for (name, len) in fields {
        dump.token(len.unwrap_or(bytes.len() - dump.at), 0, name);
    }
    assert_eq!(dump.at, bytes.len(), "nothing is left over");
    dump.out
}

/// The keys of the outermost map of a frame, in their order.
pub(crate) fn keys(bytes: &[u8]) -> Vec<String> {
    let of_the_frame = |(depth, key)| (depth == 1).then_some(key);
    keys_with_depth(bytes).into_iter().filter_map(of_the_frame).collect()
}

/// The keys of all maps of a frame.
pub(crate) fn all_keys(bytes: &[u8]) -> Vec<String> {
    keys_with_depth(bytes).into_iter().map(|(_, key)| key).collect()
}

fn keys_with_depth(bytes: &[u8]) -> Vec<(usize, String)> {
    let dump = tagged("", bytes);
    let key = |line: &str| {
        let meaning = line.get(MEANING_AT..)?;
        let key = meaning.trim_start();
        Some(((meaning.len() - key.len()) / 2, key.strip_suffix(':')?.to_owned()))
    };
    dump.lines().filter_map(key).collect()
}

const MEANING_AT: usize = 6 + PER_LINE * 3 + 1;

struct Dump<'a> {
    bytes: &'a [u8],
    at: usize,
    out: String,
}

impl Dump<'_> {
    fn token(&mut self, len: usize, depth: usize, meaning: &str) {
        let token = &self.bytes[self.at..self.at + len];
        let mut chunks = token.chunks(PER_LINE);
        let mut offset = self.at;
        let mut line = |chunk: &[u8], meaning: &str| {
            let hex: Vec<String> = chunk.iter().map(|byte| format!("{byte:02x}")).collect();
            let text = format!("{offset:04x}  {:width$}  {meaning}", hex.join(" "), width = PER_LINE * 3 - 1);
            writeln!(self.out, "{}", text.trim_end()).unwrap();
            offset += chunk.len();
        };
        line(chunks.next().unwrap_or_default(), &format!("{}{meaning}", "  ".repeat(depth)));
        chunks.for_each(|chunk| line(chunk, ""));
        self.at += len;
    }

    fn number(&self, from: usize, len: usize) -> u64 {
        self.bytes[self.at + from..][..len].iter().fold(0, |n, byte| n << 8 | u64::from(*byte))
    }

    fn value(&mut self, depth: usize, name: &str) {
        let head = self.bytes[self.at];
        let count = |n: u64| usize::try_from(n).unwrap();
        match head {
            0x00..=0x7f => self.token(1, depth, &format!("{name}{head}")),
            0xc0 => self.token(1, depth, &format!("{name}nil")),
            0xc2 | 0xc3 => self.token(1, depth, &format!("{name}{}", head == 0xc3)),
            0xcc..=0xcf => {
                let len = 1 << (head - 0xcc);
                let number = self.number(1, len);
                self.token(1 + len, depth, &format!("{name}{number}"));
            }
            0xa0..=0xbf => self.text(1, usize::from(head & 31), depth, name),
            0xd9 => self.text(2, count(self.number(1, 1)), depth, name),
            0xda => self.text(3, count(self.number(1, 2)), depth, name),
            0xc4 => self.binary(2, count(self.number(1, 1)), depth, name),
            0xc5 => self.binary(3, count(self.number(1, 2)), depth, name),
            0x80..=0x8f => self.map(1, usize::from(head & 15), depth, name),
            0xde => self.map(3, count(self.number(1, 2)), depth, name),
            0x90..=0x9f => self.list(usize::from(head & 15), depth, name),
            other => panic!("a sample holds {other:#04x}"),
        }
    }

    fn text(&mut self, head: usize, len: usize, depth: usize, name: &str) {
        let text = String::from_utf8(self.bytes[self.at + head..][..len].to_vec()).unwrap();
        self.token(head + len, depth, &format!("{name}{text:?}"));
    }

    fn binary(&mut self, head: usize, len: usize, depth: usize, name: &str) {
        self.token(head, depth, &format!("{name}{len} bytes"));
        if len > 0 {
            self.token(len, depth, "");
        }
    }

    fn map(&mut self, head: usize, len: usize, depth: usize, name: &str) {
        self.token(head, depth, &format!("{name}map of {len}"));
        for _ in 0..len {
            let key_len = usize::from(self.bytes[self.at] & 31);
            let key = String::from_utf8(self.bytes[self.at + 1..][..key_len].to_vec()).unwrap();
            self.token(1 + key_len, depth + 1, &format!("{key}:"));
            self.value(depth + 2, "");
        }
    }

    fn list(&mut self, len: usize, depth: usize, name: &str) {
        self.token(1, depth, &format!("{name}list of {len}"));
        for _ in 0..len {
            self.value(depth + 1, "");
        }
    }
}
