//! The ways into an account: with an invite, from another device, with the recovery key.

use super::worker::now;
use super::{Client, JoinError, LinkError, OpenError, RecoverError, SyncError};
use crate::core::{Entropy, Identity, LinkStep, Linking, Newcomer, RecoverStep, Recovering, Relay};
use crate::home::{Access, Home, HomeError, Unlocked};
use crate::net::{Connect, Incoming, Link};
use kith_protocol::error::CloseCode;
use kith_protocol::frame::{ClientFrame, ServerFrame};
use kith_protocol::limits::SLOT_LIFETIME_S;
use kith_protocol::link::{DeviceLink, InviteLink};
use kith_protocol::recovery::RecoveryKey;
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

/// How long the relay may take to admit somebody.
const ADMIT_MAX: Duration = Duration::from_mins(1);
/// Connections tried for one arrival: one may be cut at the worst moment.
const TRIES: u32 = 5;

/// What a device that is being linked shows. The person compares it with the other device, and confirms there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digits {
    /// Six digits.
    pub digits: String,
    /// The handle of the account.
    pub handle: String,
}

impl Client {
    /// Makes a new account on the relay of an invite, and connects.
    ///
    /// What was begun and not finished (no network, a handle that is taken) is taken up when this is called again.
    pub async fn join(
        home: Home,
        access: Access,
        invite: &InviteLink,
        who: Newcomer,
    ) -> Result<Self, JoinError> {
        let invite = invite.clone();
        let (unlocked, access) = unlock(home, access, move |unlocked| {
            Identity::join(&mut unlocked.vault, &mut Entropy::system(), &invite, &who, now()).map(drop)
        })
        .await?;
        let client = start(unlocked, access).await?;
        match client.online(ADMIT_MAX).await {
            Ok(()) => Ok(client),
            Err(error) => {
                client.shutdown().await;
                Err(match error {
                    SyncError::Stopped(why) => JoinError::Refused(why),
                    SyncError::Offline(why) => JoinError::Unreachable(why),
                    SyncError::TimedOut | SyncError::Ended | SyncError::Read(_) => JoinError::TimedOut,
                })
            }
        }
    }

    /// Makes this device one of an account's, with a link that another of its devices shows. `show` gets six digits, which
    /// the person compares and confirms on the other device.
    pub async fn link(
        home: Home,
        access: Access,
        link: &DeviceLink,
        device_name: &str,
        show: impl FnOnce(Digits) + Send,
    ) -> Result<Self, LinkError> {
        let (code, name) = (link.code.clone(), device_name.to_owned());
        let (mut unlocked, access, mut linking) = with_vault(home, access, move |unlocked| {
            Linking::new(&mut unlocked.vault, &mut Entropy::system(), code, &name)
        })
        .await?;
        let relay = Relay { address: link.relay.clone(), pin: link.pin };
        let way = access.way_to(&relay).map_err(OpenError::Address)?;
        let mut show = Some(show);
        let deadline = Instant::now() + Duration::from_secs(SLOT_LIFETIME_S);
        let account = 'linked: {
            for _ in 0..TRIES {
                let mut wire = Line::open(&*way).await.map_err(LinkError::Unreachable)?;
                linking.connected();
                loop {
                    while let Some(frame) = linking.poll_transmit() {
                        wire.send(&frame).await;
                    }
                    match linking.poll_step() {
                        Some(LinkStep::Digits { digits, handle }) => {
                            if let Some(show) = show.take() {
                                show(Digits { digits, handle });
                            }
                        }
                        Some(LinkStep::Linked(account)) => break 'linked account,
                        Some(LinkStep::Failed(why)) => return Err(why.into()),
                        None => match wire.next(deadline, linking.poll_timeout()).await {
                            Heard::Frame(frame) => linking.handle_frame(now(), &frame),
                            Heard::Nothing => linking.handle_timeout(now()),
                            Heard::End(_) => break,
                            Heard::TooLate => return Err(LinkError::TimedOut),
                        },
                    }
                }
            }
            return Err(LinkError::Unreachable("the connection to the relay broke again and again".into()));
        };
        let unlocked = tokio::task::spawn_blocking(move || {
            linking.finish(&mut unlocked.vault, account, relay).map_err(HomeError::from)?;
            Ok::<_, HomeError>(unlocked)
        });
        let unlocked = unlocked.await.map_err(|_| OpenError::Panicked)?.map_err(OpenError::from)?;
        let client = start(unlocked, access).await?;
        client.connect();
        Ok(client)
    }

    /// Makes this device the only one of an account, with its recovery key. Returns the new recovery key beside the client:
    /// show it once, the old one is not in force any more.
    pub async fn recover(
        home: Home,
        access: Access,
        key: &RecoveryKey,
        relay: Relay,
        device_name: &str,
    ) -> Result<(Self, RecoveryKey), RecoverError> {
        let (key, name) = (key.clone(), device_name.to_owned());
        let (mut unlocked, access, mut recovering) = with_vault(home, access, move |unlocked| {
            Recovering::new(&mut unlocked.vault, &mut Entropy::system(), &key, &name)
        })
        .await?;
        let way = access.way_to(&relay).map_err(OpenError::Address)?;
        let deadline = Instant::now() + ADMIT_MAX;
        let account = 'recovered: {
            for _ in 0..TRIES {
                let mut wire = Line::open(&*way).await.map_err(RecoverError::Unreachable)?;
                recovering.connected();
                loop {
                    while let Some(frame) = recovering.poll_transmit() {
                        wire.send(&frame).await;
                    }
                    match recovering.poll_step() {
                        Some(RecoverStep::Recovered(account)) => break 'recovered account,
                        Some(RecoverStep::Refused(code)) => return Err(RecoverError::Refused(code)),
                        Some(RecoverStep::UnknownKey) => return Err(RecoverError::UnknownKey),
                        Some(RecoverStep::Version(theirs)) => return Err(RecoverError::Version { theirs }),
                        Some(RecoverStep::BadChain) => return Err(RecoverError::BadChain),
                        None => match wire.next(deadline, None).await {
                            Heard::Frame(frame) => recovering.handle_frame(now(), frame),
                            Heard::Nothing => {}
                            Heard::End(Some(CloseCode::Unauthorized)) => {
                                return Err(RecoverError::UnknownKey);
                            }
                            Heard::End(Some(CloseCode::Revoked)) => recovering.revoked(),
                            Heard::End(_) => break,
                            Heard::TooLate => return Err(RecoverError::TimedOut),
                        },
                    }
                }
            }
            return Err(RecoverError::Unreachable(
                "the connection to the relay broke again and again".into(),
            ));
        };
        let finished = tokio::task::spawn_blocking(move || {
            let (_, next) =
                recovering.finish(&mut unlocked.vault, account, relay).map_err(HomeError::from)?;
            Ok::<_, HomeError>((unlocked, next))
        });
        let (unlocked, next) = finished.await.map_err(|_| OpenError::Panicked)?.map_err(OpenError::from)?;
        let client = start(unlocked, access).await?;
        client.connect();
        Ok((client, next))
    }
}

