use super::frame::{self, Frame};
use super::{DurableMap, Home, WriteError, Writes, disk};
use crate::keys::DataKey;
use crate::store::Row;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Bound;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// A [`DurableMap`] on disk: the file `vault.log` of a home.
pub struct Vault {
    /// Held for as long as the file is open.
    _home: Home,
    path: PathBuf,
    /// Opened when first needed, and again after each [`compact`](Self::compact).
    file: Option<File>,
    data: DataKey,
    rows: BTreeMap<Vec<u8>, Zeroizing<Vec<u8>>>,
    /// The number of the next frame.
    next: u64,
    /// Where it goes: the end of what is sound.
    end: u64,
    /// Whether something may stand behind the end, left by a write that failed.
    frayed: bool,
    /// The length at which the log is next written anew.
    compact_at: u64,
}

/// What opening a vault came to.
pub struct OpenedVault {
    /// The vault, with everything that could be read.
    pub vault: Vault,
    /// Bytes of an unfinished write that were cut off at the end: nobody was told that it succeeded.
    pub cut: u64,
    /// What was promised and could not be read. Tell the person.
    pub damage: Option<Damage>,
}

/// What was lost inside of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// At least so many writes are gone.
    pub writes_lost: u64,
    /// Where the damaged file is kept.
    pub kept: PathBuf,
}

/// Why a vault could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Written by a newer Kith.
    #[error("the vault of this profile was written by a newer Kith: update Kith")]
    Newer,
    /// Not one write in it opens.
    #[error("the vault of this profile ({}) was sealed with another key, or is damaged from its beginning: put the right key or file back", .0.display())]
    WrongKey(PathBuf),
    /// The disk refused.
    #[error("open the vault of this profile in {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

const HEADER: &[u8; 16] = b"kith-vault 1   \n";

/// The name and the blank before the number of the format.
const HEADER_NAME: &[u8] = b"kith-vault ";

/// A log shorter than that is never written anew: reading it costs nothing.
const COMPACT_BYTES_MIN: u64 = 256 * 1024;

/// A log is written anew when it is this many times what lives in it.
const COMPACT_RATIO: u64 = 4;

/// How much of the map goes into one frame of a new log.
const COMPACT_FRAME_BYTES: usize = 1024 * 1024;

impl Vault {
    /// Opens the vault of a home, or makes one.
    pub fn open(home: &Home, data: &DataKey) -> Result<OpenedVault, OpenError> {
        let path = home.dir().join("vault.log");
        let io = |source| OpenError::Io { path: path.clone(), source };
        if !path.exists() {
            // First the key of the header, then everything else: a log without a frame proves no key.
            let first = frame::encode(data, 0, &Writes::new());
            disk::replace(&path, &[HEADER, first.as_slice()].concat()).map_err(io)?;
        }
        let bytes = fs::read(&path).map_err(io)?;
        if newer(&bytes) {
            return Err(OpenError::Newer);
        }
        let replay = Replay::of(data, &bytes);
        if replay.frames == 0 {
            return Err(OpenError::WrongKey(path));
        }
        let cut = bytes.len() as u64 - replay.end;
        let mut vault = Self {
            _home: home.clone(),
            path: path.clone(),
            file: None,
            data: data.clone(),
            rows: replay.rows,
            next: replay.next,
            end: replay.end,
            frayed: cut > 0,
            compact_at: 0,
        };
        vault.plan_compaction();
        let damage = if replay.lost > 0 {
            let kept = keep(&path).map_err(io)?;
            vault.compact().map_err(io)?;
            Some(Damage { writes_lost: replay.lost, kept })
        } else {
            None
        };
        vault.mend().map_err(io)?;
        Ok(OpenedVault { vault, cut, damage })
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Writes a new log of what lives, and puts it in place of the old one. Happens by itself when it is worth it.
    pub fn compact(&mut self) -> io::Result<()> {
        let mut log = HEADER.to_vec();
        let mut next = 0;
        let mut batch = Writes::new();
        let mut batch_bytes = 0;
        for (key, value) in &self.rows {
            let row_bytes = key.len() + value.len();
            // A row alone always fits: it came in a frame.
            if !batch.is_empty() && batch_bytes + row_bytes > COMPACT_FRAME_BYTES {
                log.extend(frame::encode(&self.data, next, &batch));
                (next, batch_bytes) = (next + 1, 0);
                batch.clear();
            }
            batch_bytes += row_bytes;
            batch.push((key.clone(), Some(value.to_vec())));
        }
        // Also of nothing: a log without a frame proves no key.
        log.extend(frame::encode(&self.data, next, &batch));
        next += 1;
        self.file = None;
        disk::replace(&self.path, &log)?;
        (self.next, self.end, self.frayed) = (next, log.len() as u64, false);
        self.plan_compaction();
        Ok(())
    }

    fn plan_compaction(&mut self) {
        let live: usize = self.rows.iter().map(|(key, value)| key.len() + value.len()).sum();
        self.compact_at = COMPACT_BYTES_MIN.max(COMPACT_RATIO * live as u64);
    }

    /// Cuts off what a failed write may have left.
    fn mend(&mut self) -> io::Result<()> {
        if self.frayed {
            let end = self.end;
            let file = self.file()?;
            file.set_len(end)?;
            file.sync_all()?;
            self.frayed = false;
        }
        Ok(())
    }

    fn file(&mut self) -> io::Result<&mut File> {
        if self.file.is_none() {
            let file = disk::open_private(&self.path)?;
            disk::make_private(&file)?;
            self.file = Some(file);
        }
        self.file.as_mut().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    fn append(&mut self, frame: &[u8]) -> io::Result<()> {
        self.mend()?;
        self.frayed = true;
        let end = self.end;
        let file = self.file()?;
        file.seek(SeekFrom::Start(end))?;
        file.write_all(frame)?;
        file.sync_data()?;
        self.frayed = false;
        self.end += frame.len() as u64;
        self.next += 1;
        Ok(())
    }

    fn written(&mut self, writes: Writes) {
        apply(&mut self.rows, writes);
        if self.end < self.compact_at {
            return;
        }
        // What lives may have grown since the length was chosen.
        self.plan_compaction();
        if self.end >= self.compact_at
            && let Err(error) = self.compact()
        {
            tracing::warn!(%error, bytes = self.end, "could not compact the vault; going on with the long one");
            self.compact_at = self.end.saturating_mul(2);
        }
    }

    fn encode(&self, writes: &Writes) -> Result<Vec<u8>, WriteError> {
        let (bytes, max) = (frame::size(writes), frame::SEALED_MAX - DataKey::OVERHEAD);
        if bytes > max {
            return Err(WriteError::TooLarge { bytes, max });
        }
        Ok(frame::encode(&self.data, self.next, writes))
    }

    fn read_back(&self, at: u64, length: usize) -> io::Result<Option<Frame>> {
        // Through a handle of its own, as the next process will.
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(at))?;
        let mut bytes = Vec::with_capacity(length);
        file.take(length as u64).read_to_end(&mut bytes)?;
        Ok(frame::decode(&self.data, &bytes, 0))
    }
}

impl DurableMap for Vault {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.rows.get(key).map(|value| value.to_vec())
    }

