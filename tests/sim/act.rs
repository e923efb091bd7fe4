//! What people do, and what happens to them.

use super::plan::Op;
use super::world::{Event, Said, World};
use kith_client::core::RoomWish;
use kith_client::timeline::{Kind, Message};
use kith_protocol::ids::{AccountId, Incarnation, RoomId, Seq};
use kith_protocol::room::Role;

/// Lines that a person has before them.
const SCREEN: usize = 40;

impl World<'_> {
    pub(crate) fn act(&mut self, op: Op) {
        let now = self.now;
        let clock = op.device().map_or(now, |dev| self.clock(dev));
        match op {
            Op::Say { dev, room, times } => {
                let room = self.room(dev, room);
                (0..times).for_each(|_| self.say(dev, room));
            }
            Op::Answer { dev, room, pick } => self.answer_line(dev, room, pick),
            Op::Edit { dev, room, pick } => self.edit(dev, room, pick),
            Op::Redact { dev, room, pick } => self.redact(dev, room, pick),
            Op::React { dev, room, pick, on } => {
                let room = self.room(dev, room);
                if let Some(line) = self.line(dev, room, pick, |_| true) {
                    // What is refused changes nothing: the end says whether all agree.
                    let emoji = ["👍", "🌻"][pick % 2];
                    let _ = self.devices[dev].engine.react(clock, &room, line.id, emoji, on);
                }
            }
            Op::Read { dev, room, back } => {
                let room = self.room(dev, room);
                if let Ok(Some(summary)) = self.devices[dev].engine.room(&room) {
                    let seq = Seq(summary.newest.0.saturating_sub(back));
                    // A store that cannot be written says so.
                    let _ = self.devices[dev].engine.mark_read(clock, &room, seq);
                }
            }
            Op::Draft { dev, room } => {
                let room = self.room(dev, room);
                self.book.texts += 1;
                let text = if self.book.texts.is_multiple_of(4) {
                    String::new()
                } else {
                    format!("draft {}", self.book.texts)
                };
                let _ = self.devices[dev].engine.set_draft(clock, &room, &text);
            }
            Op::Wish { dev, room } => {
                let room = self.room(dev, room);
                let wish = RoomWish {
                    muted_until: now,
                    mentions_anyway: now.is_multiple_of(2),
                    pinned: now.is_multiple_of(3),
                };
                let _ = self.devices[dev].engine.set_room_wish(clock, &room, wish);
            }
            Op::Set { dev } => {
                let _ = self.devices[dev].engine.set_setting(clock, "theme", &now.to_string());
            }
            Op::Rename { dev } => {
                let _ = self.devices[dev].engine.rename(clock, &self.rooms[1], &format!("Garden {now}"));
            }
            Op::Add { dev } => {
                let carol = self.carol();
                let _ = self.devices[dev].engine.add_member(clock, &self.rooms[1], carol, Role::Member);
            }
            Op::Remove { dev } => {
                let carol = self.carol();
                let _ = self.devices[dev].engine.remove_member(clock, &self.rooms[1], carol);
            }
            Op::Cut { dev } => {
                if let Some(link) = self.devices[dev].link {
                    self.cut(link);
                }
            }
            Op::Away { dev, ms } => {
                self.devices[dev].away = true;
                self.hang_up(dev);
                self.schedule(now + ms, Event::Back(dev));
            }
            Op::Kill { dev } => self.restart(dev, 100, false),
            Op::PowerCut { dev, keep } => self.restart(dev, keep, false),
            Op::LoseStore { dev } => self.restart(dev, 100, true),
            Op::Sync { dev } => self.devices[dev].sync(),
            Op::FailCommits { dev, times } => self.devices[dev].fail_commits(times),
            Op::Link { dev } => self.offer_place(dev),
            Op::Revoke { dev, other } => self.revoke(dev, other),
            Op::Clock { dev, ms } => self.set_clock(dev, ms),
            Op::Crash { phase, down_ms } => self.relay.crash_at = Some((phase, down_ms)),
            Op::Full { ms } => {
                self.relay.disk.set_full(true);
                self.schedule(now + ms, Event::Room);
            }
            Op::Backup => self.relay.backup = Some(self.relay.disk.restored(Incarnation([2; 16]))),
            Op::Restore { down_ms } => self.relay_restore(down_ms),
        }
        if let Some(dev) = op.device() {
            self.pump_device(dev);
        }
        self.pump_relay();
    }

    fn revoke(&mut self, dev: usize, other: usize) {
        let Some(lost) = self.devices.get(other).filter(|other| other.person == self.devices[dev].person)
        else {
            return;
        };
        let (clock, device) = (self.clock(dev), lost.engine.me().device);
        if let Ok(ticket) = self.devices[dev].engine.revoke(clock, device) {
            self.book.revoked.insert(device);
            self.book.revoking.insert((dev, ticket), device);
        }
    }

    /// The room of this number, or one that the device's person is in.
    fn room(&self, dev: usize, room: usize) -> RoomId {
        self.rooms[match (self.devices[dev].person, room) {
            (2, 0) => 1,
            (1, 2) => 0,
            (_, room) => room,
        }]
    }

    /// One of the lines that the person sees, and that fits.
    fn line(
        &mut self,
        dev: usize,
        room: RoomId,
        pick: usize,
        fits: impl Fn(&Message) -> bool,
    ) -> Option<Message> {
        let lines = self.devices[dev].engine.history(&room, None, SCREEN).ok()?;
        let lines: Vec<Message> =
            lines.into_iter().filter(|line| line.kind == Kind::Text && fits(line)).collect();
        let count = lines.len();
        lines.into_iter().nth(pick % count.max(1))
    }

    pub(crate) fn carol(&self) -> AccountId {
        self.devices[4].engine.me().person.account
    }

    fn answer_line(&mut self, dev: usize, room: usize, pick: usize) {
        let (room, clock) = (self.room(dev, room), self.clock(dev));
        let Some(line) = self.line(dev, room, pick, |_| true) else { return };
        self.book.texts += 1;
        let (order, text) = (self.book.texts, format!("answer {}", self.book.texts));
        let mentions = vec![line.sender];
        let outgoing = kith_client::core::Outgoing { text: text.clone(), reply_to: Some(line.id), mentions };
        if let Ok(txn) = self.devices[dev].engine.send(clock, &room, outgoing) {
            let target = self.devices[dev].target(txn);
            self.book.said.insert(target, self.said(dev, room, text, order));
        }
    }

    /// What was just written.
    pub(crate) fn said(&self, device: usize, room: RoomId, text: String, order: u64) -> Said {
        let at = self.devices[device].clock_compared.then_some(self.now);
        Said { device, room, text, edits: Vec::new(), order, at }
    }

    fn edit(&mut self, dev: usize, room: usize, pick: usize) {
        let (room, clock) = (self.room(dev, room), self.clock(dev));
        let me = self.devices[dev].engine.me().person.account;
        let Some(line) = self.line(dev, room, pick, |line| line.sender == me && !line.redacted) else {
            return;
        };
        self.book.texts += 1;
        let text = format!("edit {}", self.book.texts);
        if let Ok(txn) = self.devices[dev].engine.edit(clock, &room, line.id, &text)
            && let Some(said) = self.book.said.get_mut(&line.id)
        {
            said.edits.push(text);
            let edit = self.devices[dev].target(txn);
            self.book.edits.insert(edit);
        }
    }

    fn redact(&mut self, dev: usize, room: usize, pick: usize) {
        let (room, clock) = (self.room(dev, room), self.clock(dev));
        let me = self.devices[dev].engine.me().person.account;
        let Some(line) = self.line(dev, room, pick, |line| line.sender == me && !line.redacted) else {
            return;
        };
        match self.devices[dev].engine.redact(clock, &room, line.id) {
            Ok(txn) if txn == line.id.txn => drop(self.book.discarded.insert(line.id)),
            Ok(txn) => self.book.gone.entry(line.id).or_default().push(self.devices[dev].target(txn)),
            // Some of it may have been written.
            Err(_) => drop(self.book.maybe_gone.insert(line.id)),
        }
    }
}
