//! All devices are lost: the recovery key signs in as the device that it is, adds this one, revokes the others, and sets a
//! new recovery key, all in one chain entry.

use super::Entropy;
use super::identity::{Identity, IdentityError, Relay, new_keys};
use super::model::Millis;
use super::settings::recovery_entry;
use crate::vault::{DurableMap, keys as vault_keys};
use bytes::Bytes;
use kith_protocol::account::Account;
use kith_protocol::chain::{ChainEntry, NewDevice};
use kith_protocol::error::ErrorCode;
use kith_protocol::frame::{Append, ClientFrame, FetchChain, Identify, ServerFrame};
use kith_protocol::ids::AccountId;
use kith_protocol::keys::{Challenge, DeviceKeys};
use kith_protocol::recovery::RecoveryKey;
use kith_protocol::{VERSION, common_version};
use std::collections::VecDeque;

/// A recovery under way. Driven like an [`Engine`](super::Engine), on a connection of its own.
#[derive(Debug)]
pub struct Recovering {
    recovery: DeviceKeys,
    device: DeviceKeys,
    device_name: String,
    next: RecoveryKey,
    account: AccountId,
    chain: Vec<ChainEntry>,
    req: u32,
    appended: bool,
    transmit: VecDeque<ClientFrame>,
    step: Option<RecoverStep>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecoverStep {
    /// This device is in, all others are out: see [`Recovering::finish`].
    Recovered(AccountId),
    /// The relay refused.
    Refused(ErrorCode),
    /// It is the key of no account there, or another one took its place.
    UnknownKey,
    /// The versions are too far apart.
    Version(u16),
    /// What the relay showed as the account's chain is none, or does not know the key.
    BadChain,
}

impl Recovering {
    /// Makes this device's keys and the next recovery key, or takes up those of an earlier attempt.
    pub fn new(
        vault: &mut dyn DurableMap,
        entropy: &mut Entropy,
        key: &RecoveryKey,
        device_name: &str,
    ) -> Result<Self, IdentityError> {
        if Identity::load(vault)?.is_some() {
            return Err(IdentityError::Exists);
        }
        let device = new_keys(vault, entropy)?;
        // Kept until it is shown: were this program to end before, nobody would know the key that is in force.
        let place = vault_keys::device(NEXT);
        let kept = vault.get(&place).and_then(|secret| <[u8; 20]>::try_from(secret.as_slice()).ok());
        let secret = kept.unwrap_or_else(|| entropy.array());
        if kept.is_none() {
            vault.put(&place, &secret)?;
        }
        Ok(Self {
            recovery: key.device_keys(),
            device,
            device_name: device_name.to_owned(),
            next: RecoveryKey::from_secret(secret),
            account: AccountId::ZERO,
            chain: Vec::new(),
            req: 0,
            appended: false,
            transmit: VecDeque::new(),
            step: None,
        })
    }

    /// Writes down whose device this is now. Returns the new recovery key, to be shown once.
    pub fn finish(
        &self,
        vault: &mut dyn DurableMap,
        account: AccountId,
        relay: Relay,
    ) -> Result<(Identity, RecoveryKey), IdentityError> {
        let identity = Identity::linked(vault, account, &self.device_name, relay)?;
        vault.remove(&vault_keys::device(NEXT))?;
        Ok((identity, self.next.clone()))
    }

    /// A connection to the relay stands.
    pub fn connected(&mut self) {
        self.chain.clear();
        self.transmit.clear();
    }

    /// Takes a frame in.
    pub fn handle_frame(&mut self, now: Millis, frame: ServerFrame) {
        match frame {
            ServerFrame::Hello(hello) => {
                let nonce = <[u8; 32]>::try_from(hello.nonce.as_ref());
                match (common_version(VERSION, hello.version), nonce) {
                    (Some(_), Ok(nonce)) => {
                        let challenge = Challenge { incarnation: hello.incarnation, nonce };
                        let answer = Bytes::from(self.recovery.answer(&challenge).to_vec());
                        // The key says which device it is, not whose: the relay knows.
                        let (account, device) = (AccountId::ZERO, self.recovery.id());
                        self.transmit.push_back(ClientFrame::Identify(Identify {
                            version: VERSION,
                            account,
                            device,
                            answer,
                        }));
                    }
                    (None, _) => self.step = Some(RecoverStep::Version(hello.version)),
                    (_, Err(_)) => self.step = Some(RecoverStep::Refused(ErrorCode::Malformed)),
                }
            }
            ServerFrame::Welcome(welcome) => {
                self.account = welcome.account;
                self.ask_chain();
            }
            ServerFrame::Chain(chain) if chain.req == self.req && chain.account == self.account => {
                self.chain.extend(chain.entries.into_iter().filter_map(|raw| ChainEntry::parse(raw).ok()));
                if chain.more { self.ask_chain() } else { self.append(now) }
            }
            ServerFrame::Appended(appended) if appended.req == self.req => {
                self.step = Some(RecoverStep::Recovered(self.account));
            }
            ServerFrame::Refused(refused) if refused.req == self.req => {
                if refused.code == ErrorCode::Conflict {
                    self.chain.clear();
                    self.ask_chain();
                } else {
                    self.step = Some(RecoverStep::Refused(refused.code));
                }
            }
            _ => {}
        }
    }

    /// The next frame to be sent.
    pub fn poll_transmit(&mut self) -> Option<ClientFrame> {
        self.transmit.pop_front()
    }

    /// What came of it, once something did.
    pub fn poll_step(&mut self) -> Option<RecoverStep> {
        self.step.take()
    }

    /// The relay says that the recovery key is not in force. After our entry was sent, that is what it says if it has it.
    pub fn revoked(&mut self) {
        self.step =
            Some(if self.appended { RecoverStep::Recovered(self.account) } else { RecoverStep::UnknownKey });
    }

    fn ask_chain(&mut self) {
        self.req += 1;
        let from = self.chain.len() as u32;
        self.transmit.push_back(ClientFrame::FetchChain(FetchChain {
            req: self.req,
            account: self.account,
            from,
        }));
    }

    fn append(&mut self, now: Millis) {
        let account = Account::fold(&self.chain).ok().filter(|account| account.id() == self.account);
        let Some(account) = account else {
            self.step = Some(RecoverStep::BadChain);
            return;
        };
        if account.live(&self.device.id()).is_some() {
            // An earlier attempt got through, and its answer was lost.
            self.step = Some(RecoverStep::Recovered(self.account));
            return;
        }
        if account.live(&self.recovery.id()).is_none() {
            self.step = Some(RecoverStep::BadChain);
            return;
        }
        let device = NewDevice::countersign(&self.device, &self.device_name, &self.account);
        let entry = recovery_entry(&account, &self.recovery, device, &self.next, now);
        self.req += 1;
        self.transmit
            .push_back(ClientFrame::AppendChain(Append { req: self.req, entry: entry.raw().clone() }));
    }
}

const NEXT: &str = "next recovery key";
