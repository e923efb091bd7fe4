//! The device that wants in: meets one that is in at a rendezvous slot, and asks to be added to the account's chain.

use super::Entropy;
use super::identity::{Identity, IdentityError, Relay, new_keys};
use super::limits::SLOT_POLL_MS;
use super::link_offer::{ANSWER, OFFER, OUTCOME};
use super::model::Millis;
use crate::vault::DurableMap;
use bytes::Bytes;
use kith_protocol::chain::NewDevice;
use kith_protocol::error::ErrorCode;
use kith_protocol::frame::{ClientFrame, GetSlot, PutSlot, ServerFrame};
use kith_protocol::ids::AccountId;
use kith_protocol::keys::DeviceKeys;
use kith_protocol::rendezvous::{Answer, LinkCode, Offer, Outcome};
use kith_protocol::{VERSION, common_version};
use std::collections::VecDeque;

/// A device that is being linked. Driven like an [`Engine`](super::Engine), on a connection of its own.
#[derive(Debug)]
pub struct Linking {
    code: LinkCode,
    device_name: String,
    keys: DeviceKeys,
    stage: Stage,
    offer: Option<(Bytes, Offer)>,
    answer: Option<Vec<u8>>,
    req: u32,
    poll_at: Option<Millis>,
    transmit: VecDeque<ClientFrame>,
    steps: VecDeque<LinkStep>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Offline,
    AwaitHello,
    GetOffer,
    PutAnswer,
    GetOutcome,
    Over,
}

/// How far it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkStep {
    /// To be shown: the other device shows the same digits, and the person confirms them there.
    Digits {
        /// Six of them.
        digits: String,
        /// The handle of the account.
        handle: String,
    },
    /// The device is in the account's chain: see [`Linking::finish`].
    Linked(AccountId),
    /// It will not be.
    Failed(LinkFailed),
}

/// Why a device was not linked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkFailed {
    /// Nobody offers anything under this code.
    #[error("the code is not known to the relay, or has expired: make a new one on the other device")]
    NoOffer,
    /// What stands there was not made with this code.
    #[error("the code is wrong, or somebody is in between: make a new one on the other device")]
    WrongCode,
    /// Another device has answered.
    #[error("this code was used already: make a new one on the other device")]
    Used,
    /// The person said that the digits differ.
    #[error("the other device said no: the digits were not the same")]
    Refused,
    /// The versions are too far apart.
    #[error(
        "the relay speaks version {theirs} of the protocol, this Kith version {VERSION}: update the older of the two"
    )]
    Version {
        /// What the relay speaks.
        theirs: u16,
    },
    /// The relay refused.
    #[error("{}", .0.sentence())]
    Relay(ErrorCode),
}

impl Linking {
    /// Makes the device's keys, or takes up those of an earlier attempt.
    pub fn new(
        vault: &mut dyn DurableMap,
        entropy: &mut Entropy,
        code: LinkCode,
        device_name: &str,
    ) -> Result<Self, IdentityError> {
        if Identity::load(vault)?.is_some() {
            return Err(IdentityError::Exists);
        }
        Ok(Self {
            code,
            device_name: device_name.to_owned(),
            keys: new_keys(vault, entropy)?,
            stage: Stage::Offline,
            offer: None,
            answer: None,
            req: 0,
            poll_at: None,
            transmit: VecDeque::new(),
            steps: VecDeque::new(),
        })
    }

    /// Writes down whose device this is now.
    pub fn finish(
        &self,
        vault: &mut dyn DurableMap,
        account: AccountId,
        relay: Relay,
    ) -> Result<Identity, IdentityError> {
        Identity::linked(vault, account, &self.device_name, relay)
    }

    /// A connection to the relay stands.
    pub fn connected(&mut self) {
        if self.stage != Stage::Over {
            self.stage = Stage::AwaitHello;
        }
        self.transmit.clear();
        self.poll_at = None;
    }

    /// Takes a frame in.
    pub fn handle_frame(&mut self, now: Millis, frame: &ServerFrame) {
        match frame {
            ServerFrame::Hello(hello) if self.stage == Stage::AwaitHello => {
                if common_version(VERSION, hello.version).is_none() {
                    self.fail(LinkFailed::Version { theirs: hello.version });
                } else if self.answer.is_some() {
                    self.put_answer();
                } else {
                    self.get(Stage::GetOffer, OFFER);
                }
            }
            ServerFrame::Slot(slot) if slot.req == self.req => match self.stage {
                Stage::GetOffer => self.take_offer(&slot.data),
                Stage::GetOutcome => self.take_outcome(&slot.data),
                _ => {}
            },
            ServerFrame::Done(done) if done.req == self.req && self.stage == Stage::PutAnswer => {
                self.answered(now);
            }
            ServerFrame::Refused(refused) if refused.req == self.req => self.refused(now, refused.code),
            _ => {}
        }
    }