async fn unlock<E: Into<HomeError>>(
    home: Home,
    access: Access,
    act: impl FnOnce(&mut Unlocked) -> Result<(), E> + Send + 'static,
) -> Result<(Unlocked, Access), OpenError> {
    let (unlocked, access, ()) = with_vault(home, access, act).await?;
    Ok((unlocked, access))
}

async fn with_vault<T: Send + 'static, E: Into<HomeError>>(
    home: Home,
    mut access: Access,
    act: impl FnOnce(&mut Unlocked) -> Result<T, E> + Send + 'static,
) -> Result<(Unlocked, Access, T), OpenError> {
    let opened = tokio::task::spawn_blocking(move || {
        let mut unlocked = home.unlock(&mut access)?;
        let made = act(&mut unlocked).map_err(Into::into)?;
        Ok::<_, HomeError>((unlocked, access, made))
    });
    Ok(opened.await.map_err(|_| OpenError::Panicked)??)
}

async fn start(unlocked: Unlocked, access: Access) -> Result<Client, OpenError> {
    let opened = tokio::task::spawn_blocking(move || unlocked.engine());
    let engine = opened.await.map_err(|_| OpenError::Panicked)??;
    let (engine, keys, troubles) = engine.ok_or(OpenError::NoAccount)?;
    Client::start(engine, Some(keys), troubles, &access)
}

/// A connection that a machine is driven over until it is done.
struct Line(Link);

enum Heard {
    Frame(ServerFrame),
    Nothing,
    End(Option<CloseCode>),
    TooLate,
}

impl Line {
    async fn open(way: &dyn Connect) -> Result<Self, String> {
        match timeout(ADMIT_MAX, way.connect()).await {
            Ok(Ok(link)) => Ok(Self(link)),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("the relay does not answer".to_owned()),
        }
    }

    async fn send(&mut self, frame: &ClientFrame) {
        // A link that broke says so when it is read.
        let _ = self.0.send(frame.encode()).await;
    }

    async fn next(&mut self, deadline: Instant, wake_at: Option<u64>) -> Heard {
        let wake = wake_at.map(|at| Instant::now() + Duration::from_millis(at.saturating_sub(now())));
        let incoming = async {
            tokio::select! {
                incoming = self.0.next() => Some(incoming),
                () = sleep_until(wake.unwrap_or(deadline)), if wake.is_some() => None,
            }
        };
        match timeout_at(deadline, incoming).await {
            Err(_) => Heard::TooLate,
            Ok(None) => Heard::Nothing,
            Ok(Some(Some(Ok(Incoming::Binary(bytes))))) => {
                ServerFrame::decode(&bytes).map_or(Heard::Nothing, Heard::Frame)
            }
            Ok(Some(Some(Ok(Incoming::Closed { code, .. })))) => Heard::End(Some(CloseCode::from(code))),
            Ok(Some(Some(Err(_)) | None)) => Heard::End(None),
        }
    }
}
