//! What waits to be sent.

use crate::args::OutboxCommand;
use crate::exit::{Failure, Outcome};
use crate::lines::{Waiting, state_word};
use crate::names;
use crate::render;
use crate::session::Session;
use crate::text;
use kith_client::Progress;
use kith_client::timeline::State;
use serde::Serialize;

/// Lists it, or changes it.
pub(crate) async fn outbox(session: &mut Session, command: Option<OutboxCommand>, sync: bool) -> Outcome {
    let waiting = session.client.outbox().await?;
    let changed = match command {
        None => {
            if sync {
                session.try_sync().await?;
            }
            return list(session).await;
        }
        Some(OutboxCommand::Retry { txn }) => {
            session.client.retry(names::pick_queued(&waiting, &txn)?).await?
        }
        Some(OutboxCommand::Discard { txn }) => {
            session.client.discard(names::pick_queued(&waiting, &txn)?).await?
        }
    };
    if !changed {
        return Err(Failure::not_found(
            "nothing was changed: the message is on its way, or was stored already",
        ));
    }
    if sync { session.try_sync().await.map(drop) } else { Ok(()) }
}

async fn list(session: &mut Session) -> Outcome {
    for item in session.client.outbox().await? {
        session.out.either(&Waiting::from(&item), || {
            let mut line = format!("{}  {}  {}", item.txn, render::time(item.at), state_word(item.state));
            if let State::Failed { code } = item.state {
                line.push_str(&format!(" ({})", code.sentence()));
            }
            format!("{line}  {}", text::line(&item.text))
        })?;
    }
    Ok(())
}

/// Sends what waits and fetches what is new.
pub(crate) async fn sync(session: &mut Session) -> Outcome {
    let Progress { held, known, outbox, done } = session.sync().await?;
    let refused = session.client.outbox().await?.iter().filter(|item| item.state.is_failed()).count();
    session.out.either(&Synced { held, known, outbox, refused, done }, || match refused {
        0 => format!("in step with the relay: {held} entries"),
        refused => format!("in step with the relay: {held} entries; {refused} refused, see outbox"),
    })
}

#[derive(Serialize)]
struct Synced {
    held: u64,
    known: u64,
    outbox: usize,
    refused: usize,
    done: bool,
}
