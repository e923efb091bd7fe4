//! A relay as a process of its own, the way to it, and whole clients with homes on disk.

mod relay;
mod way;

pub(crate) use relay::Relay;
pub(crate) use way::Way;

use kith_client::core::{Newcomer, RoomSummary};
use kith_client::keys::{Choice, Passphrase};
use kith_client::timeline::Message;
use kith_client::{Access, Client, Home, JoinError, SyncError};
use kith_protocol::ids::RoomId;
use kith_protocol::link::InviteLink;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::Instant;

/// Far more than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

/// A folder with the homes of several devices.
pub(crate) struct Homes {
    folder: TempDir,
    sealed: bool,
}

impl Homes {
    /// Homes whose key a passphrase opens.
    pub(crate) fn sealed() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), sealed: true }
    }

    /// Homes whose key lies open: quicker.
    pub(crate) fn plain() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), sealed: false }
    }

    pub(crate) fn place(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn home(&self, name: &str) -> Home {
        Home::open(&self.place(name)).unwrap()
    }

    fn access(&self) -> Access {
        if self.sealed {
            Access::new(Choice::Passphrase(Passphrase::new("correct horse battery staple").unwrap()))
        } else {
            Access::new(Choice::PlainFile)
        }
    }

    /// A new account with its first device.
    pub(crate) async fn join(&self, relay: &Relay, name: &str, handle: &str) -> Client {
        self.join_by(&relay.invite(), name, handle).await.unwrap()
    }

    /// The same by an invite that may be no good.
    pub(crate) async fn join_by(
        &self,
        invite: &InviteLink,
        name: &str,
        handle: &str,
    ) -> Result<Client, JoinError> {
        let who = Newcomer { name: handle.into(), handle: Some(handle.into()), device_name: name.into() };
        Client::join(self.home(name), self.access(), invite, who).await
    }

    /// Another device of somebody's, after both have compared the digits.
    pub(crate) async fn link(&self, with: &Client, name: &str) -> Client {
        let mut offer = with.link_offer().await.unwrap();
        let link = offer.link().clone();
        let (shown, digits) = std::sync::mpsc::channel();
        let newcomer = Client::link(self.home(name), self.access(), &link, name, move |digits| {
            shown.send(digits).unwrap();
        });
        let confirm = async {
            let answered = offer.answered().await.unwrap();
            assert_eq!(answered.digits, digits.recv().unwrap().digits);
            offer.confirm().await.unwrap();
        };
        tokio::join!(newcomer, confirm).0.unwrap()
    }

    /// A home that was used before.
    pub(crate) async fn open(&self, name: &str) -> Client {
        Client::open(self.home(name), self.access()).await.unwrap()
    }
}

/// All that a device shows of one room.
#[derive(Debug, PartialEq)]
pub(crate) struct View {
    lines: Vec<Message>,
    hash: kith_protocol::ids::Hash,
    /// Of its person alone.
    pub(crate) unread: u64,
    pub(crate) read_up_to: kith_protocol::ids::Seq,
    pub(crate) draft: String,
}

pub(crate) async fn view(client: &Client, room: RoomId) -> Option<View> {
    let verified = client.verify(room).await.ok()?;
    let RoomSummary { unread, read_up_to, draft, .. } = client.room(room).await.unwrap()?;
    if !verified.complete || !verified.sound || verified.invalid > 0 {
        return None;
    }
    let mut lines = client.history(room, None, 1_000_000).await.unwrap();
    // Everybody leaves their own receipt out.
    for line in &mut lines {
        line.receipts.clear();
    }
    Some(View { lines, hash: verified.hash, unread, read_up_to, draft })
}

/// Waits until all of these show the same of a room, and those of one person the same of what is theirs.
pub(crate) async fn agree(people: &[&[&Client]], room: RoomId) -> Vec<Message> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut all = Vec::new();
        for client in people.iter().copied().flatten() {
            // A relay that has just come back may find a device waiting for its next try.
            while let Err(error) = client.sync_once(PATIENCE, |_| {}).await {
                assert!(matches!(error, SyncError::Offline(_)) && Instant::now() < deadline, "{error}");
                client.disconnect().await;
            }
        }
        let mut same = true;
        for devices in people {
            let mut theirs = Vec::new();
            for client in *devices {
                theirs.push(view(client, room).await);
            }
            same &= theirs.iter().all(|view| view.is_some() && *view == theirs[0]);
            all.append(&mut theirs);
        }
        let first = all[0].as_ref();
        same &= all.iter().all(|view| {
            view.as_ref().map(|view| (&view.lines, &view.hash)) == first.map(|view| (&view.lines, &view.hash))
        });
        if same {
            return all.swap_remove(0).expect("all are the same, and there").lines;
        }
        assert!(Instant::now() < deadline, "they do not agree: {all:#?}");
    }
}

/// The texts of a history, in its order.
pub(crate) fn texts(lines: &[Message]) -> Vec<&str> {
    lines.iter().filter(|line| line.changes.is_empty()).map(|line| line.text.as_str()).collect()
}

/// Waits until somebody administers the relay: the connection on which they did not ends, and the next one knows.
pub(crate) async fn promoted(client: &Client) {
    let deadline = Instant::now() + PATIENCE;
    while !client.me().await.unwrap().admin {
        assert!(Instant::now() < deadline, "no admin yet");
        let _ = client.sync_once(PATIENCE, |_| {}).await;
    }
}
