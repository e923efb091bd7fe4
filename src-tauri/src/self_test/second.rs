//! The second session of a test: a device of its own, linked for as long as the test lasts. A device may not be connected
//! twice, so a second session takes a second one; each counts among those that an account may ever have.

use super::PATIENCE;
use crate::failure::{Outcome, internal};
use crate::ipc::{AppError, ErrorCode};
use crate::profile::Profile;
use crate::shell::Shell;
use kith_client::keys::{Choice, MemorySecrets};
use kith_client::timeline::Message;
use kith_client::{Client, Home, Updates};
use kith_protocol::event::Target;
use kith_protocol::ids::{DeviceId, RoomId, Seq};
use kith_protocol::limits::DEVICES_MAX;
use std::path::{Path, PathBuf};
use tokio::sync::Mutex;
use tokio::time::timeout;

/// A session beside that of the profile.
pub(super) enum Second {
    /// A device of its own.
    Linked(Box<Linked>),
    /// The profile's own device, on a new connection: the account has had too many devices to be given one more.
    InTurn(Client),
}

pub(super) struct Linked {
    client: Client,
    device: DeviceId,
    updates: Mutex<Updates>,
    folder: PathBuf,
}

impl Second {
    pub(super) async fn open(shell: &Shell, profile: &Profile, client: &Client) -> Outcome<Self> {
        let devices = client.devices().await?;
        if devices.len() >= SPARE_FROM {
            return Ok(Self::InTurn(client.clone()));
        }
        let name = format!("{} ✓", client.me().await?.device_name);
        // Left by a test that was cut short.
        for stray in devices.iter().filter(|device| device.name == name && !device.revoked) {
            client.revoke(stray.id).await?;
        }
        let folder = shell.dirs().profiles.join(&profile.id().0).join(FOLDER);
        clear(&folder)?;
        let home = Home::open(&folder).map_err(AppError::from)?;
        // Its key is kept nowhere: it ends with the test.
        let access = shell.access(Choice::Best).secrets(Box::new(MemorySecrets::new()));
        let mut offer = client.link_offer().await?;
        let link = offer.link().clone();
        let linking = async { Ok(Client::link(home, access, &link, &name, |_| ()).await?) };
        let confirming = async {
            offer.answered().await?;
            // Both sides are this process: there is nothing to compare.
            Ok::<_, AppError>(offer.confirm().await?)
        };
        let linked = timeout(PATIENCE, async { tokio::try_join!(linking, confirming) }).await;
        let (second, ()) = linked.map_err(|_| silent())??;
        let device = second.me().await?.device;
        let updates = Mutex::new(second.updates());
        let linked = Linked { client: second, device, updates, folder };
        match linked.client.online(PATIENCE).await {
            Ok(()) => Ok(Self::Linked(Box::new(linked))),
            Err(error) => {
                linked.close(client).await;
                Err(error.into())
            }
        }
    }

    /// Waits until this session has a message that the first one wrote.
    pub(super) async fn hears(&self, room: RoomId, target: Target, seq: Seq) -> Outcome {
        match self {
            Self::Linked(linked) => {
                timeout(PATIENCE, linked.hears(room, target)).await.map_err(|_| silent())?
            }
            Self::InTurn(client) => {
                client.disconnect().await;
                client.online(PATIENCE).await?;
                let proof = client.verify(room).await?;
                if proof.relay_seq >= seq && proof.sound { Ok(()) } else { Err(silent()) }
            }
        }
    }

    /// Signs it out, and leaves nothing of it on this computer.
    pub(super) async fn close(self, client: &Client) {
        if let Self::Linked(linked) = self {
            linked.close(client).await;
        }
    }
}

impl Linked {
    async fn hears(&self, room: RoomId, target: Target) -> Outcome {
        let mut updates = self.updates.lock().await;
        loop {
            // It may not know the room yet.
            let lines = self.client.history(room, None, NEWEST).await.unwrap_or_default();
            if lines.iter().any(|line: &Message| line.id == target) {
                return Ok(());
            }
            // Whatever it is, it may have brought the message.
            updates.next().await.ok_or_else(silent)?;
        }
    }

    async fn close(self, client: &Client) {
        self.client.shutdown().await;
        if let Err(error) = client.revoke(self.device).await {
            tracing::warn!(%error, "the second session of the test is not signed out: the next test does so");
        }
        if let Err(error) = clear(&self.folder) {
            tracing::warn!(code = ?error.code, "the second session of the test stays on disk until the next one");
        }
    }
}

fn clear(folder: &Path) -> Outcome {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(internal(error.to_string())),
        _ => Ok(()),
    }
}

fn silent() -> AppError {
    AppError::new(
        ErrorCode::TimedOut,
        "the second session did not hear of the message: ask the relay's operator",
    )
}

/// Below the folder of the profile.
const FOLDER: &str = "self-test";
/// Half of all devices that an account may have are kept for computers.
const SPARE_FROM: usize = DEVICES_MAX / 2;
const NEWEST: usize = 20;
