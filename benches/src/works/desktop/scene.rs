//! Where it plays: a relay, two people who have talked a lot, and the computer of one of them.

use super::super::{Bench, catch_up, relay};
use crate::child::Child;
use crate::report::Report;
use crate::time::Watch;
use crate::world::{Person, World};
use crate::{Outcome, load};
use kith_client::keys::Choice;
use kith_client::{Access, Client, Home};
use kith_protocol::ids::RoomId;
use kith_virtual_desktop::app::{self, App};
use kith_virtual_desktop::desktop::{APP, Desktop};
use kith_virtual_desktop::page::word;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// All that the works have in common.
pub(crate) struct Scene {
    pub(crate) runtime: Runtime,
    pub(crate) desktop: Desktop,
    pub(crate) room: RoomId,
    pub(crate) messages: u64,
    relay: Child,
    people: Vec<Person>,
    homes: TempDir,
    _store: TempDir,
}

impl Scene {
    /// Fills the store of the first person's computer through the engine, and opens the chat on it.
    pub(crate) fn new(bench: &Bench) -> Outcome<Self> {
        let messages = bench.size(100_000, 5_000) as u64;
        let (store, homes) = (bench.folder()?, bench.folder()?);
        let mut world = World::new(store.path())?;
        let people = world.people(0..2, 1)?;
        let room = world.direct(&people[0], &people[1])?;
        world.conversation([&people[0], &people[1]], room, messages)?;
        world.done()?;
        let runtime = load::runtime()?;
        let desktop = runtime.block_on(Desktop::start("desk"));
        let relay = relay(store.path(), false)?;
        let scene = Self { runtime, desktop, room, messages, relay, people, homes, _store: store };
        let watch = Watch::start();
        scene.fill(0)?;
        Report::note(&format!(
            "a store of {messages} messages, filled by the engine in {:.1} s",
            watch.seconds()
        ));
        let mut scene = scene;
        scene.turn_to_app();
        let desktop = &scene.desktop;
        scene.runtime.block_on(async {
            let app = App::start(desktop).await;
            app.open_chat(THE_OTHER).await;
            app.sees("messages", |view| !view.lines.is_empty()).await;
            quit(desktop).await;
        });
        Ok(scene)
    }

    /// The app is Kith, from now on.
    pub(crate) fn turn_to_app(&mut self) {
        self.desktop.turn_to(APP, self.home(0));
    }

    /// The app is the trivial one, from now on.
    pub(crate) fn turn_to_trivial(&mut self) {
        self.desktop.turn_to(TRIVIAL, self.homes.path().join("trivial"));
    }

    /// What the app of a person keeps.
    pub(crate) fn home(&self, person: usize) -> PathBuf {
        self.homes.path().join(person.to_string())
    }

    /// Takes everything in that there is for a person, and has read it.
    pub(crate) fn fill(&self, person: usize) -> Outcome<()> {
        let dir = profile(&self.home(person));
        std::fs::create_dir_all(&dir)?;
        catch_up::settle(&dir, &self.people[person], &format!("ws://{}", self.relay.address))?;
        self.runtime.block_on(async {
            let client = Client::open(Home::open(&dir)?, Access::new(Choice::PlainFile)).await?;
            let progress = client.sync_once(PATIENCE, |_| {}).await?;
            let newest = client.history(self.room, None, 1).await?;
            let newest = newest.last().and_then(|message| message.seq).ok_or("nothing to read")?;
            client.mark_read(self.room, newest).await?;
            client.sync_once(PATIENCE, |_| {}).await?;
            client.shutdown().await;
            if progress.held < self.messages {
                return Err(format!("{} of {} messages", progress.held, self.messages).into());
            }
            Ok(())
        })
    }
}

/// The folder of the only profile.
pub(crate) fn profile(home: &Path) -> PathBuf {
    home.join("profiles/default")
}

/// Ends the app, as a person does.
#[expect(clippy::await_holding_refcell_ref, reason = "one task, and the tray stays while it is asked")]
pub(crate) async fn quit(desktop: &Desktop) {
    desktop.tray().choose(word("tray_quit")).await;
    app::ended(desktop).await;
}

/// What the chat is called at the second person's, and at the first one's.
pub(crate) const THIS_ONE: &str = "p0";
pub(crate) const THE_OTHER: &str = "p1";
const TRIVIAL: &str = "kith-trivial";
const PATIENCE: Duration = Duration::from_mins(5);
