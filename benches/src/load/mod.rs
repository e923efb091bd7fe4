//! The load: devices that cost little, so that what is measured is the server.

pub(crate) mod counter;
pub(crate) mod device;
pub(crate) mod scanner;
pub(crate) mod tls;
pub(crate) mod wire;

use crate::child::Child;
use crate::time::Watch;
use std::future::Future;
use std::time::Duration;

/// A runtime for the load, with as many threads as a server gets.
pub(crate) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

/// What a run has yielded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    /// Things a second.
    pub(crate) per_second: f64,
    /// Processor seconds of the server for each.
    pub(crate) cpu_each: Option<f64>,
}

/// Watches a count grow to `total`, and measures its middle: neither the first tenth nor the last.
pub(crate) async fn measure(child: &Child, total: u64, count: impl Fn() -> u64) -> crate::Outcome<Rate> {
    let watch = Watch::start();
    let (mut begun, mut last) = (None, (0, Duration::ZERO));
    loop {
        let (seen, now) = (count(), watch.elapsed());
        if begun.is_none() && seen >= total / 10 {
            begun = Some((seen, now, child.cpu_seconds()));
        }
        if seen >= total / 10 * 9 {
            let (from, since, cpu) = begun.expect("a tenth comes before nine");
            let things = (seen - from) as f64;
            let cpu_each = child.cpu_seconds().zip(cpu).map(|(now, then)| (now - then) / things);
            return Ok(Rate { per_second: things / now.saturating_sub(since).as_secs_f64(), cpu_each });
        }
        if seen > last.0 {
            last = (seen, now);
        } else if now.saturating_sub(last.1) > STANDSTILL {
            return Err(format!("the load stands still at {seen} of {total}").into());
        }
        tokio::time::sleep(SAMPLING).await;
    }
}

/// Runs many things, some at a time, and stops at the first that fails.
pub(crate) async fn many<T: Send + 'static, F>(things: impl Iterator<Item = F>) -> crate::Outcome<Vec<T>>
where
    F: Future<Output = crate::Outcome<T>> + Send + 'static,
{
    use futures_util::StreamExt;
    let mut running = futures_util::stream::iter(things.map(tokio::spawn)).buffered(AT_ONCE);
    let mut done = Vec::new();
    while let Some(thing) = running.next().await {
        done.push(thing??);
    }
    Ok(done)
}

const SAMPLING: Duration = Duration::from_millis(5);
const STANDSTILL: Duration = Duration::from_secs(30);
const AT_ONCE: usize = 128;
