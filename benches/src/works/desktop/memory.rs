//! The memory of an app and of all that it has started.

use crate::process;
use crate::report::Report;
use crate::time::rest;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// MiB of the whole tree, pages that are shared in part, as soon as it stands still.
pub(crate) fn of_tree(root: u32) -> f64 {
    let mut seen: Vec<f64> = Vec::new();
    for _ in 0..LOOKS_MAX {
        seen.push(now(root));
        let last = &seen[seen.len().saturating_sub(STILL)..];
        let (least, most) =
            last.iter().fold((f64::MAX, 0.0_f64), |(least, most), mib| (least.min(*mib), most.max(*mib)));
        if last.len() == STILL && most - least < most * STILL_WITHIN {
            break;
        }
        rest(BETWEEN_LOOKS);
    }
    seen.pop().unwrap_or(f64::NAN)
}

fn now(root: u32) -> f64 {
    process::tree(root).into_iter().filter_map(process::proportional_bytes).sum::<u64>() as f64 / MIB
}

/// Says what the memory of each process of the tree is made of.
pub(crate) fn explain(title: &str, root: u32) {
    for pid in process::tree(root) {
        let Some((name, mappings)) = process::mappings(pid) else { continue };
        let mut parts: BTreeMap<Part, u64> = BTreeMap::new();
        let mut libraries: BTreeMap<String, u64> = BTreeMap::new();
        for (file, bytes) in mappings {
            let part = Part::of(&file);
            *parts.entry(part).or_default() += bytes;
            if part == Part::Libraries {
                *libraries.entry(library(&file)).or_default() += bytes;
            }
        }
        let mut largest: Vec<_> = libraries.into_iter().collect();
        largest.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
        let largest: Vec<_> = largest
            .iter()
            .take(4)
            .map(|(name, bytes)| format!("{name} {:.1}", *bytes as f64 / MIB))
            .collect();
        let total: u64 = parts.values().sum();
        let parts: Vec<_> =
            parts.iter().map(|(part, bytes)| format!("{} {:.1}", part.name(), *bytes as f64 / MIB)).collect();
        Report::note(&format!(
            "{title}: {name}: {:.1} MiB: {}; of the libraries: {}",
            total as f64 / MIB,
            parts.join(", "),
            largest.join(", ")
        ));
    }
}

/// Whom memory belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    /// What was asked for while it ran: heaps, stacks, the caches in them.
    Own,
    Libraries,
    Program,
    /// Fonts, icons, files of data; memory that processes share.
    Others,
}

impl Part {
    fn of(file: &str) -> Self {
        let path = Path::new(file);
        let base = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if file.is_empty() || file.starts_with('[') {
            Self::Own
        } else if base.contains(".so.") || path.extension().is_some_and(|extension| extension == "so") {
            Self::Libraries
        } else if base.starts_with("kith") || base.starts_with("WebKit") {
            Self::Program
        } else {
            Self::Others
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Own => "heap and stacks",
            Self::Libraries => "libraries",
            Self::Program => "program",
            Self::Others => "files and shared memory",
        }
    }
}

fn library(file: &str) -> String {
    let base = file.rsplit('/').next().unwrap_or(file);
    base.split(".so").next().unwrap_or(base).to_owned()
}

/// Memory stands still when so many looks in a row differ by less than this part.
const STILL: usize = 6;
const STILL_WITHIN: f64 = 0.01;
const LOOKS_MAX: usize = 60;
const BETWEEN_LOOKS: Duration = Duration::from_millis(400);
const MIB: f64 = 1024.0 * 1024.0;
