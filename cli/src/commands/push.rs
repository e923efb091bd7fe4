//! Where the person is told of messages while none of their devices is connected.

use super::messages::text_or_stdin;
use crate::args::{PushCommand, PushPlace};
use crate::exit::{Exit, Failure, Outcome};
use crate::lines::Place;
use crate::session::Session;
use crate::text;
use kith_client::PushTo;
use kith_protocol::frame::{PushPlace as Known, Pushes};
use owo_colors::OwoColorize as _;
use serde::Serialize;
use std::time::Duration;

/// Does what is asked about pushes.
pub(crate) async fn push(session: &mut Session, command: PushCommand) -> Outcome {
    if !matches!(command, PushCommand::Add(_)) {
        session.online().await?;
    }
    match command {
        PushCommand::Add(place) => add(session, place).await,
        PushCommand::List => {
            let pushes = session.client.pushes().await?;
            show(session, &pushes)
        }
        PushCommand::Remove { place } => {
            let place = picked(&session.client.pushes().await?, &place)?;
            session.client.remove_push(place.id.clone()).await?;
            let removed = Removed { removed: Place::from(&place).id };
            session.out.either(&removed, || format!("{} is told no longer", text::line(&place.host)))
        }
        PushCommand::Test { place } => {
            let pushes = session.client.pushes().await?;
            let places = match place {
                Some(place) => vec![picked(&pushes, &place)?],
                None if pushes.targets.is_empty() => return Err(nowhere()),
                None => pushes.targets,
            };
            for place in places {
                session.client.test_push(place.id.clone()).await?;
                let tested = Tested { taken: Place::from(&place).id };
                session.out.either(&tested, || format!("{} took it", text::line(&place.host)))?;
            }
            Ok(())
        }
        PushCommand::After { time } => {
            session.client.set_push(Some(time), None).await?;
            let pushes = session.client.pushes().await?;
            show(session, &pushes)
        }
        PushCommand::Sender { what } => {
            session.client.set_push(None, Some(what == "show")).await?;
            let pushes = session.client.pushes().await?;
            show(session, &pushes)
        }
    }
}

async fn add(session: &mut Session, place: PushPlace) -> Outcome {
    // A wrong option needs no connection to be told.
    let to = wanted(place)?;
    session.online().await?;
    let (pushes, secret) = session.client.add_push(to).await?;
    let place = pushes.targets.last().map(Place::from);
    let id = place.as_ref().map_or_else(String::new, |place| place.id.clone());
    session.out.either(&Added { added: place, secret: secret.as_deref() }, || match &secret {
        Some(secret) => format!("{}  {secret}", short(&id)),
        None => short(&id).to_owned(),
    })?;
    session.out.note("see whether it arrives: kith-cli push test");
    Ok(())
}

fn show(session: &mut Session, pushes: &Pushes) -> Outcome {
    let places: Vec<Place> = pushes.targets.iter().map(Place::from).collect();
    let vapid_key = Place::base64url(&pushes.vapid_key);
    let shown = Shown { after_s: pushes.after_s, show_sender: pushes.show_sender, vapid_key, places };
    session.out.either(&shown, || {
        let after = humantime::format_duration(Duration::from_secs(pushes.after_s.into()));
        let sender = if shown.show_sender { "says who wrote" } else { "hides who wrote" };
        let mut lines = vec![format!("after {after} without a device; {sender}")];
        for place in &shown.places {
            let failure = place.failure.as_deref().map(|why| format!("  failed: {}", text::line(why)));
            let (kind, host) = (text::line(&place.kind), text::line(&place.host));
            lines.push(format!(
                "{}  {kind}  {host}{}",
                short(&place.id).dimmed(),
                failure.unwrap_or_default()
            ));
        }
        lines.join("\n")
    })
}

fn wanted(place: PushPlace) -> Outcome<PushTo> {
    let given = |secret: Option<String>| secret.map(|secret| text_or_stdin(&secret)).transpose();
    Ok(match place {
        PushPlace::Ntfy { url, token } => PushTo::Ntfy { url, token: given(token)? },
        PushPlace::Webhook { url, secret } => PushTo::Webhook { url, secret: given(secret)? },
        PushPlace::Webpush { endpoint, p256dh, auth } => {
            PushTo::WebPush { endpoint, p256dh, auth: text_or_stdin(&auth)? }
        }
        PushPlace::Pusher { url, app, key, secret, channel } => {
            PushTo::Pusher { url, app, key, secret: text_or_stdin(&secret)?, channel }
        }
    })
}

/// The one place whose id begins with this.
fn picked(pushes: &Pushes, beginning: &str) -> Outcome<Known> {
    let mut found = pushes.targets.iter().filter(|place| Place::from(*place).id.starts_with(beginning));
    match (found.next(), found.next()) {
        (Some(place), None) => Ok(place.clone()),
        (None, _) => Err(Failure::new(Exit::NotFound, "there is no such place: see kith-cli push list")),
        (Some(_), Some(_)) => {
            Err(Failure::new(Exit::NotFound, "several places begin with that: give more of the id"))
        }
    }
}

fn nowhere() -> Failure {
    Failure::new(Exit::NotFound, "you are told nowhere yet: see kith-cli push add --help")
}

fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

#[derive(Serialize)]
struct Shown {
    after_s: u32,
    show_sender: bool,
    vapid_key: String,
    places: Vec<Place>,
}

#[derive(Serialize)]
struct Added<'a> {
    added: Option<Place>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
}

#[derive(Serialize)]
struct Removed {
    removed: String,
}

#[derive(Serialize)]
struct Tested {
    taken: String,
}
