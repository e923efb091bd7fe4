//! Folder, database, disk.

use std::path::{Path, PathBuf};

use super::{Finding, bad, good, warning};
use crate::{
    acme::ACCOUNT_FILE,
    commands::mebibytes,
    config::{Config, Security},
    data::DATABASE,
    disk::Room,
    platform,
    store::{
        schema,
        sqlite::{copies::Draft, schema_of},
    },
    tls::{ISSUED_FILE, KEY_FILE},
};

pub(super) fn examine(config: &Config) -> Vec<Finding> {
    let data = &config.data;
    if !data.exists() {
        let says = format!("{} is not there yet; it is made at the first start", data.display());
        return vec![good("data", says)];
    }
    let mut findings = vec![folder(data)];
    findings.extend(permissions(config));
    findings.extend(database(&data.join(DATABASE)));
    findings.extend(disk(config));
    findings.extend(open_files(config));
    findings
}

/// Whether whoever asks may write there, and is who the relay is.
fn folder(data: &Path) -> Finding {
    let draft = match Draft::beside(&data.join("doctor"), ".look") {
        Ok(draft) => draft,
        Err(error) => {
            let todo = "run this, and the relay, as the user whose folder it is; or look whether the disk is read-only";
            return bad("data", format!("nothing can be written into {}: {error}", data.display()), todo);
        }
    };
    let owner = |path: &Path| path.metadata().ok().and_then(|metadata| platform::owner(&metadata));
    match (owner(data), owner(draft.path())) {
        (Some(theirs), Some(ours)) if theirs != ours => warning(
            "data",
            format!("{} belongs to user {theirs}, and you are user {ours}", data.display()),
            format!("ask as that user: sudo -u '#{theirs}' kith-relay doctor"),
        ),
        _ => good("data", format!("{} can be written", data.display())),
    }
}

fn permissions(config: &Config) -> Vec<Finding> {
    let data = &config.data;
    let own = [DATABASE, KEY_FILE, ISSUED_FILE, ACCOUNT_FILE].map(|name| (data.join(name), 600));
    let mut paths = vec![(data.clone(), 700)];
    paths.extend(own);
    if config.security() == Security::Files {
        paths.push((config.tls.key.clone(), 600));
    }
    let open = |path: &PathBuf| path.metadata().is_ok_and(|metadata| !platform::is_private(&metadata));
    let open: Vec<_> = paths.into_iter().filter(|(path, _)| open(path)).collect();
    open.into_iter()
        .map(|(path, mode)| {
            let says = format!("others than its owner may read {}", path.display());
            warning("permissions", says, format!("chmod {mode} {}", path.display()))
        })
        .collect()
}

fn database(path: &Path) -> Option<Finding> {
    if !path.exists() {
        return None;
    }
    Some(match schema_of(path) {
        Ok(version) if version == schema::NEWEST => {
            good("database", format!("schema {version}, the newest that this program knows"))
        }
        Ok(version) => warning(
            "database",
            format!("schema {version}; the next start brings it to {}", schema::NEWEST),
            "take a backup before: kith-relay backup FILE; `kith-relay migrate --dry-run` tries it",
        ),
        Err(error) => bad(
            "database",
            error.to_string(),
            "if it is damaged, put back the newest backup: kith-relay restore FILE --yes",
        ),
    })
}

fn disk(config: &Config) -> Vec<Finding> {
    let room = match Room::look(&config.data) {
        Ok(room) => room,
        Err(error) => {
            return vec![warning("disk", error.to_string(), "look with `df` how much is free")];
        }
    };
    let reserve = config.storage.reserve_bytes;
    let says = format!("{} free; below {} writes are refused", mebibytes(room.free), mebibytes(reserve));
    let mut findings = vec![if room.free < reserve {
        bad("disk", says, "make room, or move the data to a larger disk")
    } else if room.is_low(&config.storage) {
        warning("disk", says, "make room before it comes to that")
    } else {
        good("disk", says)
    }];
    if room.is_nearly_used_up(&config.storage) {
        let max = mebibytes(config.storage.max_bytes);
        let says = format!("the database has {} of {max}", mebibytes(room.used));
        findings.push(warning("disk", says, "raise storage.max_bytes; beyond it writes are refused"));
    }
    findings
}

fn open_files(config: &Config) -> Option<Finding> {
    let wanted = u64::from(config.limits.max_connections);
    match platform::raise_open_files_limit(wanted) {
        Ok(limit) if limit < wanted => Some(warning(
            "open files",
            format!("the system allows {limit}, and limits.max_connections is {wanted}"),
            "raise it (LimitNOFILE= in a unit of systemd, `ulimit -Hn` in a shell), or lower limits.max_connections",
        )),
        _ => None,
    }
}
