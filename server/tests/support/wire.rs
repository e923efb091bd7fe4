//! A connection, frame by frame.

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use kith_protocol::frame::{ClientFrame, Hello, ServerFrame};
use std::time::Duration;
use tokio::io::DuplexStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

/// A connection.
pub struct Wire(pub WebSocketStream<DuplexStream>);

impl Wire {
    /// A connection to whoever holds the other end.
    pub async fn over(stream: DuplexStream) -> Self {
        Self(WebSocketStream::from_raw_socket(stream, Role::Client, None).await)
    }

    pub async fn say(&mut self, frame: &ClientFrame) {
        self.0.send(Message::Binary(frame.encode())).await.unwrap();
    }

    /// The next frame; panics if the relay is silent for long.
    pub async fn hear(&mut self) -> ServerFrame {
        self.next().await.expect("the connection has ended")
    }

    /// The next frame, or the code the connection was closed with.
    pub async fn next(&mut self) -> Result<ServerFrame, Option<u16>> {
        loop {
            match tokio::time::timeout(Duration::from_secs(20), self.0.next()).await.expect("silence") {
                Some(Ok(Message::Binary(bytes))) => return Ok(ServerFrame::decode(&bytes).unwrap()),
                Some(Ok(Message::Close(frame))) => return Err(frame.map(|frame| frame.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    /// Frames until one that is wanted; others are dropped.
    pub async fn until<T>(&mut self, wanted: impl Fn(ServerFrame) -> Option<T>) -> T {
        loop {
            if let Some(found) = wanted(self.hear().await) {
                return found;
            }
        }
    }

    /// The code that the connection ends with, whatever comes before.
    pub async fn closed(&mut self) -> Option<u16> {
        loop {
            if let Err(code) = self.next().await {
                return code;
            }
        }
    }

    /// Whether the other end answers still.
    pub async fn lives(&mut self) -> bool {
        let asked = Message::Ping(Bytes::from_static(b"there?"));
        if self.0.send(asked).await.is_err() {
            return false;
        }
        loop {
            match tokio::time::timeout(Duration::from_secs(20), self.0.next()).await.expect("silence") {
                Some(Ok(Message::Pong(said))) if said == "there?" => return true,
                Some(Ok(Message::Close(_)) | Err(_)) | None => return false,
                Some(Ok(_)) => {}
            }
        }
    }

    pub async fn hello(&mut self) -> Hello {
        self.until(|frame| if let ServerFrame::Hello(hello) = frame { Some(hello) } else { None }).await
    }
}
