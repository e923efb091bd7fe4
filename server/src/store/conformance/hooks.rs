//! Integrations.

use super::*;
use crate::store::hooks::{HookKey, HookRow, HookWrite};

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

fn put<S: Subject>(subject: &mut S, writes: &[HookWrite]) {
    subject.write(|engine| writes.iter().try_for_each(|write| engine.put_hook(write)));
}

pub(super) fn integrations_are_found_by_their_token<S: Subject>() {
    let mut subject = S::fresh();
    let (later, first) = (hook(2, Some([2; 32])), hook(1, Some([1; 32])));
    subject.write(|engine| engine.put_account(&account(1, "backup")));
    assert!(!subject.engine().read().account_by_handle("backup").unwrap().unwrap().integration);
    put(&mut subject, &[HookWrite::Hook(later.clone()), HookWrite::Hook(first.clone())]);
    let mut subject = subject.reopen();
    let read = subject.engine().read();
    assert_eq!(read.hooks().unwrap(), [first.clone(), later]);
    assert_eq!(read.hook_by_token(&[1; 32]).unwrap(), Some(first.clone()));
    assert_eq!(read.hook_by_token(&[3; 32]).unwrap(), None);
    assert_eq!(read.hook(&first.account).unwrap(), Some(first.clone()));
    assert!(read.account_by_handle("backup").unwrap().unwrap().integration);
    let revoked = HookRow { token: None, by: Some(first.account), used_at: 7, ..first };
    put(&mut subject, &[HookWrite::Hook(revoked.clone())]);
    let read = subject.engine().read();
    assert_eq!(read.hook_by_token(&[1; 32]).unwrap(), None);
    assert_eq!(read.hook(&revoked.account).unwrap(), Some(revoked));
    assert!(read.search("", 9).unwrap()[0].integration, "what it wrote stays marked");
}

pub(super) fn a_key_of_an_integration_is_known_for_a_while<S: Subject>() {
    let mut subject = S::fresh();
    let (one, other) = (account(1, "a").id, account(2, "b").id);
    let key = |hook, key, at| HookKey { hook, key: [key; 32], seq: Seq(at), at };
    let note = |key, forget_before| HookWrite::Key { key, forget_before };
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
