//! A process that is killed while it writes: what the vault answered is there, and the store is a prefix of what was
//! committed, whole commits at a time. Nothing has to be set aside for that.
#![expect(clippy::unwrap_used, reason = "helpers of a test")]

use kith_client::keys::DataKey;
use kith_client::store::{Changes, Direction, SledStore, Span, Store, Tree, keys};
use kith_client::vault::{DurableMap, Home, Vault};
use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// Names the home for the process that is going to be killed.
const HOME: &str = "KITH_TEST_KILLED_HOME";
const ROUNDS: u64 = 12;
const ROOM: [u8; 16] = [7; 16];

fn key() -> DataKey {
    DataKey::from_bytes([1; 32])
}

#[test]
fn what_was_answered_survives_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let mut answered_before = 0;
    for round in 0..ROUNDS {
        let answered = write_until_killed(dir.path(), 1 + round * 7 % 20);
        assert!(answered > answered_before, "round {round}");
        answered_before = answered;

        let home = Home::lock(dir.path()).unwrap();
        let opened = Vault::open(&home, &key()).unwrap();
        assert_eq!(opened.damage, None, "round {round}");
        for n in 1..=answered {
            assert_eq!(
                opened.vault.get(&n.to_be_bytes()),
                Some(n.to_string().into_bytes()),
                "round {round}: {n}"
            );
        }

        let opened = SledStore::open(&home, &key()).unwrap();
        assert_eq!(opened.set_aside, None, "round {round}");
        let rows = opened.store.range(Tree::Entries, &Span::all(), Direction::Forward, usize::MAX).unwrap();
        for (n, (key, value)) in (1u64..).zip(&rows) {
            assert_eq!(keys::place(key), Some(n), "round {round}");
            assert_eq!(value.len(), 600);
        }
        assert_eq!(
            rows.len() as u64,
            cursor(&opened.store),
            "round {round}: the cursor and the entries are one commit"
        );
    }
}

/// Starts a writer, kills it after so many of its answers, and tells the last one.
fn write_until_killed(home: &Path, answers: u64) -> u64 {
    let mut writer = Command::new(env::current_exe().unwrap())
        .args(["--exact", "write_until_the_end", "--ignored", "--nocapture"])
        .env(HOME, home)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(writer.stdout.take().unwrap()).lines();
    let mut numbers =
        lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("answered ")?.parse().ok());
    let mut last = 0;
    for _ in 0..answers {
        last = numbers.next().expect("the writer goes on until it is killed");
    }
    writer.kill().unwrap();
    writer.wait().unwrap();
    // What it had answered before the kill reached it counts as well.
    numbers.last().unwrap_or(last)
}

#[test]
#[ignore = "run by what_was_answered_survives_a_kill, to be killed"]
#[expect(clippy::print_stdout, reason = "the answers go to the test that kills")]
fn write_until_the_end() {
    let Some(home) = env::var_os(HOME) else { return };
    let home = Home::lock(Path::new(&home)).unwrap();
    let mut vault = Vault::open(&home, &key()).unwrap().vault;
    let mut store = SledStore::open(&home, &key()).unwrap().store;
    let mut answered = vault.len() as u64;
    let mut stored = cursor(&store);
    // Its own line, whatever the test harness has written before.
    println!();
    loop {
        answered += 1;
        vault.put(&answered.to_be_bytes(), answered.to_string().as_bytes()).unwrap();
        println!("answered {answered}");
        std::io::stdout().flush().unwrap();

        let mut changes = Changes::new();
        for _ in 0..20 {
            stored += 1;
            changes.put(Tree::Entries, keys::entry(&ROOM, stored), vec![stored as u8; 600]);
        }
        changes.put(Tree::Rooms, keys::room(&ROOM), stored.to_be_bytes());
        store.commit(changes).unwrap();
    }
}

fn cursor(store: &SledStore) -> u64 {
    let value = store.get(Tree::Rooms, &keys::room(&ROOM)).unwrap();
    value.map_or(0, |value| u64::from_be_bytes(value.try_into().unwrap()))
}
