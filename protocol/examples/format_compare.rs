//! Which self-describing binary format frames are written in: MessagePack with named fields against CBOR, by size and time.
//!
//! `cargo run --release -p kith-protocol --example format_compare`
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "prints a table; what cannot be measured ends it"
)]

use bytes::Bytes;
use kith_protocol::frame::{Ack, Acks, Entries, Head, Heads};
use kith_protocol::ids::{Hash, Rev, RoomId, Seq, TxnId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// A message of 256 bytes with its header and signature.
const ENTRY_BYTES: usize = 2 + 168 + 64 + 1 + 256;

fn main() {
    println!("{:24} {:18} {:>8} {:>10} {:>10}", "frame", "format", "bytes", "encode ns", "decode ns");
    let entries = |count| Entries {
        room: RoomId([0xab; 16]),
        first: Seq(70_000),
        entries: (0..count).map(|n| Bytes::from(vec![n; ENTRY_BYTES])).collect(),
    };
    compare("entries, 1", &entries(1));
    compare("entries, 16", &entries(16));
    let head = |n| Head {
        room: RoomId([n; 16]),
        seq: Seq(70_000),
        hash: Hash([n; 32]),
        rev: Rev(300),
        control_len: 3,
        redacted: Seq(0),
    };
    compare("heads, 100", &Heads { heads: (0..100).map(head).collect(), done: true });
    let ack = |n| Ack { room: RoomId([0xab; 16]), txn: TxnId([n; 16]), seq: Seq(70_000 + u64::from(n)) };
    compare("acks, 1", &Acks { acks: vec![ack(0)] });
    compare("acks, 16", &Acks { acks: (0..16).map(ack).collect() });
}

fn compare<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(name: &str, frame: &T) {
    row(name, "MessagePack", frame, &|frame| rmp_serde::to_vec_named(frame).unwrap(), &|bytes| {
        rmp_serde::from_slice(bytes).unwrap()
    });
    row(
        name,
        "CBOR (cbor4ii)",
        frame,
        &|frame| cbor4ii::serde::to_vec(Vec::new(), frame).unwrap(),
        &|bytes| cbor4ii::serde::from_slice(bytes).unwrap(),
    );
    let ciborium_vec = |frame: &T| {
        let mut out = Vec::new();
        ciborium::into_writer(frame, &mut out).unwrap();
        out
    };
    row(name, "CBOR (ciborium)", frame, &ciborium_vec, &|bytes| ciborium::from_reader(bytes).unwrap());
}

fn row<T: PartialEq + std::fmt::Debug>(
    name: &str,
    format: &str,
    frame: &T,
    encode: &dyn Fn(&T) -> Vec<u8>,
    decode: &dyn Fn(&[u8]) -> T,
) {
    let bytes = encode(frame);
    assert_eq!(decode(&bytes), *frame, "{format} reads what it wrote");
    let encoding = nanoseconds(&|| drop(black_box(encode(black_box(frame)))));
    let decoding = nanoseconds(&|| drop(black_box(decode(black_box(&bytes)))));
    println!("{name:24} {format:18} {:>8} {encoding:>10} {decoding:>10}", bytes.len());
}

/// The quickest of 101 rounds of about two milliseconds each: what else the machine does only adds to a round.
#[expect(clippy::disallowed_methods, reason = "this program measures time")]
fn nanoseconds(act: &dyn Fn()) -> u128 {
    let begun = Instant::now();
    let mut count = 0_u32;
    while begun.elapsed() < Duration::from_millis(2) {
        act();
        count += 1;
    }
    let round = |_| {
        let begun = Instant::now();
        (0..count).for_each(|_| act());
        begun.elapsed().as_nanos() / u128::from(count)
    };
    (0..101).map(round).min().unwrap_or_default()
}
