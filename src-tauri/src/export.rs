//! One's own messages as JSON.

use crate::failure::{Outcome, internal};
use crate::profile::Profile;
use kith_client::timeline::{Kind, Message};
use kith_protocol::ids::Seq;
use serde::Serialize;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

#[derive(Serialize)]
struct Exported<'a> {
    room: String,
    chat: &'a str,
    seq: u64,
    /// As RFC 3339 writes it.
    at: String,
    text: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    edited: bool,
}

/// Writes all that this account has said and this device holds, one object a line within a JSON array; how many there are.
pub(crate) async fn write(profile: &Profile, path: &Path) -> Outcome<u32> {
    let client = profile.client()?;
    let me = profile.account();
    let mut out = BufWriter::new(File::create(path)?);
    let mut count = 0;
    out.write_all(b"[")?;
    for room in profile.rooms() {
        let mut after = Seq::ZERO;
        loop {
            let page = client.history_after(room.id.0, after, PAGE).await?;
            let Some(last) = page.iter().rev().find_map(|line| line.seq) else { break };
            for line in page.iter().filter(|line| Some(line.sender) == me && is_text(line)) {
                let exported = Exported {
                    room: room.id.0.to_string(),
                    chat: &room.title,
                    seq: line.seq.map_or(0, |seq| seq.0),
                    at: written(line.at),
                    text: &line.text,
                    edited: line.edited,
                };
                out.write_all(if count == 0 { b"\n" } else { b",\n" })?;
                serde_json::to_writer(&mut out, &exported).map_err(|error| internal(error.to_string()))?;
                count += 1;
            }
            after = last;
        }
    }
    out.write_all(b"\n]\n")?;
    out.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
    Ok(count)
}

fn is_text(line: &Message) -> bool {
    line.kind == Kind::Text && !line.redacted
}

fn written(at: u64) -> String {
    let stamp = i64::try_from(at).ok().and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
    stamp.map_or_else(String::new, |stamp| stamp.to_string())
}

const PAGE: usize = 500;
