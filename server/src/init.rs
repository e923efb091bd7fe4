//! The first quarter of an hour: a configuration, the owner's invite, and the next command.

use std::{
    fmt::{self, Display, Formatter},
    io::{self, BufRead, Write},
    path::{Path, PathBuf},
};

use rustls::pki_types::ServerName;
use serde::Serialize;

use crate::{
    args::{Init, Place},
    config::{Config, ConfigError, DEFAULT_PORT, EXAMPLE, Layers},
    platform,
    reach::Reach,
    serve::{ServeError, prepare},
};

/// What was written, and what comes next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Initialised {
    pub config: PathBuf,
    pub data: PathBuf,
    /// What devices are told: `wss://host:port`.
    pub url: String,
    /// None if somebody has joined already.
    pub invite: Option<String>,
    pub next: String,
    #[serde(skip)]
    at_home: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum InitError {
    #[error("{} is there already; start with `kith-relay serve --config {}`, or name another file with --config", file.display(), file.display())]
    Exists { file: PathBuf },
    #[error("the port must be a number from 1 to 65535, not `{0}`")]
    Port(String),
    #[error("the answer must be yes or no, not `{0}`")]
    YesOrNo(String),
    #[error(
        "an authority vouches for a public name, not for `{0}`; give one with --address, or leave --acme out"
    )]
    NoName(String),
    #[error("the answer cannot be read: {0}; give --address and --port instead")]
    Answer(#[source] io::Error),
    #[error("{} cannot be written: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Serve(#[from] ServeError),
}

/// Asks what was not said, writes the configuration, and makes what a first start would make.
pub fn init(place: &Place, args: &Init) -> Result<Initialised, InitError> {
    let layers = place.layers();
    let file = layers.file.clone().unwrap_or_else(|| PathBuf::from(FILE));
    if file.exists() {
        return Err(InitError::Exists { file });
    }
    let address = match &args.address {
        Some(address) => address.clone(),
        None => ask(
            "Where will others reach this relay? Its public name (chat.example.org), or home for the home network",
            HOME,
        )?,
    };
    let acme = wants_acme(args, &address)?;
    let port = if let Some(port) = args.port {
        port
    } else {
        let usual = if args.behind_proxy || acme { HTTPS_PORT } else { DEFAULT_PORT };
        let answer = ask("On which port?", &usual.to_string())?;
        answer.parse().ok().filter(|port| *port > 0).ok_or(InitError::Port(answer))?
    };
    // The data's folder must not depend on where the next command is typed.
    let defaults = Layers { file: None, ..layers.clone() }.load()?;
    let data = std::path::absolute(&defaults.data)
        .map_err(|source| InitError::Write { path: defaults.data.clone(), source })?;
    let text = written(args, &address, acme, port, &data)?;
    write(&file, &text)?;
    let made = make(&layers, &file).inspect_err(|_| {
        // What cannot be used is no reason to refuse the next try.
        let _ = std::fs::remove_file(&file);
    })?;
    let file = file.canonicalize().unwrap_or(file);
    let next = format!("kith-relay serve --config {}", file.display());
    Ok(Initialised { config: file, data, url: made.0, invite: made.1, next, at_home: address == HOME })
}

/// Asked only if nothing else was said about the certificate, and whoever is asked for an address answers.
fn wants_acme(args: &Init, address: &str) -> Result<bool, InitError> {
    let is_name = address != HOME && matches!(ServerName::try_from(address), Ok(ServerName::DnsName(_)));
    if args.acme {
        return if is_name { Ok(true) } else { Err(InitError::NoName(address.to_owned())) };
    }
    if !is_name || args.address.is_some() || args.behind_proxy || args.cert.is_some() {
        return Ok(false);
    }
    let answer = ask(
        "Shall Let's Encrypt issue a certificate for that name? Then port 443 of it must lead here, and you accept \
         the terms at https://letsencrypt.org/repository/ (yes or no)",
        "no",
    )?;
    match answer.as_str() {
        "yes" | "y" => Ok(true),
        "no" | "n" => Ok(false),
        _ => Err(InitError::YesOrNo(answer)),
    }
}

