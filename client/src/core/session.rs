//! Who speaks: from the relay's hello to a session in which everything else happens.
//!
//! ```text
//! Disconnected -> AwaitHello -> Identifying -> Live
//!                      \             \          |
//!                       `-> Stopped <-'---------'   (until the person does something)
//! ```

use super::engine::Engine;
use super::error::Fault;
use super::limits::CLOCK_MS_MAX;
use super::model::Millis;
use super::requests::Purpose;
use super::rows::{ProfileRow, encode};
use super::update::{Connection, Stopped, Trouble, Update};
use crate::store::{Tree, keys};
use kith_protocol::error::{CloseCode, ErrorCode};
use kith_protocol::frame::{ClientFrame, Hello, Identify, Welcome};
use kith_protocol::ids::Incarnation;
use kith_protocol::keys::Challenge;
use kith_protocol::{VERSION, common_version};

/// How far the conversation with the relay has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Session {
    Disconnected,
    AwaitHello,
    Identifying(Challenge),
    Live,
    Stopped(Stopped),
}

/// How often a handle that was made from a name is varied.
const HANDLES_TRIED_MAX: u32 = 50;

impl Engine {
    /// A connection to the relay stands.
    pub fn connected(&mut self, now: Millis) {
        self.act(now, |engine| {
            engine.reset_session();
            engine.hang_up = false;
            engine.session = Session::AwaitHello;
            engine.tell(Update::Connection(Connection::Connecting));
            Ok(())
        });
    }

    /// The connection is gone. What was under way is taken up again by the next one.
    pub fn disconnected(&mut self, now: Millis) {
        self.act(now, |engine| {
            engine.reset_session();
            Ok(())
        });
    }

    /// The relay closed the connection, and said why. Comes before [`Self::disconnected`].
    pub fn closed(&mut self, now: Millis, code: CloseCode) {
        let stopped = match code {
            CloseCode::Revoked => Stopped::Revoked,
            CloseCode::Disabled => Stopped::Disabled,
            CloseCode::Unauthorized => Stopped::Unknown,
            CloseCode::VersionMismatch => Stopped::Version { ours: VERSION, theirs: 0 },
            // Ours or the relay's fault; the next connection does not repeat it for sure.
            CloseCode::ProtocolError | CloseCode::TooLarge => return,
            // Also what a server in front of the relay says (RFC 6455 codes are below 4000).
            code if code.reconnects() => return,
            code => Stopped::Closed(code),
        };
        self.act(now, |engine| {
            engine.stop(stopped);
            Ok(())
        });
    }

    /// Whether there is a session in which the relay knows who we are.
    pub fn is_live(&self) -> bool {
        self.session == Session::Live
    }

    /// Why there will be no connection, if so: whoever owns the socket closes it and dials no more until the person asks.
    pub fn stopped(&self) -> Option<&Stopped> {
        match &self.session {
            Session::Stopped(why) => Some(why),
            _ => None,
        }
    }

    pub(crate) fn stop(&mut self, why: Stopped) {
        self.reset_session();
        self.session = Session::Stopped(why.clone());
        self.tell(Update::Connection(Connection::Stopped(why)));
    }

    pub(crate) fn on_hello(&mut self, now: Millis, hello: &Hello) {
        if self.session != Session::AwaitHello {
            return;
        }
        if common_version(VERSION, hello.version).is_none() {
            self.stop(Stopped::Version { ours: VERSION, theirs: hello.version });
            return;
        }
        let Ok(nonce) = <[u8; 32]>::try_from(hello.nonce.as_ref()) else {
            self.stop(Stopped::Closed(CloseCode::ProtocolError));
            return;
        };
        self.note_clock(now, hello.now);
        self.heard_incarnation = hello.incarnation;
        let challenge = Challenge { incarnation: hello.incarnation, nonce };
        self.session = Session::Identifying(challenge);
        if self.me.is_joining() {
            self.join(&challenge, 0);
            return;
        }
        let answer = self.me.keys().answer(&challenge).to_vec().into();
        self.transmit(ClientFrame::Identify(Identify {
            version: VERSION,
            account: self.me.account(),
            device: self.me.device(),
            answer,
        }));
    }

    fn join(&mut self, challenge: &Challenge, attempt: u32) {
        let req = self.requests.open(Purpose::Join { attempt });
        let frame = self.me.join_frame(req, challenge).expect("only who is not admitted yet joins");
        self.transmit(ClientFrame::Join(frame));
    }

    pub(crate) fn on_join_refused(&mut self, code: ErrorCode, attempt: u32) {
        let Session::Identifying(challenge) = self.session else { return };
        match code {
            ErrorCode::HandleTaken if attempt < HANDLES_TRIED_MAX && self.me.next_handle(attempt) => {
                self.join(&challenge, attempt + 1);
            }
            code if code.is_passing() => self.hang_up = true,
            code => self.stop(Stopped::NotAdmitted(code)),
        }
    }

    pub(crate) fn on_welcome(&mut self, now: Millis, welcome: Welcome) -> Result<(), Fault> {
        if !matches!(self.session, Session::Identifying(_)) || welcome.account != self.me.account() {
            return Ok(());
        }
        if self.me.is_joining() {
            if let Some(genesis) = self.me.genesis() {
                self.people.extend(&welcome.account, vec![genesis], &mut self.changes);
            }
            self.invited_to = self.me.admitted(&mut *self.vault)?;
            self.nothing_was_before();
        }
        self.session = Session::Live;
        self.relay_reads = ClientFrame::TYPES.iter().copied().filter(|code| welcome.reads(*code)).collect();
        let profile = ProfileRow { handle: welcome.handle, name: welcome.name, admin: welcome.admin };
        if profile != self.profile {
            self.changes.put(Tree::Meta, keys::meta(PROFILE), encode(&profile));
            self.profile = profile;
        }
        self.on_welcomed_with(welcome.pushes);
        self.begin_resync(welcome.chain_len)?;
        let known = self.load_account(&self.me.account())?;
        if known < welcome.chain_len {
            self.ask_chain(self.me.account());
        }
        self.tell(Update::Connection(Connection::Online));
        self.ask_names();
        self.resume_offer(now);
        Ok(())
    }

    /// The relay's clock is the better one: many people compare with it.
    fn note_clock(&mut self, now: Millis, theirs: Millis) {
        let offset_ms = i64::try_from(i128::from(theirs) - i128::from(now)).unwrap_or(0);
        let wrong = offset_ms.unsigned_abs() > CLOCK_MS_MAX;
        if wrong && !self.clock_told {
            self.tell(Update::Trouble(Trouble::WrongClock { offset_ms }));
        }
        self.clock_told = wrong;
        self.clock_offset_ms = if wrong { offset_ms } else { 0 };
    }

    /// This moment, for others: by the relay's clock if ours is far off.
    pub(crate) fn at(&self, now: Millis) -> Millis {
        now.saturating_add_signed(self.clock_offset_ms)
    }

    pub(crate) fn note_incarnation(&mut self, incarnation: Incarnation) {
        self.incarnation = incarnation;
        self.changes.put(Tree::Meta, keys::meta(INCARNATION), incarnation.0.to_vec());
    }
}

pub(crate) const PROFILE: &str = "profile";
pub(crate) const INCARNATION: &str = "incarnation";
