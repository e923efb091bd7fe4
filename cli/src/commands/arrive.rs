//! The ways into an account.

use crate::args::Options;
use crate::exit::{Failure, Outcome};
use crate::lines::Identity;
use crate::out::Out;
use crate::profile;
use crate::session::Session;
use crate::text;
use kith_client::{Client, Digits, Newcomer, Relay};
use kith_protocol::link::{DeviceLink, InviteLink, Link};
use kith_protocol::recovery::RecoveryKey;
use kith_protocol::rendezvous::LinkCode;
use serde::Serialize;

/// What the new account and device are to be called.
pub(crate) struct Names {
    pub(crate) name: Option<String>,
    pub(crate) handle: Option<String>,
    pub(crate) device: Option<String>,
}

/// Makes an account, or makes this device one of an account's.
pub(crate) async fn join(options: &Options, link: &str, names: Names, relay: Option<&str>) -> Outcome {
    let link = match (link.parse::<LinkCode>(), relay) {
        (Ok(code), Some(relay)) => {
            let Relay { address, pin } = relay_of(relay)?;
            Link::Device(DeviceLink { relay: address, code, pin })
        }
        (Ok(_), None) => {
            return Err(Failure::usage(
                "a bare code does not say where the relay is: add --relay, or paste the whole link",
            ));
        }
        (Err(_), _) => link.parse().map_err(|error| Failure::usage(format!("{error}")))?,
    };
    match link {
        Link::Join(invite) => new_account(options, &invite, names).await,
        Link::Device(link) => new_device(options, &link, names.device).await,
    }
}

async fn new_account(options: &Options, invite: &InviteLink, names: Names) -> Outcome {
    let Some(name) = names.name.or_else(|| names.handle.clone()) else {
        return Err(Failure::usage("a new account needs a name: add --name"));
    };
    let device_name = names.device.unwrap_or_else(this_computer);
    let (home, access) = profile::create(options)?;
    let who = Newcomer { name, handle: names.handle, device_name };
    let client = Client::join(home, access, invite, who).await?;
    arrived(Session::new(client, options)).await
}

async fn new_device(options: &Options, link: &DeviceLink, device: Option<String>) -> Outcome {
    let device = device.unwrap_or_else(this_computer);
    let (home, access) = profile::create(options)?;
    let json = options.json;
    let show = move |Digits { digits, handle }: Digits| {
        let mut out = Out::new(json);
        let shown = Shown { digits: &digits, handle: &handle };
        let handle = text::line(&handle);
        // The other device asks; if nobody reads this, nobody confirms.
        let _ = out.either(&shown, || {
            format!("{digits}\nconfirm on the other device of @{handle} that it shows the same six digits")
        });
    };
    let client = Client::link(home, access, link, &device, show).await?;
    arrived(Session::new(client, options)).await
}

/// Signs in with the recovery key.
pub(crate) async fn recover(options: &Options, key: &str, relay: &str, device: Option<String>) -> Outcome {
    let key = super::messages::text_or_stdin(key)?;
    let key: RecoveryKey = key.parse().map_err(|error| Failure::usage(format!("{error}")))?;
    let relay = relay_of(relay)?;
    let device = device.unwrap_or_else(this_computer);
    let (home, access) = profile::create(options)?;
    let (client, next) = Client::recover(home, access, &key, relay, &device).await?;
    let mut session = Session::new(client, options);
    let shown = super::account::show_recovery_key(&mut session.out, &next);
    arrived(session).await.and(shown)
}

/// Fetches what there is, and says who this is.
async fn arrived(mut session: Session) -> Outcome {
    let outcome = async {
        session.try_sync().await?;
        let me = session.client.me().await?;
        session.out.either(&Identity::from(&me), || {
            let (handle, device) = (text::line(&me.person.handle), text::line(&me.device_name));
            format!("you are @{handle} on {}; this device is \"{device}\"", me.relay)
        })
    }
    .await;
    session.client.shutdown().await;
    outcome
}

/// A relay by its address, or by any of its links: those bring the pin of its key.
fn relay_of(text: &str) -> Outcome<Relay> {
    if !text.trim_start().starts_with("kith://") {
        return Ok(Relay { address: text.trim().to_owned(), pin: None });
    }
    match text.parse().map_err(|error| Failure::usage(format!("{error}")))? {
        Link::Join(InviteLink { relay, pin, .. }) | Link::Device(DeviceLink { relay, pin, .. }) => {
            Ok(Relay { address: relay, pin })
        }
    }
}

/// What a device is called if nobody says.
fn this_computer() -> String {
    let named = |name: &str| std::env::var(name).ok().filter(|name| !name.trim().is_empty());
    let from_disk = || std::fs::read_to_string("/etc/hostname").ok();
    let name = named("COMPUTERNAME").or_else(|| named("HOSTNAME")).or_else(from_disk).unwrap_or_default();
    let name = text::line(name.trim());
    if name.is_empty() { "computer".to_owned() } else { name }
}

#[derive(Serialize)]
struct Shown<'a> {
    digits: &'a str,
    handle: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[test]
    fn a_relay_is_an_address_or_a_link() {
        let address = relay_of(" wss://chat.example.org ").unwrap();
        assert_eq!((address.address.as_str(), address.pin), ("wss://chat.example.org", None));
        let link = format!("kith://join?relay=wss%3A%2F%2F192.168.1.20&token={}", "A".repeat(22));
        assert_eq!(relay_of(&link).unwrap().address, "wss://192.168.1.20");
        assert_eq!(relay_of("kith://nothing").unwrap_err().exit, Exit::Usage);
    }
}
