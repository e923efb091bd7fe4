//! Where a profile lives: one directory, held by one process, with its keys, its vault and its store.

use crate::core::{Engine, EngineError, Entropy, Identity, IdentityError, Parts, Relay, Trouble};
use crate::keys::{self, Choice, KeyError, MasterKey, NoUnlock, Purpose, SecretStore, SystemSecrets, Unlock};
use crate::net::{AddressError, Connect, Dial, ProxySetting, RelayAddress, Trust};
use crate::store::{self, SledStore};
use crate::vault::{self, LockError, Vault};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The directory of one profile: one account on one relay. Held until it, and the client on it, are dropped.
#[derive(Debug, Clone)]
pub struct Home {
    held: vault::Home,
}

/// A directory with a profile in each of its subdirectories.
#[derive(Debug, Clone)]
pub struct Profiles {
    root: PathBuf,
}

/// How a profile is opened: where its key is kept, whom to ask for a passphrase, and which way leads to the relay.
pub struct Access {
    choice: Choice,
    secrets: Box<dyn SecretStore + Send>,
    unlock: Box<dyn Unlock + Send>,
    proxy: ProxySetting,
    connect: Option<Arc<dyn Connect>>,
}

/// Why what a home holds cannot be opened. Each is a sentence for the person.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// Another process has it, or the directory cannot be made.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] vault::OpenError),
    /// The store.
    #[error(transparent)]
    Store(#[from] store::OpenError),
    /// The identity.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// What they hold.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl Home {
    /// Makes the directory if need be, and takes it.
    pub fn open(dir: &Path) -> Result<Self, HomeError> {
        Ok(Self { held: vault::Home::lock(dir)? })
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        self.held.dir()
    }

    /// Opens key, vault and store. Blocks, perhaps until a person has answered.
    pub(crate) fn unlock(&self, access: &mut Access) -> Result<Unlocked, HomeError> {
        let (master, kept) =
            keys::open_or_create(&self.held, &access.choice, &*access.secrets, &mut *access.unlock)?;
        let mut troubles: Vec<Trouble> = kept
            .standing_warning()
            .map(|warning| Trouble::KeyExposed(warning.to_owned()))
            .into_iter()
            .collect();
        let vault = self.open_vault(&master, &mut troubles)?;
        Ok(Unlocked { home: self.clone(), master, vault, troubles })
    }

    fn open_vault(&self, master: &MasterKey, troubles: &mut Vec<Trouble>) -> Result<Vault, HomeError> {
        let opened = Vault::open(&self.held, &master.data_key(Purpose::Vault))?;
        if let Some(damage) = opened.damage {
            let kept = damage.kept.display().to_string();
            troubles.push(Trouble::VaultDamaged { writes: damage.writes_lost, kept });
        }
        Ok(opened.vault)
    }
}

