//! Whatever comes in whatever order: nobody is told twice of a message, nor of one that they were there for, and who stays away
//! hears of all. Writer, rounds and the meaning of answers are the real ones; time, people and hosts are played.

use super::*;
use crate::clock::{Clock, Instant};
use crate::push::courier::judge;
use crate::push::outside::{Answer, SendError};
use crate::push::rounds::{Act, Rounds, Seen, present_until};
use crate::relay::conn::Conn;
use crate::relay::person::{LIMITS, Person};
use crate::relay::writer::Asker;
use crate::relay::writes::Write;
use crate::store::Engine;
use crate::store::memory::MemoryEngine;
use hyper::StatusCode;
use kith_protocol::entry::{Entry, Kind};
use kith_protocol::frame::{PushOption, SetPush};
use kith_protocol::ids::{Hash, Incarnation};
use kith_protocol::room::direct_ops;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

const SILENCE: Duration = Duration::from_secs(45);

#[derive(Debug, Clone)]
enum Op {
    /// Alice writes.
    Message,
    /// A device of Bob's connects, or his only one goes.
    Come,
    Go,
    /// Something comes from it: a pong, say.
    Frame,
    /// It writes: a read mark, say.
    Write,
    Wait(u32),
    /// A host answers a request, if one is under way.
    Answer(usize, Reply),
    /// The relay is killed; whether what was under way arrived all the same.
    Crash(bool),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reply {
    Taken,
    Status(u16),
    Unreached,
    /// Nothing is answered; whether it arrived.
    Silence(bool),
}

fn op() -> impl Strategy<Value = Op> {
    let reply = prop_oneof![
        4 => Just(Reply::Taken),
        2 => prop::sample::select(vec![400, 429, 500, 502, 503]).prop_map(Reply::Status),
        2 => Just(Reply::Unreached),
        2 => any::<bool>().prop_map(Reply::Silence),
    ];
    prop_oneof![
        6 => Just(Op::Message),
        2 => Just(Op::Come),
        3 => Just(Op::Go),
        2 => Just(Op::Frame),
        1 => Just(Op::Write),
        4 => (0..90_u32).prop_map(Op::Wait),
        1 => (90..4000_u32).prop_map(Op::Wait),
        6 => (0..2_usize, reply).prop_map(|(which, reply)| Op::Answer(which, reply)),
        1 => any::<bool>().prop_map(Op::Crash),
    ]
}

struct Flight {
    target: PushTarget,
    out: PushOut,
    /// Bob came back so often before.
    epoch: u32,
}

struct World {
    writer: Writer,
    rounds: Rounds,
    now: Instant,
    alice: Person,
    bob: Arc<Conn>,
    room: RoomId,
    connected: bool,
    heard: Option<Instant>,
    flights: Vec<Flight>,
    epoch: u32,
    /// Messages since Bob was there.
    unseen: u32,
    /// Of how many of them each target was told, and by which pushes.
    told: BTreeMap<TargetId, (u32, BTreeSet<[u8; 16]>)>,
    /// Something happened after which not all need be told.
    lossy: bool,
    failures: u32,
    ids: u8,
}

impl World {
    fn new() -> Self {
        let mut engine = MemoryEngine::new(Incarnation([7; 16]));
        engine.begin().unwrap();
        let alice = Person::new(&mut engine, 1, "alice");
        let bob = Person::new(&mut engine, 2, "bob");
        engine.commit().unwrap();
        let now = Clock::system().now();
        let room = RoomId::direct(&alice.account, &bob.account);
        let mut world = Self {
            writer: Writer::new(Box::new(engine), LIMITS),
            rounds: Rounds::new(now, SILENCE),
            now,
            bob: bob.conn,
            room,
            connected: false,
            heard: None,
            flights: Vec::new(),
            epoch: 0,
            unseen: 0,
            told: BTreeMap::new(),
            lossy: false,
            failures: 0,
            ids: 0,
            alice,
        };
        let ops = direct_ops(world.alice.account, bob.account);
        let genesis = world.entry(Kind::Control { index: 0, ops });
        world.write(Write::Control(1, genesis), false);
        let option = |name: &str, value: &str| PushOption { name: name.into(), value: value.into() };
        let secret = option("secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let ntfy = Place::parse("ntfy", &[option("url", "https://a.example/")]).unwrap();
        let webhook = Place::parse("webhook", &[option("url", "https://b.example/"), secret]).unwrap();
        for (id, place) in [([1; 16], ntfy), ([2; 16], webhook)] {
            world.write(Write::Push(PushWrite::Add { req: 1, id, place }), true);
        }
        world
    }

    fn entry(&mut self, kind: Kind) -> Entry {
        self.alice.entry(self.room, Hash::ZERO, kind)
    }

    /// One group. Whoever something waits for is noted, as the courier does.
    fn write(&mut self, write: Write, by_bob: bool) -> Written {
        let (reply, answer) = std::sync::mpsc::channel();
        let from = if by_bob {
            Asker::Conn(Arc::clone(&self.bob))
        } else {
            Asker::Waiting { by: None, reply: Box::new(move |result| drop(reply.send(result))) }
        };
        let mut committed = self.writer.commit(vec![Job { from, write, now: 1 }]);
        for (account, after_s) in std::mem::take(&mut committed.awaited) {
            self.rounds.noted(self.now, account, Duration::from_secs(after_s.into()));
        }
        assert!(committed.answers.iter().all(|(_, result, _)| result.is_ok()), "it is stored");
        committed.answer();
        answer.try_recv().map_or(Written::Done, Result::unwrap)
    }

    fn push(&mut self, write: PushWrite) -> Written {
        self.write(Write::Push(write), false)
    }

    fn seen(&self) -> Seen {
        Seen { connected: self.connected, heard: self.heard }
    }

    fn run(&mut self, op: &Op) {
        match op {
            Op::Message => {
                let entry = self.entry(Kind::Message);
                self.unseen += 1;
                self.write(Write::Entry(0, entry), false);
            }
            Op::Come => {
                (self.connected, self.heard) = (true, Some(self.now));
                self.was_there();
                let bob = self.bob.identity.account;
                self.push(PushWrite::Drop(bob));
            }
            Op::Frame if self.connected => self.heard = Some(self.now),
            Op::Write if self.connected => {
                self.heard = Some(self.now);
                self.was_there();
                let set = SetPush { req: 1, after_s: None, show_sender: None, muted: None };
                self.write(Write::Push(PushWrite::Wish(set)), true);
            }
            Op::Frame | Op::Write => {}
            Op::Go => self.connected = false,
            Op::Wait(seconds) => self.wait(Duration::from_secs((*seconds).into())),
            Op::Answer(which, reply) => {
                if !self.flights.is_empty() {
                    let flight = self.flights.remove(which % self.flights.len());
                    self.answer(flight, *reply);
                }
            }
            Op::Crash(arrived) => self.crash(*arrived),
        }
        self.go();
    }

    fn was_there(&mut self) {
        self.epoch += 1;
        (self.unseen, self.lossy, self.failures) = (0, false, 0);
        self.told.clear();
    }

    fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        let mut rounds = 0;
        while let Some(next) = self.rounds.next().filter(|next| *next <= end) {
            self.now = next.max(self.now);
            self.go();
            rounds += 1;
            assert!(rounds < 10_000, "it goes round and round");
        }
        self.now = end;
    }

