//! What happened, as one number; and as text for who asks.

use std::fmt::Arguments;

/// A running hash over everything that happens.
pub(crate) struct Trace {
    pub(crate) hash: u64,
    shown: bool,
}

impl Trace {
    pub(crate) fn new() -> Self {
        Self { hash: 0xcbf2_9ce4_8422_2325, shown: std::env::var_os("KITH_SIM_TRACE").is_some() }
    }

    /// Bytes that crossed.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        // FNV-1a; http://www.isthe.com/chongo/tech/comp/fnv/
        for byte in bytes {
            self.hash = (self.hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    pub(crate) fn say(&mut self, now: u64, what: Arguments<'_>) {
        self.bytes(&now.to_be_bytes());
        if self.shown {
            eprintln!("{:>8} {what}", now - super::world::START);
        }
    }
}
