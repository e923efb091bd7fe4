//! One part of a longer work: a heading, and how long it took.

use std::time::{Duration, Instant};

use owo_colors::OwoColorize as _;

use crate::failure::Failure;

/// Does `work` under a heading and says how long it took.
pub(crate) fn step(heading: &str, work: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    anstream::println!("\n{} {}", "==".cyan(), heading.bold());
    let start = now();
    let result = work();
    let took = shown(start.elapsed());
    match &result {
        Ok(()) => anstream::println!("{} {heading}: {took}", "ok".green()),
        Err(_) => anstream::println!("{} {heading}: {took}", "failed".red()),
    }
    result
}

/// The one clock of these commands.
#[expect(clippy::disallowed_methods, reason = "edge: how long programs take is measured by the real clock")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

fn shown(took: Duration) -> String {
    let seconds = took.as_secs();
    if seconds < 60 {
        format!("{:.1} s", took.as_secs_f64())
    } else {
        format!("{} min {} s", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::shown;

    #[test]
    fn durations_read_like_speech() {
        assert_eq!(shown(Duration::from_millis(1_240)), "1.2 s");
        assert_eq!(shown(Duration::from_secs(185)), "3 min 5 s");
    }
}
