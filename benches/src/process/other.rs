//! Where other processes do not show what they use.

/// Not available here.
pub(crate) fn cpu_seconds(_pid: u32) -> Option<f64> {
    None
}

/// Not available here.
pub(crate) fn resident_bytes(_pid: u32) -> Option<u64> {
    None
}
