use sled::Db;
use std::any::Any;
use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// sled holds this much of the store in memory. Its default is 1 GiB.
const CACHE_BYTES: u64 = 24 * 1024 * 1024;

/// sled lets go of its file some moments after the last handle is dropped. Nobody else can have it: we hold the home.
const LOCK_ATTEMPTS: u32 = 100;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// A sled database whose panics are errors.
///
/// sled panics on damage that it did not expect, and what it held in memory then is not to be trusted: after the first
/// panic every call is refused.
pub(crate) struct Guarded {
    db: Option<Db>,
    broken: AtomicBool,
}

/// What can go wrong inside of sled, by what helps.
#[derive(Debug)]
pub(crate) enum Fault {
    /// A new store.
    Damaged(String),
    /// Waiting for whoever has it.
    Locked,
    /// Room on the disk.
    Full,
    /// Whatever the system says.
    Io(io::Error),
}

impl Guarded {
    pub(crate) fn open(path: &Path) -> Result<Self, Fault> {
        for _ in 1..LOCK_ATTEMPTS {
            match Self::open_once(path) {
                Err(Fault::Locked) => pause(),
                other => return other,
            }
        }
        Self::open_once(path)
    }

    fn open_once(path: &Path) -> Result<Self, Fault> {
        let config = sled::Config::new().path(path).cache_capacity(CACHE_BYTES);
        // On a thread of its own: damage can make it recurse deeply, and its panics must not meet our caller's state.
        let opening = thread::Builder::new()
            .name("kith-store-open".into())
            .spawn(move || config.open())
            .map_err(Fault::Io)?;
        match opening.join() {
            Ok(Ok(db)) => Ok(Self { db: Some(db), broken: AtomicBool::new(false) }),
            Ok(Err(error)) => Err(error.into()),
            Err(panic) => Err(Fault::Damaged(said(&*panic))),
        }
    }

    pub(crate) fn run<T>(&self, act: impl FnOnce(&Db) -> sled::Result<T>) -> Result<T, Fault> {
        let db = match &self.db {
            Some(db) if !self.broken.load(Ordering::Acquire) => db,
            _ => return Err(Fault::Damaged("it failed before".into())),
        };
        match catch_unwind(AssertUnwindSafe(|| act(db))) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(error.into()),
            Err(panic) => {
                self.broken.store(true, Ordering::Release);
                Err(Fault::Damaged(said(&*panic)))
            }
        }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let db = self.db.take();
        if catch_unwind(AssertUnwindSafe(|| drop(db))).is_err() {
            tracing::warn!("sled panicked while it closed the store");
        }
    }
}

impl From<sled::Error> for Fault {
    fn from(error: sled::Error) -> Self {
        match error {
            // sled flattens the system's WouldBlock into a text of its own.
            sled::Error::Io(error) if error.to_string().contains("could not acquire lock") => Self::Locked,
            sled::Error::Io(error) => error.into(),
            other => Self::Damaged(other.to_string()),
        }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full,
            // What sled says when a file is shorter than, or missing where, its own records promise.
            ErrorKind::UnexpectedEof | ErrorKind::InvalidData | ErrorKind::NotFound | ErrorKind::Other => {
                Self::Damaged(error.to_string())
            }
            _ => Self::Io(error),
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "sled offers nothing to wait on; a new handle on its file is at stake"
)]
fn pause() {
    thread::sleep(LOCK_PAUSE);
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panic: {}", text.unwrap_or("without a word"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_and_the_last_word() {
        let dir = tempfile::tempdir().unwrap();
        let guarded = Guarded::open(dir.path()).unwrap();
        let Err(Fault::Damaged(why)) = guarded.run(|_| -> sled::Result<()> { panic!("page {} is gone", 7) })
        else {
            panic!("a panic must be damage");
        };
        assert_eq!(why, "panic: page 7 is gone");
        assert!(matches!(guarded.run(|db| db.get("key")), Err(Fault::Damaged(_))));
    }

    #[test]
    fn a_second_handle_is_told_that_it_is_locked() {
        let dir = tempfile::tempdir().unwrap();
        let _first = Guarded::open(dir.path()).unwrap();
        assert!(matches!(Guarded::open_once(dir.path()), Err(Fault::Locked)));
    }
}
