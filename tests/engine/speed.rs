//! How fast an empty device catches up, against what cannot be left out: checking the same signatures, and filling sled with
//! the same sealed values. Run with `cargo test --release --test engine speed -- --ignored --nocapture`.

use crate::world::{Device, World};
use kith_client::core::{Engine, Entropy, Identity, Parts};
use kith_client::keys::{DataKey, MasterKey, Purpose};
use kith_client::store::{COMMIT_BEST, Changes, Direction, SledStore, Span, Store, Tree};
use kith_client::vault::Home;
use kith_protocol::entry::Entry;
use kith_protocol::ids::RoomId;
use std::time::Instant;

const ROOMS: usize = 100;
const MESSAGES: usize = 200;

#[test]
#[ignore = "measures, and takes its time"]
#[expect(clippy::disallowed_methods, clippy::print_stdout, reason = "a measurement")]
fn catching_up_costs_little_more_than_its_signatures_and_its_rows() {
    let mut w = World::new();
    let (alice, bob) = (w.join("alice"), w.join("bob"));
    let rooms: Vec<RoomId> = (0..ROOMS).map(|n| w.group(alice, &format!("Room {n}"), &[bob])).collect();
    let text = "x".repeat(256);
    for room in &rooms {
        for n in 0..MESSAGES {
            w.say(if n % 2 == 0 { alice } else { bob }, *room, &text);
        }
        w.settle();
    }
    let phone = w.link(alice, "phone");
    w.disconnect(phone);

    let folder = tempfile::tempdir().unwrap();
    let data = MasterKey::random().data_key(Purpose::Store);
    let store = open(folder.path().join("device"), &data);
    replace_store(&mut w.devices[phone], Box::new(store));
    let started = Instant::now();
    w.connect(phone);
    let mut first_screen = None;
    while !w.devices[phone].engine.progress().done {
        w.carry_some(w.devices.len());
        if first_screen.is_none() && w.devices[phone].engine.progress().held >= 50 {
            first_screen = Some(started.elapsed());
        }
    }
    let took = started.elapsed();

    let memory = w.devices[alice].store();
    let mut entries = Vec::new();
    for (key, value) in memory.range(Tree::Entries, &Span::all(), Direction::Forward, usize::MAX).unwrap() {
        entries.push((key, Entry::parse(value[1..].to_vec().into()).unwrap()));
    }
    let mut keys_of = std::collections::BTreeMap::new();
    for id in [alice, bob] {
        let engine = &w.devices[id].engine;
        keys_of.insert(engine.me().device, w.devices[id].sign_public());
    }
    let started = Instant::now();
    for (_, entry) in &entries {
        if let Some(key) = keys_of.get(&entry.header().device) {
            entry.verify(key).unwrap();
        }
    }
    let checked = started.elapsed();
    let mut bare = open(folder.path().join("bare"), &data);
    for chunk in entries.chunks(COMMIT_BEST) {
        let mut changes = Changes::new();
        for (key, entry) in chunk {
            changes.put(Tree::Entries, key.clone(), [&[0], entry.raw().as_ref()].concat());
        }
        bare.commit(changes).unwrap();
    }
    let bare_took = started.elapsed();
    println!(
        "{} entries: caught up in {took:?} (first 50 after {first_screen:?}); signatures {checked:?}, with sled {bare_took:?}: ratio {:.2}",
        entries.len(),
        bare_took.as_secs_f64() / took.as_secs_f64()
    );
    assert_eq!(w.devices[phone].engine.progress().held, w.devices[alice].engine.progress().held);
}

fn open(path: std::path::PathBuf, data: &DataKey) -> SledStore {
    SledStore::open(&Home::lock(&path).unwrap(), data).unwrap().store
}

fn replace_store(device: &mut Device, store: Box<dyn Store>) {
    let vault = device.vault();
    let identity = Identity::load(&vault).unwrap().unwrap();
    let parts = Parts { store, vault: Box::new(vault), identity, entropy: Entropy::seeded(77) };
    device.engine = Engine::new(parts).unwrap();
}
