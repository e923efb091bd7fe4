use super::passphrase::{Ask, Passphrase, Unlock};
use super::record::Record;
use super::sealed_file::{self, Cost, KeyFile, Sealed, Unopened};
use super::{MasterKey, SecretError, SecretStore};
use crate::vault::{Home, disk};
use data_encoding::{BASE64 as B64, HEXLOWER as HEX};
use std::fs;
use std::io;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// Where the key of a new home is to be kept. A home that has a key already keeps it where it is.
#[derive(Debug, Clone)]
pub enum Choice {
    /// In the system's key store; if that cannot be had, in a file sealed with a passphrase that is asked for.
    Best,
    /// In a file sealed with this passphrase. Also opens the sealed file of a home that has one, without asking.
    Passphrase(Passphrase),
    /// In a plain file, because the person said so.
    PlainFile,
}

impl Choice {
    /// [`Self::Passphrase`] if `KITH_PASSPHRASE` holds one, else [`Self::Best`].
    pub fn of_environment() -> Self {
        let given = std::env::var("KITH_PASSPHRASE").ok();
        given.and_then(Passphrase::new).map_or(Self::Best, Self::Passphrase)
    }
}

/// Where the key of a home is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// In the system's key store.
    Keyring,
    /// In `master.key`, sealed with a passphrase.
    SealedFile,
    /// In `master.key`, for whoever can read it.
    PlainFile,
}

impl Kept {
    /// What the person is to be told for as long as the key is kept like this.
    pub fn standing_warning(self) -> Option<&'static str> {
        match self {
            Self::Keyring | Self::SealedFile => None,
            Self::PlainFile => Some(
                "the key of this profile is in a plain file: whoever can read your files can read your messages and write in your name",
            ),
        }
    }
}

/// Why there is no key. Each is a sentence for the person.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The key is in a key store that does not answer. Nothing is lost.
    #[error(
        "the key store that holds the key of this profile cannot be reached: start or unlock it, and try again ({0})"
    )]
    KeyringUnreachable(SecretError),
    /// The key store answers, and the key is not in it.
    #[error(
        "the key of this profile is no longer in the key store: restore it from a backup of the key store, or start anew in another home"
    )]
    KeyringForgot,
    /// The home holds sealed data, and nothing says where its key is.
    #[error("the key of this profile ({}) is missing: put {} back, or start anew in another home", home.display(), file)]
    Missing {
        /// The home.
        home: PathBuf,
        /// What is missing from it.
        file: &'static str,
    },
    /// The passphrase does not open the file.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// A passphrase is needed, and none was given.
    #[error(
        "a passphrase is needed: no key store can be reached here; set KITH_PASSPHRASE, or start Kith where it can ask"
    )]
    NoPassphrase,
    /// A file in the home cannot be understood.
    #[error("{} is damaged: put a backup of it in its place", .0.display())]
    Damaged(PathBuf),
    /// Written by a newer Kith.
    #[error("{} was written by a newer Kith: update Kith", .0.display())]
    Newer(PathBuf),
    /// The disk refused.
    #[error("keep the key of this profile in {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// How often a person may try.
const ATTEMPTS_MAX: u32 = 3;

/// The key of a home; a new one if the home has none and holds nothing that was sealed.
///
/// Blocks, perhaps until a person has answered: see the module.
pub fn open_or_create(
    home: &Home,
    choice: &Choice,
    keyring: &dyn SecretStore,
    unlock: &mut dyn Unlock,
) -> Result<(MasterKey, Kept), KeyError> {
    let place = Place { home, cost: Cost::RECOMMENDED };
    place.open_or_create(choice, keyring, unlock)
}

struct Place<'a> {
    home: &'a Home,
    cost: Cost,
}

