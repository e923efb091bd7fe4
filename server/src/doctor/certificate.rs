//! The certificate: whose, for which name, and for how long.

use rustls::{
    client::verify_server_name,
    pki_types::{CertificateDer, ServerName},
    server::ParsedCertificate,
};

use super::{Finding, bad, good, warning};
use crate::{
    admin::Stats,
    clock::Clock,
    commands::time,
    config::{Config, Security},
    reach::Reach,
    tls::{ISSUED_FILE, Issued, KEY_FILE, Life, Tls, chain},
};

pub(super) fn examine(config: &Config, running: Option<&Stats>) -> Vec<Finding> {
    match config.security() {
        Security::Plain if config.behind_proxy => {
            vec![good("certificate", "the proxy has it".to_owned())]
        }
        Security::Plain => {
            vec![good("certificate", "none: connections from this machine are plain".to_owned())]
        }
        Security::SelfSigned if config.data.join(KEY_FILE).exists() => {
            match Tls::open(config, &config.data, &Reach::host(config)) {
                Ok(_) => vec![good(
                    "certificate",
                    "of a key of its own, whose pin stands in each invite".to_owned(),
                )],
                Err(error) => vec![bad(
                    "certificate",
                    error.to_string(),
                    "put back the key from a backup: without it every device must join again",
                )],
            }
        }
        Security::SelfSigned => {
            vec![good(
                "certificate",
                "its key is made at the first start; its pin stands in each invite".to_owned(),
            )]
        }
        Security::Files => given(config),
        Security::Acme => issued(config, running),
    }
}

/// What an authority has issued, and how the last order went.
fn issued(config: &Config, running: Option<&Stats>) -> Vec<Finding> {
    let host = Reach::host(config);
    let mut findings = match Issued::load(&config.data) {
        Ok(Some(issued)) if !issued.is_for(&host) => vec![warning(
            "certificate",
            format!("it is not for {host}, which stands in invites"),
            "start the relay: it asks for one that is",
        )],
        Ok(Some(issued)) => life(issued.life, "see below, and the relay's log").into_iter().collect(),
        Ok(None) => vec![warning(
            "certificate",
            format!("there is none yet for {host}, and no device can connect before"),
            "start the relay: it asks for one, and its log tells how that goes",
        )],
        Err(error) => {
            let todo = format!("remove {ISSUED_FILE} in the data folder: the relay asks for a new one");
            vec![bad("certificate", error.to_string(), todo)]
        }
    };
    let certificate = running.and_then(|stats| stats.certificate.as_ref());
    if let Some((says, again)) = certificate.and_then(|found| found.failure.as_ref().zip(found.again_ms)) {
        let todo = format!("mend that, then `kith-relay reload`; by itself it tries again {}", time(again));
        findings.push(warning("authority", format!("the last order failed: {says}"), todo));
    }
    findings
}

fn given(config: &Config) -> Vec<Finding> {
    // Together they must make a certificate that can be served.
    if let Err(error) = Tls::open(config, &config.data, &Reach::host(config)) {
        let todo =
            "let tls.cert and tls.key name the two files of one certificate, readable for the relay's user";
        return vec![bad("certificate", error.to_string(), todo)];
    }
    let read = std::fs::read(&config.tls.cert).map_err(|error| error.to_string());
    let leaf = read.and_then(|pem| chain(&pem, &config.tls.cert).map_err(|error| error.to_string()));
    match leaf.as_deref() {
        Ok([leaf, ..]) => {
            let life = Life::of(leaf)
                .and_then(|found| life(found, "renew it; the relay takes up the new files by itself"));
            vec![life, name(leaf, config)].into_iter().flatten().collect()
        }
        Ok([]) => Vec::new(),
        Err(error) => vec![bad("certificate", error.clone(), "have it issued again")],
    }
}

fn life(Life { from, to }: Life, renew: &'static str) -> Option<Finding> {
    let now = i64::try_from(Clock::system().unix_ms() / 1000).ok()?;
    let shown = |at: i64| time(u64::try_from(at).unwrap_or(0) * 1000);
    Some(match to - now {
        _ if from > now => bad(
            "certificate",
            format!("it counts from {} on", shown(from)),
            "look whether the clock is right",
        ),
        left if left <= 0 => bad("certificate", format!("it ended {}", shown(to)), renew),
        left if left < WARN_DAYS * DAY_S => {
            warning("certificate", format!("it ends in {} days, {}", left / DAY_S, shown(to)), renew)
        }
        left => good("certificate", format!("good for {} days, until {}", left / DAY_S, shown(to))),
    })
}

fn name(leaf: &CertificateDer<'_>, config: &Config) -> Option<Finding> {
    let host = Reach::host(config);
    let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let parsed = ParsedCertificate::try_from(leaf).ok()?;
    let wanted = ServerName::try_from(bare.clone()).ok()?;
    match verify_server_name(&parsed, &wanted) {
        Ok(()) => None,
        // Whoever pins the key does not look at names.
        Err(_) if config.tls.pin_invites => None,
        Err(_) => Some(bad(
            "certificate",
            format!("it is not for {bare}, which stands in invites"),
            "set public_address to a name that it is for, or have one issued for this name",
        )),
    }
}

/// Issuers renew a month before the end; whoever comes to this has been forgotten.
const WARN_DAYS: i64 = 14;
const DAY_S: i64 = 86_400;
