//! When each of this person's devices was here last. Each says it of itself, to the others of the account and to nobody else.

use super::engine::Engine;
use super::error::Fault;
use super::limits::LAST_SEEN_MS;
use super::model::Millis;
use crate::store::ReadError;
use kith_protocol::event::{LastSeen, Setting};
use kith_protocol::ids::DeviceId;

impl Engine {
    /// This device is here, and something happened on it.
    pub(crate) fn note_seen(&mut self, now: Millis) -> Result<(), Fault> {
        let at = self.at(now);
        if at < self.seen_enough_until {
            return Ok(());
        }
        self.seen_enough_until = at.saturating_add(LAST_SEEN_MS);
        let device = self.me.device();
        if self.last_seen(&device)?.is_none_or(|last| at.abs_diff(last) >= LAST_SEEN_MS) {
            self.set_register(now, self.own_room(), &Setting::LastSeen(LastSeen { device, at }))?;
        }
        Ok(())
    }

    /// When a device of this person was here last, as far as it has said so.
    pub(crate) fn last_seen(&self, device: &DeviceId) -> Result<Option<Millis>, ReadError> {
        let key = Setting::LastSeen(LastSeen { device: *device, at: 0 }).key();
        let stored = self.stored_register(&self.own_room(), &self.me.account(), &key.0)?;
        Ok(match stored.map(|value| value.setting) {
            Some(Setting::LastSeen(seen)) => Some(seen.at),
            _ => None,
        })
    }
}
