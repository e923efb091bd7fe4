//! How a command ends: a code for scripts, a sentence for people.

use kith_client::core::LinkFailed;
use kith_client::vault::LockError;
use kith_client::{
    AckError, HomeError, JoinError, LinkError, OpenError, ReadFailed, RecoverError, RequestError, SendError,
    Stopped, SyncError,
};
use kith_protocol::error::ErrorCode;
use std::io;

/// What the process returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Done, or queued.
    Done = 0,
    /// Anything else.
    Failed = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// No such room, message, person, device or profile.
    NotFound = 3,
    /// The relay, or the room's own rules, refused.
    Refused = 4,
    /// A connection is needed, and there is none.
    NoNetwork = 5,
    /// Another process has the profile.
    Locked = 6,
    /// Key store or passphrase.
    Key = 7,
    /// This device was revoked.
    Revoked = 8,
    /// What this device holds does not prove right.
    Unproven = 9,
    /// The person pressed Ctrl-C.
    Interrupted = 130,
}

/// The end of `--help`.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  done, or queued: a message without a network goes out with the next connection
  1  failed
  2  the command line makes no sense
  3  no such room, message, person, device or profile
  4  refused by the relay or by the rules of the room
  5  this takes a network, and there is none
  6  another process uses this profile
  7  the key store or the passphrase
  8  this device was signed out by another one
  9  what this device holds does not prove right (verify)

Environment:
  KITH_HOME        the profile's directory, like --home
  KITH_PASSPHRASE  seals a new profile's key and opens it again; without it, and without a key store, you are asked
  KITH_LOG         what to log on standard error, for example kith_client=debug (also RUST_LOG)
  NO_COLOR         no colours";

/// Why a command did not do what it should: one sentence.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    /// Empty: nothing is said.
    pub(crate) sentence: String,
}

pub(crate) type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    pub(crate) fn new(exit: Exit, sentence: impl Into<String>) -> Self {
        Self { exit, sentence: sentence.into() }
    }

    pub(crate) fn not_found(sentence: impl Into<String>) -> Self {
        Self::new(Exit::NotFound, sentence)
    }

    pub(crate) fn usage(sentence: impl Into<String>) -> Self {
        Self::new(Exit::Usage, sentence)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // Whoever read our output has had enough.
            io::ErrorKind::BrokenPipe => Self::new(Exit::Done, ""),
            _ => Self::new(Exit::Failed, format!("the output cannot be written: {error}")),
        }
    }
}

impl From<HomeError> for Failure {
    fn from(error: HomeError) -> Self {
        let exit = match &error {
            HomeError::Lock(LockError::Running(_)) => Exit::Locked,
            HomeError::Key(_) => Exit::Key,
            _ => Exit::Failed,
        };
        Self::new(exit, with_source(&error))
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Home(error) => error.into(),
            OpenError::NoAccount => Self::not_found(error.to_string()),
            OpenError::Panicked => Self::new(Exit::Key, error.to_string()),
            OpenError::Address(_) | OpenError::Thread(_) => Self::new(Exit::Failed, error.to_string()),
        }
    }
}

impl From<JoinError> for Failure {
    fn from(error: JoinError) -> Self {
        let sentence = error.to_string();
        match error {
            JoinError::Open(error) => error.into(),
            JoinError::Refused(why) => why.into(),
            JoinError::Unreachable(_) | JoinError::TimedOut => Self::new(Exit::NoNetwork, sentence),
        }
    }
}

impl From<LinkError> for Failure {
    fn from(error: LinkError) -> Self {
        let sentence = error.to_string();
        match error {
            LinkError::Open(error) => error.into(),
            LinkError::Unreachable(_) => Self::new(Exit::NoNetwork, sentence),
            LinkError::TimedOut => Self::new(Exit::Failed, sentence),
            LinkError::Failed(LinkFailed::NoOffer) => Self::not_found(sentence),
            LinkError::Failed(_) => Self::new(Exit::Refused, sentence),
        }
    }
}

