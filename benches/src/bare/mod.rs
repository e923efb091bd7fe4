//! The limit: a WebSocket server that only passes on what it is given, as good as tokio-tungstenite lets one make it.
//!
//! No accounts, no store, no limits; but everything that makes a relay fast: one allocation of a message for all that get
//! it, a queue for each connection that is emptied in one go, many frames per write, small buffers.
//!
//! | a client says | the server does |
//! | --- | --- |
//! | `0, place u32` | from now on this connection is that one; answers `2, 1 u16` |
//! | `1, anything` | sends it as it is to all other named connections; answers `2, count u16` |
//! | `2, count u8, places u32 .., 1, anything` | sends `1, anything` to those; answers `2, count u16` |
//! | `3, anything` | sends it back |

mod conn;

use crate::{Outcome, child};
use bytes::Bytes;
use conn::Conn;
use std::sync::{Arc, OnceLock};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

/// Names a connection.
pub(crate) const NAME: u8 = 0;
/// To all, and what they get.
pub(crate) const ALL: u8 = 1;
/// To some; also the first byte of an answer.
pub(crate) const SOME: u8 = 2;
/// Back to the sender.
pub(crate) const ECHO: u8 = 3;
/// How many messages an answer is for.
pub(crate) const DONE: u8 = 2;

/// Serves until the parent lets go.
pub(crate) fn serve(places: usize) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let tcp = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let address = tcp.local_addr()?;
    let table: Table = (0..places).map(|_| OnceLock::new()).collect();
    runtime.spawn(accept(tcp, table));
    child::obey(address, || format!("{}\n", child::END_OF_METRICS))?;
    std::process::exit(0);
}

/// The named connections. Written once each, read without a lock.
type Table = Arc<[OnceLock<Arc<Conn>>]>;

async fn accept(tcp: TcpListener, table: Table) {
    while let Ok((stream, _)) = tcp.accept().await {
        let table = Arc::clone(&table);
        tokio::spawn(async move {
            if let Some(socket) = upgraded(stream).await {
                // A task of its own: that of a handshake is as large as the handshake.
                tokio::spawn(conn::run(socket, table));
            }
        });
    }
}

async fn upgraded(stream: TcpStream) -> Option<tokio_tungstenite::WebSocketStream<TcpStream>> {
    stream.set_nodelay(true).ok()?;
    let config = WebSocketConfig::default()
        .read_buffer_size(4096)
        .write_buffer_size(16 << 10)
        .max_write_buffer_size(2 << 20)
        .max_message_size(Some(1 << 20))
        .max_frame_size(Some(1 << 20));
    tokio_tungstenite::accept_async_with_config(stream, Some(config)).await.ok()
}

/// Passes on what came at once, and answers it.
fn pass_on(table: &Table, me: &Arc<Conn>, batch: &mut Vec<Bytes>) {
    let mut done = 0_u16;
    let to_all: Vec<Bytes> = batch.extract_if(.., |message| message.first() == Some(&ALL)).collect();
    if !to_all.is_empty() {
        done += to_all.len() as u16;
        for other in table.iter().filter_map(OnceLock::get).filter(|other| !Arc::ptr_eq(other, me)) {
            other.push_all(&to_all);
        }
    }
    for message in batch.drain(..) {
        match message.first() {
            Some(&NAME) => {
                let place = message.get(1..5).and_then(|place| place.try_into().ok()).map(u32::from_be_bytes);
                if let Some(place) = place.and_then(|place| table.get(place as usize)) {
                    let _ = place.set(Arc::clone(me));
                    done += 1;
                }
            }
            Some(&SOME) => {
                let count = message.get(1).map_or(0, |count| usize::from(*count));
                let body = message.slice((2 + 4 * count).min(message.len())..);
                for place in message[2..].chunks_exact(4).take(count) {
                    let place = u32::from_be_bytes(place.try_into().expect("chunks of four"));
                    if let Some(other) = table.get(place as usize).and_then(OnceLock::get) {
                        other.push(body.clone());
                    }
                }
                done += 1;
            }
            _ => me.push(message),
        }
    }
    if done > 0 {
        let [high, low] = done.to_be_bytes();
        me.push(Bytes::copy_from_slice(&[DONE, high, low]));
    }
}
