//! The log: ids, sizes and errors; no bodies, tokens or names. Two files of a megabyte at most.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Writes the log into a folder from now on; `KITH_LOG` says how much, and puts it on standard error as well.
pub(crate) fn start(folder: &Path) {
    let wish = std::env::var("KITH_LOG").ok();
    let filter =
        EnvFilter::try_new(wish.as_deref().unwrap_or(USUAL)).unwrap_or_else(|_| EnvFilter::new(USUAL));
    let to_stderr = wish.is_some().then(|| tracing_subscriber::fmt::layer().with_writer(io::stderr));
    let to_file = Rolling::open(folder).map(|file| {
        tracing_subscriber::fmt::layer().with_ansi(false).with_writer(Shared(Arc::new(Mutex::new(file))))
    });
    // A second call changes nothing.
    let _ = tracing_subscriber::registry().with(filter).with(to_file.ok()).with(to_stderr).try_init();
}

/// Writes all that is kept of the log to one file; how many lines there are.
pub(crate) fn gather(folder: &Path, to: &Path) -> io::Result<u32> {
    let mut out = File::create(to)?;
    let mut lines = 0;
    for name in [OLDER, NEWER] {
        let Ok(file) = File::open(folder.join(name)) else { continue };
        for line in BufReader::new(file).lines() {
            writeln!(out, "{}", line?)?;
            lines += 1;
        }
    }
    out.sync_all()?;
    Ok(lines)
}

/// A file that makes room for itself.
struct Rolling {
    folder: PathBuf,
    file: File,
    bytes: u64,
}

impl Rolling {
    fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let file = OpenOptions::new().create(true).append(true).open(folder.join(NEWER))?;
        let bytes = file.metadata()?.len();
        Ok(Self { folder: folder.to_owned(), file, bytes })
    }

    fn roll(&mut self) -> io::Result<()> {
        fs::rename(self.folder.join(NEWER), self.folder.join(OLDER))?;
        *self = Self::open(&self.folder)?;
        Ok(())
    }
}

#[derive(Clone)]
struct Shared(Arc<Mutex<Rolling>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut rolling = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if rolling.bytes > BYTES_MAX {
            rolling.roll()?;
        }
        rolling.bytes += bytes.len() as u64;
        rolling.file.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).file.flush()
    }
}

impl MakeWriter<'_> for Shared {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

const USUAL: &str = "warn,kith=info,kith_client=info";
const NEWER: &str = "kith.log";
const OLDER: &str = "kith.1.log";
/// A week of an ordinary person; small enough to be sent by mail.
const BYTES_MAX: u64 = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_stays_small_and_is_gathered_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = Shared(Arc::new(Mutex::new(Rolling::open(dir.path()).unwrap())));
        let line = format!("{}\n", "x".repeat(1023));
        for _ in 0..4000 {
            log.write_all(line.as_bytes()).unwrap();
        }
        log.write_all(b"last\n").unwrap();
        let bytes: u64 =
            fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
        assert!(bytes < 3 * BYTES_MAX, "{bytes}");
        let out = dir.path().join("out");
        gather(dir.path(), &out).unwrap();
        assert!(fs::read_to_string(out).unwrap().ends_with("x\nlast\n"));
    }
}
