//! The device that is in offers a place to one that wants in: they meet at a slot of the relay, see [`kith_protocol::rendezvous`].

use super::engine::Engine;
use super::error::RequestError;
use super::limits::SLOT_POLL_MS;
use super::model::Millis;
use super::requests::{Purpose, Reply, Ticket};
use bytes::Bytes;
use kith_protocol::chain::NewDevice;
use kith_protocol::error::ErrorCode;
use kith_protocol::frame::{ClientFrame, GetSlot, PutSlot, Slot};
use kith_protocol::limits::SLOT_LIFETIME_S;
use kith_protocol::rendezvous::{Answer, LinkCode, Offer, Outcome};

/// The parts of a slot.
pub(crate) const OFFER: u8 = 0;
pub(crate) const ANSWER: u8 = 1;
pub(crate) const OUTCOME: u8 = 2;

/// A new device has answered: the person compares the digits with those that it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// Six digits.
    pub digits: String,
    /// What the new device is called.
    pub device_name: String,
}

/// What is being done with a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SlotStep {
    PutOffer,
    GetAnswer,
}

/// A link offer under way.
#[derive(Debug)]
pub(crate) struct Offering {
    code: LinkCode,
    offer: Vec<u8>,
    until: Millis,
    poll_at: Option<Millis>,
    stands: bool,
    answer: Option<NewDevice>,
    offered: Option<Ticket>,
    answered: Ticket,
}

impl Engine {
    /// Offers a place to a new device. The first ticket's reply is [`Reply::Offered`], when the code may be shown; that of
    /// the second is [`Reply::Answered`]. An earlier offer ends.
    pub fn link_offer(&mut self, now: Millis) -> Result<(LinkCode, Ticket, Ticket), RequestError> {
        if !self.is_live() {
            return Err(RequestError::Offline);
        }
        self.end_offer(RequestError::Expired);
        let code = LinkCode::from_secret(self.entropy.array());
        let content = Offer { account: self.me.account(), handle: self.profile.handle.clone() };
        let offer = code.seal(OFFER, &content);
        let (offered, answered) = (self.requests.ticket(), self.requests.ticket());
        self.offer = Some(Offering {
            code: code.clone(),
            offer,
            until: now + SLOT_LIFETIME_S * 1000,
            poll_at: None,
            stands: false,
            answer: None,
            offered: Some(offered),
            answered,
        });
        self.put_offer();
        Ok((code, offered, answered))
    }

    /// The person says whether the digits are the same. If so the device is added; the reply is [`Reply::Done`].
    pub fn link_confirm(&mut self, now: Millis, same: bool) -> Result<Ticket, RequestError> {
        if !self.is_live() {
            return Err(RequestError::Offline);
        }
        let offering = self.offer.as_mut().ok_or(RequestError::Expired)?;
        let device = offering.answer.take().ok_or(RequestError::Senseless("no device has answered yet"))?;
        let (code, ticket) = (offering.code.clone(), self.requests.ticket());
        let account = self.people.get(&self.me.account());
        if same && account.is_some_and(|account| account.live(&device.id()).is_some()) {
            // It was added before, and did not hear of it: its keys are the same as then.
            self.linked(&code, ticket);
        } else if same {
            self.add_linked(now, device, code, ticket);
        } else {
            self.put_outcome(&code, false, ticket);
        }
        Ok(ticket)
    }

    /// The offer is withdrawn.
    pub fn link_cancel(&mut self) {
        self.end_offer(RequestError::Expired);
    }

    pub(crate) fn linked(&mut self, code: &LinkCode, ticket: Ticket) {
        self.put_outcome(code, true, ticket);
    }

    /// The device could not be added: it need not wait until the code expires.
    pub(crate) fn not_linked(&mut self, code: &LinkCode) {
        let unheard = self.requests.ticket();
        self.put_outcome(code, false, unheard);
    }

    fn put_offer(&mut self) {
        let Some(offering) = &self.offer else { return };
        let (slot, data) = (offering.code.slot(), Bytes::from(offering.offer.clone()));
        let req = self.requests.open(Purpose::Slot(SlotStep::PutOffer));
        self.transmit(ClientFrame::PutSlot(PutSlot { req, slot, part: OFFER, data }));
    }

