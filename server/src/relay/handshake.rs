//! The first frames of a connection: `Unidentified -> Identified`. What counts as a proof, `admission` says.

use super::actor::code_of;
use super::admission::{self, Turned};
use super::conn::{Came, Conn, Identity};
use super::hub::Hub;
use super::outbound::Outbound;
use super::slots::Opener;
use super::writer::Written;
use super::writes::Write;
use crate::listen::Peer;
use crate::refusals::{self, Whom};
use crate::store::Reader;
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use kith_protocol::error::{CloseCode, ErrorCode};
use kith_protocol::frame::{ClientFrame, Join, Refused, ServerFrame};
use kith_protocol::keys::Challenge;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// Frames from a connection that has not identified itself: enough to ask for ten minutes, once a second, whether somebody
/// has answered a link code.
const UNIDENTIFIED_FRAMES_MAX: u32 = 1500;

/// With which code a connection ends, if the other side is to hear one.
pub(super) type Ended = Option<CloseCode>;

/// Hello, and whatever leads to an identity.
pub(super) async fn identified<S: AsyncRead + AsyncWrite + Unpin + Send>(
    hub: &Arc<Hub>,
    socket: &mut WebSocketStream<S>,
    peer: &Peer,
) -> Result<Arc<Conn>, Ended> {
    let opener = peer.network().map(Opener::Address);
    let wait = hub.live.load().limits.handshake_timeout();
    let mut nonce = [0; 32];
    getrandom::fill(&mut nonce).map_err(|_| Some(CloseCode::Restarting))?;
    let (challenge, hello) = admission::hello(hub.incarnation, nonce, hub.clock.unix_ms());
    say(socket, wait, &hello).await?;
    for _ in 0..UNIDENTIFIED_FRAMES_MAX {
        let frame = match timeout(wait, hear(socket)).await {
            Err(_) => return Err(Some(CloseCode::TimedOut)),
            Ok(frame) => frame?,
        };
        match ClientFrame::decode(&frame) {
            Ok(ClientFrame::Identify(identify)) => {
                let check = move |store: &dyn Reader| admission::identify(store, &challenge, &identify);
                return match hub.run(check).await.ok_or(Some(CloseCode::Restarting))? {
                    Ok(checked) => enter(hub, peer, checked).await,
                    Err(Turned::Away(code)) => Err(Some(code)),
                    Err(Turned::Down(_)) => Err(Some(CloseCode::Unauthorized)),
                };
            }
            Ok(ClientFrame::Join(join)) => {
                let req = join.req;
                match admit(hub, challenge, join).await {
                    Ok(identity) => return enter(hub, peer, identity).await,
                    Err(Turned::Away(code)) => return Err(Some(code)),
                    Err(Turned::Down(code)) => {
                        let whom = Whom::Address(peer.address);
                        let label = refusals::of_request(code);
                        hub.metrics.recent_refusals.note(label, whom, hub.clock.unix_ms());
                        let refused = ServerFrame::Refused(Refused { req, code, retry_in_ms: 0 });
                        say(socket, wait, &refused).await?;
                    }
                }
            }
            Ok(frame) => match hub.slots.handle_from(opener, hub.clock.unix_ms(), &frame) {
                Some(answer) => say(socket, wait, &answer).await?,
                None => return Err(Some(CloseCode::ProtocolError)),
            },
            Err(_) => return Err(Some(CloseCode::ProtocolError)),
        }
    }
    Err(Some(CloseCode::TimedOut))
}

async fn admit(hub: &Hub, challenge: Challenge, join: Join) -> Result<Identity, Turned> {
    let newcomer = admission::newcomer(&challenge, join)?;
    match hub.ask(Write::Join(Box::new(newcomer))).await {
        Ok(Written::Admitted(identity)) => Ok(identity),
        Ok(_) => Err(Turned::Down(ErrorCode::StorageFailed)),
        Err(code) => Err(Turned::Down(code)),
    }
}

async fn enter(hub: &Arc<Hub>, peer: &Peer, identity: Identity) -> Result<Arc<Conn>, Ended> {
    let limits = hub.live.snapshot();
    let limits = &limits.limits;
    let outbound = Outbound::new(limits.outbound_queue as usize, limits.outbound_queue_bytes as usize);
    let came = Came { from: peer.address, at: hub.clock.unix_ms() };
    let conn = Conn::through(Some(came), identity, outbound);
    let per_account = limits.connections_per_account as usize;
    let (entering, registering) = (Arc::clone(&conn), Arc::clone(hub));
    let work =
        move |store: &dyn Reader| admission::enter(store, &registering.registry, &entering, per_account);
    let entered = hub.run(work).await;
    match entered {
        Some(Ok(left_to_tell)) => {
            if left_to_tell {
                hub.came(conn.identity.account);
            }
            Ok(conn)
        }
        other => {
            hub.registry.remove(&conn);
            Err(Some(match other {
                Some(Err(Turned::Away(code))) => code,
                _ => CloseCode::Restarting,
            }))
        }
    }
}

async fn say<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocketStream<S>,
    wait: Duration,
    frame: &ServerFrame,
) -> Result<(), Ended> {
    match timeout(wait, socket.send(Message::Binary(frame.encode()))).await {
        Ok(Ok(())) => Ok(()),
        _ => Err(None),
    }
}

async fn hear<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut WebSocketStream<S>) -> Result<Bytes, Ended> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Binary(bytes))) => return Ok(bytes),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(Message::Text(_))) => return Err(Some(CloseCode::ProtocolError)),
            Some(Err(error)) => return Err(code_of(&error)),
            Some(Ok(Message::Close(_) | Message::Frame(_))) | None => return Err(None),
        }
    }
}
