//! A device under test: a client engine over a memory store and a memory vault.

use kith_client::core::{Engine, Entropy, Identity, Parts, Reply, RequestError, Stopped, Ticket, Update};
use kith_client::store::MemoryStore;
use kith_client::vault::MemoryVault;
use kith_protocol::error::ErrorCode;
use kith_protocol::frame::ServerFrame;
use kith_protocol::keys::Challenge;
use kith_relay::relay::session::Session;
use std::collections::VecDeque;

/// One device: its disk, and the engine that runs on it.
pub(crate) struct Device {
    pub(crate) name: String,
    store: MemoryStore,
    vault: MemoryVault,
    pub(crate) engine: Engine,
    pub(crate) updates: Vec<Update>,
    pub(crate) replies: Vec<(Ticket, Result<Reply, RequestError>)>,
    pub(crate) line: Option<Line>,
    /// How the relay refuses what this device asks next for control entries by themselves.
    pub(crate) refused: VecDeque<ErrorCode>,
    pub(crate) seed: u64,
}

/// A connection.
pub(crate) enum Line {
    Unidentified(Challenge, VecDeque<ServerFrame>),
    Identified(Session),
}

impl Device {
    pub(crate) fn new(name: &str, vault: MemoryVault, identity: Identity, seed: u64) -> Self {
        let store = MemoryStore::new();
        Self {
            name: name.into(),
            engine: start(&store, &vault, identity, seed + 1000),
            store,
            vault,
            updates: Vec::new(),
            replies: Vec::new(),
            line: None,
            refused: VecDeque::new(),
            seed,
        }
    }

    /// Another process starts on what the vault holds, and the first `keep` commits that the store had not synced.
    pub(crate) fn restart(&mut self, keep: usize) {
        self.store.crash(keep);
        self.vault = self.vault.restart();
        let identity = Identity::load(&self.vault).unwrap().unwrap();
        self.seed += 100;
        self.engine = start(&self.store, &self.vault, identity, self.seed);
        self.replies.clear();
    }

    pub(crate) fn lose_store(&mut self) {
        self.store = MemoryStore::new();
    }

    /// Commits that a power cut now might take.
    pub(crate) fn unsynced(&self) -> usize {
        self.store.unsynced()
    }

    /// The next commits of its store fail.
    pub(crate) fn fail_commits(&self, times: u32) {
        self.store.fail_commits(times);
    }

    /// Whether it was told that it belongs to the account no more.
    pub(crate) fn is_revoked(&self) -> bool {
        self.engine.stopped() == Some(&Stopped::Revoked)
    }
}

fn start(store: &MemoryStore, vault: &MemoryVault, identity: Identity, seed: u64) -> Engine {
    let (store, vault) = (Box::new(store.clone()), Box::new(vault.clone()));
    Engine::new(Parts { store, vault, identity, entropy: Entropy::seeded(seed) }).unwrap()
}
