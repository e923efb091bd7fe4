//! Certificates from an authority, by ACME (RFC 8555): ordered at the first start, renewed long before they end, again and
//! again with growing pauses while that fails. Meanwhile the old one stays in use.

mod account;
mod order;

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

pub(crate) use self::account::ACCOUNT_FILE;
use self::order::{Order, OrderError};
use crate::{
    clock::{Clock, Instant},
    commands::time,
    config::{Config, Live},
    metrics::Metrics,
    reach::Reach,
    tls::{Issued, Life, Tls},
};

/// An order that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// A sentence with what to do.
    pub(crate) says: String,
    /// When it is tried again, in milliseconds since 1970.
    pub(crate) again_at: u64,
}

/// Keeps the certificate of [`Tls`] up to date.
pub(crate) struct Keeper {
    pub(crate) tls: Tls,
    pub(crate) live: Live,
    pub(crate) data: PathBuf,
    pub(crate) clock: Clock,
    pub(crate) metrics: Arc<Metrics>,
}

impl Keeper {
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut pace = Pace { failed: 0, not_before: self.clock.now() };
        if let Some(life) = self.tls.life() {
            self.metrics.certificate_ends("acme", life.to);
        }
        loop {
            let config = self.live.snapshot();
            let pause = pace.pause(self.clock.now(), self.due_in(&config));
            if !pause.is_zero() {
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = self.tls.asked() => pace.asked(self.clock.now()),
                    // The wall clock decides, and runs on while a machine sleeps.
                    () = tokio::time::sleep(pause.min(LOOK)) => {}
                }
                continue;
            }
            let result = tokio::select! {
                () = stop.cancelled() => return,
                result = self.order(&config) => result,
            };
            let now = self.clock.now();
            match result {
                Ok(life) => pace.succeeded(now, life),
                Err(error) => {
                    let pause = pace.failed(now, &error);
                    self.note(&error, pause);
                }
            }
        }
    }

    /// How long the certificate in use is still good enough.
    fn due_in(&self, config: &Config) -> Duration {
        let fits = |issued: &Issued| {
            issued.is_for(&Reach::host(config)) && account::is_of(&self.data, &config.tls.acme_directory)
        };
        let until = self.tls.issued().filter(fits).map_or(0, |issued| renewal(issued.life));
        let now = self.clock.unix_ms() / 1000;
        Duration::from_secs(u64::try_from(until).unwrap_or(0).saturating_sub(now))
    }

    async fn order(&self, config: &Config) -> Result<Life, OrderError> {
        let name = Reach::host(config);
        info!(%name, directory = config.tls.acme_directory, "asking for a certificate");
        let order = Order { name: &name, tls: &config.tls, data: &self.data, serving: &self.tls };
        let result = tokio::time::timeout(PATIENCE, order.run()).await.unwrap_or(Err(OrderError::Late));
        // However it ended, nobody else's challenge is answered.
        self.tls.answer(None)?;
        let issued = result?;
        let life = issued.life;
        self.tls.take_up(issued)?;
        self.tls.set_failure(None);
        self.metrics.certificate_ends("acme", life.to);
        info!(%name, until = end(life), "the certificate is there");
        Ok(life)
    }

    fn note(&self, error: &OrderError, pause: Duration) {
        self.metrics.acme_failures.inc();
        let says = error.to_string();
        let stands = match self.tls.life() {
            Some(life) => format!("the old certificate stays in use, until {}", end(life)),
            None => "no device can connect until there is a certificate".to_owned(),
        };
        let again = humantime::format_duration(pause);
        warn!("no certificate was issued: {says}; tried again in {again}, or at once on `reload`; {stands}");
        let again_at = self.clock.unix_ms() + u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        self.tls.set_failure(Some(Failure { says, again_at }));
    }
}

/// How often an authority is asked, at most.
struct Pace {
    /// How often in a row.
    failed: u32,
    not_before: Instant,
}

