//! What must hold once everything has come to rest.

use super::device::Device;
use super::world::World;
use kith_client::core::Stopped;
use kith_client::timeline::{Kind, Message};
use kith_protocol::entry::Entry;
use kith_protocol::error::ErrorCode;
use kith_protocol::event::Target;
use kith_protocol::ids::{DeviceId, RoomId, Seq};
use kith_relay::store::{Range, RoomHead};
use std::collections::BTreeMap;

/// As far as clocks may differ before the relay's is taken, and a hello takes, in milliseconds.
const CLOCK_MS_MAX: u64 = 120_000 + 5_000;

/// Where each entry stands at the relay.
type Places = BTreeMap<Target, Vec<(RoomId, Seq)>>;

pub(crate) fn look(world: &mut World<'_>) {
    let mut wrong = Vec::new();
    let (heads, places) = log(world);
    everybody_is_done(world, &mut wrong);
    times_are_true(world, &mut wrong);
    nothing_is_lost_or_doubled(world, &places, &mut wrong);
    // To a relay put back others give again what they have of anybody's.
    if !world.plan.restores {
        who_is_signed_out_writes_no_more(world, &places, &mut wrong);
        in_the_order_written(world, &places, &mut wrong);
    }
    for (index, head) in heads.into_iter().enumerate() {
        let room = world.rooms[index];
        let members = members(world, index);
        all_hold_the_same(world, room, head, &members, &mut wrong);
        all_show_the_same(world, room, &members, &places, &mut wrong);
        unread_is_what_is_unread(world, room, &members, &mut wrong);
    }
    one_person_sees_one_state(world, &mut wrong);
    read_marks_are_the_relays(world, &mut wrong);
    world.book.wrong.append(&mut wrong);
}

fn log(world: &World<'_>) -> (Vec<RoomHead>, Places) {
    let (mut heads, mut places) = (Vec::new(), Places::new());
    let disk = world.relay.disk.read();
    for room in &world.rooms {
        heads.push(disk.head(room).unwrap());
        let all = Range {
            after: Seq::ZERO,
            before: Seq(u64::MAX),
            newest: false,
            limit: u32::MAX,
            bytes: usize::MAX,
        };
        for (seq, raw) in (1..).zip(disk.page(room, all).unwrap().entries) {
            let entry = Entry::parse(raw).unwrap();
            let target = Target { device: entry.header().device, txn: entry.header().txn };
            places.entry(target).or_default().push((*room, Seq(seq)));
        }
    }
    (heads, places)
}

/// The devices of those who are in a room at the end.
fn members(world: &World<'_>, room: usize) -> Vec<usize> {
    let carol = world.relay.disk.read().membership(&world.carol(), &world.rooms[1]).unwrap();
    let carol_gardens = carol.is_some_and(|member| member.left.is_none());
    let people: &[usize] = match room {
        1 if carol_gardens => &[0, 1, 2],
        0 | 1 => &[0, 1],
        _ => &[0, 2],
    };
    people.iter().flat_map(|person| devices_of(world, *person)).collect()
}

/// The devices of a person that are not signed out.
fn devices_of(world: &World<'_>, person: usize) -> Vec<usize> {
    let of_person = world.devices.iter().enumerate().filter(|(_, device)| device.person == person);
    of_person.filter(|(_, device)| takes_part(world, device)).map(|(id, _)| id).collect()
}

/// Whether a device belongs to its account, and has not given up for good reason: it was signed out before the relay was put
/// back, and nobody is left who knows of it. Whoever asked for it was not told that it was done.
fn takes_part(world: &World<'_>, device: &Device) -> bool {
    let id = device.engine.me().device;
    let forgotten = world.plan.restores
        && device.engine.stopped() == Some(&Stopped::Revoked)
        && world.book.revoked.contains(&id)
        && !world.book.signed_out.contains(&id);
    world.relay.admits(&device.engine) && !forgotten
}