fn make(layers: &Layers, file: &Path) -> Result<(String, Option<String>), InitError> {
    let config = Layers { file: Some(file.to_owned()), ..layers.clone() }.load()?;
    let url = Reach::new(&config, config.listen, None).url;
    Ok((url, prepare(config)?.map(|invite| invite.link)))
}

/// The example with what was chosen in the place of its defaults: whoever opens it finds each key explained.
fn written(args: &Init, address: &str, acme: bool, port: u16, data: &Path) -> Result<String, InitError> {
    let public = match (address, args.behind_proxy) {
        (HOME, _) => String::new(),
        (host, _) if port == HTTPS_PORT && (args.behind_proxy || acme) => host.to_owned(),
        (host, _) => format!("{}:{port}", bracketed(host)),
    };
    let listen =
        if args.behind_proxy { Config::default().listen.to_string() } else { format!("0.0.0.0:{port}") };
    let mut text = EXAMPLE.to_owned();
    let mut set = |key: &str, value: toml::Value| {
        let from = text.lines().find(|line| line.starts_with(&format!("{key} = "))).map(str::to_owned);
        let from = from.expect("the example names every key");
        text = text.replacen(&format!("\n{from}\n"), &format!("\n{key} = {value}\n"), 1);
    };
    set("listen", listen.into());
    set("public_address", public.into());
    set("data", data.to_string_lossy().into_owned().into());
    set("behind_proxy", args.behind_proxy.into());
    if acme {
        set("mode", "acme".into());
    }
    if let (Some(cert), Some(key)) = (&args.cert, &args.key) {
        let path = |path: &PathBuf| {
            std::path::absolute(path)
                .map(|path| toml::Value::from(path.to_string_lossy().into_owned()))
                .map_err(|source| InitError::Write { path: path.clone(), source })
        };
        set("mode", "files".into());
        set("cert", path(cert)?);
        set("key", path(key)?);
    }
    Ok(text)
}

fn bracketed(host: &str) -> String {
    if host.parse::<std::net::Ipv6Addr>().is_ok() { format!("[{host}]") } else { host.to_owned() }
}

fn write(file: &Path, text: &str) -> Result<(), InitError> {
    let failed = |source| InitError::Write { path: file.to_owned(), source };
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut to = platform::create_private_file(file).map_err(failed)?;
    to.write_all(text.as_bytes()).and_then(|()| to.sync_all()).map_err(failed)
}

/// Asks on standard error, so that standard output stays for what comes of it. An empty answer takes what is usual.
fn ask(question: &str, usual: &str) -> Result<String, InitError> {
    eprint!("{question} [{usual}]: ");
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(InitError::Answer)?;
    let answer = answer.trim();
    Ok(if answer.is_empty() { usual.to_owned() } else { answer.to_owned() })
}

impl Display for Initialised {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { config, data, url, invite, next, at_home } = self;
        writeln!(f, "wrote {}; all that the relay keeps will be in {}", config.display(), data.display())?;
        writeln!(f, "devices will look for it at {url}")?;
        if *at_home {
            writeln!(
                f,
                "(your router may give this machine another address one day: tell it to keep this one)"
            )?;
        }
        writeln!(f, "\nStart it:\n  {next}")?;
        match invite {
            Some(link) => {
                writeln!(
                    f,
                    "\nOpen this in Kith; whoever does so first owns the relay (one use, seven days):\n{link}"
                )
            }
            None => writeln!(f, "\nSomebody has joined already: there is an owner."),
        }
    }
}

const FILE: &str = "relay.toml";
const HOME: &str = "home";
/// Where proxies listen, and where authorities look.
const HTTPS_PORT: u16 = 443;