    fn go(&mut self) {
        let seen = self.seen();
        for act in self.rounds.due(self.now, |_| seen) {
            match act {
                Act::Drop(account) => {
                    self.push(PushWrite::Drop(account));
                    // A device heard of it some time ago.
                    self.lossy = true;
                }
                Act::Collect(account, paused) => {
                    self.ids += 1;
                    let id = [self.ids; 16];
                    match self.push(PushWrite::Collect { account, paused, id }) {
                        Written::Pushing(Some((_, targets))) => {
                            self.rounds.collected(self.now, &account, &targets);
                            self.send(targets);
                        }
                        _ => self.rounds.came_back(&account),
                    }
                }
                Act::Retry(account, target) => match self.push(PushWrite::Begin(account, target)) {
                    Written::Pushing(Some((_, targets))) => {
                        self.rounds.begun(&account, &targets);
                        self.send(targets);
                    }
                    _ => self.rounds.gone(&account, &target),
                },
            }
        }
    }

    fn send(&mut self, targets: Vec<PushTarget>) {
        assert_eq!(present_until(self.seen(), self.now, SILENCE), None, "nobody is told who is there");
        for target in targets {
            let out = target.out.unwrap();
            let (told, ids) = self.told.entry(target.id).or_default();
            let again = ids.contains(&out.id);
            assert!(!again || target.place.adapter().may_repeat(), "a second copy");
            assert!(
                again || *told + out.news.count <= self.unseen,
                "told of {told}, then of {}, and {} came",
                out.news.count,
                self.unseen
            );
            self.flights.push(Flight { target, out, epoch: self.epoch });
        }
    }