/// Whose device it is.
fn person<'a>(world: &'a World<'_>, device: DeviceId) -> Option<&'a Device> {
    world.devices.iter().find(|known| known.engine.me().device == device)
}

/// Whether something never got out because its device was signed out before.
fn cut_off(world: &World<'_>, target: &Target, places: &Places) -> bool {
    !places.contains_key(target)
        && person(world, target.device).is_some_and(|device| !takes_part(world, device))
}

fn everybody_is_done(world: &World<'_>, wrong: &mut Vec<String>) {
    for device in &world.devices {
        if !takes_part(world, device) {
            if device.engine.stopped() != Some(&Stopped::Revoked) {
                wrong.push(format!("{} does not know that it is signed out", device.name));
            }
            continue;
        }
        let progress = device.engine.progress();
        if !device.engine.is_live() || !progress.done {
            wrong.push(format!(
                "{} is not done: live {}, {progress:?}",
                device.name,
                device.engine.is_live()
            ));
        }
    }
}

fn who_is_signed_out_writes_no_more(world: &World<'_>, places: &Places, wrong: &mut Vec<String>) {
    for (target, places) in places {
        let Some(ends) = world.relay.ends.get(&target.device) else { continue };
        for (room, seq) in places {
            if *seq > ends[room] {
                wrong
                    .push(format!("{target:?} was written at {seq} by who was signed out at {}", ends[room]));
            }
        }
    }
}

/// A device that has heard the relay's clock dates what it writes by it, if its own is far off.
fn times_are_true(world: &mut World<'_>, wrong: &mut Vec<String>) {
    for room in world.rooms.clone() {
        for line in world.devices[0].engine.history(&room, None, usize::MAX / 2).unwrap_or_default() {
            let Some(at) = world.book.said.get(&line.id).and_then(|said| said.at) else { continue };
            if line.at.abs_diff(at) > CLOCK_MS_MAX {
                wrong.push(format!("{:?} of {at} is dated {}", line.text, line.at));
            }
        }
    }
}

fn nothing_is_lost_or_doubled(world: &World<'_>, places: &Places, wrong: &mut Vec<String>) {
    for (target, places) in places {
        if places.len() > 1 {
            wrong.push(format!("{target:?} is stored {} times: {places:?}", places.len()));
        }
    }
    for (target, at) in &world.book.acked {
        let redaction = !world.book.said.contains_key(target) && !world.book.edits.contains(target);
        match places.get(target).and_then(|places| places.first()) {
            // It names a place that may be another's on a relay put back.
            None if redaction && world.plan.restores => {}
            None => wrong.push(format!("{target:?} was acknowledged at {at:?} and is not there")),
            Some(place) if place != at && !world.plan.restores => {
                wrong.push(format!("{target:?} was acknowledged at {at:?} and is at {place:?}"));
            }
            Some(_) => {}
        }
    }
    for target in world.book.said.keys() {
        let device = &world.devices[world.book.said[target].device];
        let Some(place) = places.get(target).and_then(|places| places.first()) else { continue };
        // Whoever waits for the ack hears of it, be it by the ack or by the entry; a process that died asks no more.
        let waits = takes_part(world, device)
            && device.engine.delivery(&target.txn).is_some_and(|delivery| delivery.is_err());
        if waits {
            wrong.push(format!("{} does not know that {target:?} is stored at {place:?}", device.name));
        }
    }
    for (target, said) in &world.book.said {
        let failed = world.book.failed.get(target);
        let denied = sent_away(world, said.room, target) || cut_off(world, target, places);
        if !places.contains_key(target) && !world.book.discarded.contains(target) && !denied {
            let name = &world.devices[said.device].name;
            wrong.push(format!("{:?} of {name} never arrived (failed: {failed:?})", said.text));
        }
    }
}

