//! Who is told where.

use super::*;
use crate::push::Place;
use crate::store::pushes::{News, PushOut, PushPerson, PushRow, PushTarget, PushWishes};
use kith_protocol::frame::PushOption;

fn put<S: Subject>(subject: &mut S, writes: &[PushRow]) {
    subject.write(|engine| writes.iter().try_for_each(|write| engine.put_push(write)));
}

fn person(seed: u8) -> PushPerson {
    let wishes = PushWishes { after_s: 7, show_sender: true, muted: vec![(ROOM, u64::MAX)] };
    let waiting = Some(News { count: 3, sender: account(9, "x").id });
    PushPerson { account: account(seed, "x").id, wishes, waiting }
}

fn target(seed: u8, of: &PushPerson) -> PushTarget {
    let option = |name: &str, value: &str| PushOption { name: name.into(), value: value.into() };
    let url = format!("https://ntfy.example/{seed}");
    PushTarget {
        id: [seed; 16],
        account: of.account,
        place: Place::parse("ntfy", &[option("url", &url), option("token", "x")]).unwrap(),
        created_at: 100 - u64::from(seed),
        failure: Some("it cannot be reached".into()),
        out: Some(PushOut { id: [8; 16], news: of.waiting.unwrap(), tries: 2, begun: true, unsure: false }),
    }
}

/// One person with one target, and something under way.
pub(super) fn fill<S: Subject>(subject: &mut S) {
    let alice = person(1);
    let target = PushRow::Target(target(1, &alice));
    put(subject, &[PushRow::Person(alice), target, PushRow::VapidKey(vec![1])]);
}

pub(super) fn what_waits_for_people_is_kept<S: Subject>() {
    let mut subject = S::fresh();
    let (alice, bob) = (person(1), person(2));
    let (one, two, other) = (target(1, &alice), target(2, &alice), target(3, &bob));
    let rows = [alice.clone(), bob.clone()].map(PushRow::Person);
    put(&mut subject, &rows);
    put(&mut subject, &[one.clone(), two.clone(), other.clone()].map(PushRow::Target));
    put(&mut subject, &[PushRow::VapidKey(vec![1]), PushRow::VapidKey(vec![2, 3])]);
    let mut subject = subject.reopen();
    let read = subject.engine().read();
    let mut people = vec![alice.clone(), bob.clone()];
    people.sort_by_key(|person| person.account);
    assert_eq!(read.push_people().unwrap(), people);
    let everybody = read.pushes().unwrap();
    assert!(everybody.iter().map(|(person, _)| person).eq(&people));
    assert!(everybody.contains(&(bob.clone(), vec![other.clone()])));
    assert_eq!(read.push_person(&bob.account).unwrap(), Some(bob.clone()));
    assert_eq!(read.push_person(&account(5, "x").id).unwrap(), None);
    assert_eq!(read.push_targets(&alice.account).unwrap(), [two.clone(), one.clone()], "the oldest first");
    assert_eq!(read.vapid_key().unwrap(), Some(vec![2, 3]));
    let idle = PushPerson { waiting: None, ..alice.clone() };
    let done = PushTarget { failure: None, out: None, ..two.clone() };
    let nobody = account(5, "x").id;
    let writes = [
        PushRow::Waiting(idle.account, None),
        PushRow::Waiting(nobody, bob.waiting),
        PushRow::Target(done.clone()),
        PushRow::TargetGone(one.id),
    ];
    put(&mut subject, &writes);
    let read = subject.engine().read();
    assert_eq!(read.push_person(&alice.account).unwrap(), Some(idle));
    assert_eq!(read.push_person(&nobody).unwrap(), None);
    assert_eq!(read.push_targets(&alice.account).unwrap(), [done]);
    assert_eq!(read.push_targets(&bob.account).unwrap(), [other]);
    put(&mut subject, &[PushRow::Waiting(alice.account, alice.waiting)]);
    assert_eq!(subject.engine().read().push_person(&alice.account).unwrap(), Some(alice));
}
