//! `/v1/hooks/<token>`: a program writes into a room.

use std::{net::IpAddr, sync::Arc};

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::{Method, Request, StatusCode, body::Incoming, header};

use super::Answer;
use crate::{
    hooks::{HookError, HookPost, Posted},
    listen::{Accept, Shared},
};

pub(super) async fn answer<A: Accept>(
    shared: &Arc<Shared<A>>,
    address: IpAddr,
    token: &str,
    request: Request<Incoming>,
) -> Answer {
    let posted = async { shared.accept.hook(token, read(shared, request).await?).await };
    match posted.await {
        Ok(Posted { room, seq, again }) => {
            let said = serde_json::json!({ "room": room.to_string(), "seq": seq.0, "again": again });
            super::answer(StatusCode::OK, JSON, format!("{said}\n"))
        }
        Err(error) => {
            shared.refused(address, "hook");
            refusal(&error)
        }
    }
}

pub(super) fn refusal(error: &HookError) -> Answer {
    let said = serde_json::json!({ "error": { "code": error.code(), "message": error.to_string() } });
    let mut answer = super::answer(error.status(), JSON, format!("{said}\n"));
    let hint = match error {
        HookError::Method => Some((header::ALLOW, "POST, PUT")),
        HookError::Later | HookError::Storage => Some((header::RETRY_AFTER, "10")),
        _ => None,
    };
    if let Some((name, value)) = hint {
        answer.headers_mut().insert(name, header::HeaderValue::from_static(value));
    }
    answer
}

async fn read<A: Accept>(shared: &Arc<Shared<A>>, request: Request<Incoming>) -> Result<HookPost, HookError> {
    if !matches!(*request.method(), Method::POST | Method::PUT) {
        return Err(HookError::Method);
    }
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.and_then(|it| it.split(';').next()).unwrap_or_default().trim();
    let is_json = essence.eq_ignore_ascii_case(JSON);
    let max = shared.live.load().limits.max_body_bytes as usize - ENVELOPE;
    let body = Limited::new(request.into_body(), max).collect().await.map_err(|error| match error
        .downcast_ref::<LengthLimitError>(
    ) {
        Some(_) => HookError::TooLarge(max),
        None => HookError::Malformed("it did not arrive whole".to_owned()),
    })?;
    let body = body.to_bytes();
    if is_json { HookPost::json(&body) } else { HookPost::plain(&body) }
}

const JSON: &str = "application/json";

/// What is around the text in the body of a message.
const ENVELOPE: usize = 64;
