//! What happens in a run, decided before it begins.

use fastrand::Rng;
use std::fmt;

/// Alice and Bob have two devices each, Carol has one: their names, and whose they are.
pub(crate) const DEVICES: [(&str, usize); 5] =
    [("alice/laptop", 0), ("alice/phone", 0), ("bob/desk", 1), ("bob/phone", 1), ("carol/laptop", 2)];
/// With those that are linked later; who is not there yet does nothing.
pub(crate) const DEVICES_MAX: usize = 8;
/// Alice and Bob, Alice's group, Carol and Alice.
pub(crate) const ROOMS: usize = 3;

/// How long people are busy, in milliseconds of virtual time.
const BUSY_MS: u64 = 60_000;

/// A run.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) net: Net,
    /// Rising in time.
    pub(crate) steps: Vec<(u64, Op)>,
    /// Whether the relay is put back to an older state.
    pub(crate) restores: bool,
}

/// What the network and the queues are like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Net {
    /// A frame takes up to so long.
    pub(crate) delay_ms: u64,
    /// Frames under way that a connection takes before it blocks.
    pub(crate) window: usize,
    /// Frames that wait for one connection, at the relay.
    pub(crate) queue: usize,
    /// The disk takes up to so long for a group.
    pub(crate) disk_ms: u64,
    /// Writes in a group.
    pub(crate) group: usize,
}

/// Something that happens. `pick` and `back` choose among what is there then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    Say {
        dev: usize,
        room: usize,
        times: u32,
    },
    Answer {
        dev: usize,
        room: usize,
        pick: usize,
    },
    Edit {
        dev: usize,
        room: usize,
        pick: usize,
    },
    Redact {
        dev: usize,
        room: usize,
        pick: usize,
    },
    React {
        dev: usize,
        room: usize,
        pick: usize,
        on: bool,
    },
    Read {
        dev: usize,
        room: usize,
        back: u64,
    },
    Draft {
        dev: usize,
        room: usize,
    },
    Wish {
        dev: usize,
        room: usize,
    },
    Set {
        dev: usize,
    },
    Rename {
        dev: usize,
    },
    Add {
        dev: usize,
    },
    Remove {
        dev: usize,
    },
    /// The connection breaks; neither side knows at once.
    Cut {
        dev: usize,
    },
    Away {
        dev: usize,
        ms: u64,
    },
    /// The process dies and another starts.
    Kill {
        dev: usize,
    },
    /// So much of what the store had not synced survives, in hundredths.
    PowerCut {
        dev: usize,
        keep: usize,
    },
    LoseStore {
        dev: usize,
    },
    Sync {
        dev: usize,
    },
    /// Offers a place to a new device, which comes if it can.
    Link {
        dev: usize,
    },
    /// Signs another device of the same person out.
    Revoke {
        dev: usize,
        other: usize,
    },
    /// The device's clock is set so far off.
    Clock {
        dev: usize,
        ms: i64,
    },
    FailCommits {
        dev: usize,
        times: u32,
    },
    /// The relay dies before, between or after commit and answer of the next group.
    Crash {
        phase: Phase,
        down_ms: u64,
    },
    Full {
        ms: u64,
    },
    Backup,
    Restore {
        down_ms: u64,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    BeforeCommit,
    AfterCommit,
    AfterAnswer,
}

impl Plan {
    pub(crate) fn of(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let net = Net {
            delay_ms: *pick(&mut rng, &[1, 20, 200, 2_000]),
            window: *pick(&mut rng, &[1, 4, 64]),
            queue: *pick(&mut rng, &[1, 3, 20, 512]),
            disk_ms: *pick(&mut rng, &[1, 10, 200]),
            group: *pick(&mut rng, &[1, 4, 1024]),
        };
        let restores = rng.u32(..100) < 15;
        let backup_at = rng.u64(BUSY_MS / 5..BUSY_MS / 2);
        let restore_at = rng.u64(backup_at..BUSY_MS);
        // Some runs are calm but for one kind of trouble, so that it is not always cured by another.
        let kinds: Vec<u32> = (0..8).filter(|_| rng.bool()).collect();
        let mut times: Vec<u64> = (0..rng.usize(20..90)).map(|_| rng.u64(..BUSY_MS)).collect();
        times.sort_unstable();
        let mut steps: Vec<(u64, Op)> = times
            .into_iter()
            .map(|at| {
                let op = if rng.u32(..100) < 78 || kinds.is_empty() {
                    spoken(&mut rng)
                } else {
                    trouble(&mut rng, &kinds)
                };
                (at, if restores && at >= backup_at { tamed(op) } else { op })
            })
            .collect();
        let whole = comings_and_goings(&mut rng);
        // Who was linked after the copy is a stranger to it, and not let in.
        steps.extend(whole.into_iter().filter(|(_, op)| !restores || !matches!(op, Op::Link { .. })));
        if restores {
            steps.push((backup_at, Op::Backup));
            steps.push((restore_at, Op::Restore { down_ms: rng.u64(100..10_000) }));
        }
        steps.sort_by_key(|(at, _)| *at);
        Self { seed, net, steps, restores }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:?}", self.net)?;
        self.steps.iter().try_for_each(|(at, op)| writeln!(f, "{at:>6} {op:?}"))
    }
}

