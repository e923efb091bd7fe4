//! How a line of a conversation looks to a person.

use crate::lines::Line;
use crate::text;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use kith_client::timeline::Kind;
use owo_colors::OwoColorize as _;
use std::fmt::Write as _;

/// Where texts begin: behind number and time.
const INDENT: usize = 27;

/// `  12  2026-11-23 01:29  alice: hello`. With `room`, the room's name stands before the sender.
pub(crate) fn line(line: &Line, with_room: bool) -> String {
    let number = line.seq.map_or_else(|| "-".to_owned(), |seq| seq.to_string());
    let mut shown = format!("{number:>7}  {}  ", time(line.at).dimmed());
    if with_room {
        let _ = write!(shown, "[{}] ", text::line(&line.room_name).cyan());
    }
    if line.event == Some("changed") {
        let _ = write!(shown, "{} ", "~".dimmed());
    }
    if line.kind == Kind::Control {
        let _ = write!(shown, "{}", text::block(&line.text, INDENT).italic());
        return shown;
    }
    let mark = if line.integration { " (integration)" } else { "" };
    let _ = write!(shown, "{}{mark}: ", text::line(&line.sender).bold());
    if let Some(seq) = line.reply_to.as_ref().and_then(|reply| reply.seq) {
        let _ = write!(shown, "{} ", format_args!("(to {seq})").dimmed());
    }
    match (line.redacted, line.kind) {
        (true, _) => shown.push_str("(deleted)"),
        (_, Kind::Unknown) => shown.push_str("(a newer Kith is needed to read this)"),
        _ => shown.push_str(&text::block(&line.text, INDENT)),
    }
    if line.edited && !line.redacted {
        let _ = write!(shown, " {}", "(edited)".dimmed());
    }
    for reaction in &line.reactions {
        let _ = write!(shown, "  {}", text::line(&reaction.emoji));
        if reaction.who.len() > 1 {
            let _ = write!(shown, "{}", reaction.who.len());
        }
    }
    match line.state {
        "sent" => {}
        "failed" => drop(write!(shown, "  {}", "(refused: see outbox)".red())),
        _ => drop(write!(shown, "  {}", "(queued)".yellow())),
    }
    shown
}

/// The local time of a moment in milliseconds since 1970.
pub(crate) fn time(at: u64) -> String {
    i64::try_from(at).ok().and_then(|at| Timestamp::from_millisecond(at).ok()).map_or_else(
        || " ".repeat(16),
        |at| at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string(),
    )
}
