//! What rooms keep.

use super::*;
use crate::store::retention::{Keep, RetentionWrite};

fn forget(up_to: u64) -> RetentionWrite {
    RetentionWrite::Forget { room: ROOM, up_to: Seq(up_to) }
}

/// A control entry, and four messages behind it.
fn talk(subject: &mut impl Subject) {
    let mut alice = Author::of(subject, 1);
    let control = alice.entry(ROOM, Kind::Control { index: 0, ops: own_ops(alice.account) }, b"stays");
    let said = ["one", "two", "three", "four"].map(|text| alice.message(ROOM, text));
    subject.write(|engine| {
        engine.append(&control)?;
        said.iter().try_for_each(|message| engine.append(message).map(drop))
    });
}

fn bodies(subject: &mut impl Subject) -> Vec<bool> {
    let page = subject.engine().read().page(&ROOM, all()).unwrap();
    let has_body = |raw: &Bytes| Entry::parse(raw.clone()).unwrap().body().is_some();
    page.entries.iter().map(has_body).collect()
}

pub(super) fn what_is_forgotten_leaves_its_place<S: Subject>() {
    let mut subject = S::fresh();
    talk(&mut subject);
    let head = subject.engine().read().head(&ROOM).unwrap();
    assert_eq!(bodies(&mut subject), [true; 5]);
    subject.write(|engine| engine.put_retention(&forget(3)));
    let mut subject = subject.reopen();
    assert_eq!(bodies(&mut subject), [true, false, false, true, true], "messages alone");
    let read = subject.engine().read();
    assert_eq!(read.forgotten(&ROOM).unwrap(), Seq(3));
    assert_eq!(read.head(&ROOM).unwrap(), head, "dense, and with the same hash");
    subject.write(|engine| engine.put_retention(&forget(1)));
    assert_eq!(subject.engine().read().forgotten(&ROOM).unwrap(), Seq(3), "it never goes back");
    subject.write(|engine| engine.put_retention(&forget(5)));
    assert_eq!(bodies(&mut subject), [true, false, false, false, false]);
    subject.write(|engine| engine.put_retention(&RetentionWrite::Forget { room: OTHER, up_to: Seq(1) }));
}

pub(super) fn days_and_sizes_say_what_may_go<S: Subject>() {
    let mut subject = S::fresh();
    talk(&mut subject);
    let read = subject.engine().read();
    let sizes: Vec<u64> =
        read.page(&ROOM, all()).unwrap().entries.iter().map(|raw| raw.len() as u64).collect();
    let newest = sizes.len() as u64;
    let whole: u64 = sizes.iter().sum();
    assert_eq!(read.beyond(&ROOM, whole).unwrap(), Seq(0));
    assert_eq!(read.beyond(&ROOM, whole - 1).unwrap(), Seq(1));
    assert_eq!(read.beyond(&ROOM, sizes[sizes.len() - 1]).unwrap(), Seq(newest - 1));
    assert_eq!(read.beyond(&ROOM, 0).unwrap(), Seq(newest));
    assert_eq!(read.before_day(&ROOM, 100).unwrap(), Seq(0), "nobody knows when they came");
    let day = |day, first| RetentionWrite::Day { room: ROOM, day, first: Seq(first) };
    subject.write(|engine| {
        [day(10, 1), day(12, 3), day(12, 4)].iter().try_for_each(|write| engine.put_retention(write))
    });
    let keep = Keep { days: Some(30), bytes: None };
    subject.write(|engine| engine.put_retention(&RetentionWrite::Keep { room: ROOM, keep: Some(keep) }));
    let mut subject = subject.reopen();
    let read = subject.engine().read();
    let before = [10, 11, 12, 13].map(|day| read.before_day(&ROOM, day).unwrap().0);
    assert_eq!(before, [0, 2, 2, newest]);
    assert_eq!((read.keep(&ROOM).unwrap(), read.keep(&OTHER).unwrap()), (Some(keep), None));
    subject.write(|engine| engine.put_retention(&RetentionWrite::Keep { room: ROOM, keep: None }));
    assert_eq!(subject.engine().read().keep(&ROOM).unwrap(), None);
}
