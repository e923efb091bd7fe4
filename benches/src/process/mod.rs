//! What a process has used, as far as the system tells others.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;

#[cfg(target_os = "linux")]
pub(crate) use linux::{cpu_seconds, resident_bytes};
#[cfg(not(target_os = "linux"))]
pub(crate) use other::{cpu_seconds, resident_bytes};
