//! Finding text in what is stored on this device, in all rooms that are asked for, the newest first.

use crate::failure::Outcome;
use crate::ipc::{Found, Hit, LineId, Millis, Reach, RoomId};
use crate::names;
use crate::profile::Profile;
use kith_client::timeline::Message;
use kith_protocol::ids;
use std::sync::Arc;

/// Looks through rooms until there are `limit` hits, or nothing is left. `before`: only what was written earlier.
pub(crate) async fn find(
    profiles: &[Arc<Profile>],
    room: Option<ids::RoomId>,
    text: &str,
    before: Option<u64>,
    limit: usize,
) -> Outcome<Found> {
    let limit = limit.clamp(1, HITS_MAX);
    let needle = text.trim().to_lowercase();
    let mut hits = Vec::new();
    let mut reach = Reach { oldest_at: None, messages: 0, complete: true };
    let mut more = false;
    for profile in profiles {
        let Ok(client) = profile.client() else { continue };
        let rooms = profile.rooms().into_iter().filter(|item| room.is_none_or(|room| item.id.0 == room));
        for item in rooms {
            reach.complete &= item.complete;
            let mut from = None;
            let mut found_here = 0;
            while !needle.is_empty() {
                let found = client.find_in(item.id.0, &needle, from).await?;
                reach.messages =
                    reach.messages.saturating_add(u32::try_from(found.looked_at).unwrap_or(u32::MAX));
                reach.oldest_at = match (reach.oldest_at, found.oldest_at.map(Millis)) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                };
                let fits = |line: &&Message| before.is_none_or(|before| line.at < before);
                let new =
                    found.lines.iter().filter(fits).filter_map(|line| hit(profile, item.id, line, &needle));
                let new: Vec<Hit> = new.collect();
                found_here += new.len();
                hits.extend(new);
                match found.next {
                    // As many of one room as there may be of all: older ones of this room come with the next call.
                    Some(_) if found_here >= limit => {
                        more = true;
                        break;
                    }
                    Some(next) => from = Some(next),
                    None => break,
                }
            }
        }
    }
    hits.sort_by_key(|hit| std::cmp::Reverse(hit.at));
    more |= hits.len() > limit;
    hits.truncate(limit);
    Ok(Found { hits, more, reach })
}

fn hit(profile: &Profile, room: RoomId, line: &Message, needle: &str) -> Option<Hit> {
    let seq = line.seq?;
    let (before, found, after) = around(&line.text, needle)?;
    Some(Hit {
        profile: profile.id().clone(),
        room,
        id: LineId(line.id),
        seq: seq.into(),
        sender: line.sender.into(),
        sender_shown: profile.names().person(&line.sender).shown,
        at: Millis(line.at),
        before,
        found,
        after,
    })
}

/// What was found with some words around it, as one line each.
fn around(text: &str, needle: &str) -> Option<(String, String, String)> {
    // Letters may change their length with their case: count in characters of the original.
    let chars: Vec<char> = text.chars().collect();
    let mut lowered = String::new();
    let mut starts = Vec::new();
    for (at, c) in chars.iter().enumerate() {
        for lower in c.to_lowercase() {
            starts.extend(std::iter::repeat_n(at, lower.len_utf8()));
            lowered.push(lower);
        }
    }
    let at = lowered.find(needle)?;
    let start = *starts.get(at)?;
    let end = starts.get(at + needle.len()).copied().unwrap_or(chars.len());
    let piece = |from: usize, to: usize| chars.get(from..to).unwrap_or_default().iter().collect::<String>();
    let tidy = |piece: String| names::plain(&piece, AROUND_CHARS + 1);
    let cut = start.saturating_sub(AROUND_CHARS);
    let mut before = tidy(piece(cut, start));
    if cut > 0 {
        before.insert(0, '…');
    }
    if start > 0 && chars.get(start - 1).is_some_and(|c| c.is_whitespace()) {
        before.push(' ');
    }
    let mut after = tidy(piece(end, (end + AROUND_CHARS).min(chars.len())));
    if chars.get(end).is_some_and(|c| c.is_whitespace()) {
        after.insert(0, ' ');
    }
    Some((before, piece(start, end), after))
}

/// More hits at once nobody looks through.
const HITS_MAX: usize = 200;
const AROUND_CHARS: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_around_what_was_found() {
        let found = around("Say Hello World now", "hello").unwrap();
        assert_eq!(found, ("Say ".into(), "Hello".into(), " World now".into()));
        let long = format!("{}needle{}", "a".repeat(100), "b".repeat(100));
        let (before, found, after) = around(&long, "needle").unwrap();
        assert_eq!((before.chars().count(), found.as_str(), after.chars().count()), (61, "needle", 60));
    }

    #[test]
    fn letters_that_grow_in_lower_case_do_not_shift_the_place() {
        let (before, found, _) = around("\u{130}\u{130} needle", "needle").unwrap();
        assert_eq!((before.as_str(), found.as_str()), ("\u{130}\u{130} ", "needle"));
    }
}
