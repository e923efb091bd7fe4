//! Two people and a third, five devices, one relay, in virtual time, under everything that can go wrong, by seed.
//!
//! `KITH_SIM_SEEDS=5000` runs that many seeds (500 if unset), `KITH_SIM_SEED=17` one of them, and with `KITH_SIM_TRACE=1`
//! that one says what happens.
#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test ends where something fails")]

mod sim;

use sim::run;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

#[test]
fn nothing_is_lost_or_doubled_and_all_devices_agree() {
    let seeds = match number("KITH_SIM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 1..number("KITH_SIM_SEEDS").unwrap_or(500) + 1,
    };
    let mut failed = Vec::new();
    for seed in seeds {
        let plan = sim::plan::Plan::of(seed);
        let outcome = catch_unwind(AssertUnwindSafe(|| run(&plan)));
        let wrong = match outcome {
            Ok(ran) => ran.wrong,
            Err(_) => vec!["something panicked, see above".to_owned()],
        };
        if !wrong.is_empty() {
            let mut text =
                format!("seed {seed} ({} failed before it), put back: {}\n", failed.len(), plan.restores);
            // The first few say it all.
            if failed.len() < PLANS_SHOWN {
                write!(text, "{plan}").unwrap();
            }
            for wrong in &wrong {
                writeln!(text, "WRONG: {wrong}").unwrap();
            }
            eprintln!("{text}");
            failed.push(seed);
            if failed.len() == FAILURES_MAX {
                break;
            }
        }
    }
    assert!(failed.is_empty(), "seeds {failed:?}: replay one with KITH_SIM_SEED=n KITH_SIM_TRACE=1");
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    for seed in [1, 7, 23] {
        let plan = sim::plan::Plan::of(seed);
        let (one, other) = (run(&plan), run(&plan));
        assert_eq!((one.trace, one.events), (other.trace, other.events), "seed {seed}");
    }
    assert_ne!(run(&sim::plan::Plan::of(1)).trace, run(&sim::plan::Plan::of(2)).trace);
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is a number, not {text:?}")))
}

const PLANS_SHOWN: usize = 2;
const FAILURES_MAX: usize = 20;
