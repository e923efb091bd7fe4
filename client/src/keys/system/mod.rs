use super::secret_store::{SecretError, SecretStore};
use keyring_core::{Entry, Error};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;
use zeroize::Zeroizing;

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(target_os = "macos", path = "macos.rs")]
#[cfg_attr(windows, path = "windows.rs")]
#[cfg_attr(not(any(target_os = "linux", target_os = "macos", windows)), path = "none.rs")]
mod platform;

/// The system's key store: the Secret Service on Linux, the Keychain on macOS, the Credential Manager on Windows.
///
/// The `keyring` crate chooses its store once per process. A program that starts before its key store (at login) would never
/// find it, nor one whose session bus came anew: so a call that does not reach the store connects anew and is made again.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemSecrets;

const SERVICE: &str = "kith";

/// Long enough for a person to find the window that asks to unlock the store, and to type the password.
const ANSWER_SECONDS_MAX: u64 = 120;

impl SystemSecrets {
    /// The system's.
    pub fn new() -> Self {
        Self
    }
}

impl SecretStore for SystemSecrets {
    fn read(&self, name: &str) -> Result<Option<Zeroizing<String>>, SecretError> {
        ask(name, |entry| match entry.get_secret() {
            Ok(secret) => match String::from_utf8(secret) {
                Ok(text) => Ok(Some(Zeroizing::new(text))),
                Err(error) => {
                    drop(Zeroizing::new(error.into_bytes()));
                    Err(Error::Invalid("secret".into(), "not a text".into()))
                }
            },
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(error),
        })
    }

    fn write(&self, name: &str, secret: &str) -> Result<(), SecretError> {
        let secret = Zeroizing::new(secret.to_owned());
        ask(name, move |entry| entry.set_secret(secret.as_bytes()))
    }

    fn delete(&self, name: &str) -> Result<(), SecretError> {
        ask(name, |entry| match entry.delete_credential() {
            Err(Error::NoEntry) => Ok(()),
            other => other,
        })
    }
}

/// Asks on a thread of its own: what talks to the store must not meet an async runtime, and may wait for a person.
fn ask<T: Send + 'static>(
    name: &str,
    act: impl Fn(&Entry) -> keyring_core::Result<T> + Send + 'static,
) -> Result<T, SecretError> {
    let name = name.to_owned();
    let (answer, answered) = mpsc::sync_channel(1);
    let asking = thread::Builder::new().name("kith-key-store".into()).spawn(move || {
        let known = keyring::Entry::new(SERVICE, &name).and_then(|entry| act(&entry.inner));
        let result = match known {
            Err(Error::PlatformFailure(_) | Error::NoStorageAccess(_) | Error::NoDefaultStore) => {
                platform::connect().and_then(|store| {
                    keyring_core::set_default_store(store);
                    act(&Entry::new(SERVICE, &name)?)
                })
            }
            settled => settled,
        }
        .map_err(SecretError::from);
        // Nobody waits any more if it took too long.
        answer.send(result).ok();
    });
    asking.map_err(|error| SecretError::Unreachable(error.to_string()))?;
    match answered.recv_timeout(Duration::from_secs(ANSWER_SECONDS_MAX)) {
        Ok(result) => result,
        Err(RecvTimeoutError::Timeout) => Err(SecretError::Silent),
        Err(RecvTimeoutError::Disconnected) => Err(SecretError::Unreachable("its library panicked".into())),
    }
}

impl From<Error> for SecretError {
    fn from(error: Error) -> Self {
        match error {
            Error::PlatformFailure(why) => Self::Unreachable(why.to_string()),
            Error::NoStorageAccess(why) => Self::Locked(why.to_string()),
            Error::NoDefaultStore => Self::Unreachable("this system has none".into()),
            // Never print what these carry: it may be the secret.
            Error::BadEncoding(_) | Error::BadDataFormat(..) => {
                Self::Refused("what it holds is not a text".into())
            }
            other => Self::Refused(other.to_string()),
        }
    }
}
