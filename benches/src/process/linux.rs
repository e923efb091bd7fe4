//! From `/proc`, see proc(5).

use std::fs;

/// Processor time of all threads, user and system; `None` if the process is gone.
pub(crate) fn cpu_seconds(pid: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in brackets may hold anything; utime and stime are the 12th and 13th fields behind it.
    let fields = stat.rsplit_once(") ")?.1;
    let mut ticks = fields.split(' ').skip(11).map(str::parse::<u64>);
    let (user, system) = (ticks.next()?.ok()?, ticks.next()?.ok()?);
    Some((user + system) as f64 / USER_HZ)
}

/// Memory that is in RAM now, shared pages of the program included.
pub(crate) fn resident_bytes(pid: u32) -> Option<u64> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Rss:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib * 1024)
}

/// What the kernel shows user space on every platform, whatever it counts in.
const USER_HZ: f64 = 100.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_used_something() {
        let me = std::process::id();
        assert!(cpu_seconds(me).is_some());
        assert!(resident_bytes(me).unwrap() > 100_000);
        assert_eq!(resident_bytes(u32::MAX), None);
    }
}
