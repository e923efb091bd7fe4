//! Integrations, and pushes on their way.

use super::*;
use crate::store::programs::{HookKey, HookRow, ProgramWrite, PushOut, PushTarget, PushWaiting, PushWishes};

fn hook(seed: u8, token: Option<[u8; 32]>) -> HookRow {
    HookRow {
        account: account(seed, "x").id,
        room: ROOM,
        seeds: [seed; 64],
        token,
        by: None,
        created_at: u64::from(seed),
        used_at: 0,
    }
}

fn put<S: Subject>(subject: &mut S, writes: &[ProgramWrite]) {
    subject.write(|engine| writes.iter().try_for_each(|write| engine.put_program(write)));
}

pub(super) fn integrations_are_found_by_their_token<S: Subject>() {
    let mut subject = S::fresh();
    let (later, first) = (hook(2, Some([2; 32])), hook(1, Some([1; 32])));
    subject.write(|engine| engine.put_account(&account(1, "backup")));
    assert!(!subject.engine().read().account_by_handle("backup").unwrap().unwrap().integration);
    put(&mut subject, &[ProgramWrite::Hook(later.clone()), ProgramWrite::Hook(first.clone())]);
    let mut subject = subject.reopen();
    let read = subject.engine().read();
    assert_eq!(read.hooks().unwrap(), [first.clone(), later]);
    assert_eq!(read.hook_by_token(&[1; 32]).unwrap(), Some(first.clone()));
    assert_eq!(read.hook_by_token(&[3; 32]).unwrap(), None);
    assert_eq!(read.hook(&first.account).unwrap(), Some(first.clone()));
    assert!(read.account_by_handle("backup").unwrap().unwrap().integration);
    let revoked = HookRow { token: None, by: Some(first.account), used_at: 7, ..first };
    put(&mut subject, &[ProgramWrite::Hook(revoked.clone())]);
    let read = subject.engine().read();
    assert_eq!(read.hook_by_token(&[1; 32]).unwrap(), None);
    assert_eq!(read.hook(&revoked.account).unwrap(), Some(revoked));
    assert!(read.search("", 9).unwrap()[0].integration, "what it wrote stays marked");
}

pub(super) fn a_key_of_an_integration_is_known_for_a_while<S: Subject>() {
    let mut subject = S::fresh();
    let (one, other) = (account(1, "a").id, account(2, "b").id);
    let key = |hook, key, at| HookKey { hook, key: [key; 32], seq: Seq(at), at };
    let note = |key, forget_before| ProgramWrite::HookKey { key, forget_before };
    put(&mut subject, &[note(key(one, 1, 10), 0), note(key(other, 1, 11), 0), note(key(one, 2, 20), 0)]);
    let mut subject = subject.reopen();
    assert_eq!(subject.engine().read().hook_key(&one, &[1; 32]).unwrap(), Some(key(one, 1, 10)));
    put(&mut subject, &[note(key(one, 3, 30), 20)]);
    let read = subject.engine().read();
    assert_eq!(read.hook_key(&one, &[1; 32]).unwrap(), None, "it is older than that");
    assert_eq!(read.hook_key(&one, &[2; 32]).unwrap(), Some(key(one, 2, 20)));
    assert_eq!(read.hook_key(&other, &[1; 32]).unwrap(), Some(key(other, 1, 11)), "another's");
    put(&mut subject, &[note(key(one, 3, 40), 20)]);
    assert_eq!(subject.engine().read().hook_key(&one, &[3; 32]).unwrap(), Some(key(one, 3, 40)));
}

pub(super) fn pushes_are_what_was_written_last<S: Subject>() {
    let mut subject = S::fresh();
    let alice = account(1, "alice").id;
    let target = PushTarget {
        id: [4; 16],
        account: alice,
        place: serde_json::json!({ "kind": "ntfy", "url": "https://ntfy.example/\"x\"" }),
        created_at: 1,
        failure: None,
    };
    let news = PushWaiting {
        account: alice,
        room: ROOM,
        sender: alice,
        count: 3,
        oldest_at: 7,
        newest_at: u64::MAX,
    };
    let out = PushOut { target: [4; 16], id: [5; 16], news: news.clone(), tries: 0, due_at: 9, begun: false };
    let wishes = PushWishes { account: alice, after_s: 30, show_sender: true, muted: vec![(ROOM, u64::MAX)] };
    put(
        &mut subject,
        &[
            ProgramWrite::Target(target.clone()),
            ProgramWrite::Wishes(wishes.clone()),
            ProgramWrite::Waiting(news.clone()),
            ProgramWrite::Out(out.clone()),
        ],
    );
    let mut subject = subject.reopen();
    let read = subject.engine().read();
    assert_eq!(read.push_targets().unwrap(), std::slice::from_ref(&target));
    assert_eq!(read.push_wishes(&alice).unwrap(), Some(wishes));
    assert_eq!(read.push_wishes(&account(2, "b").id).unwrap(), None);
    assert_eq!(read.push_waiting(&alice).unwrap(), Some(news.clone()));
    assert_eq!(read.pushes_waiting().unwrap(), [news]);
    assert_eq!(read.pushes_out().unwrap(), std::slice::from_ref(&out));
    assert_eq!(read.vapid_key().unwrap(), None);
    let begun = PushOut { begun: true, tries: 1, ..out };
    put(
        &mut subject,
        &[
            ProgramWrite::Out(begun.clone()),
            ProgramWrite::WaitingGone(alice),
            ProgramWrite::VapidKey(vec![1, 2]),
        ],
    );
    let read = subject.engine().read();
    assert_eq!((read.pushes_out().unwrap(), read.pushes_waiting().unwrap()), (vec![begun], vec![]));
    assert_eq!(read.vapid_key().unwrap(), Some(vec![1, 2]));
    put(&mut subject, &[ProgramWrite::TargetGone(target.id)]);
    let read = subject.engine().read();
    assert_eq!((read.push_targets().unwrap(), read.pushes_out().unwrap()), (vec![], vec![]));
}
