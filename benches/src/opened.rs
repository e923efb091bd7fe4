//! A client without a connection, in a process of its own: how long it takes to open a store and to show a room, and what
//! memory that takes.

use crate::time::Watch;
use crate::{Outcome, child};
use kith_client::keys::Choice;
use kith_client::{Access, Client, Home};
use kith_protocol::ids::{RoomId, Seq};
use std::net::SocketAddr;
use std::path::Path;

/// Opens, shows, and says how long that took.
pub(crate) fn serve(home: &Path, room: &str) -> Outcome<()> {
    let room: RoomId = room.parse()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let (text, _client) = runtime.block_on(async {
        let watch = Watch::start();
        let client = Client::open(Home::open(home)?, Access::new(Choice::PlainFile)).await?;
        let opened = watch.seconds();
        let rooms = client.rooms().await?;
        let listed = watch.seconds();
        let newest = client.history(room, None, SCREEN).await?;
        let shown = watch.seconds();
        let last = newest.last().and_then(|message| message.seq).ok_or("nothing to show")?;
        let around = Seq(last.0 / 2 + SCREEN as u64 / 2);
        let middle = client.history(room, Some(around), SCREEN).await?;
        let jumped = watch.seconds();
        if rooms.is_empty() || newest.len() < SCREEN || middle.len() < SCREEN {
            return Err(format!("{} rooms, {} and {} lines", rooms.len(), newest.len(), middle.len()).into());
        }
        let times = [
            ("open", opened),
            ("rooms", listed - opened),
            ("newest", shown - listed),
            ("middle", jumped - shown),
        ];
        let mut lines: Vec<String> =
            times.iter().map(|(name, seconds)| format!("{name} {seconds}")).collect();
        lines.push(format!("{}\n", child::END_OF_METRICS));
        let text = lines.join("\n");
        Outcome::Ok((text, client))
    })?;
    child::obey(SocketAddr::from(([0; 4], 0)), || text.clone())
}

/// Lines that are shown at once.
pub(crate) const SCREEN: usize = 50;
