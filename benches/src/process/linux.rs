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

/// A process and all that it has started, and they in their turn.
pub(crate) fn tree(root: u32) -> Vec<u32> {
    let all: Vec<(u32, u32)> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let pid: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
            Some((pid, parent(pid)?))
        })
        .collect();
    let mut tree = vec![root];
    let mut next = 0;
    while let Some(&of) = tree.get(next) {
        tree.extend(all.iter().filter(|(_, parent)| *parent == of).map(|(pid, _)| *pid));
        next += 1;
    }
    tree
}

/// The name of a process, and its memory by what it belongs to; pages that are shared count in part.
pub(crate) fn mappings(pid: u32) -> Option<(String, Vec<(String, u64)>)> {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?.trim().to_owned();
    let smaps = fs::read_to_string(format!("/proc/{pid}/smaps")).ok()?;
    let mut mappings: Vec<(String, u64)> = Vec::new();
    for line in smaps.lines() {
        if let Some(kib) = line.strip_prefix("Pss:") {
            let bytes = kib.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024;
            mappings.last_mut()?.1 += bytes;
        } else if line.split(' ').next().is_some_and(|range| range.contains('-')) {
            // Addresses, rights, offset, device, inode, and the name behind many spaces.
            let file = line.splitn(6, ' ').nth(5).unwrap_or_default().trim();
            mappings.push((file.to_owned(), 0));
        }
    }
    Some((name, mappings))
}

/// Memory that is in RAM now; pages that are shared count in part.
pub(crate) fn proportional_bytes(pid: u32) -> Option<u64> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib * 1024)
}

fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
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

    #[test]
    fn a_tree_has_its_children_and_their_memory() {
        let me = std::process::id();
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let (tree, sum) =
            (tree(me), |mappings: &[(String, u64)]| mappings.iter().map(|(_, bytes)| bytes).sum::<u64>());
        assert!(tree.contains(&me) && tree.contains(&child.id()), "{tree:?}");
        let (name, mine) = mappings(me).unwrap();
        assert!(!name.is_empty() && sum(&mine) > 100_000, "{mine:?}");
        assert!(mine.iter().any(|(file, _)| file == "[heap]"), "{mine:?}");
        assert!(proportional_bytes(me).unwrap() > 100_000);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