impl Unlocked {
    /// The engine of the account that lives here; `None` if there is none yet. A damaged store is set aside.
    pub(crate) fn engine(self) -> Result<Option<(Engine, Keys, Vec<Trouble>)>, HomeError> {
        let Self { home, master, vault, mut troubles } = self;
        let Some(identity) = Identity::load(&vault)? else { return Ok(None) };
        let opened = SledStore::open(&home.held, &master.data_key(Purpose::Store))?;
        troubles.extend(opened.set_aside.as_deref().map(set_aside));
        let keys = Keys { home, master };
        match Engine::new(parts(opened.store, vault, identity)) {
            Ok(engine) => Ok(Some((engine, keys, troubles))),
            Err(error) if error.is_damage() => {
                let engine = keys.start_anew(&mut troubles)?;
                Ok(Some((engine, keys, troubles)))
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl Keys {
    /// An engine on a new store, after the old one turned out to be damaged. Vault and store must be closed by now.
    pub(crate) fn start_anew(&self, troubles: &mut Vec<Trouble>) -> Result<Engine, HomeError> {
        let vault = self.home.open_vault(&self.master, troubles)?;
        let identity = Identity::load(&vault)?.ok_or(IdentityError::Damaged)?;
        let opened = SledStore::open_fresh(&self.home.held, &self.master.data_key(Purpose::Store))?;
        troubles.extend(opened.set_aside.as_deref().map(set_aside));
        Ok(Engine::new(parts(opened.store, vault, identity))?)
    }
}

fn parts(store: SledStore, vault: Vault, identity: Identity) -> Parts {
    Parts { store: Box::new(store), vault: Box::new(vault), identity, entropy: Entropy::system() }
}

fn set_aside(path: &Path) -> Trouble {
    Trouble::StoreSetAside(path.display().to_string())
}

impl Profiles {
    /// The profiles in this directory.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The names of those in which something was begun, in order.
    pub fn names(&self) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry?;
            if entry.path().join("vault.log").exists()
                && let Ok(name) = entry.file_name().into_string()
            {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    /// Takes the profile of this name, or makes it. `None` if the name is none for a directory.
    pub fn home(&self, name: &str) -> Option<Result<Home, HomeError>> {
        let plain = |c: char| c.is_alphanumeric() || "-_ ".contains(c);
        let fits = !name.trim().is_empty() && name.len() <= NAME_BYTES_MAX && name.chars().all(plain);
        fits.then(|| Home::open(&self.root.join(name)))
    }
}

impl Access {
    /// The key is kept like this if the profile has none yet; nobody is asked for anything.
    pub fn new(choice: Choice) -> Self {
        Self {
            choice,
            secrets: Box::new(SystemSecrets::new()),
            unlock: Box::new(NoUnlock),
            proxy: ProxySetting::default(),
            connect: None,
        }
    }

    /// Asks here for a passphrase, on a thread that may block.
    #[must_use]
    pub fn asking(mut self, unlock: impl Unlock + Send + 'static) -> Self {
        self.unlock = Box::new(unlock);
        self
    }

    /// Goes another way to the relay than by the system's proxy.
    #[must_use]
    pub fn proxy(mut self, proxy: ProxySetting) -> Self {
        self.proxy = proxy;
        self
    }

    /// Reaches the relay like this, whatever its address: for tests, and for links of one's own.
    #[must_use]
    pub fn connect(mut self, connect: Arc<dyn Connect>) -> Self {
        self.connect = Some(connect);
        self
    }

    /// The way to a relay.
    pub(crate) fn way_to(&self, relay: &Relay) -> Result<Arc<dyn Connect>, AddressError> {
        if let Some(connect) = &self.connect {
            return Ok(Arc::clone(connect));
        }
        let address = RelayAddress::parse(&relay.address)?;
        let trust = relay.pin.map_or(Trust::Platform, |pin| Trust::Pin(pin.0));
        Ok(Arc::new(Dial::new(address, trust).proxy(self.proxy.clone())))
    }

    /// Uses another key store than the system's.
    #[must_use]
    pub fn secrets(mut self, secrets: Box<dyn SecretStore + Send>) -> Self {
        self.secrets = secrets;
        self
    }
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Access").field("choice", &self.choice).finish_non_exhaustive()
    }
}

/// A home whose key was had.
pub(crate) struct Unlocked {
    home: Home,
    master: MasterKey,
    pub(crate) vault: Vault,
    troubles: Vec<Trouble>,
}

/// What it takes to open a home's store once more.
pub(crate) struct Keys {
    home: Home,
    master: MasterKey,
}

/// Bytes of a profile's name: every file system takes as many.
const NAME_BYTES_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_are_directories_with_plain_names() {
        let dir = tempfile::tempdir().unwrap();
        let profiles = Profiles::at(dir.path().join("profiles"));
        assert_eq!(profiles.names().unwrap(), Vec::<String>::new());
        let home = profiles.home("work").unwrap().unwrap();
        std::fs::write(home.dir().join("vault.log"), b"").unwrap();
        assert_eq!(profiles.names().unwrap(), ["work"]);
        for name in ["", "..", "a/b", " "] {
            assert!(profiles.home(name).is_none(), "{name:?}");
        }
    }
}
