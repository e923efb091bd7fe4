//! The account itself.

use crate::exit::{Exit, Failure, Outcome};
use crate::lines::{Device, Identity, Somebody};
use crate::names;
use crate::out::Out;
use crate::render;
use crate::session::Session;
use crate::text;
use kith_protocol::recovery::RecoveryKey;
use owo_colors::OwoColorize as _;
use serde::Serialize;
use std::time::Duration;

/// Prints the devices.
pub(crate) async fn devices(session: &mut Session, sync: bool) -> Outcome {
    if sync {
        session.try_sync().await?;
    }
    for device in session.client.devices().await? {
        session.out.either(&Device::from(&device), || {
            let mark = match (device.revoked, device.this) {
                (true, _) => "  (revoked)",
                (_, true) => "  (this one)",
                _ => "",
            };
            let id = device.id.to_string();
            format!(
                "{}  {}  {}{mark}",
                (&id[..8]).dimmed(),
                render::time(device.added_at),
                text::line(&device.name)
            )
        })?;
    }
    Ok(())
}

/// Signs a device out.
pub(crate) async fn revoke(session: &mut Session, device: &str) -> Outcome {
    session.sync().await?;
    let devices = session.client.devices().await?;
    let device = names::pick_device(&devices, device)?;
    let name = text::line(&device.name);
    if !session.asking.confirm(&format!("Sign \"{name}\" out for good?")) {
        return Err(Failure::new(Exit::Failed, "nothing was changed"));
    }
    session.client.revoke(device.id).await?;
    let revoked = Revoked { revoked: device.id.to_string(), name: &device.name };
    session.out.either(&revoked, || format!("signed out \"{name}\""))
}

/// Makes a recovery key, and prints it.
pub(crate) async fn recovery_new(session: &mut Session) -> Outcome {
    session.sync().await?;
    let key = session.client.recovery_new().await?;
    show_recovery_key(&mut session.out, &key)
}

/// The one moment at which the key is shown.
pub(crate) fn show_recovery_key(out: &mut Out, key: &RecoveryKey) -> Outcome {
    let key = key.to_string();
    out.either(&Shown { recovery_key: &key }, || key.clone())?;
    out.note("write this recovery key down: it is shown once, and an older one is not in force any more");
    Ok(())
}

/// Makes an invite.
pub(crate) async fn invite(
    session: &mut Session,
    uses: u32,
    expires: Duration,
    room: Option<&str>,
) -> Outcome {
    session.online().await?;
    let room = match room {
        Some(name) => Some(session.room(name).await?.id),
        None => None,
    };
    let link = session.client.invite(uses, expires, room).await?.to_string();
    session.out.either(&Invited { link: &link }, || link.clone())
}

/// Prints people whose handle or name begins with this; without a beginning, those whom this device knows.
pub(crate) async fn people(session: &mut Session, prefix: &str) -> Outcome {
    let people = if prefix.trim_start_matches('@').is_empty() {
        session.client.known_people().await?.into_values().collect()
    } else {
        session.online().await?;
        session.client.people(prefix).await?
    };
    for person in people {
        session.out.either(&Somebody::from(&person), || {
            format!("@{}  {}", text::line(&person.handle), text::line(&person.name))
        })?;
    }
    Ok(())
}

/// Prints who this is.
pub(crate) async fn whoami(session: &mut Session) -> Outcome {
    let me = session.client.me().await?;
    session.out.either(&Identity::from(&me), || {
        let (handle, name) = (text::line(&me.person.handle), text::line(&me.person.name));
        let device = text::line(&me.device_name);
        format!("@{handle}  {name}  device \"{device}\" ({})  {}", &me.device.to_string()[..8], me.relay)
    })
}

#[derive(Serialize)]
struct Revoked<'a> {
    revoked: String,
    name: &'a str,
}

#[derive(Serialize)]
struct Shown<'a> {
    recovery_key: &'a str,
}

#[derive(Serialize)]
struct Invited<'a> {
    link: &'a str,
}
