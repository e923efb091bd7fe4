//! The proof that everybody holds the same.

use crate::exit::{Exit, Failure, Outcome};
use crate::lines::{Proof, Verdict};
use crate::session::Session;
use crate::text;
use owo_colors::OwoColorize as _;

/// Proves one room, or all of them.
pub(crate) async fn verify(session: &mut Session, room: Option<&str>) -> Outcome {
    let online = session.try_sync().await?;
    let rooms = match room {
        Some(name) => vec![session.room(name).await?],
        None => session.client.rooms().await?,
    };
    let mut broken = 0;
    let mut incomplete = 0;
    for room in rooms {
        let verified = session.client.verify(room.id).await?;
        let proof = Proof::new(room.title.clone(), &verified);
        match proof.verdict {
            Verdict::Broken => broken += 1,
            Verdict::Incomplete => incomplete += 1,
            Verdict::Complete => {}
        }
        session.out.either(&proof, || {
            let verdict = match proof.verdict {
                Verdict::Complete => "complete".green().to_string(),
                Verdict::Incomplete => "incomplete".yellow().to_string(),
                Verdict::Broken => "BROKEN".red().to_string(),
            };
            let invalid = match verified.invalid {
                0 => String::new(),
                count => format!("  {count} entries do not count"),
            };
            let name = text::line(&room.title);
            format!(
                "{verdict}  {name}  {} of {}  {}{invalid}",
                verified.seq, verified.relay_seq, verified.hash
            )
        })?;
    }
    match (broken, incomplete) {
        (0, 0) => Ok(()),
        (0, _) if !online => Err(Failure::new(
            Exit::NoNetwork,
            "what is here is sound, and the relay could not be asked for the rest",
        )),
        (0, _) => Err(Failure::new(Exit::Failed, "what is here is sound, and not all of it came in time")),
        _ => Err(Failure::new(
            Exit::Unproven,
            "what this device holds is not what the relay and the others hold: ask the relay's operator, and compare the hashes with the others",
        )),
    }
}