impl Place<'_> {
    fn open_or_create(
        &self,
        choice: &Choice,
        keyring: &dyn SecretStore,
        unlock: &mut dyn Unlock,
    ) -> Result<(MasterKey, Kept), KeyError> {
        match self.record()? {
            Some(Record::Keyring { name }) => Ok((from_keyring(keyring, &name)?, Kept::Keyring)),
            Some(Record::File) => self.open_file(choice, unlock),
            // Written before its record, and the record never was.
            None if self.key_path().exists() => {
                let opened = self.open_file(choice, unlock)?;
                self.remember(&Record::File)?;
                Ok(opened)
            }
            None if self.holds_sealed_data() => {
                Err(KeyError::Missing { home: self.home.dir().to_owned(), file: "master.json" })
            }
            None => self.create(choice, keyring, unlock),
        }
    }

    fn create(
        &self,
        choice: &Choice,
        keyring: &dyn SecretStore,
        unlock: &mut dyn Unlock,
    ) -> Result<(MasterKey, Kept), KeyError> {
        let master = MasterKey::random();
        let (record, kept) = match choice {
            Choice::PlainFile => (self.to_file(&sealed_file::plain(&master))?, Kept::PlainFile),
            Choice::Passphrase(passphrase) => (self.seal(&master, passphrase)?, Kept::SealedFile),
            Choice::Best => match to_keyring(keyring, &master) {
                Ok(record) => (record, Kept::Keyring),
                Err(error) => {
                    tracing::info!(%error, "no key store: asking for a passphrase");
                    let passphrase = unlock.passphrase(Ask::New).ok_or(KeyError::NoPassphrase)?;
                    (self.seal(&master, &passphrase)?, Kept::SealedFile)
                }
            },
        };
        self.remember(&record)?;
        Ok((master, kept))
    }

    fn seal(&self, master: &MasterKey, passphrase: &Passphrase) -> Result<Record, KeyError> {
        self.to_file(&sealed_file::sealed(master, passphrase, self.cost))
    }

    fn to_file(&self, content: &str) -> Result<Record, KeyError> {
        write(self.key_path(), content)?;
        Ok(Record::File)
    }

    fn open_file(&self, choice: &Choice, unlock: &mut dyn Unlock) -> Result<(MasterKey, Kept), KeyError> {
        let path = self.key_path();
        let Some(text) = read(&path)?.map(Zeroizing::new) else {
            return Err(KeyError::Missing { home: self.home.dir().to_owned(), file: "master.key" });
        };
        let explain = |unopened| match unopened {
            Unopened::WrongPassphrase => KeyError::WrongPassphrase,
            Unopened::Damaged => KeyError::Damaged(path.clone()),
            Unopened::Newer(_) => KeyError::Newer(path.clone()),
        };
        match sealed_file::parse(&text).map_err(explain)? {
            KeyFile::Plain(master) => Ok((master, Kept::PlainFile)),
            KeyFile::Sealed(sealed) => match choice {
                Choice::Passphrase(passphrase) => {
                    Ok((sealed.open(passphrase).map_err(explain)?, Kept::SealedFile))
                }
                Choice::Best | Choice::PlainFile => Ok((
                    asked(&sealed, unlock).map_err(|no| no.map_or(KeyError::NoPassphrase, explain))?,
                    Kept::SealedFile,
                )),
            },
        }
    }

    fn record(&self) -> Result<Option<Record>, KeyError> {
        let path = self.record_path();
        let Some(text) = read(&path)? else { return Ok(None) };
        Record::parse(&text).map(Some).ok_or(KeyError::Damaged(path))
    }

    fn remember(&self, record: &Record) -> Result<(), KeyError> {
        write(self.record_path(), &record.write())
    }

    /// Whether a second key would lose what the first one sealed.
    fn holds_sealed_data(&self) -> bool {
        ["vault.log", "store"].iter().any(|name| self.home.dir().join(name).exists())
    }

    fn key_path(&self) -> PathBuf {
        self.home.dir().join("master.key")
    }

    fn record_path(&self) -> PathBuf {
        self.home.dir().join("master.json")
    }
}

fn read(path: &PathBuf) -> Result<Option<String>, KeyError> {
    match fs::read(path) {
        Ok(bytes) => String::from_utf8(bytes).map(Some).map_err(|_| KeyError::Damaged(path.clone())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(KeyError::Io { path: path.clone(), source }),
    }
}

fn write(path: PathBuf, content: &str) -> Result<(), KeyError> {
    disk::replace(&path, content.as_bytes()).map_err(|source| KeyError::Io { path, source })
}

/// The key that the person's passphrase opens; `Err(None)` if they give none.
fn asked(sealed: &Sealed, unlock: &mut dyn Unlock) -> Result<MasterKey, Option<Unopened>> {
    for attempt in 1..=ATTEMPTS_MAX {
        let passphrase = unlock.passphrase(Ask::Open { attempt }).ok_or(None)?;
        match sealed.open(&passphrase) {
            Err(Unopened::WrongPassphrase) => {}
            other => return other.map_err(Some),
        }
    }
    Err(Some(Unopened::WrongPassphrase))
}

fn from_keyring(keyring: &dyn SecretStore, name: &str) -> Result<MasterKey, KeyError> {
    let secret = keyring.read(name).map_err(KeyError::KeyringUnreachable)?.ok_or(KeyError::KeyringForgot)?;
    let bytes = B64.decode(secret.as_bytes()).map(Zeroizing::new).ok();
    let bytes = bytes.and_then(|bytes| bytes.as_slice().try_into().ok());
    bytes.map(MasterKey::from_bytes).ok_or(KeyError::KeyringForgot)
}

/// Keeps a new key under a name of its own. Only what reads back was kept: some stores take everything.
fn to_keyring(keyring: &dyn SecretStore, master: &MasterKey) -> Result<Record, SecretError> {
    let mut id = [0; 8];
    getrandom::fill(&mut id).expect("the system has random numbers");
    let name = format!("profile-{}", HEX.encode(&id));
    let secret = Zeroizing::new(B64.encode(master.bytes()));
    keyring.write(&name, &secret)?;
    if keyring.read(&name)?.is_some_and(|stands| *stands == *secret) {
        return Ok(Record::Keyring { name });
    }
    keyring.delete(&name)?;
    Err(SecretError::Refused("it gave back something else than it was given".into()))
}

#[cfg(test)]
#[path = "kept_tests.rs"]
mod tests;
