//! What an admin of the relay has to say to everybody, until the person puts it away on one of their devices.

use super::engine::Engine;
use super::error::SendError;
use super::model::Millis;
use super::update::Update;
use crate::store::ReadError;
use kith_protocol::frame::Announcement;

impl Engine {
    /// What is to be shown, if something is. The relay tells it anew on each connection.
    pub fn announcement(&self, now: Millis) -> Result<Option<Announcement>, ReadError> {
        let said = self.announced.as_ref().filter(|said| said.until == 0 || self.at(now) < said.until);
        let Some(said) = said else { return Ok(None) };
        let away = self.setting(PUT_AWAY)?.and_then(|at| at.parse::<u64>().ok());
        Ok(Some(said.clone()).filter(|said| away.is_none_or(|away| away < said.at)))
    }

    /// The person has read it: no device of theirs shows it any more.
    pub fn put_announcement_away(&mut self, now: Millis) -> Result<(), SendError> {
        let Some(at) = self.announced.as_ref().map(|said| said.at) else { return Ok(()) };
        self.set_setting(now, PUT_AWAY, &at.to_string())?;
        self.tell(Update::Announcement);
        Ok(())
    }

    pub(crate) fn on_announcement(&mut self, said: Announcement) {
        let said = Some(said).filter(|said| !said.text.is_empty());
        if self.announced != said {
            self.announced = said;
            self.tell(Update::Announcement);
        }
    }

    /// A setting came from another device.
    pub(crate) fn announcement_put_away(&mut self, setting: &str) {
        if setting == PUT_AWAY {
            self.tell(Update::Announcement);
        }
    }
}

/// The setting that holds when the last one was made that the person put away.
const PUT_AWAY: &str = "announcement";
