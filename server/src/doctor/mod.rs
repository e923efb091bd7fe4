//! A look at all that a relay needs, with what to do about what is missing. Nothing is changed.

mod certificate;
mod clock;
mod files;
mod network;
mod updates;
mod visit;

use std::fmt::{self, Display, Formatter};

use serde::Serialize;

use crate::{
    admin::{AdminRequest, AdminResponse, Stats, ask},
    config::Layers,
};

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub about: &'static str,
    pub level: Level,
    pub says: String,
    /// What to do; none if it is good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub todo: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Good,
    /// The relay works; somebody may want to know.
    Warning,
    /// It does not work, or will not after the next start.
    Bad,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    pub findings: Vec<Finding>,
}

impl Report {
    /// Warnings do not count.
    pub fn is_well(&self) -> bool {
        self.findings.iter().all(|finding| finding.level != Level::Bad)
    }
}

/// Looks at the relay of this configuration, whether it runs or not.
pub fn examine(layers: &Layers) -> Report {
    let config = match layers.load() {
        Ok(config) => config,
        Err(error) => {
            let todo = "correct it; `kith-relay config check` says when it is good";
            return Report { findings: vec![bad("configuration", error.to_string(), todo)] };
        }
    };
    let mut findings = vec![good(
        "configuration",
        match &layers.file {
            Some(file) => format!("{} is good", file.display()),
            None => "there is no file: the defaults, and what variables say".to_owned(),
        },
    )];
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            findings.push(bad(
                "system",
                error.to_string(),
                "close some programs: the system is out of resources",
            ));
            return Report { findings };
        }
    };
    let running = runtime.block_on(async { running(&config.data).await });
    findings.extend(files::examine(&config));
    findings.extend(updates::examine(&config));
    findings.extend(clock::examine(&config));
    findings.extend(certificate::examine(&config, running.as_ref()));
    findings.extend(runtime.block_on(network::examine(&config, running.as_ref())));
    if running.as_ref().is_some_and(|stats| !stats.well) {
        let todo = "make room on the disk, and see the relay's log for the reason";
        findings.push(bad("storage", "the running relay refuses writes".to_owned(), todo));
    }
    if let Some(stats) = running.as_ref().filter(|stats| stats.nearly_full_accounts > 0) {
        let says = format!("{} accounts have nearly used up what they may hold", stats.nearly_full_accounts);
        let todo = "see who in `kith-relay users list`; give them more with `kith-relay users quota`, or have them delete messages";
        findings.push(warning("quota", says, todo));
    }
    Report { findings }
}

async fn running(data: &std::path::Path) -> Option<Stats> {
    match ask(data, &AdminRequest::Stats).await {
        Ok(AdminResponse::Stats { stats }) => Some(stats),
        _ => None,
    }
}

fn good(about: &'static str, says: String) -> Finding {
    Finding { about, level: Level::Good, says, todo: None }
}

fn warning(about: &'static str, says: String, todo: impl Into<String>) -> Finding {
    Finding { about, level: Level::Warning, says, todo: Some(todo.into()) }
}

fn bad(about: &'static str, says: String, todo: impl Into<String>) -> Finding {
    Finding { about, level: Level::Bad, says, todo: Some(todo.into()) }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for Finding { about, level, says, todo } in &self.findings {
            let level = match level {
                Level::Good => "good",
                Level::Warning => "warning",
                Level::Bad => "BAD",
            };
            writeln!(f, "{level:<8} {about}: {says}")?;
            if let Some(todo) = todo {
                writeln!(f, "{:<8} -> {todo}", "")?;
            }
        }
        Ok(())
    }
}
