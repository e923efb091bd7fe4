//! Parts of timelines.

use super::*;

pub(super) fn pages_hold_what_a_vector_would<S: Subject>() {
    const ENTRIES: u64 = 40;
    let mut subject = S::fresh();
    let mut alice = Author::of(&mut subject, 1);
    let bodies = (0..ENTRIES).map(|i| "x".repeat((i as usize * 37) % 500));
    let entries: Vec<Entry> = bodies.map(|body| alice.message(ROOM, &body)).collect();
    let beside: Vec<Entry> = (0..3).map(|_| alice.message(OTHER, "beside")).collect();
    subject
        .write(|engine| entries.iter().chain(&beside).try_for_each(|entry| engine.append(entry).map(drop)));
    let reader = subject.engine().reader().unwrap();

    let place = prop_oneof![0..ENTRIES + 4, Just(u64::MAX - 1), Just(u64::MAX)];
    let ranges = (place.clone(), place, any::<bool>(), 0..ENTRIES as u32 + 4, 0..20_000_usize);
    let mut runner = TestRunner::new(Config { cases: 500, failure_persistence: None, ..Config::default() });
    let checked = runner.run(&ranges, |(after, before, newest, limit, bytes)| {
        let range = Range { after: Seq(after), before: Seq(before), newest, limit, bytes };
        prop_assert_eq!(reader.page(&ROOM, range).unwrap(), naive(&entries, range));
        Ok(())
    });
    checked.unwrap();
}

/// The same, the plainest way.
fn naive(entries: &[Entry], range: Range) -> Stretch {
    let placed = entries.iter().zip(1_u64..);
    let mut wanted: Vec<(u64, Bytes)> = placed
        .map(|(entry, seq)| (seq, entry.raw().clone()))
        .filter(|(seq, _)| *seq > range.after.0 && *seq < range.before.0)
        .collect();
    let found = wanted.len();
    if range.newest {
        wanted.reverse();
    }
    wanted.truncate(range.limit as usize);
    let mut bytes = 0;
    wanted.retain(|(_, entry)| {
        let fits = bytes < range.bytes;
        bytes += entry.len();
        fits
    });
    if range.newest {
        wanted.reverse();
    }
    let first = wanted.first().map_or(range.after.next(), |(seq, _)| Seq(*seq));
    let more = wanted.len() < found;
    Stretch { first, entries: wanted.into_iter().map(|(_, entry)| entry).collect(), more }
}

pub(super) fn an_empty_page_says_where_it_would_begin<S: Subject>() {
    let mut subject = S::fresh();
    let mut alice = Author::of(&mut subject, 1);
    subject.write(|engine| engine.append(&alice.message(ROOM, "one")));
    let reader = subject.engine().reader().unwrap();
    for newest in [false, true] {
        let nothing = |first| Stretch { first: Seq(first), entries: Vec::new(), more: false };
        assert_eq!(reader.page(&OTHER, Range { newest, ..all() }).unwrap(), nothing(1));
        let behind = Range { after: Seq(7), newest, ..all() };
        assert_eq!(reader.page(&ROOM, behind).unwrap(), nothing(8));
        let crossed = Range { after: Seq(7), before: Seq(0), newest, ..all() };
        assert_eq!(reader.page(&ROOM, crossed).unwrap(), nothing(8));
        let none = Range { limit: 0, newest, ..all() };
        assert_eq!(reader.page(&ROOM, none).unwrap(), Stretch { more: true, ..nothing(1) });
    }
}
