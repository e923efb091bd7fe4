//! The certificate: whose, for which name, and for how long.

use rustls::{
    client::verify_server_name,
    pki_types::{CertificateDer, ServerName},
    server::ParsedCertificate,
};

use super::{Finding, bad, good, warning};
use crate::{
    clock::Clock,
    commands::time,
    config::{Config, Security},
    reach::Reach,
    tls::{KEY_FILE, Tls, chain},
};

pub(super) fn examine(config: &Config) -> Vec<Finding> {
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
    }
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
        Ok([leaf, ..]) => vec![life(leaf), name(leaf, config)].into_iter().flatten().collect(),
        Ok([]) => Vec::new(),
        Err(error) => vec![bad("certificate", error.clone(), "have it issued again")],
    }
}

fn life(leaf: &CertificateDer<'_>) -> Option<Finding> {
    let (_, parsed) = x509_parser::parse_x509_certificate(leaf).ok()?;
    let now = i64::try_from(Clock::system().unix_ms() / 1000).ok()?;
    let (from, to) = (parsed.validity().not_before.timestamp(), parsed.validity().not_after.timestamp());
    let shown = |at: i64| time(u64::try_from(at).unwrap_or(0) * 1000);
    let renew = "renew it; the relay takes up the new files by itself";
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
