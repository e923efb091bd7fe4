//! Where a profile is, and how it is opened.

use crate::args::Options;
use crate::exit::{Failure, Outcome};
use kith_client::keys::{Ask, Choice, Passphrase};
use kith_client::{Access, Client, Home, Profiles};
use std::env;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// The profile that was named, or the only one there is.
pub(crate) fn dir(options: &Options) -> Outcome<PathBuf> {
    if let Some(home) = &options.home {
        return Ok(home.clone());
    }
    let root = data_dir().ok_or_else(|| {
        Failure::usage("this account has no home directory: say with --home where the profile is to be")
    })?;
    let names = Profiles::at(&root).names()?;
    match names.as_slice() {
        [] => Ok(root.join("default")),
        [name] => Ok(root.join(name)),
        names => Err(Failure::usage(format!(
            "there are several profiles in {} ({}): choose one with --home",
            root.display(),
            names.join(", ")
        ))),
    }
}

/// Takes the profile, and makes it if need be.
pub(crate) fn create(options: &Options) -> Outcome<(Home, Access)> {
    Ok((Home::open(&dir(options)?)?, access()))
}

/// Opens the account that is in the profile. Makes no connection, and no directory.
pub(crate) async fn open(options: &Options) -> Outcome<Client> {
    let dir = dir(options)?;
    if !dir.exists() {
        return Err(Failure::not_found(format!(
            "there is no profile in {}: join with an invite, or link this device to an account that you have",
            dir.display()
        )));
    }
    let home = Home::open(&dir)?;
    Ok(Client::open(home, access()).await?)
}

/// The platform's place for what programs keep.
fn data_dir() -> Option<PathBuf> {
    let data = if cfg!(windows) {
        PathBuf::from(env::var_os("APPDATA")?)
    } else if cfg!(target_os = "macos") {
        env::home_dir()?.join("Library/Application Support")
    } else {
        let set = env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        set.or_else(|| Some(env::home_dir()?.join(".local/share")))?
    };
    Some(data.join("kith").join("profiles"))
}

fn access() -> Access {
    Access::new(Choice::of_environment()).asking(ask_passphrase)
}

fn ask_passphrase(ask: Ask) -> Option<Passphrase> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return None;
    }
    let prompt = dialoguer::Password::new();
    let typed = match ask {
        Ask::New => prompt
            .with_prompt("No key store runs here. A passphrase for this profile")
            .with_confirmation("Once more", "The two differ.")
            .interact(),
        Ask::Open { attempt: 1 } => prompt.with_prompt("Passphrase").interact(),
        Ask::Open { .. } => prompt.with_prompt("That was wrong. Passphrase").interact(),
    };
    Passphrase::new(Zeroizing::new(typed.ok()?).as_str())
}