impl Pace {
    fn pause(&self, now: Instant, due: Duration) -> Duration {
        due.max(self.not_before.saturating_duration_since(now))
    }

    fn failed(&mut self, now: Instant, error: &OrderError) -> Duration {
        self.failed += 1;
        let pause = pause_after(error, self.failed);
        self.not_before = now + pause;
        pause
    }

    /// By a wall clock that is wrong, each new certificate may be due at once.
    fn succeeded(&mut self, now: Instant, life: Life) {
        let seconds = u64::try_from((life.to - life.from) / 3).unwrap_or(0);
        *self = Self { failed: 0, not_before: now + Duration::from_secs(seconds) };
    }

    /// Somebody has mended what was wrong; what is not due is not asked for.
    fn asked(&mut self, now: Instant) {
        if self.failed > 0 {
            self.not_before = now;
        }
    }
}

/// When a third of its life is left: 30 days of 90, as authorities advise, and enough for many failures.
fn renewal(life: Life) -> i64 {
    life.to - (life.to - life.from) / 3
}

/// Who cannot be reached may be so in a moment (at the start of a machine, say), and is not bothered by a try. Who refuses
/// counts failures: Let's Encrypt takes five in an hour for a name.
fn pause_after(error: &OrderError, times: u32) -> Duration {
    let (first, longest) = match error {
        OrderError::Unreachable { .. } => (Duration::from_secs(10), Duration::from_hours(1)),
        OrderError::TooMany { .. } => (Duration::from_hours(1), Duration::from_hours(12)),
        _ => (Duration::from_mins(5), Duration::from_hours(12)),
    };
    first.saturating_mul(1 << times.saturating_sub(1).min(16)).min(longest)
}

fn end(life: Life) -> String {
    time(u64::try_from(life.to).unwrap_or(0) * 1000)
}

const LOOK: Duration = Duration::from_hours(1);
/// Authorities look from several places, one after the other.
const PATIENCE: Duration = Duration::from_mins(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_third_of_its_life_before_the_end() {
        let day = 86_400;
        assert_eq!(renewal(Life { from: 0, to: 90 * day }), 60 * day);
        assert_eq!(renewal(Life { from: 0, to: 6 * day }), 4 * day);
    }

    #[test]
    fn a_wrong_clock_makes_no_flood() {
        let now = Clock::system().now();
        let mut pace = Pace { failed: 3, not_before: now };
        assert_eq!(pace.pause(now, Duration::ZERO), Duration::ZERO);
        pace.succeeded(now, Life { from: 0, to: 90 * 86_400 });
        pace.asked(now);
        assert_eq!(pace.pause(now, Duration::ZERO), Duration::from_hours(30 * 24));
        assert_eq!(pace.pause(now, Duration::from_hours(60 * 24)), Duration::from_hours(60 * 24));
        let away = OrderError::Unreachable { directory: "x".into(), why: "y".into() };
        let pause = pace.failed(now, &away);
        assert_eq!(pace.pause(now, Duration::ZERO), pause);
        pace.asked(now);
        assert_eq!(pace.pause(now, Duration::ZERO), Duration::ZERO);
    }

    #[test]
    fn refusals_stay_below_what_authorities_allow() {
        let refused = OrderError::Refused { name: "x".into(), why: "y".into() };
        let tries_in_an_hour = (1..).scan(Duration::ZERO, |at, times| {
            *at += pause_after(&refused, times);
            (*at < Duration::from_hours(1)).then_some(())
        });
        assert!(1 + tries_in_an_hour.count() < 5);
        assert_eq!(pause_after(&refused, 100), Duration::from_hours(12));
        let away = OrderError::Unreachable { directory: "x".into(), why: "y".into() };
        assert_eq!(pause_after(&away, 1), Duration::from_secs(10));
        assert_eq!(pause_after(&away, 100), Duration::from_hours(1));
    }
}
