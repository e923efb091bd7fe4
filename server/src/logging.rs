//! Logs to standard error, as text or as JSON: ids and sizes, never bodies, tokens or names.

use std::io::IsTerminal;

use tracing_subscriber::{
    EnvFilter, Registry,
    filter::ParseError,
    fmt,
    layer::SubscriberExt,
    reload,
    util::{SubscriberInitExt, TryInitError},
};

use crate::config::{LogFormat, LogSection};

/// Changes the level of a running log.
#[derive(Clone, Debug)]
pub struct Logging(reload::Handle<EnvFilter, Registry>);

impl Logging {
    /// Once a process.
    pub fn start(section: &LogSection) -> Result<Self, LoggingError> {
        let (filter, handle) = reload::Layer::new(filter(&section.level)?);
        let lines = fmt::layer().with_writer(std::io::stderr);
        let registry = tracing_subscriber::registry().with(filter);
        match section.format {
            LogFormat::Text => registry.with(lines.with_ansi(std::io::stderr().is_terminal())).try_init()?,
            LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init()?,
        }
        Ok(Self(handle))
    }

    pub fn set_level(&self, level: &str) -> Result<(), LoggingError> {
        Ok(self.0.reload(filter(level)?)?)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    #[error("log.level is `{level}`, which is no level and no list of directives: {source}")]
    Level { level: String, source: ParseError },
    #[error("start the log: {0}")]
    Start(#[from] TryInitError),
    #[error("change the log's level: {0}")]
    Change(#[from] reload::Error),
}

fn filter(level: &str) -> Result<EnvFilter, LoggingError> {
    EnvFilter::builder()
        .parse(level)
        .map_err(|source| LoggingError::Level { level: level.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_directives() {
        for good in ["info", "warn,kith_relay::http=debug"] {
            assert!(filter(good).is_ok(), "{good}");
        }
        let error = filter("a=b=c").unwrap_err().to_string();
        assert!(error.contains("log.level is `a=b=c`"), "{error}");
    }
}
