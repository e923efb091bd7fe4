//! What was refused lately, and to whom: for an operator who is asked why somebody does not get in. Kept in memory alone;
//! the metrics count the same over time.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use kith_protocol::error::{CloseCode, ErrorCode};
use kith_protocol::ids::{AccountId, DeviceId};

/// Different ones: what is refused to the same again and again stands here once.
const KEPT_MAX: usize = 200;

/// The newest refusals.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<VecDeque<Refusal>>);

/// Something that was refused, once or several times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The label that the metrics count it under.
    pub code: &'static str,
    pub whom: Whom,
    /// Milliseconds since 1970, the last time.
    pub at: u64,
    pub times: u64,
}

/// As far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    /// Somebody who had not proved a device.
    Address(IpAddr),
    Device(AccountId, DeviceId),
}

impl Refusals {
    /// One more.
    pub fn note(&self, code: &'static str, whom: Whom, at: u64) {
        let mut kept = self.lock();
        let known = kept.iter().rposition(|it| it.code == code && it.whom == whom);
        let times = known.and_then(|place| kept.remove(place)).map_or(0, |it| it.times);
        if kept.len() == KEPT_MAX {
            kept.pop_front();
        }
        kept.push_back(Refusal { code, whom, at, times: times + 1 });
    }

    /// The newest first.
    pub fn newest(&self) -> Vec<Refusal> {
        self.lock().iter().rev().copied().collect()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Refusal>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A label, from the closed set of codes.
pub fn of_request(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::StorageFull => "storage_full",
        ErrorCode::StorageFailed => "storage_failed",
        ErrorCode::RateLimited => "rate_limited",
        ErrorCode::Stalled => "stalled",
        ErrorCode::ShuttingDown => "shutting_down",
        ErrorCode::QuotaReached => "quota_reached",
        ErrorCode::Malformed => "malformed",
        ErrorCode::BadSignature => "bad_signature",
        ErrorCode::Denied => "denied",
        ErrorCode::NotFound => "not_found",
        ErrorCode::Conflict => "conflict",
        ErrorCode::InviteUsed => "invite_used",
        ErrorCode::Expired => "expired",
        ErrorCode::HandleTaken => "handle_taken",
        ErrorCode::BadHandle => "bad_handle",
        ErrorCode::TooLarge => "too_large",
        ErrorCode::LimitReached => "limit_reached",
        ErrorCode::Revoked => "revoked",
        ErrorCode::Disabled => "disabled",
        ErrorCode::UnknownDevice => "unknown_device",
        ErrorCode::Unsupported => "unsupported",
        ErrorCode::SlotTaken => "slot_taken",
        ErrorCode::Unknown(_) => "other",
    }
}

/// A label for what a connection was ended for; `None` for an end that is no refusal.
pub fn of_connection(code: CloseCode) -> Option<&'static str> {
    match code {
        CloseCode::Unauthorized => Some("unauthorized"),
        CloseCode::Revoked => Some("revoked"),
        CloseCode::Disabled => Some("disabled"),
        CloseCode::VersionMismatch => Some("version"),
        CloseCode::Crowded => Some("crowded"),
        CloseCode::ProtocolError => Some("protocol"),
        CloseCode::TooLarge => Some("too_large"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVE: Whom = Whom::Address(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));

    #[test]
    fn the_same_stands_there_once_and_is_counted() {
        let refusals = Refusals::default();
        refusals.note("denied", EVE, 1);
        refusals.note("expired", EVE, 2);
        refusals.note("denied", EVE, 3);
        let newest = refusals.newest();
        assert_eq!(
            newest.iter().map(|it| (it.code, it.at, it.times)).collect::<Vec<_>>(),
            [("denied", 3, 2), ("expired", 2, 1)]
        );
    }

    #[test]
    fn the_oldest_make_room() {
        let refusals = Refusals::default();
        for number in 0..=KEPT_MAX as u64 {
            let whom = Whom::Device(AccountId::ZERO, DeviceId(u128::from(number).to_be_bytes()));
            refusals.note("denied", whom, number);
        }
        let newest = refusals.newest();
        assert_eq!((newest.len(), newest.last().map(|it| it.at)), (KEPT_MAX, Some(1)));
    }
}
