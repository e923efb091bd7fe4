//! What rooms keep.

use super::*;
use crate::store::retention::{Keep, RetentionWrite, Share};

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

fn held<S: Subject>(subject: &mut S, author: &Author) -> u64 {
    let held = subject.engine().held(&author.account).unwrap();
    assert_eq!(subject.engine().read().held(&author.account).unwrap(), held);
    held
}

pub(super) fn an_account_holds_what_it_has_written<S: Subject>() {
    let mut subject = S::fresh();
    let (mut alice, mut bob) = (Author::of(&mut subject, 1), Author::of(&mut subject, 2));
    let long = "long ".repeat(100);
    let (said, lost) = (alice.message(ROOM, &long), alice.message(ROOM, "this group is lost"));
    let (short, by_bob) = (alice.register(ROOM, Scope::Room, 1, "name"), bob.message(ROOM, "bob's"));
    let engine = subject.engine();
    engine.begin().unwrap();
    engine.append(&said).unwrap();
    engine.append(&by_bob).unwrap();
    engine.set_register(&short).unwrap();
    let sizes = [&said, &by_bob].map(|entry| entry.raw().len() as u64);
    assert_eq!(
        engine.held(&alice.account).unwrap(),
        sizes[0] + short.raw().len() as u64,
        "before it is committed"
    );
    engine.commit().unwrap();
    assert_eq!(held(&mut subject, &alice), sizes[0] + short.raw().len() as u64);
    assert_eq!(held(&mut subject, &bob), sizes[1]);

    let engine = subject.engine();
    engine.begin().unwrap();
    engine.append(&lost).unwrap();
    engine.put_retention(&forget(2)).unwrap();
    engine.rollback();
    subject.write(|engine| engine.append(&said).map(drop));
    assert_eq!(held(&mut subject, &alice), sizes[0] + short.raw().len() as u64, "what is known counts once");

    // Somebody else's value takes the place of hers, and somebody else takes her message away.
    let other = bob.register(ROOM, Scope::Room, 1, "another name");
    let redaction = bob.entry(ROOM, Kind::Redaction { target: Seq(1), digest: said.digest() }, b"");
    subject.write(|engine| {
        engine.set_register(&other)?;
        engine.append(&redaction).map(drop)
    });
    let mut subject = subject.reopen();
    assert_eq!(held(&mut subject, &alice), said.redacted().raw().len() as u64);
    let bobs = other.raw().len() + redaction.raw().len();
    assert_eq!(held(&mut subject, &bob), sizes[1] + bobs as u64);

    let next = alice.message(ROOM, &long);
    subject.write(|engine| engine.append(&next).map(drop));
    subject.write(|engine| engine.put_retention(&forget(4)));
    let left = said.redacted().raw().len() + next.redacted().raw().len();
    assert_eq!(held(&mut subject, &alice), left as u64, "what is forgotten is given back");
    assert_eq!(held(&mut subject, &Author::new(3)), 0);
}

pub(super) fn an_account_has_a_share<S: Subject>() {
    let mut subject = S::fresh();
    let (mut alice, mut bob) = (Author::of(&mut subject, 1), Author::of(&mut subject, 2));
    let said = [alice.message(ROOM, &"long ".repeat(100)), bob.message(ROOM, "short")];
    subject.write(|engine| said.iter().try_for_each(|entry| engine.append(entry).map(drop)));
    let size = said[0].raw().len() as u64;
    let share = |bytes| Share { bytes };
    let write = |account, share| RetentionWrite::Share { account, share };
    let nearly = |subject: &mut S, bytes| subject.engine().read().nearly_used_up(share(bytes)).unwrap();
    assert_eq!([None, Some(size * 2), Some(size)].map(|bytes| nearly(&mut subject, bytes)), [0, 0, 1]);
    assert_eq!(nearly(&mut subject, Some(100)), 2);
    subject.write(|engine| engine.put_retention(&write(alice.account, Some(share(None)))));
    subject.write(|engine| engine.put_retention(&write(bob.account, Some(share(Some(100))))));
    let mut subject = subject.reopen();
    let read = subject.engine().read();
    assert_eq!(read.share(&alice.account).unwrap(), Some(share(None)));
    assert_eq!(read.share(&bob.account).unwrap(), Some(share(Some(100))));
    assert_eq!([None, Some(100)].map(|bytes| nearly(&mut subject, bytes)), [1, 1]);
    subject.write(|engine| engine.put_retention(&write(bob.account, None)));
    assert_eq!(subject.engine().read().share(&bob.account).unwrap(), None);
    assert_eq!(nearly(&mut subject, None), 0);
}