fn spoken(rng: &mut Rng) -> Op {
    let (dev, room, choice) = (device(rng), rng.usize(..ROOMS), rng.usize(..1000));
    match rng.u32(..100) {
        0..45 => Op::Say { dev, room, times: if rng.u32(..10) == 0 { rng.u32(2..40) } else { 1 } },
        45..50 => Op::Answer { dev, room, pick: choice },
        50..58 => Op::Edit { dev, room, pick: choice },
        58..63 => Op::Redact { dev, room, pick: choice },
        63..72 => Op::React { dev, room, pick: choice, on: rng.u32(..3) > 0 },
        72..84 => Op::Read { dev, room, back: rng.u64(..4) },
        84..90 => Op::Draft { dev, room },
        90..93 => Op::Wish { dev, room },
        93..95 => Op::Set { dev },
        95..96 => Op::Rename { dev },
        96..98 => Op::Add { dev: rng.usize(..2) },
        _ => Op::Remove { dev: rng.usize(..2) },
    }
}

fn trouble(rng: &mut Rng, kinds: &[u32]) -> Op {
    let dev = device(rng);
    match pick(rng, kinds) {
        0 => Op::Cut { dev },
        1 => Op::Away { dev, ms: rng.u64(100..40_000) },
        2 => Op::Kill { dev },
        3 => Op::PowerCut { dev, keep: rng.usize(..101) },
        4 if rng.u32(..4) == 0 => Op::LoseStore { dev },
        4 => Op::Sync { dev },
        5 => Op::FailCommits { dev, times: rng.u32(1..4) },
        6 => {
            let phase = *pick(rng, &[Phase::BeforeCommit, Phase::AfterCommit, Phase::AfterAnswer]);
            Op::Crash { phase, down_ms: rng.u64(10..8_000) }
        }
        _ => Op::Full { ms: rng.u64(100..5_000) },
    }
}

/// In some runs devices are linked and signed out, or clocks are wrong.
fn comings_and_goings(rng: &mut Rng) -> Vec<(u64, Op)> {
    let (links, revokes, clocks) = (rng.bool(), rng.u32(..3) == 0, rng.u32(..3) == 0);
    let mut steps = Vec::new();
    let mut add = |rng: &mut Rng, makes: bool, times: usize, make: fn(&mut Rng) -> Op| {
        for _ in 0..if makes { rng.usize(1..=times) } else { 0 } {
            steps.push((rng.u64(..BUSY_MS), make(rng)));
        }
    };
    add(rng, links, 4, |rng| Op::Link { dev: rng.usize(..DEVICES.len()) });
    add(rng, revokes, 3, |rng| {
        let pairs = [(0, 1), (1, 0), (2, 3), (3, 2), (0, 5), (2, 6), (4, 5), (4, 7), (5, 4), (6, 0), (5, 6)];
        let (dev, other) = *pick(rng, &pairs);
        Op::Revoke { dev, other }
    });
    add(rng, clocks, 5, |rng| {
        let ms = *pick(rng, &[-3_600_000, -100_000, -2_000, 0, 2_000, 100_000, 3_600_000]);
        Op::Clock { dev: device(rng), ms }
    });
    steps
}

/// Mostly one of the first ones.
fn device(rng: &mut Rng) -> usize {
    if rng.u32(..8) == 0 { rng.usize(..DEVICES_MAX) } else { rng.usize(..DEVICES.len()) }
}

/// While the relay lacks what it had, devices are its only memory: their disks hold, and nobody comes or goes.
fn tamed(op: Op) -> Op {
    match op {
        Op::LoseStore { dev } => Op::Kill { dev },
        Op::Add { dev } | Op::Remove { dev } => Op::Say { dev, room: 0, times: 1 },
        op => op,
    }
}

fn pick<'a, T>(rng: &mut Rng, from: &'a [T]) -> &'a T {
    &from[rng.usize(..from.len())]
}
