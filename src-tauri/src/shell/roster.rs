//! The profiles of this computer: opened, taken in, taken away.

use super::Shell;
use crate::failure::{self, Outcome};
use crate::ipc::{ProfileId, Update};
use crate::profile::{self, Profile};
use crate::pump;
use kith_client::keys::Choice;
use kith_client::{Client, Profiles};
use kith_protocol::ids::RoomId;
use std::sync::Arc;

impl Shell {
    /// Opens all profiles of this computer, and goes on with them.
    pub(crate) async fn open_all(&self) {
        let names = match self.homes().names() {
            Ok(names) => names,
            Err(error) => {
                tracing::error!(%error, "the profiles cannot be listed");
                return;
            }
        };
        let ids: Vec<ProfileId> =
            names.into_iter().map(ProfileId).filter(|id| !self.is_arriving(id)).collect();
        let opened = ids.into_iter().map(|id| {
            let shell = self.clone();
            tokio::spawn(async move { shell.open(&id, Choice::of_environment()).await })
        });
        for task in opened.collect::<Vec<_>>() {
            let _ = task.await;
        }
        self.tray_changed();
    }

    /// Opens one profile; how that ended stands in it.
    pub(crate) async fn open(&self, id: &ProfileId, choice: Choice) -> Outcome {
        let profile = Arc::new(Profile::new(id.clone()));
        let before = self.profiles().insert(id.clone(), Arc::clone(&profile));
        if let Some(before) = before {
            before.shut_down().await;
        }
        self.tell_profile(&profile);
        let opened = async {
            let home =
                self.homes().home(&id.0).ok_or_else(|| failure::internal("no name of a profile"))??;
            let client = Client::open(home, self.access(choice)).await?;
            self.take_over(&profile, client).await
        };
        let outcome = opened.await;
        if let Err(error) = &outcome {
            tracing::warn!(code = ?error.code, "a profile cannot be opened");
            profile.closed(profile::stage_of(error.clone()));
        }
        self.tell_profile(&profile);
        outcome
    }

    /// A new profile has an engine already.
    pub(crate) async fn adopt(&self, id: &ProfileId, client: Client) -> Outcome {
        let profile = Arc::new(Profile::new(id.clone()));
        self.profiles().insert(id.clone(), Arc::clone(&profile));
        let outcome = self.take_over(&profile, client).await;
        self.tell_profile(&profile);
        outcome
    }

    async fn take_over(&self, profile: &Arc<Profile>, client: Client) -> Outcome {
        // Listen first: nothing is missed in between.
        let updates = client.updates();
        profile.opened(client.clone()).await?;
        self.inner.feed.push(Update::Rooms { profile: profile.id().clone(), rooms: profile.rooms() });
        client.set_attention(self.attention(profile.id())).await;
        profile.pumped_by(tokio::spawn(pump::run(self.clone(), Arc::clone(profile), updates)));
        client.connect();
        self.tray_changed();
        Ok(())
    }

    /// Takes a profile away from this computer.
    pub(crate) async fn remove(&self, id: &ProfileId) -> Outcome {
        let Some(profile) = self.profiles().remove(id) else { return Err(failure::closed()) };
        profile.shut_down().await;
        let folder = self.inner.dirs.profiles.join(&id.0);
        let removed = tokio::task::spawn_blocking(move || std::fs::remove_dir_all(folder)).await;
        removed.map_err(|_| failure::internal("the profile was not removed"))??;
        self.inner.feed.push(Update::ProfileRemoved { profile: id.clone() });
        self.tray_changed();
        Ok(())
    }

    pub(crate) fn profile(&self, id: &ProfileId) -> Outcome<Arc<Profile>> {
        self.profiles().get(id).cloned().ok_or_else(failure::closed)
    }

    /// The engine of a profile.
    pub(crate) fn client(&self, id: &ProfileId) -> Outcome<Client> {
        self.profile(id)?.client()
    }

    /// All profiles, in the order of their names.
    pub(crate) fn all(&self) -> Vec<Arc<Profile>> {
        self.profiles().values().cloned().collect()
    }

    pub(crate) fn homes(&self) -> Profiles {
        Profiles::at(&self.inner.dirs.profiles)
    }

    /// The profile that has a room.
    pub(crate) fn profile_with(&self, room: &RoomId) -> Option<ProfileId> {
        self.all().iter().find(|profile| profile.room(room).is_some()).map(|profile| profile.id().clone())
    }

    /// The folder of a profile that is on its way in, for another try; else a name that is free.
    pub(crate) fn newcomer(&self) -> Outcome<ProfileId> {
        let names = self.homes().names()?;
        if let Some(begun) = names.iter().find(|name| self.is_arriving(&ProfileId((*name).clone()))) {
            return Ok(ProfileId(begun.clone()));
        }
        let free =
            std::iter::once("default".to_owned()).chain((2..).map(|number| format!("profile {number}")));
        let profiles = self.profiles();
        let taken = |name: &String| names.contains(name) || profiles.contains_key(&ProfileId(name.clone()));
        let name = free.into_iter().find(|name| !taken(name)).expect("one of endlessly many names is free");
        Ok(ProfileId(name))
    }

    /// Notes that a profile is on its way in, or has arrived.
    pub(crate) fn set_arriving(&self, id: &ProfileId, arriving: bool) -> Outcome {
        let folder = self.inner.dirs.profiles.join(&id.0);
        if arriving {
            std::fs::create_dir_all(&folder)?;
            std::fs::write(folder.join(ARRIVING), b"")?;
        } else if let Err(error) = std::fs::remove_file(folder.join(ARRIVING))
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(error.into());
        }
        Ok(())
    }

    fn is_arriving(&self, id: &ProfileId) -> bool {
        self.inner.dirs.profiles.join(&id.0).join(ARRIVING).exists()
    }

    pub(crate) fn tell_profile(&self, profile: &Profile) {
        self.inner.feed.push(Update::Profile { profile: profile.view() });
    }
}

/// Stands in the folder of a profile that is on its way in.
const ARRIVING: &str = "arriving";
