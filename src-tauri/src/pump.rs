//! Takes in what an engine tells, and gives it to window, tray and notifications.

use crate::convert;
use crate::ipc::{AppError, LineId, Seq, Update};
use crate::profile::Profile;
use crate::shell::Shell;
use kith_client::timeline::{Diff, Message};
use kith_client::{Connection, Next, RoomsDiff, Update as Told, Updates};
use kith_protocol::event::Target;
use kith_protocol::ids::{RoomId, TxnId};
use std::sync::Arc;

/// Until the engine ends.
pub(crate) async fn run(shell: Shell, profile: Arc<Profile>, mut updates: Updates) {
    while let Some(next) = updates.next().await {
        match next {
            Next::Update(update) => take(&shell, &profile, update).await,
            Next::Lagged(missed) => {
                tracing::warn!(missed, "the window is too slow for the engine");
                reload(&shell, &profile).await;
                shell.feed().push(Update::Lagged);
            }
        }
    }
}

async fn take(shell: &Shell, profile: &Profile, told: Told) {
    let id = || profile.id().clone();
    let feed = shell.feed();
    match told {
        Told::Timeline { room, diff } => timeline(shell, profile, room, diff).await,
        Told::Behind { room } if profile.shows(&room) => {
            feed.push(Update::Behind { profile: id(), room: room.into() });
        }
        Told::Behind { .. } => {}
        Told::Rooms(RoomsDiff::Set(room)) => {
            feed.push(Update::Room { room: profile.room_set(&room) });
            shell.tray_changed();
        }
        Told::Rooms(RoomsDiff::Remove(room)) => {
            profile.room_removed(&room);
            feed.push(Update::RoomRemoved { profile: id(), room: room.into() });
            shell.tray_changed();
        }
        Told::Rooms(RoomsDiff::Reset) => reload(shell, profile).await,
        Told::Connection(connection) => {
            connected(shell, profile, &connection);
            names(shell, profile).await;
        }
        Told::Progress(progress) => {
            let outbox = profile.outbox_is(progress.outbox);
            feed.push(Update::Progress {
                profile: id(),
                held: progress.held,
                known: progress.known,
                outbox,
                done: progress.done,
            });
            if progress.done {
                names(shell, profile).await;
            }
        }
        Told::Notification(decision) if decision.notify => shell.notify(profile, &decision),
        Told::Notification(_) => {}
        Told::Summary { messages, .. } => shell.notify_summary(profile, messages),
        Told::Withdraw(withdrawals) => {
            withdrawals.iter().for_each(|withdrawal| shell.withdraw(profile, withdrawal));
        }
        Told::Acked { txn, room, seq } => {
            if let Some(line) = own_line(profile, txn) {
                feed.push(Update::Acked { profile: id(), room: room.into(), line, seq: Seq(seq.0) });
            }
        }
        Told::SendFailed { txn, room, code } => {
            if let Some(line) = own_line(profile, txn) {
                let error = AppError::from(code);
                feed.push(Update::SendFailed { profile: id(), room: room.into(), line, error });
            }
        }
        Told::Typing { room, person } => {
            let person = profile.names().among(&person);
            feed.push(Update::Typing { profile: id(), room: room.into(), person });
        }
        Told::Presence { account, online, away } => {
            feed.push(Update::Presence { presence: profile.present(account, online, away) });
        }
        Told::Devices => feed.push(Update::Devices { profile: id() }),
        Told::Setting { name, value } => feed.push(Update::Setting { profile: id(), name, value }),
        Told::Announcement => feed.push(Update::Announcement { profile: id() }),
        Told::Trouble(trouble) => {
            tracing::warn!(kind = ?convert::trouble(&trouble).kind, "trouble");
            let trouble = profile.troubled(&trouble);
            shell.alert_of_trouble(profile, trouble.kind);
            feed.push(Update::Trouble { profile: id(), trouble });
        }
    }
}

fn connected(shell: &Shell, profile: &Profile, connection: &Connection) {
    let connection = convert::connection(connection);
    if profile.connection_is(connection.clone()) {
        shell.alert_of_connection(profile, &connection);
    }
    if connection != crate::ipc::Connection::Online {
        for presence in profile.all_gone() {
            shell.feed().push(Update::Presence { presence });
        }
    }
    shell.feed().push(Update::Connection { profile: profile.id().clone(), connection });
}

async fn timeline(shell: &Shell, profile: &Profile, room: RoomId, diff: Diff) {
    if !profile.shows(&room) {
        return;
    }
    let (reset, messages, removed): (bool, Vec<Message>, Vec<Target>) = match diff {
        Diff::Append { messages } | Diff::Prepend { messages } => (false, messages, Vec::new()),
        Diff::Insert { message, .. } | Diff::Set { message, .. } => (false, vec![message], Vec::new()),
        Diff::Remove { id, .. } => (false, Vec::new(), vec![id]),
        Diff::Reset { messages } => (true, messages, Vec::new()),
    };
    if profile.seen(|eyes| eyes.strangers_in(&messages)) {
        names(shell, profile).await;
    }
    let update = profile.seen(|eyes| Update::Timeline {
        profile: profile.id().clone(),
        room: room.into(),
        reset,
        lines: messages.iter().map(|message| eyes.line(message)).collect(),
        removed: removed.iter().map(|target| LineId(*target)).collect(),
        people: eyes.people_in(&messages),
    });
    shell.feed().push(update);
}

/// Names may have come; nobody tells of them one by one.
async fn names(shell: &Shell, profile: &Profile) {
    let Ok(renamed) = profile.refresh_names().await else { return };
    if renamed.me {
        shell.tell_profile(profile);
    }
    if !renamed.people.is_empty() {
        shell.feed().push(Update::People { profile: profile.id().clone(), people: renamed.people });
    }
}

async fn reload(shell: &Shell, profile: &Profile) {
    names(shell, profile).await;
    if let Ok(rooms) = profile.reload_rooms().await {
        shell.feed().push(Update::Rooms { profile: profile.id().clone(), rooms });
        shell.tray_changed();
    }
}

/// The name of a line that this device wrote.
fn own_line(profile: &Profile, txn: TxnId) -> Option<LineId> {
    Some(LineId(Target { device: profile.device()?, txn }))
}