/// Whether something was refused because its author was sent away before it came. Carol is told so.
fn sent_away(world: &World<'_>, room: RoomId, refused: &Target) -> bool {
    person(world, refused.device).is_some_and(|device| device.person == 2)
        && room == world.rooms[1]
        && world.book.failed.get(refused) == Some(&ErrorCode::NotFound)
}

fn in_the_order_written(world: &World<'_>, places: &Places, wrong: &mut Vec<String>) {
    let mut rows: BTreeMap<(usize, RoomId), Vec<(u64, Seq)>> = BTreeMap::new();
    for (target, said) in &world.book.said {
        // What was refused once and sent again by hand may stand anywhere; nobody does that here.
        if let Some((room, seq)) = places.get(target).and_then(|places| places.first()) {
            rows.entry((said.device, *room)).or_default().push((said.order, *seq));
        }
    }
    for ((device, room), mut row) in rows {
        row.sort_unstable();
        if !row.is_sorted_by_key(|(_, seq)| *seq) {
            wrong
                .push(format!("{} in {room}: not in the order written: {row:?}", world.devices[device].name));
        }
    }
}

fn all_hold_the_same(
    world: &World<'_>,
    room: RoomId,
    head: RoomHead,
    members: &[usize],
    wrong: &mut Vec<String>,
) {
    for id in members {
        let device = &world.devices[*id];
        // After a restore entries may stand in another order than the one that their authors had seen.
        match device.engine.verify(&room) {
            Ok(mine)
                if mine.complete
                    && (mine.sound || world.plan.restores)
                    && (mine.seq, mine.hash) == (head.seq, head.hash) => {}
            other => wrong.push(format!("{} in {room}: {other:?}, the relay {head:?}", device.name)),
        }
    }
    // Who was sent away sees nothing newer than that.
    let carols = devices_of(world, 2);
    if room == world.rooms[1] && carols.iter().all(|id| !members.contains(id)) {
        let carol = world.relay.disk.read().membership(&world.carol(), &room).unwrap();
        let left = carol.and_then(|member| member.left).map_or(Seq::ZERO, |left| left.seq);
        for id in carols {
            let device = &world.devices[id];
            let newest = device.engine.room(&room).unwrap().map_or(Seq::ZERO, |summary| summary.newest);
            if newest > left {
                wrong.push(format!("{}: carol left at {left} and it holds {newest}", device.name));
            }
        }
    }
}

fn all_show_the_same(
    world: &mut World<'_>,
    room: RoomId,
    members: &[usize],
    places: &Places,
    wrong: &mut Vec<String>,
) {
    let mut first: Option<Vec<Message>> = None;
    for id in members {
        let name = world.devices[*id].name.clone();
        let lines = match world.devices[*id].engine.history(&room, None, usize::MAX / 2) {
            Ok(lines) => lines,
            Err(error) => {
                wrong.push(format!("{name} in {room}: {error}"));
                continue;
            }
        };
        let mut lines: Vec<Message> = lines.into_iter().filter(|line| line.seq.is_some()).collect();
        // Everybody leaves their own receipt out.
        for line in &mut lines {
            line.receipts.clear();
            // Nobody else knows of what was refused; on a relay put back that may be anything that it lacked for a while.
            line.pending.take_if(|pending| {
                let refused = world.book.failed.contains_key(&pending.id);
                sent_away(world, room, &pending.id) || world.plan.restores && refused
            });
        }
        let said = world.book.said.iter().filter(|(_, said)| said.room == room);
        for (target, said) in said.filter(|(target, _)| places.contains_key(target)) {
            let shown: Vec<&Message> = lines.iter().filter(|line| line.id == *target).collect();
            let [line] = shown[..] else {
                wrong.push(format!("{name} shows {:?} {} times", said.text, shown.len()));
                continue;
            };
            if world.book.maybe_gone.contains(target) {
                continue;
            }
            let redactions = world.book.gone.get(target).map_or(&[][..], Vec::as_slice);
            let gone = redactions
                .iter()
                .any(|redaction| !sent_away(world, room, redaction) && !cut_off(world, redaction, places));
            // What was taken away after the copy may be back: the redaction names a place that may be another's now.
            if gone && world.plan.restores {
                continue;
            }
            let fits = if gone {
                line.redacted && line.text.is_empty()
            } else {
                !line.redacted && (line.text == said.text || said.edits.contains(&line.text))
            };
            if !fits {
                wrong.push(format!("{name} shows {:?} (gone: {gone}) as {line:?}", said.text));
            }
        }
        match &first {
            None => first = Some(lines),
            Some(first) if *first == lines => {}
            Some(first) => {
                let at = first.iter().zip(&lines).position(|(one, other)| one != other);
                let pair = at.map(|at| (&first[at], &lines[at]));
                wrong.push(format!(
                    "{name} shows {} lines in {room}, {} shows {}: {pair:?}",
                    lines.len(),
                    world.devices[members[0]].name,
                    first.len()
                ));
            }
        }
    }
}

