//! From the engine's errors to the closed list that the UI acts on. Nothing looks at a text.

use crate::convert::pushes;
use crate::ipc::{AppError, ErrorCode as Code};
use crate::releases::ReleaseError;
use kith_client::keys::KeyError;
use kith_client::net::DialError;
use kith_client::{
    AckError, HomeError, JoinError, LinkError, OpenError, ReadFailed, RecoverError, RequestError, SendError,
    Stopped, SyncError,
};
use kith_protocol::error::ErrorCode as Refusal;
use std::fmt::Display;

/// What commands return.
pub(crate) type Outcome<T = ()> = Result<T, AppError>;

fn with(code: Code, error: &impl Display) -> AppError {
    AppError::new(code, error.to_string())
}

/// The code of a refusal.
pub(crate) fn refusal(code: Refusal) -> Code {
    match code {
        Refusal::StorageFull | Refusal::StorageFailed | Refusal::QuotaReached => Code::RelayStorage,
        Refusal::RateLimited => Code::RateLimited,
        Refusal::ShuttingDown => Code::Offline,
        Refusal::Denied => Code::Denied,
        Refusal::NotFound => Code::NotFound,
        Refusal::Conflict => Code::Contended,
        Refusal::InviteUsed | Refusal::SlotTaken => Code::InviteUsed,
        Refusal::Expired => Code::Expired,
        Refusal::HandleTaken => Code::HandleTaken,
        Refusal::BadHandle => Code::BadHandle,
        Refusal::TooLarge => Code::TooLong,
        Refusal::LimitReached => Code::LimitReached,
        Refusal::Revoked => Code::Revoked,
        Refusal::Disabled => Code::Disabled,
        Refusal::UnknownDevice => Code::UnknownKey,
        Refusal::Unsupported => Code::Version,
        Refusal::Stalled | Refusal::Malformed | Refusal::BadSignature | Refusal::Unknown(_) => Code::Refused,
    }
}

fn refused(code: Refusal) -> AppError {
    AppError::new(refusal(code), code.sentence())
}

impl From<Refusal> for AppError {
    fn from(code: Refusal) -> Self {
        refused(code)
    }
}

impl From<&Stopped> for AppError {
    fn from(why: &Stopped) -> Self {
        let code = match why {
            Stopped::Revoked => Code::Revoked,
            Stopped::Disabled => Code::Disabled,
            Stopped::Version { .. } => Code::Version,
            Stopped::Unknown => Code::UnknownKey,
            Stopped::NotAdmitted(code) => refusal(*code),
            Stopped::Closed(_) => Code::Refused,
            Stopped::Undialable(_) => Code::Unreachable,
        };
        with(code, why)
    }
}

impl From<ReadFailed> for AppError {
    fn from(error: ReadFailed) -> Self {
        let code = match &error {
            ReadFailed::NoRoom => Code::NotFound,
            ReadFailed::Store(_) => Code::Storage,
            ReadFailed::Stopped => Code::ProfileClosed,
        };
        with(code, &error)
    }
}

impl From<SendError> for AppError {
    fn from(error: SendError) -> Self {
        let code = match &error {
            SendError::NoRoom | SendError::NoMessage => Code::NotFound,
            SendError::Empty => Code::Empty,
            SendError::TooLong { .. } => Code::TooLong,
            SendError::Denied => Code::Denied,
            SendError::NeedsUpdate => Code::NeedsUpdate,
            SendError::HandleMoved { .. } => Code::HandleMoved,
            SendError::Full(_) => Code::LimitReached,
            SendError::NotStored | SendError::Write(_) | SendError::Read(_) => Code::Storage,
            SendError::Stopped => Code::ProfileClosed,
        };
        with(code, &error)
    }
}

impl From<RequestError> for AppError {
    fn from(error: RequestError) -> Self {
        let code = match &error {
            RequestError::Offline => Code::Offline,
            RequestError::Lost => Code::Lost,
            RequestError::TimedOut => Code::TimedOut,
            RequestError::Refused(code) => refusal(*code),
            RequestError::Administration(error) => match error.code.as_str() {
                "denied" => Code::Denied,
                "not-found" => Code::NotFound,
                "storage" => Code::RelayStorage,
                _ => Code::Refused,
            },
            RequestError::NoRoom | RequestError::NoSuchHandle(_) => Code::NotFound,
            RequestError::HandleMoved { .. } => Code::HandleMoved,
            RequestError::Yourself => Code::Yourself,
            RequestError::Denied => Code::Denied,
            RequestError::Senseless(_) => Code::Refused,
            RequestError::PushFailed(why) => return AppError::new(Code::PushFailed, pushes::failure(why)),
            RequestError::Contended => Code::Contended,
            RequestError::Expired => Code::Expired,
            RequestError::WrongCode => Code::WrongCode,
            RequestError::Send(_) => {
                let RequestError::Send(error) = error else { return with(Code::Internal, &error) };
                return error.into();
            }
            RequestError::Read(_) => Code::Storage,
            RequestError::Stopped => Code::ProfileClosed,
        };
        with(code, &error)
    }
}

impl From<SyncError> for AppError {
    fn from(error: SyncError) -> Self {
        let code = match &error {
            SyncError::Offline(_) => Code::Offline,
            SyncError::Stopped(why) => return why.into(),
            SyncError::TimedOut => Code::TimedOut,
            SyncError::Ended => Code::ProfileClosed,
            SyncError::Read(_) => Code::Storage,
        };
        with(code, &error)
    }
}

