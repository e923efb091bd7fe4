use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use zeroize::Zeroizing;

/// Where a system keeps secrets for its programs: one text for each name.
///
/// Text, because KWallet keeps nothing else.
pub trait SecretStore {
    /// The secret under `name`; `None` if the store can be read and has none.
    fn read(&self, name: &str) -> Result<Option<Zeroizing<String>>, SecretError>;

    /// Keeps a secret under `name`, in place of another.
    fn write(&self, name: &str, secret: &str) -> Result<(), SecretError>;

    /// Forgets the secret under `name`; `Ok` if there was none.
    fn delete(&self, name: &str) -> Result<(), SecretError>;
}

/// Why a key store does not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// None is running, or it is not for us.
    #[error("no key store can be reached ({0})")]
    Unreachable(String),
    /// It is locked, and nobody unlocked it.
    #[error("the key store stayed locked ({0})")]
    Locked(String),
    /// It did not answer in time.
    #[error("the key store did not answer")]
    Silent,
    /// It answered something that we cannot use.
    #[error("the key store refused ({0})")]
    Refused(String),
}

/// A key store in memory, for tests and for homes that live no longer than their process.
#[derive(Default)]
pub struct MemorySecrets {
    secrets: Mutex<BTreeMap<String, Zeroizing<String>>>,
    failure: Mutex<Option<SecretError>>,
}

impl MemorySecrets {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Every call fails with this from now on, until `None` ends it.
    pub fn fail(&self, error: Option<SecretError>) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = error;
    }

    /// How many secrets it holds.
    pub fn len(&self) -> usize {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn act<T>(
        &self,
        act: impl FnOnce(&mut BTreeMap<String, Zeroizing<String>>) -> T,
    ) -> Result<T, SecretError> {
        if let Some(error) = self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            return Err(error);
        }
        Ok(act(&mut self.secrets.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl SecretStore for MemorySecrets {
    fn read(&self, name: &str) -> Result<Option<Zeroizing<String>>, SecretError> {
        self.act(|secrets| secrets.get(name).cloned())
    }

    fn write(&self, name: &str, secret: &str) -> Result<(), SecretError> {
        self.act(|secrets| {
            secrets.insert(name.to_owned(), Zeroizing::new(secret.to_owned()));
        })
    }

    fn delete(&self, name: &str) -> Result<(), SecretError> {
        self.act(|secrets| {
            secrets.remove(name);
        })
    }
}
