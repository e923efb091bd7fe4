use serde::Serialize;
use specta::Type;

/// Why a command did not do what it was asked. The UI acts on the code, and has words for each; the message is for logs and
/// for details that only English has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
pub struct AppError {
    /// What kind of failure it is.
    pub code: ErrorCode,
    /// One sentence: what happened, what to do.
    pub message: String,
}

/// All kinds of failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum ErrorCode {
    /// This profile is on this computer already.
    AlreadyHere,
    /// Another Kith runs on this profile.
    AlreadyRunning,
    /// A handle has 1 to 32 of a-z, 0-9, `.`, `_` and `-`.
    BadHandle,
    /// The person gave up.
    Cancelled,
    /// Others changed the same thing at the same time.
    Contended,
    /// The link is incomplete or cannot be read.
    DamagedLink,
    /// No right to do that.
    Denied,
    /// The operator disabled the account.
    Disabled,
    /// There is no text.
    Empty,
    /// The invite or the code has expired.
    Expired,
    /// Somebody else has that handle.
    HandleTaken,
    /// The handle means another account than before.
    HandleMoved,
    /// Something that should not happen.
    Internal,
    /// The invite was used up.
    InviteUsed,
    /// The key of the profile is gone from the key store.
    KeyLost,
    /// The key store does not answer.
    KeyStoreUnreachable,
    /// There are as many of these as there may be.
    LimitReached,
    /// The connection ended before the answer.
    Lost,
    /// The room uses what only a newer Kith understands.
    NeedsUpdate,
    /// The text is no Kith link.
    NotALink,
    /// There is no such thing, or none that one may see.
    NotFound,
    /// A link that Kith does not open: only http, https and mailto are.
    NotOpened,
    /// There is no connection.
    Offline,
    /// No key store can be reached: choose a passphrase.
    PassphraseNeeded,
    /// The profile is not open.
    ProfileClosed,
    /// The relay could not tell the person there; the message says why.
    PushFailed,
    /// That was too much at once.
    RateLimited,
    /// The relay refused for another reason.
    Refused,
    /// The relay's disk is full, or failed.
    RelayStorage,
    /// This device was signed out.
    Revoked,
    /// The disk of this computer refused.
    Storage,
    /// No answer in time.
    TimedOut,
    /// More than fits into one message.
    TooLong,
    /// The relay cannot be reached.
    Unreachable,
    /// A newer version did not arrive whole.
    UpdateNotFetched,
    /// A newer version cannot be put in the place of this one.
    UpdateNotPlaced,
    /// Nobody says whether there is a newer version.
    UpdateUnanswered,
    /// What arrived is not what the makers of Kith signed.
    UpdateUntrusted,
    /// The relay's certificate is not the one that was expected.
    UntrustedCertificate,
    /// The relay knows no account with this recovery key, or does not know this device.
    UnknownKey,
    /// The versions are too far apart.
    Version,
    /// The other side used another code.
    WrongCode,
    /// The clock of this computer is wrong.
    WrongClock,
    /// The passphrase is wrong.
    WrongPassphrase,
    /// That is this account itself.
    Yourself,
}

impl AppError {
    /// With a code and a sentence.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}
