//! Finding text in what is stored on this device.

use super::Client;
use crate::core::{Engine, ReadFailed};
use crate::store::{Direction, ReadError, Span, Tree, keys};
use crate::timeline::{Content, Kind, Message, Timeline};
use kith_protocol::ids::{RoomId, Seq};
use std::collections::BTreeSet;

/// What a search in one room has come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FoundIn {
    /// The lines, the newest first.
    pub lines: Vec<Message>,
    /// Where to go on: only what stands before this place was not looked at. `None`: everything was.
    pub next: Option<Seq>,
    /// How many entries were looked at.
    pub looked_at: u64,
    /// When the oldest of them was written, by its author's clock.
    pub oldest_at: Option<u64>,
}

impl Client {
    /// Looks for texts that hold `needle` (in any case), from the newest before `before` to older ones, through at most
    /// `STRETCH` entries: the engine does other things in between.
    pub async fn find_in(
        &self,
        room: RoomId,
        needle: &str,
        before: Option<Seq>,
    ) -> Result<FoundIn, ReadFailed> {
        let needle = needle.to_lowercase();
        self.read(move |engine| engine.find_in(&room, &needle, before)).await
    }
}

impl Engine {
    fn find_in(&self, id: &RoomId, needle: &str, before: Option<Seq>) -> Result<FoundIn, ReadFailed> {
        let row = &self.rooms.get(id).ok_or(ReadFailed::NoRoom)?.row;
        let end = before.unwrap_or(Seq(u64::MAX)).0.min(row.newest().0.saturating_add(1));
        let start = end.saturating_sub(STRETCH).max(1);
        let mut found = FoundIn { next: (start > 1).then_some(Seq(start)), ..FoundIn::default() };
        if needle.is_empty() || start >= end {
            return Ok(FoundIn::default());
        }
        let mut hits = BTreeSet::new();
        let span = Span::between(keys::entry(&id.0, start), keys::entry(&id.0, end));
        for (key, value) in self.store.range(Tree::Entries, &span, Direction::Forward, usize::MAX)? {
            let Some(seq) = keys::place(&key).map(Seq) else { continue };
            let entry = self.verified(id, seq, value)?;
            found.looked_at += 1;
            found.oldest_at.get_or_insert(entry.at);
            match &entry.content {
                Content::Text(text) if holds(&text.text, needle) => drop(hits.insert(seq)),
                // What an edit says is found where the text stands that it changes.
                Content::Edit(edit) if holds(&edit.text, needle) => {
                    hits.extend(self.find(id, &edit.target)?.map(|text| text.seq));
                }
                _ => {}
            }
        }
        for seq in hits.into_iter().rev() {
            found.lines.extend(self.line_at(id, seq)?.filter(|line| holds(&line.text, needle)));
        }
        Ok(found)
    }

    /// A line as it is shown now.
    fn line_at(&self, id: &RoomId, seq: Seq) -> Result<Option<Message>, ReadError> {
        let mut timeline = Timeline::new();
        self.load_stretch(id, seq, seq, &mut timeline)?;
        let line = timeline.messages().find(|line| line.seq == Some(seq) && line.kind == Kind::Text);
        Ok(line.cloned())
    }
}

fn holds(text: &str, needle: &str) -> bool {
    text.to_lowercase().contains(needle)
}

/// Entries that one call looks at: some tens of milliseconds on the engine's thread.
const STRETCH: u64 = 4096;