impl From<RecoverError> for Failure {
    fn from(error: RecoverError) -> Self {
        let sentence = error.to_string();
        match error {
            RecoverError::Open(error) => error.into(),
            RecoverError::Unreachable(_) | RecoverError::TimedOut => Self::new(Exit::NoNetwork, sentence),
            RecoverError::UnknownKey => Self::not_found(sentence),
            RecoverError::BadChain => Self::new(Exit::Unproven, sentence),
            RecoverError::Refused(_) | RecoverError::Version { .. } => Self::new(Exit::Refused, sentence),
        }
    }
}

impl From<Stopped> for Failure {
    fn from(why: Stopped) -> Self {
        let exit = match why {
            Stopped::Revoked => Exit::Revoked,
            Stopped::Undialable(_) => Exit::NoNetwork,
            _ => Exit::Refused,
        };
        Self::new(exit, why.to_string())
    }
}

impl From<SyncError> for Failure {
    fn from(error: SyncError) -> Self {
        let sentence = error.to_string();
        match error {
            SyncError::Stopped(why) => why.into(),
            SyncError::Read(error) => error.into(),
            SyncError::Offline(_) | SyncError::TimedOut => Self::new(Exit::NoNetwork, sentence),
            SyncError::Ended => Self::new(Exit::Failed, sentence),
        }
    }
}

impl From<ReadFailed> for Failure {
    fn from(error: ReadFailed) -> Self {
        let exit = if matches!(error, ReadFailed::NoRoom) { Exit::NotFound } else { Exit::Failed };
        Self::new(exit, error.to_string())
    }
}

impl From<SendError> for Failure {
    fn from(error: SendError) -> Self {
        let exit = match &error {
            SendError::NoRoom | SendError::NoMessage => Exit::NotFound,
            SendError::Empty | SendError::TooLong { .. } => Exit::Usage,
            SendError::Denied => Exit::Refused,
            _ => Exit::Failed,
        };
        Self::new(exit, error.to_string())
    }
}

impl From<RequestError> for Failure {
    fn from(error: RequestError) -> Self {
        let exit = match error {
            RequestError::Send(error) => return error.into(),
            RequestError::Offline | RequestError::Lost | RequestError::TimedOut => Exit::NoNetwork,
            RequestError::Refused(ErrorCode::Revoked) => Exit::Revoked,
            RequestError::Refused(_) | RequestError::Denied | RequestError::Administration(_) => {
                Exit::Refused
            }
            RequestError::NoRoom | RequestError::NoSuchHandle(_) => Exit::NotFound,
            RequestError::WrongCode => Exit::Unproven,
            _ => Exit::Failed,
        };
        Self::new(exit, error.to_string())
    }
}

impl From<AckError> for Failure {
    fn from(error: AckError) -> Self {
        let exit = match error {
            AckError::Failed(_) => Exit::Refused,
            AckError::Unknown => Exit::NotFound,
            AckError::Queued | AckError::Stopped => Exit::Failed,
        };
        Self::new(exit, error.to_string())
    }
}

/// Errors of the disk name the act, and keep the reason as their source.
fn with_source(error: &dyn std::error::Error) -> String {
    let mut sentence = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let reason = error.to_string();
        if !sentence.contains(&reason) {
            sentence = format!("{sentence}: {reason}");
        }
        source = error.source();
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_can_tell_failures_apart() {
        let code = |failure: Failure| failure.exit as u8;
        assert_eq!(code(io::Error::from(io::ErrorKind::BrokenPipe).into()), 0);
        assert_eq!(code(SendError::Empty.into()), 2);
        assert_eq!(code(RequestError::NoSuchHandle("bob".into()).into()), 3);
        assert_eq!(code(OpenError::NoAccount.into()), 3);
        assert_eq!(code(AckError::Failed(ErrorCode::Denied).into()), 4);
        assert_eq!(code(SyncError::Offline("no route".into()).into()), 5);
        assert_eq!(code(HomeError::Lock(LockError::Running("a".into())).into()), 6);
        assert_eq!(code(HomeError::Key(kith_client::keys::KeyError::WrongPassphrase).into()), 7);
        assert_eq!(code(SyncError::Stopped(Stopped::Revoked).into()), 8);
        assert_eq!(code(JoinError::Refused(Stopped::NotAdmitted(ErrorCode::InviteUsed)).into()), 4);
        for code in 0..=9 {
            assert!(EXIT_CODES.contains(&format!("\n  {code}  ")), "{code} is not in --help");
        }
    }
}
