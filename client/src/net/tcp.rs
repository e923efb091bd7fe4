//! From a name to a TCP connection, over whichever of its addresses answers.

use std::{io, net::SocketAddr, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::{
    net::{TcpStream, lookup_host},
    time::{sleep, timeout},
};

use super::{DialError, Phase, Timeouts, limits::ADDRESSES_TRIED_MAX};

/// Connects to `host`, a name or an address without brackets.
pub(crate) async fn connect(host: &str, port: u16, timeouts: &Timeouts) -> Result<TcpStream, DialError> {
    let found = within(timeouts.resolve, Phase::Resolve, lookup_host((host, port))).await?;
    let addresses: Vec<_> = found
        .map_err(|source| DialError::Resolve { host: host.to_owned(), source })?
        .take(ADDRESSES_TRIED_MAX)
        .collect();
    let opened =
        within(timeouts.connect, Phase::Connect, connect_any(in_turn(addresses), timeouts.stagger)).await?;
    let stream = opened.map_err(|source| DialError::Unreachable { host: host.to_owned(), source })?;
    // Frames are gathered before they are written; waiting for more in the kernel would only add latency.
    stream.set_nodelay(true).map_err(|source| DialError::Lost { phase: Phase::Connect, source })?;
    Ok(stream)
}

/// Runs one step of a dial under its time limit.
pub(crate) async fn within<F: Future>(
    after: Duration,
    phase: Phase,
    step: F,
) -> Result<F::Output, DialError> {
    timeout(after, step).await.map_err(|_| DialError::Timeout { phase, after })
}

/// Happy Eyeballs (RFC 8305, section 5): the next address starts when the one before has failed, or is slower than `stagger`;
/// the first to answer wins and the others are dropped.
async fn connect_any(addresses: Vec<SocketAddr>, stagger: Duration) -> io::Result<TcpStream> {
    let mut waiting = addresses.into_iter();
    let mut attempts = FuturesUnordered::new();
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    loop {
        match waiting.next() {
            Some(address) => attempts.push(TcpStream::connect(address)),
            None if attempts.is_empty() => return Err(failure),
            None => {}
        }
        let more = waiting.len() > 0;
        tokio::select! {
            Some(result) = attempts.next() => match result {
                Ok(stream) => return Ok(stream),
                Err(error) => failure = error,
            },
            () = sleep(stagger), if more => {}
        }
    }
}

/// Alternates the families, beginning with the one that the system's resolver put first (RFC 8305, section 4).
fn in_turn(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let Some(first) = addresses.first().map(SocketAddr::is_ipv6) else { return addresses };
    let (preferred, others): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|a| a.is_ipv6() == first);
    let mut others = others.into_iter();
    let mut ordered = Vec::with_capacity(preferred.len() + others.len());
    for address in preferred {
        ordered.push(address);
        ordered.extend(others.next());
    }
    ordered.extend(others);
    ordered
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn families_alternate() {
        let [a, b, c, x] = ["1.1.1.1:1", "1.1.1.2:1", "1.1.1.3:1", "[::2]:1"].map(|t| t.parse().unwrap());
        assert_eq!(in_turn(vec![a, b, c, x]), vec![a, x, b, c]);
        assert_eq!(in_turn(vec![x, a, b]), vec![x, a, b]);
        assert_eq!(in_turn(vec![]), vec![]);
    }

    #[tokio::test]
    async fn a_dead_address_does_not_hide_a_live_one() {
        let live = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let dead = gone.local_addr().unwrap();
        drop(gone);
        let addresses = vec![dead, live.local_addr().unwrap()];
        // An hour's stagger: the failure itself must start the next.
        let stream = connect_any(addresses, Duration::from_hours(1)).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), live.local_addr().unwrap());
        assert!(connect_any(vec![dead], Duration::ZERO).await.is_err());
        assert!(connect_any(vec![], Duration::ZERO).await.is_err());
    }
}
