//! What is written.

use crate::exit::{Exit, Failure, Outcome};
use crate::lines::Sent;
use crate::session::Session;
use kith_client::{AckError, Outgoing, RequestError};
use kith_protocol::ids::{RoomId, TxnId};
use std::io::Read as _;

/// Writes to a person.
pub(crate) async fn dm(session: &mut Session, who: &str, text: &str) -> Outcome {
    let text = text_or_stdin(text)?;
    // Whom a handle means is the relay's to say; without a network, what was known last counts.
    let offline = session.try_online().await?;
    let room = match (session.client.dm(who).await, offline) {
        (Ok(room), _) => room,
        (Err(RequestError::HandleMoved { handle, .. }), _) => {
            session.accept_moved(&handle).await?;
            session.client.dm(&handle).await?
        }
        (Err(RequestError::Offline), Some(why)) => {
            let whom = crate::text::line(who.trim_start_matches('@'));
            return Err(Failure::new(
                Exit::NoNetwork,
                format!("this device does not know @{whom} yet, and cannot ask the relay: {}", reason(&why)),
            ));
        }
        (Err(error), _) => return Err(error.into()),
    };
    let txn = session.client.send(room, Outgoing::text(text)).await?;
    sent(session, room, txn).await
}

/// Writes in a room.
pub(crate) async fn send(
    session: &mut Session,
    room: &str,
    text: &str,
    reply_to: Option<&str>,
    mention: &[String],
) -> Outcome {
    let text = text_or_stdin(text)?;
    let room = session.room(room).await?.id;
    let reply_to = match reply_to {
        Some(message) => Some(session.message(room, message).await?.id),
        None => None,
    };
    if !mention.is_empty() {
        session.try_online().await?;
    }
    let mentions = session.accounts(mention).await?;
    let txn = session.client.send(room, Outgoing { text, reply_to, mentions }).await?;
    sent(session, room, txn).await
}

/// Changes a text.
pub(crate) async fn edit(session: &mut Session, room: &str, message: &str, text: &str) -> Outcome {
    let text = text_or_stdin(text)?;
    let room = session.room(room).await?.id;
    let target = session.message(room, message).await?.id;
    let txn = session.client.edit(room, target, text).await?;
    sent(session, room, txn).await
}

/// Takes a text away.
pub(crate) async fn delete(session: &mut Session, room: &str, message: &str) -> Outcome {
    let room = session.room(room).await?.id;
    let target = session.message(room, message).await?.id;
    let txn = session.client.redact(room, target).await?;
    sent(session, room, txn).await
}

/// Chooses an emoji, or takes it back.
pub(crate) async fn react(
    session: &mut Session,
    room: &str,
    message: &str,
    emoji: &str,
    on: bool,
) -> Outcome {
    let room = session.room(room).await?.id;
    let target = session.message(room, message).await?.id;
    session.client.react(room, target, emoji, on).await?;
    session.publish().await
}

/// Says how far what was written has come: queued is good, too.
async fn sent(session: &mut Session, room: RoomId, txn: TxnId) -> Outcome {
    if !session.out.json() {
        session.out.line(&format!("txn {txn}"))?;
    }
    let mut seq = None;
    let mut why = None;
    match session.try_online().await? {
        Some(offline) => why = Some(reason(&offline)),
        None => match session.client.acked(txn, session.patience()).await {
            Ok(at) => seq = Some(at),
            Err(AckError::Queued) => why = Some("the relay has not taken it yet".to_owned()),
            Err(error) => return Err(error.into()),
        },
    }
    let state = if seq.is_some() { "sent" } else { "queued" };
    match (session.out.json(), seq) {
        (true, _) => session.out.object(&Sent { room, txn, seq, state })?,
        (false, Some(seq)) => session.out.line(&format!("seq {seq}"))?,
        (false, None) => session.out.line("queued")?,
    }
    if let Some(why) = why {
        session.out.note(&format!("the message is queued, and goes out with the next connection: {why}"));
    }
    Ok(())
}

/// Why there is no connection, alone.
fn reason(error: &kith_client::SyncError) -> String {
    match error {
        kith_client::SyncError::Offline(why) => why.clone(),
        _ => "the relay does not answer".to_owned(),
    }
}

/// The text, or for "-" what standard input holds, without the last line's end.
pub(crate) fn text_or_stdin(text: &str) -> Outcome<String> {
    if text != "-" {
        return Ok(text.to_owned());
    }
    let mut typed = String::new();
    std::io::stdin()
        .lock()
        .read_to_string(&mut typed)
        .map_err(|error| Failure::new(Exit::Failed, format!("standard input cannot be read: {error}")))?;
    let typed = typed.strip_suffix('\n').unwrap_or(&typed);
    Ok(typed.strip_suffix('\r').unwrap_or(typed).to_owned())
}
