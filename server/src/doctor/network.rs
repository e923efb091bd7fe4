//! Port and address: whether the relay answers where it listens, and where devices look for it.

use std::{
    collections::BTreeSet,
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    time::timeout,
};

use super::{
    Finding, bad, good,
    visit::{Seen, visit},
    warning,
};
use crate::{
    admin::Stats,
    config::{Config, Security},
    reach::Reach,
};

pub(super) async fn examine(config: &Config, running: Option<&Stats>) -> Vec<Finding> {
    let bound = running.and_then(|stats| stats.listen.parse().ok()).unwrap_or(config.listen);
    let here = match running {
        None => return [free(config.listen).await].into_iter().chain(address(config, bound).await).collect(),
        Some(stats) if waits(stats) => {
            let says = format!("the relay runs, listens on {bound}, and waits for its certificate");
            let address = address(config, bound).await;
            let way = way_of_authorities(config, bound).await;
            return [good("port", says)].into_iter().chain(address).chain(way).collect();
        }
        Some(_) => here(config, bound).await,
    };
    let mut findings = vec![match &here {
        Ok(seen) if seen.well => good("port", format!("the relay runs, and answers on {bound}")),
        Ok(_) => bad("port", format!("what answers on {bound} is not well"), "see the relay's log"),
        Err(error) => bad(
            "port",
            format!("the relay runs, and does not answer on {bound}: {error}"),
            "see the relay's log; start it again",
        ),
    }];
    findings.extend(address(config, bound).await);
    findings.extend(way_of_authorities(config, bound).await);
    if let Ok(here) = here {
        findings.extend(outside(config, bound, &here).await);
    }
    findings
}

/// No stranger can get in before there is a certificate.
fn waits(stats: &Stats) -> bool {
    stats.certificate.as_ref().is_some_and(|certificate| certificate.ends_ms.is_none())
}

async fn free(listen: SocketAddr) -> Finding {
    match TcpListener::bind(listen).await {
        Ok(_) => good("port", format!("no relay runs; {listen} is free for it")),
        Err(error) => {
            let todo = match error.kind() {
                io::ErrorKind::AddrInUse => {
                    "stop the program that has it (`ss -ltnp` names it), or choose another port in `listen`"
                }
                io::ErrorKind::PermissionDenied => {
                    "choose a port from 1024 on, or let the system allow it (AmbientCapabilities=CAP_NET_BIND_SERVICE in a unit of systemd)"
                }
                _ => "let `listen` name an address of this machine: 0.0.0.0 is all of them",
            };
            bad("port", format!("{listen} cannot be had: {error}"), todo)
        }
    }
}

/// Where it listens, as seen from this machine.
async fn here(config: &Config, bound: SocketAddr) -> Result<Seen, String> {
    let ip = match bound.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::from([127, 0, 0, 1]),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]),
        ip => ip,
    };
    let secure = config.security() != Security::Plain;
    visit(&ip.to_string(), SocketAddr::new(ip, bound.port()), secure).await
}

/// What stands in invites, and who can get there.
async fn address(config: &Config, bound: SocketAddr) -> Vec<Finding> {
    let url = Reach::new(config, bound, None).url;
    let host = Reach::host(config);
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(ip) = bare.parse::<IpAddr>() {
        let todo = "for other machines set listen = \"0.0.0.0:7443\", or a proxy in front";
        return vec![match ip {
            ip if ip.is_unspecified() => warning(
                "address",
                format!("invites say {url}: this machine has no address in a network"),
                "connect it to a network, or set public_address",
            ),
            ip if ip.is_loopback() && !config.behind_proxy => {
                warning("address", format!("invites say {url}: only this machine gets there"), todo)
            }
            ip if is_private(ip) => {
                good("address", format!("invites say {url}: only this network gets there"))
            }
            _ => good("address", format!("invites say {url}")),
        }];
    }
    match resolve(bare).await {
        Ok(found) => {
            let found: Vec<String> = found.iter().map(IpAddr::to_string).collect();
            vec![good("address", format!("invites say {url}; {bare} is {}", found.join(", ")))]
        }
        Err(error) => vec![bad(
            "address",
            format!("invites say {url}, and {bare} is not found: {error}"),
            "make a DNS record of that name which leads to this machine, or correct public_address",
        )],
    }
}

/// The way that devices take, as far as it can be gone from here.
async fn outside(config: &Config, bound: SocketAddr, here: &Seen) -> Option<Finding> {
    if config.public_address.is_empty() {
        return None;
    }
    let url = Reach::new(config, bound, None).url;
    let secure = url.starts_with("wss://");
    let authority = url.split("://").nth(1)?;
    let usual = if secure { 443 } else { 80 };
    let host = Reach::host(config);
    let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let port =
        authority.strip_prefix(&host)?.strip_prefix(':').map_or(Some(usual), |port| port.parse().ok())?;
    let found = resolve(&bare).await.ok()?;
    Some(match first_to_answer(&bare, &found, port, secure).await {
        Ok(seen) if !seen.well => bad(
            "reachability",
            format!("something answers at {url}, and it is no relay that is well"),
            "lead that name and port to this relay (DNS, router, proxy)",
        ),
        Ok(seen) if seen.pin != here.pin && !config.behind_proxy => bad(
            "reachability",
            format!("another relay than this one answers at {url}"),
            "lead that name and port to this relay (DNS, router)",
        ),
        Ok(_) => good("reachability", format!("it answers at {url}, as seen from this machine")),
        Err(error) => warning(
            "reachability",
            format!("from this machine it cannot be reached at {url}: {error}"),
            format!(
                "open port {port} in firewall and router; some routers do not lead back in, so try {}/health from outside",
                url.replacen("ws", "http", 1)
            ),
        ),
    })
}

/// An authority comes to port 443 of the name, wherever devices go.
async fn way_of_authorities(config: &Config, bound: SocketAddr) -> Option<Finding> {
    let url = Reach::new(config, bound, None).url;
    let host = Reach::host(config);
    // Without a port in the address, devices take the same way, and theirs is looked at.
    if url.ends_with(&host) || config.security() != Security::Acme {
        return None;
    }
    let found = resolve(&host).await.ok()?;
    let mut why = "it has no address".to_owned();
    for ip in found {
        match timeout(PATIENCE, TcpStream::connect((ip, 443))).await {
            Ok(Ok(_)) => return None,
            Ok(Err(error)) => why = error.to_string(),
            Err(_) => "no answer in time".clone_into(&mut why),
        }
    }
    Some(warning(
        "authority",
        format!(
            "from this machine port 443 of {host} cannot be reached, and an authority comes there: {why}"
        ),
        format!(
            "lead it (router, firewall) to {bound}; some routers do not lead back in, so try from outside"
        ),
    ))
}

/// A name may have addresses of which only one leads here.
async fn first_to_answer(host: &str, found: &[IpAddr], port: u16, secure: bool) -> Result<Seen, String> {
    let mut why = "it has no address".to_owned();
    for ip in found {
        match visit(host, SocketAddr::new(*ip, port), secure).await {
            Ok(seen) => return Ok(seen),
            Err(error) => why = error,
        }
    }
    Err(why)
}

async fn resolve(host: &str) -> Result<Vec<IpAddr>, String> {
    match timeout(PATIENCE, tokio::net::lookup_host((host, 0))).await {
        Ok(Ok(found)) => {
            let found: BTreeSet<IpAddr> = found.map(|address| address.ip()).collect();
            Ok(found.into_iter().collect())
        }
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("the name server does not answer".to_owned()),
    }
}

fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

const PATIENCE: Duration = Duration::from_secs(5);