    /// The device that has this code waits for the outcome: it is done only once the relay has it. Another offer may have
    /// been made since, to another device.
    fn put_outcome(&mut self, code: &LinkCode, linked: bool, ticket: Ticket) {
        self.offer.take_if(|offering| offering.code == *code);
        let (slot, data) = (code.slot(), code.seal(OUTCOME, &Outcome { linked }).into());
        let req = self.requests.open(Purpose::Done { ticket });
        self.transmit(ClientFrame::PutSlot(PutSlot { req, slot, part: OUTCOME, data }));
    }

    /// On a new connection, an offer goes on where it was.
    pub(crate) fn resume_offer(&mut self, now: Millis) {
        match &mut self.offer {
            Some(offering) if offering.stands => offering.poll_at = Some(now),
            Some(_) => self.put_offer(),
            None => {}
        }
    }

    /// The clock was set back: an offer is good for no longer, and looked at now.
    pub(crate) fn hasten_offer(&mut self, now: Millis) {
        if let Some(offering) = &mut self.offer {
            offering.until = offering.until.min(now + SLOT_LIFETIME_S * 1000);
            offering.poll_at = offering.poll_at.map(|at| at.min(now));
        }
    }

    pub(crate) fn slot_at(&self) -> Option<Millis> {
        self.offer.as_ref().and_then(|offering| offering.poll_at)
    }

    pub(crate) fn poll_slot(&mut self, now: Millis) {
        let Some(offering) = &mut self.offer else { return };
        if offering.poll_at.is_none_or(|at| at > now) {
            return;
        }
        offering.poll_at = None;
        if now > offering.until {
            self.end_offer(RequestError::Expired);
            return;
        }
        let slot = offering.code.slot();
        if self.is_live() {
            let req = self.requests.open(Purpose::Slot(SlotStep::GetAnswer));
            self.transmit(ClientFrame::GetSlot(GetSlot { req, slot, part: ANSWER }));
        }
    }

    pub(crate) fn slot_written(&mut self, now: Millis, step: SlotStep) {
        let Some(offering) = self.offer.as_mut().filter(|_| step == SlotStep::PutOffer) else { return };
        offering.stands = true;
        offering.poll_at = Some(now + SLOT_POLL_MS);
        if let Some(ticket) = offering.offered.take() {
            self.reply(ticket, Ok(Reply::Offered));
        }
    }

    pub(crate) fn on_slot(&mut self, slot: &Slot) {
        let Some(Purpose::Slot(SlotStep::GetAnswer)) = self.requests.take(slot.req) else { return };
        let Some(offering) = &mut self.offer else { return };
        let account = self.me.account();
        let opened = offering.code.open::<Answer>(ANSWER, &slot.data).ok();
        let device = opened.and_then(|answer| NewDevice::from_bytes(&answer.device).ok());
        match device.filter(|device| device.check(&account).is_ok()) {
            Some(device) => {
                let digits = offering.code.digits(&offering.offer, &slot.data);
                let answered = Answered { digits, device_name: device.name.clone() };
                offering.answer = Some(device);
                let ticket = offering.answered;
                self.reply(ticket, Ok(Reply::Answered(answered)));
            }
            None => self.end_offer(RequestError::WrongCode),
        }
    }

    pub(crate) fn slot_refused(&mut self, now: Millis, step: SlotStep, code: ErrorCode) {
        let Some(offering) = &mut self.offer else { return };
        match step {
            SlotStep::GetAnswer if code == ErrorCode::NotFound || code.is_passing() => {
                offering.poll_at = Some(now + SLOT_POLL_MS);
            }
            // Ours stands there already: the answer to writing it was lost.
            SlotStep::PutOffer if code == ErrorCode::SlotTaken => self.slot_written(now, step),
            _ => self.end_offer(RequestError::Refused(code)),
        }
    }

    fn end_offer(&mut self, why: RequestError) {
        let Some(offering) = self.offer.take() else { return };
        if offering.answer.is_some() {
            return;
        }
        let ticket = offering.offered.unwrap_or(offering.answered);
        self.reply(ticket, Err(why));
    }
}