fn unread_is_what_is_unread(world: &mut World<'_>, room: RoomId, members: &[usize], wrong: &mut Vec<String>) {
    // Carol joins the group anew each time: what was said before that is none of hers.
    for id in members {
        if world.devices[*id].person == 2 && room == world.rooms[1] {
            continue;
        }
        let device = &mut world.devices[*id];
        let me = device.engine.me().person.account;
        let Ok(Some(summary)) = device.engine.room(&room) else { continue };
        let lines = device.engine.history(&room, None, usize::MAX / 2).unwrap_or_default();
        let unread = lines.iter().filter(|line| {
            line.kind == Kind::Text
                && line.sender != me
                && !line.redacted
                && line.seq.is_some_and(|seq| seq > summary.read_up_to)
        });
        let count = unread.count() as u64;
        if count != summary.unread {
            wrong.push(format!(
                "{} in {room}: {count} are unread, {} are counted",
                device.name, summary.unread
            ));
        }
    }
}

fn one_person_sees_one_state(world: &mut World<'_>, wrong: &mut Vec<String>) {
    let pairs = (0..3).flat_map(|person| {
        let devices = devices_of(world, person);
        devices.iter().copied().zip(devices.iter().copied().skip(1)).collect::<Vec<_>>()
    });
    for (one, other) in pairs.collect::<Vec<_>>() {
        for room in world.rooms.clone() {
            let state = |id: usize| {
                let summary = world.devices[id].engine.room(&room).ok()??;
                Some((
                    (summary.unread, summary.mentions, summary.read_up_to, summary.newest),
                    (summary.draft, summary.muted_until, summary.mentions_anyway, summary.pinned),
                    // Who was sent away is told no names any more: one device may have heard what another has not.
                    summary.role.map(|role| (summary.title, summary.topic, role)),
                    summary.members,
                ))
            };
            let (a, b) = (state(one), state(other));
            if a != b {
                wrong.push(format!(
                    "{} sees {a:?} in {room}, {} {b:?}",
                    world.devices[one].name, world.devices[other].name
                ));
            }
        }
        let theme = |id: usize| world.devices[id].engine.setting("theme").unwrap();
        if theme(one) != theme(other) {
            wrong.push(format!(
                "{} has another setting than {}",
                world.devices[one].name, world.devices[other].name
            ));
        }
    }
}

fn read_marks_are_the_relays(world: &World<'_>, wrong: &mut Vec<String>) {
    for device in world.devices.iter().filter(|device| world.relay.admits(&device.engine)) {
        let me = device.engine.me().person.account;
        for room in &world.rooms {
            let Some(known) = world.relay.marks.get(&(me, *room)) else { continue };
            let shown = device.engine.room(room).ok().flatten().map_or(Seq::ZERO, |room| room.read_up_to);
            if shown != *known {
                wrong.push(format!("{} has read {shown} of {room}, the relay knows of {known}", device.name));
            }
        }
    }
}