    /// To be called when [`Self::poll_timeout`] says so.
    pub fn handle_timeout(&mut self, now: Millis) {
        if self.poll_at.is_some_and(|at| at <= now) {
            self.poll_at = None;
            match self.stage {
                Stage::GetOffer => self.get(Stage::GetOffer, OFFER),
                Stage::GetOutcome => self.get(Stage::GetOutcome, OUTCOME),
                _ => {}
            }
        }
    }

    /// The next frame to be sent.
    pub fn poll_transmit(&mut self) -> Option<ClientFrame> {
        self.transmit.pop_front()
    }

    /// The next step to be told.
    pub fn poll_step(&mut self) -> Option<LinkStep> {
        self.steps.pop_front()
    }

    /// When to call [`Self::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Millis> {
        self.poll_at
    }

    fn get(&mut self, stage: Stage, part: u8) {
        self.stage = stage;
        self.req += 1;
        self.transmit.push_back(ClientFrame::GetSlot(GetSlot {
            req: self.req,
            slot: self.code.slot(),
            part,
        }));
    }

    fn take_offer(&mut self, data: &Bytes) {
        match self.code.open::<Offer>(OFFER, data) {
            Ok(offer) => {
                let device = NewDevice::countersign(&self.keys, &self.device_name, &offer.account).to_bytes();
                self.answer = Some(self.code.seal(ANSWER, &Answer { device }));
                self.offer = Some((data.clone(), offer));
                self.put_answer();
            }
            Err(_) => self.fail(LinkFailed::WrongCode),
        }
    }

    fn put_answer(&mut self) {
        let Some(answer) = &self.answer else { return };
        self.stage = Stage::PutAnswer;
        self.req += 1;
        let data = Bytes::from(answer.clone());
        self.transmit.push_back(ClientFrame::PutSlot(PutSlot {
            req: self.req,
            slot: self.code.slot(),
            part: ANSWER,
            data,
        }));
    }

    fn answered(&mut self, now: Millis) {
        if let (Some((sealed, offer)), Some(answer)) = (&self.offer, &self.answer) {
            let digits = self.code.digits(sealed, answer);
            self.steps.push_back(LinkStep::Digits { digits, handle: offer.handle.clone() });
        }
        self.stage = Stage::GetOutcome;
        self.poll_at = Some(now + SLOT_POLL_MS);
    }

    fn take_outcome(&mut self, data: &Bytes) {
        let account = self.offer.as_ref().map(|(_, offer)| offer.account);
        match (self.code.open::<Outcome>(OUTCOME, data), account) {
            (Ok(Outcome { linked: true }), Some(account)) => {
                self.stage = Stage::Over;
                self.steps.push_back(LinkStep::Linked(account));
            }
            (Ok(_), _) => self.fail(LinkFailed::Refused),
            (Err(_), _) => self.fail(LinkFailed::WrongCode),
        }
    }

    fn refused(&mut self, now: Millis, code: ErrorCode) {
        match (self.stage, code) {
            (Stage::GetOutcome, ErrorCode::NotFound) => self.poll_at = Some(now + SLOT_POLL_MS),
            (Stage::GetOffer | Stage::GetOutcome, code) if code.is_passing() => {
                self.poll_at = Some(now + SLOT_POLL_MS);
            }
            (Stage::GetOffer, ErrorCode::NotFound | ErrorCode::Expired) => self.fail(LinkFailed::NoOffer),
            // Perhaps by us, on a connection that ended before the answer: only then will the digits be the same.
            (Stage::PutAnswer, ErrorCode::SlotTaken) if self.req > 2 => self.answered(now),
            (Stage::PutAnswer, ErrorCode::SlotTaken) => self.fail(LinkFailed::Used),
            (_, code) => self.fail(LinkFailed::Relay(code)),
        }
    }

    fn fail(&mut self, why: LinkFailed) {
        self.stage = Stage::Over;
        self.steps.push_back(LinkStep::Failed(why));
    }
}