    fn arrived(&mut self, flight: &Flight) {
        if flight.epoch == self.epoch {
            let (told, ids) = self.told.entry(flight.target.id).or_default();
            if ids.insert(flight.out.id) {
                *told += flight.out.news.count;
            }
        }
    }

    fn answer(&mut self, flight: Flight, reply: Reply) {
        let status = |code| Answer { status: StatusCode::from_u16(code).unwrap(), retry_after: None };
        let outcome = match reply {
            Reply::Taken => Ok(status(200)),
            Reply::Status(code) => Ok(status(code)),
            Reply::Unreached => Err(SendError::Unreached(String::new())),
            Reply::Silence(_) => Err(SendError::NoAnswer),
        };
        if matches!(reply, Reply::Taken | Reply::Silence(true) | Reply::Status(502)) {
            self.arrived(&flight);
        }
        let passing = matches!(reply, Reply::Unreached | Reply::Status(429 | 503));
        self.failures += u32::from(passing);
        self.lossy |= !passing && reply != Reply::Taken || self.failures > 3;
        let (end, again) = judge(&flight.target, flight.out.tries, outcome);
        let (account, target, id) = (flight.target.account, flight.target.id, flight.out.id);
        self.push(PushWrite::End { account, target, id, end });
        self.rounds.ended(self.now, &account, (target, id), again);
    }

    /// What is committed is on disk; all else is gone.
    fn crash(&mut self, arrived: bool) {
        self.lossy = true;
        for flight in std::mem::take(&mut self.flights) {
            if arrived {
                self.arrived(&flight);
            }
        }
        self.writer.push_people.forget();
        self.rounds = Rounds::new(self.now, SILENCE);
        (self.connected, self.heard) = (false, None);
        for (person, targets) in self.writer.engine().read().pushes().unwrap() {
            self.rounds.take_up(self.now, &person, &targets);
        }
    }

    /// Bob stays away, and every host takes everything.
    fn finish(&mut self) {
        self.run(&Op::Go);
        for _ in 0..400 {
            while let Some(flight) = self.flights.pop() {
                self.answer(flight, Reply::Taken);
                self.go();
            }
            self.wait(Duration::from_secs(60));
        }
        let read = self.writer.engine().read();
        let bob = self.bob.identity.account;
        assert_eq!(read.push_person(&bob).unwrap().unwrap().waiting, None);
        for target in read.push_targets(&bob).unwrap() {
            assert_eq!(target.out, None);
            let told = self.told.get(&target.id).map_or(0, |(told, _)| *told);
            assert!(self.lossy || told == self.unseen, "told of {told}, and {} came", self.unseen);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn nobody_is_told_twice_nor_of_what_they_saw(ops in prop::collection::vec(op(), 1..60)) {
        let mut world = World::new();
        ops.iter().for_each(|op| world.run(op));
        world.finish();
    }
}
