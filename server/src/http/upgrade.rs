//! The WebSocket handshake of RFC 6455, section 4.2: checked here, so that no HTTP state outlives it.

use hyper::{
    HeaderMap, Request, Response, StatusCode,
    header::{self, HeaderValue},
};
use tokio_tungstenite::tungstenite::{handshake::derive_accept_key, protocol::WebSocketConfig};

use super::{Answer, plain};
use crate::config::Limits;

/// The answer that switches protocols, or the one that says what is wrong.
pub(super) fn switch<B>(request: &Request<B>) -> Result<Answer, Box<Answer>> {
    let headers = request.headers();
    let asks = request.method() == hyper::Method::GET
        && has_token(headers, &header::CONNECTION, "upgrade")
        && has_token(headers, &header::UPGRADE, "websocket");
    if !asks {
        return Err(refuse(
            StatusCode::UPGRADE_REQUIRED,
            "this address speaks WebSocket: connect with Kith\n",
        ));
    }
    if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err(refuse(StatusCode::UPGRADE_REQUIRED, "this relay speaks WebSocket version 13\n"));
    }
    // 16 bytes in base64.
    let Some(key) = headers.get(header::SEC_WEBSOCKET_KEY).filter(|key| key.len() == 24) else {
        return Err(refuse(StatusCode::BAD_REQUEST, "Sec-WebSocket-Key is missing or malformed\n"));
    };
    let accept = HeaderValue::try_from(derive_accept_key(key.as_bytes())).expect("base64 is a header value");
    let mut answer = Response::new(bytes::Bytes::new().into());
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = answer.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    Ok(answer)
}

/// Small buffers: a relay holds thousands of connections, and nearly all of them are idle nearly always.
pub fn websocket_config(limits: &Limits) -> WebSocketConfig {
    let message = limits.max_frame_bytes as usize;
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        // One message of the largest size must fit beside what waits.
        .max_write_buffer_size(message + WRITE_BUFFER.max(message / 4))
        .max_message_size(Some(message))
        .max_frame_size(Some(message))
}

fn refuse(status: StatusCode, text: &'static str) -> Box<Answer> {
    let mut answer = plain(status, text);
    answer.headers_mut().insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    if status == StatusCode::UPGRADE_REQUIRED {
        answer.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    }
    Box::new(answer)
}

fn has_token(headers: &HeaderMap, name: &header::HeaderName, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|part| part.trim().eq_ignore_ascii_case(token))
}

/// The library allocates this for every connection at once and keeps it: the largest part of an idle connection.
const READ_BUFFER: usize = 4096;

/// Frames are gathered up to this before a write; grows on use.
const WRITE_BUFFER: usize = 16 << 10;
