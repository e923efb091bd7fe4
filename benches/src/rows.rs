//! The limit of a backlog: the rows of all rooms read from SQLite and written to one socket, and nothing else.

use crate::{Outcome, child, relay};
use rusqlite::{Connection, OpenFlags};
use std::io::{BufWriter, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};

/// Serves whoever connects, until the parent lets go.
pub(crate) fn serve(folder: &Path) -> Outcome<()> {
    let tcp = TcpListener::bind("127.0.0.1:0")?;
    let address = tcp.local_addr()?;
    let path = relay::store(folder);
    std::thread::spawn(move || {
        for stream in tcp.incoming().flatten() {
            if let Err(error) = pour(&path, stream) {
                eprintln!("kith-bench: rows: {error}");
            }
        }
    });
    child::obey(address, || format!("{}\n", child::END_OF_METRICS))
}

fn pour(path: &PathBuf, stream: TcpStream) -> Outcome<()> {
    stream.set_nodelay(true)?;
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.pragma_update(None, "cache_size", -8 * 1024)?;
    let rooms: Vec<i64> = connection
        .prepare("SELECT num FROM rooms")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut select =
        connection.prepare("SELECT entry FROM entries WHERE place BETWEEN ?1 AND ?2 ORDER BY place")?;
    let mut out = BufWriter::with_capacity(256 * 1024, stream);
    for room in rooms {
        let mut rows = select.query([room << 40, ((room + 1) << 40) - 1])?;
        while let Some(row) = rows.next()? {
            out.write_all(row.get_ref(0)?.as_blob()?)?;
        }
    }
    out.flush()?;
    Ok(())
}
