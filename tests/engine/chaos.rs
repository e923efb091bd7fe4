//! Whatever is cut, crashed, lost and restored in between: in the end all agree, nothing is lost, nothing is there twice.

use crate::world::{Id, World};
use kith_protocol::ids::{RoomId, Seq, TxnId};
use std::collections::BTreeMap;

/// What a run has promised so far.
struct Run {
    w: World,
    rng: fastrand::Rng,
    online: Vec<bool>,
    people: Vec<(Vec<Id>, Vec<RoomId>)>,
    said: BTreeMap<RoomId, BTreeMap<String, TxnId>>,
    read: BTreeMap<(Id, RoomId), Seq>,
}

/// Seeds to run: `KITH_SEEDS=1000` for more, `KITH_SEED=17` for one of them alone.
#[test]
fn all_agree_in_the_end() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds: Vec<u64> = match number("KITH_SEED") {
        Some(seed) => vec![seed],
        None => (0..number("KITH_SEEDS").unwrap_or(60)).collect(),
    };
    for seed in seeds {
        let outcome = std::panic::catch_unwind(|| Run::new(seed).go(120));
        if let Err(panic) = outcome {
            eprintln!("the seed is {seed}: KITH_SEED={seed} plays it again");
            std::panic::resume_unwind(panic);
        }
    }
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut w = World::new();
        let rng = fastrand::Rng::with_seed(seed);
        if seed.is_multiple_of(3) {
            w.relay.set_queue(3);
        }
        let (a1, b1, c1) = (w.join("alice"), w.join("bob"), w.join("carol"));
        let chat = w.dm(a1, b1);
        w.say(a1, chat, "first");
        let group = w.group(a1, "All", &[b1, c1]);
        w.settle();
        let (a2, b2) = (w.link(a1, "phone"), w.link(b1, "desk"));
        let people = vec![
            (vec![a1, a2], vec![chat, group]),
            (vec![b1, b2], vec![chat, group]),
            (vec![c1], vec![group]),
        ];
        let online = vec![true; w.devices.len()];
        Self { w, rng, online, people, said: BTreeMap::new(), read: BTreeMap::new() }
    }

    fn go(mut self, steps: usize) {
        for step in 0..steps {
            self.step(step);
            match self.rng.u8(0..4) {
                0 => self.w.settle(),
                1 => self.w.pass(self.rng.u64(0..3_000)),
                _ => self.w.carry_some(self.rng.usize(0..12)),
            }
        }
        self.finish();
    }

    fn step(&mut self, step: usize) {
        let (devices, rooms) = self.rng.choice(self.people.clone()).unwrap();
        let (id, room) = (*self.rng.choice(&devices).unwrap(), *self.rng.choice(&rooms).unwrap());
        if self.w.devices[id].engine.room(&room).unwrap().is_none() {
            return;
        }
        match self.rng.u8(0..20) {
            0..=8 => {
                let text = format!("{step} by {}", self.w.devices[id].name);
                let txn = self.w.say(id, room, &text);
                self.said.entry(room).or_default().insert(text, txn);
            }
            9 | 10 => {
                let lines = self.w.lines(id, room);
                let own = self.w.devices[id].engine.me().person.account;
                if let Some(line) = self.rng.choice(&lines) {
                    let now = self.w.now;
                    let engine = &mut self.w.devices[id].engine;
                    if line.sender == own && line.changes.is_empty() && !line.redacted && self.rng.bool() {
                        engine.edit(now, &room, line.id, &format!("{} (edited)", line.text)).unwrap();
                    } else if line.changes.is_empty() {
                        engine.react(now, &room, line.id, "🌊", self.rng.bool()).unwrap();
                    }
                }
            }
            11 | 12 => {
                let newest = self.w.devices[id].engine.room(&room).unwrap().unwrap().newest;
                let seq = Seq(self.rng.u64(0..=newest.0));
                let now = self.w.now;
                if self.w.devices[id].engine.mark_read(now, &room, seq).is_ok() {
                    let read = self.read.entry((id, room)).or_default();
                    *read = seq.max(*read);
                }
            }
            13 => {
                let now = self.w.now;
                self.w.devices[id].engine.set_draft(now, &room, &format!("draft {step}")).unwrap();
            }
            14..=16 => {
                if self.online[id] {
                    self.w.disconnect(id);
                } else {
                    self.w.connect(id);
                }
                self.online[id] = !self.online[id];
            }
            17 => {
                let keep = self.rng.usize(0..20);
                self.w.crash(id, keep);
                self.online[id] = false;
                // Where somebody has read is no work of theirs: a power cut may take the last half second of it.
                self.read.retain(|(device, _), _| *device != id);
            }
            18 if self.rng.u8(0..4) == 0 => {
                self.w.lose_store(id);
                self.online[id] = false;
                self.read.retain(|(device, _), _| *device != id);
            }
            _ => {
                let times = self.rng.u32(1..3);
                self.w.devices[id].fail_commits(times);
            }
        }
    }

    fn finish(mut self) {
        for id in 0..self.w.devices.len() {
            self.w.devices[id].fail_commits(0);
            self.w.disconnect(id);
        }
        for id in 0..self.w.devices.len() {
            self.w.connect(id);
        }
        self.w.settle();
        self.w.pass(30_000);
        for device in &self.w.devices {
            let (progress, outbox) = (device.engine.progress(), device.engine.outbox());
            let last = device.updates.iter().rev().take(8).collect::<Vec<_>>();
            let live = device.engine.is_live();
            assert!(progress.done, "{}: live {live} {progress:?} {outbox:?} {last:?}", device.name);
            assert!(device.engine.outbox().is_empty());
        }
        let mut rooms: BTreeMap<RoomId, Vec<Id>> = BTreeMap::new();
        for (devices, theirs) in &self.people {
            for room in theirs {
                rooms.entry(*room).or_default().extend(devices);
            }
        }
        for (room, devices) in rooms {
            self.w.agree(room, &devices);
            let lines = self.w.lines(devices[0], room);
            for (text, txn) in self.said.remove(&room).unwrap_or_default() {
                let found = lines.iter().filter(|line| line.id.txn == txn).count();
                assert_eq!(found, 1, "{text:?} is there {found} times");
            }
        }
        for (devices, rooms) in &self.people {
            for room in rooms {
                let shown: Vec<_> = devices
                    .iter()
                    .map(|id| self.w.devices[*id].engine.room(room).unwrap().unwrap())
                    .map(|room| (room.unread, room.mentions, room.read_up_to, room.draft, room.muted_until))
                    .collect();
                assert!(shown.iter().all(|one| *one == shown[0]), "{shown:?}");
                for id in devices {
                    let read = self.read.get(&(*id, *room)).copied().unwrap_or_default();
                    assert!(shown[0].2 >= read, "a read mark went back");
                }
            }
        }
    }
}