    fn scan(&self, prefix: &[u8]) -> Vec<Row> {
        let rows = self.rows.range::<[u8], _>((Bound::Included(prefix), Bound::Unbounded));
        rows.take_while(|(key, _)| key.starts_with(prefix))
            .map(|(key, value)| (key.clone(), value.to_vec()))
            .collect()
    }

    fn write(&mut self, writes: Writes) -> Result<(), WriteError> {
        if writes.is_empty() {
            return Ok(());
        }
        let frame = self.encode(&writes)?;
        self.append(&frame).map_err(WriteError::Io)?;
        self.written(writes);
        Ok(())
    }

    fn create(&mut self, key: &[u8], value: &[u8]) -> Result<(), WriteError> {
        if self.rows.contains_key(key) {
            return Err(WriteError::Exists);
        }
        let writes = vec![(key.to_vec(), Some(value.to_vec()))];
        let frame = self.encode(&writes)?;
        let (at, index) = (self.end, self.next);
        self.append(&frame).map_err(WriteError::Io)?;
        let stands = self.read_back(at, frame.len()).map_err(WriteError::Io)?;
        if !stands.is_some_and(|stands| stands.index == index && stands.writes == writes) {
            return Err(WriteError::ReadBack);
        }
        self.written(writes);
        Ok(())
    }
}

/// What a log comes to.
struct Replay {
    rows: BTreeMap<Vec<u8>, Zeroizing<Vec<u8>>>,
    next: u64,
    end: u64,
    frames: u64,
    lost: u64,
}

impl Replay {
    fn of(data: &DataKey, log: &[u8]) -> Self {
        let mut replay = Self {
            rows: BTreeMap::new(),
            next: 0,
            end: HEADER.len().min(log.len()) as u64,
            frames: 0,
            lost: 0,
        };
        let mut at = HEADER.len();
        if !log.starts_with(HEADER) {
            // The header is written before anything is promised: this is damage, and frames may start anywhere.
            replay.lost += 1;
            at = 0;
        }
        while at < log.len() {
            let found = frame::decode(data, log, at).or_else(|| {
                let (_, frame) = frame::resync(data, log, at)?;
                Some(frame)
            });
            // Only an unfinished write has nothing sound behind it.
            let Some(frame) = found else { break };
            at = frame.end;
            replay.take(frame);
        }
        replay
    }

    fn take(&mut self, frame: Frame) {
        self.end = frame.end as u64;
        self.frames += 1;
        // Numbers tell how many are missing. One that goes back was put there by somebody.
        let Some(missing) = frame.index.checked_sub(self.next) else {
            self.lost += 1;
            return;
        };
        self.lost += missing;
        self.next = frame.index + 1;
        apply(&mut self.rows, frame.writes);
    }
}

fn apply(rows: &mut BTreeMap<Vec<u8>, Zeroizing<Vec<u8>>>, writes: Writes) {
    for (key, value) in writes {
        match value {
            Some(value) => rows.insert(key, Zeroizing::new(value)),
            None => rows.remove(&key),
        };
    }
}

fn newer(log: &[u8]) -> bool {
    let number = |header: &[u8]| {
        std::str::from_utf8(header.strip_prefix(HEADER_NAME)?).ok()?.trim().parse::<u32>().ok()
    };
    log.get(..HEADER.len()).and_then(number).is_some_and(|format| format > 1)
}

/// Copies a damaged log to the first free `vault.damaged-<n>`. Never deleted: it may hold the only copy of something.
fn keep(path: &Path) -> io::Result<PathBuf> {
    let mut n = 1;
    loop {
        let kept = path.with_extension(format!("damaged-{n}"));
        if !kept.exists() {
            let content = fs::read(path)?;
            disk::replace(&kept, &content)?;
            return Ok(kept);
        }
        n += 1;
    }
}

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;
