//! Timelines that somebody looks at: kept in memory, so that changes can be told as steps.

use super::engine::Engine;
use super::error::Fault;
use super::ingest::Origin;
use super::limits::{LIVE_LINES_MAX, LIVE_ROOMS_MAX, SCREEN, TOLD_MAX};
use super::model::Millis;
use super::sync::PagePlan;
use super::update::Update;
use crate::store::ReadError;
use crate::timeline::{Content, Diff, Timeline, Verified};
use kith_protocol::ids::{RoomId, Seq};
use std::collections::{BTreeMap, VecDeque};

/// The timelines in memory.
#[derive(Debug, Default)]
pub(crate) struct Live {
    timelines: BTreeMap<RoomId, Timeline>,
    /// The one looked at last stands at the end.
    order: VecDeque<RoomId>,
}

impl Live {
    pub(crate) fn get_mut(&mut self, room: &RoomId) -> Option<&mut Timeline> {
        self.timelines.get_mut(room)
    }

    pub(crate) fn get(&self, room: &RoomId) -> Option<&Timeline> {
        self.timelines.get(room)
    }

    /// Takes one out, to be put back.
    pub(crate) fn take(&mut self, room: &RoomId) -> Option<Timeline> {
        self.timelines.remove(room)
    }

    pub(crate) fn put(&mut self, room: RoomId, timeline: Timeline) {
        self.order.retain(|other| *other != room);
        self.order.push_back(room);
        self.timelines.insert(room, timeline);
        while self.order.len() > LIVE_ROOMS_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.timelines.remove(&oldest);
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

impl Engine {
    /// Tells of entries that were just taken in.
    pub(crate) fn show(
        &mut self,
        now: Millis,
        id: &RoomId,
        shown: Vec<Verified>,
        origin: Origin,
    ) -> Result<(), Fault> {
        let Some(last) = shown.last().map(|entry| entry.seq) else { return Ok(()) };
        let Some(room) = self.rooms.get(id) else { return Ok(()) };
        let at_end = last == room.row.newest() && origin != Origin::Page(PagePlan::Older);
        if at_end {
            self.notify(now, id, &shown)?;
        }
        let Some(timeline) = self.live.get_mut(id) else {
            if at_end && shown.len() > TOLD_MAX {
                self.tell(Update::Behind { room: *id });
            } else if at_end {
                let diffs = Timeline::new().insert_all(shown);
                self.tell_diffs(id, diffs);
            }
            return Ok(());
        };
        if at_end && (shown.len() > TOLD_MAX || origin == Origin::Page(PagePlan::Newest)) {
            return Ok(self.show_anew(id)?);
        }
        let oldest = timeline.first_seq().unwrap_or(Seq::ZERO);
        let newer = shown.into_iter().filter(|entry| {
            at_end || entry.seq > oldest || matches!(entry.content, Content::Edit(_) | Content::Redaction(_))
        });
        let mut diffs = timeline.insert_all(newer);
        if timeline.messages().len() > LIVE_LINES_MAX {
            let keep = timeline.messages().rev().filter_map(|line| line.seq).nth(LIVE_LINES_MAX / 2);
            diffs.extend(timeline.drop_before(keep.unwrap_or(Seq::ZERO)));
        }
        self.tell_diffs(id, diffs);
        Ok(())
    }

    /// All of a timeline that is looked at.
    pub(crate) fn show_anew(&mut self, id: &RoomId) -> Result<(), ReadError> {
        if self.live.get(id).is_none() {
            return Ok(());
        }
        self.store_now()?;
        let timeline = self.load_timeline(id, SCREEN as usize)?;
        let messages = timeline.messages().cloned().collect();
        self.live.put(*id, timeline);
        self.tell_diffs(id, vec![Diff::Reset { messages }]);
        Ok(())
    }

    /// A step of a timeline that is looked at.
    pub(crate) fn change_live(&mut self, id: &RoomId, change: impl FnOnce(&mut Timeline) -> Vec<Diff>) {
        if let Some(timeline) = self.live.get_mut(id) {
            let diffs = change(timeline);
            self.tell_diffs(id, diffs);
        }
    }

    pub(crate) fn tell_diffs(&mut self, id: &RoomId, diffs: Vec<Diff>) {
        for diff in diffs {
            self.tell(Update::Timeline { room: *id, diff });
        }
    }

    /// What this input has put can be read from now on. A failure shows at the input's end.
    fn store_now(&mut self) -> Result<(), ReadError> {
        self.commit().map_err(|fault| match fault {
            Fault::Read(error) => error,
            other => ReadError::Io(std::io::Error::other(other.to_string())),
        })
    }
}
