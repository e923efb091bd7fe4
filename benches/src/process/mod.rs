//! What a process has used, as far as the system tells others.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;

#[cfg(target_os = "linux")]
pub(crate) use linux::{cpu_seconds, mappings, proportional_bytes, resident_bytes, tree};
#[cfg(not(target_os = "linux"))]
pub(crate) use other::{cpu_seconds, resident_bytes};

/// How many files, connections among them, a process may have open, once it has asked for as many as it can get.
#[cfg(unix)]
pub(crate) fn open_files() -> usize {
    let limit = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(256);
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// Sockets are no files here.
#[cfg(not(unix))]
pub(crate) fn open_files() -> usize {
    usize::MAX
}