impl From<AckError> for AppError {
    fn from(error: AckError) -> Self {
        let code = match &error {
            AckError::Queued => Code::TimedOut,
            AckError::Failed(code) => refusal(*code),
            AckError::Unknown => Code::NotFound,
            AckError::Stopped => Code::ProfileClosed,
        };
        with(code, &error)
    }
}

impl From<HomeError> for AppError {
    fn from(error: HomeError) -> Self {
        use kith_client::vault::LockError;
        let code = match &error {
            HomeError::Lock(LockError::Running(_)) => Code::AlreadyRunning,
            HomeError::Key(error) => match error {
                KeyError::KeyringUnreachable(_) => Code::KeyStoreUnreachable,
                KeyError::KeyringForgot | KeyError::Missing { .. } => Code::KeyLost,
                KeyError::WrongPassphrase => Code::WrongPassphrase,
                KeyError::NoPassphrase => Code::PassphraseNeeded,
                KeyError::Damaged(_) | KeyError::Io { .. } => Code::Storage,
                KeyError::Newer(_) => Code::NeedsUpdate,
            },
            HomeError::Identity(kith_client::core::IdentityError::Exists) => Code::AlreadyHere,
            HomeError::Lock(LockError::Io { .. })
            | HomeError::Vault(_)
            | HomeError::Store(_)
            | HomeError::Identity(_)
            | HomeError::Engine(_) => Code::Storage,
        };
        with(code, &error)
    }
}

impl From<OpenError> for AppError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Home(error) => error.into(),
            OpenError::NoAccount => with(Code::ProfileClosed, &error),
            OpenError::Address(_) => with(Code::DamagedLink, &error),
            OpenError::Thread(_) | OpenError::Panicked => with(Code::Internal, &error),
        }
    }
}

impl From<JoinError> for AppError {
    fn from(error: JoinError) -> Self {
        match error {
            JoinError::Open(error) => error.into(),
            JoinError::Unreachable(_) => with(Code::Unreachable, &error),
            JoinError::Refused(why) => (&why).into(),
            JoinError::TimedOut => with(Code::TimedOut, &error),
        }
    }
}

impl From<LinkError> for AppError {
    fn from(error: LinkError) -> Self {
        use kith_client::core::LinkFailed;
        match error {
            LinkError::Open(error) => error.into(),
            LinkError::Unreachable(_) => with(Code::Unreachable, &error),
            LinkError::TimedOut => with(Code::Expired, &error),
            LinkError::Failed(LinkFailed::Relay(code)) => refused(code),
            LinkError::Failed(ref why) => {
                let code = match why {
                    LinkFailed::NoOffer => Code::Expired,
                    LinkFailed::WrongCode => Code::WrongCode,
                    LinkFailed::Used => Code::InviteUsed,
                    LinkFailed::Refused => Code::Denied,
                    LinkFailed::Version { .. } => Code::Version,
                    LinkFailed::Relay(_) => Code::Refused,
                };
                with(code, &error)
            }
        }
    }
}

impl From<RecoverError> for AppError {
    fn from(error: RecoverError) -> Self {
        match error {
            RecoverError::Open(error) => error.into(),
            RecoverError::Refused(code) => refused(code),
            RecoverError::Unreachable(_) => with(Code::Unreachable, &error),
            RecoverError::UnknownKey | RecoverError::BadChain => with(Code::UnknownKey, &error),
            RecoverError::Version { .. } => with(Code::Version, &error),
            RecoverError::TimedOut => with(Code::TimedOut, &error),
        }
    }
}

impl From<&DialError> for AppError {
    fn from(error: &DialError) -> Self {
        let code = match error {
            DialError::UntrustedCertificate { .. } | DialError::BadCertificate { .. } => {
                Code::UntrustedCertificate
            }
            _ => Code::Unreachable,
        };
        with(code, error)
    }
}

impl From<ReleaseError> for AppError {
    fn from(error: ReleaseError) -> Self {
        let code = match &error {
            ReleaseError::Unanswered | ReleaseError::List(_) => Code::UpdateUnanswered,
            ReleaseError::Nothing => Code::NotFound,
            ReleaseError::Fetch(_) => Code::UpdateNotFetched,
            ReleaseError::Untrusted { .. } => Code::UpdateUntrusted,
            ReleaseError::NotPlaced(_) => Code::UpdateNotPlaced,
        };
        with(code, &error)
    }
}

impl From<std::io::Error> for AppError {
    fn from(error: std::io::Error) -> Self {
        with(Code::Storage, &error)
    }
}

/// Something that should not happen.
pub(crate) fn internal(what: impl Into<String>) -> AppError {
    AppError::new(Code::Internal, what)
}

/// The profile is not open.
pub(crate) fn closed() -> AppError {
    AppError::new(Code::ProfileClosed, "this profile is not open: open it first")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ui_learns_what_it_acts_on() {
        let code = |error: AppError| error.code;
        assert_eq!(
            code(JoinError::Refused(Stopped::NotAdmitted(Refusal::InviteUsed)).into()),
            Code::InviteUsed
        );
        assert_eq!(code(JoinError::Refused(Stopped::NotAdmitted(Refusal::Expired)).into()), Code::Expired);
        assert_eq!(code(RequestError::Send(SendError::Denied).into()), Code::Denied);
        assert_eq!(
            code((&DialError::BadCertificate { reason: String::new() }).into()),
            Code::UntrustedCertificate
        );
        assert_eq!(
            code(OpenError::Home(HomeError::Key(KeyError::NoPassphrase)).into()),
            Code::PassphraseNeeded
        );
    }
}
