//! What an admin asks of the relay, and hears in parts.

use super::engine::Engine;
use super::error::RequestError;
use super::requests::{Purpose, Reply, Ticket};
use bytes::Bytes;
use kith_protocol::admin::{AdminRequest, AdminResponse};
use kith_protocol::frame::{Administer, Administered, ClientFrame};
use kith_protocol::limits::ADMIN_RESPONSE_BYTES_MAX;

impl Engine {
    /// Asks the relay for what its admins may ask. The reply is [`Reply::Administered`].
    pub fn administer(&mut self, request: &AdminRequest) -> Result<Ticket, RequestError> {
        let ask = request.encode();
        self.ask(|req, ticket| {
            let frame = ClientFrame::Administer(Administer { req, ask });
            (frame, Purpose::Administer { ticket, heard: Vec::new() })
        })
    }

    pub(crate) fn on_administered(&mut self, answer: Administered) {
        let Administered { req, part, more } = answer;
        let Some(purpose) = self.requests.take(req) else { return };
        let Purpose::Administer { ticket, mut heard } = purpose else {
            self.requests.put(req, purpose);
            return;
        };
        match heard_all(&mut heard, &part, more) {
            Ok(None) => self.requests.put(req, Purpose::Administer { ticket, heard }),
            Ok(Some(response)) => self.reply(ticket, Ok(Reply::Administered(Box::new(response)))),
            Err(error) => self.reply(ticket, Err(error)),
        }
    }
}

/// The answer, once its last part is here.
fn heard_all(heard: &mut Vec<u8>, part: &Bytes, more: bool) -> Result<Option<AdminResponse>, RequestError> {
    if heard.len() + part.len() > ADMIN_RESPONSE_BYTES_MAX {
        return Err(RequestError::Senseless("the answer is longer than an answer may be"));
    }
    heard.extend_from_slice(part);
    if more {
        return Ok(None);
    }
    match AdminResponse::decode(heard) {
        Ok(AdminResponse::Error(error)) => Err(RequestError::Administration(error)),
        Ok(response) => Ok(Some(response)),
        Err(_) => Err(RequestError::Senseless("the relay's answer is of another version: update Kith")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_put_together() {
        let answer = AdminResponse::Done { message: "it is done".into() };
        let bytes = answer.encode();
        let (first, last) = (bytes.slice(..5), bytes.slice(5..));
        let mut heard = Vec::new();
        assert!(heard_all(&mut heard, &first, true).unwrap().is_none());
        assert_eq!(heard_all(&mut heard, &last, false).unwrap(), Some(answer));
    }

    #[test]
    fn a_relay_cannot_fill_the_memory() {
        let mut heard = vec![0; ADMIN_RESPONSE_BYTES_MAX];
        assert!(heard_all(&mut heard, &Bytes::from_static(b"x"), true).is_err());
    }
}
