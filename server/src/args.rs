//! The command line.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{
    Args, Parser, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
use clap_complete::Shell;

use crate::{admin::RelayRole, config::Layers, size::Size};

/// The relay of Kith: one binary that a person can host.
#[derive(Debug, Parser)]
#[command(name = "kith-relay", version, after_help = AFTER_HELP, propagate_version = true, max_term_width = 110)]
pub struct Cli {
    #[command(flatten)]
    pub place: Place,
    #[command(subcommand)]
    pub command: Command,
}

/// What says which relay is meant.
#[derive(Clone, Debug, Args)]
pub struct Place {
    /// The configuration, in TOML; see `kith-relay config print` [env: KITH_CONFIG]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Options for all commands")]
    pub config: Option<PathBuf>,
    /// The folder that holds everything [env: KITH_DATA] [default: kith-data]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Options for all commands")]
    pub data: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the relay. Without any configuration: on loopback, with its data in ./kith-data
    Serve(Serve),
    /// Make an invite link
    Invite(Invite),
    /// List open invites, take one back
    #[command(subcommand)]
    Invites(Invites),
    /// List users, give one another role, shut one out, let one in again
    #[command(subcommand)]
    Users(Users),
    /// List devices, shut one out
    #[command(subcommand)]
    Devices(Devices),
    /// List rooms, say how long one keeps its messages
    #[command(subcommand)]
    Rooms(Rooms),
    /// List who is connected now
    Sessions(Json),
    /// List what was refused lately, and to whom
    Refusals(Json),
    /// Let programs write into a room: make, list and revoke addresses that they post to
    #[command(subcommand)]
    Hooks(Hooks),
    /// Say something to everybody, above their chats until they put it away; without a text, show what is said
    Announce(Announce),
    /// Show who changed who may come in, and what they may do
    Audit(Audit),
    /// Show what the relay does and holds
    Stats(Json),
    /// Say whether the running relay can store what is written, as `/health` does: for containers and scripts
    Health(Json),
    /// Have the running relay read its configuration again, as SIGHUP does
    Reload(Json),
    /// Write all that the relay needs to go on elsewhere into one file, while it runs; or check such a file
    #[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
    Backup(Backup),
    /// Put a backup in the place of the relay, which must not run
    Restore(Restore),
    /// Bring the database up to date, as the next start would; with --dry-run only try it, on a copy
    Migrate(Migrate),
    /// Look at what a relay needs, and say what to do about what is missing
    Doctor(Json),
    /// Write a configuration, make the owner's invite, and say how to go on
    Init(Init),
    /// Check or print the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print completions for a shell
    Completions { shell: Shell },
}

#[derive(Debug, Default, Args)]
pub struct Serve {
    /// Where to listen: 0.0.0.0:7443 to be reached from other machines [env: KITH_LISTEN] [default: 127.0.0.1:7443]
    #[arg(long, value_name = "ADDR:PORT")]
    pub listen: Option<SocketAddr>,
    /// Host or host:port in invite links [env: KITH_PUBLIC_ADDRESS] [default: where it listens]
    #[arg(long, value_name = "HOST")]
    pub public_address: Option<String>,
    /// A proxy in front does TLS [env: KITH_BEHIND_PROXY]
    #[arg(long)]
    pub behind_proxy: bool,
    /// A certificate (PEM) instead of a self-signed key [env: KITH_TLS_CERT]
    #[arg(long, value_name = "FILE", requires = "key")]
    pub cert: Option<PathBuf>,
    /// Its key (PEM) [env: KITH_TLS_KEY]
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub key: Option<PathBuf>,
    /// Prometheus metrics on this loopback address [env: KITH_METRICS_LISTEN] [default: off]
    #[arg(long, value_name = "ADDR:PORT")]
    pub metrics: Option<SocketAddr>,
    /// error, warn, info, debug or trace [env: KITH_LOG_LEVEL] [default: info]
    #[arg(long, value_name = "LEVEL")]
    pub log: Option<String>,
    /// text or json [env: KITH_LOG_FORMAT] [default: text]
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Option<String>,
    /// Any other key of the configuration, such as limits.max_connections=500
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_and_value)]
    pub set: Vec<(String, String)>,
    /// The data was put back from an older copy (noticed by itself if the database is another file than before)
    #[arg(long)]
    pub restored: bool,
}

#[derive(Debug, Args)]
pub struct Invite {
    /// How many people may join with it
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub uses: u32,
    /// For how long: 7d, 12h, 30m
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = lifetime)]
    pub expires: Duration,
    /// What they become here
    #[arg(long, value_name = "ROLE", default_value = "member", value_parser = role())]
    pub role: RelayRole,
    /// A room that they are led to, by id
    #[arg(long, value_name = "ROOM")]
    pub room: Option<String>,
    #[command(flatten)]
    pub json: Json,
}

#[derive(Debug, Subcommand)]
pub enum Invites {
    /// All invites that can still be used
    List(Json),
    /// Nobody joins with it any more; who has joined stays
    Revoke {
        /// Its id, or the beginning of it
        // One id in 64 begins with a hyphen.
        #[arg(allow_hyphen_values = true)]
        invite: String,
        #[command(flatten)]
        json: Json,
    },
}

#[derive(Debug, Subcommand)]
pub enum Users {
    /// All accounts
    List(Json),
    /// Say what an account may do on this relay: admins and owners invite people
    Role {
        /// @handle or account id
        user: String,
        #[arg(value_parser = role())]
        role: RelayRole,
        #[command(flatten)]
        json: Json,
    },
    /// Say how much an account may hold here: messages, settings and marks together
    Quota {
        /// @handle or account id
        user: String,
        /// 2GiB, 500MiB; none: as much as there is room for; default: as the configuration says for all
        #[arg(value_name = "SIZE|none|default")]
        size: Size,
        #[command(flatten)]
        json: Json,
    },
    /// Disconnect an account and refuse it from now on; what it wrote stays
    Disable {
        /// @handle or account id
        user: String,
        #[command(flatten)]
        json: Json,
    },
    /// Let it in again
    Enable {
        /// @handle or account id
        user: String,
        #[command(flatten)]
        json: Json,
    },
}

#[derive(Debug, Subcommand)]
pub enum Devices {
    /// All devices, or those of one user
    List {
        /// @handle or account id
        user: Option<String>,
        #[command(flatten)]
        json: Json,
    },
    /// Disconnect a device and refuse it from now on
    Revoke {
        /// Its id, or the beginning of it
        device: String,
        #[command(flatten)]
        json: Json,
    },
}

#[derive(Debug, Subcommand)]
pub enum Rooms {
    /// All rooms
    List(Json),
    /// Say how long, or how much of, what is said in a room is kept; devices keep what they have
    #[command(group = clap::ArgGroup::new("keep").required(true).multiple(true))]
    Keep {
        /// Its id
        room: String,
        /// The last so many days
        #[arg(long, value_name = "N", group = "keep", value_parser = clap::value_parser!(u32).range(1..))]
        days: Option<u32>,
        /// The newest so many MiB
        #[arg(long, value_name = "N", group = "keep", value_parser = clap::value_parser!(u32).range(1..))]
        mib: Option<u32>,
        /// All of it
        #[arg(long, group = "keep", conflicts_with_all = ["days", "mib"])]
        forever: bool,
        /// As the configuration says for all rooms
        #[arg(long, group = "keep", conflicts_with_all = ["days", "mib", "forever"])]
        default: bool,
        #[command(flatten)]
        json: Json,
    },
}

#[derive(Debug, Subcommand)]
pub enum Hooks {
    /// Make an integration, and the address that its program posts to; it is shown this once
    #[command(group = clap::ArgGroup::new("place").required(true))]
    Create {
        /// What people see it called
        name: String,
        /// A group, by id; one of its admins then adds the integration to it
        #[arg(long, value_name = "ROOM", group = "place")]
        room: Option<String>,
        /// A person, by @handle: it writes to them in a chat of its own
        #[arg(long, value_name = "USER", group = "place")]
        user: Option<String>,
        #[command(flatten)]
        json: Json,
    },
    /// All integrations
    List(Json),
    /// Make an address good for nothing, and have the integration leave its group; what it wrote stays
    Revoke {
        /// Its @handle or account id
        hook: String,
        #[command(flatten)]
        json: Json,
    },
}

#[derive(Debug, Args)]
pub struct Announce {
    /// A few sentences
    pub text: Option<String>,
    /// For so long: 2h, 3d [default: until it is withdrawn]
    #[arg(long, value_name = "TIME", value_parser = lifetime, requires = "text")]
    pub until: Option<Duration>,
    /// Say it no longer
    #[arg(long, conflicts_with = "text")]
    pub withdraw: bool,
    #[command(flatten)]
    pub json: Json,
}

#[derive(Debug, Args)]
pub struct Audit {
    /// The newest so many
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub limit: u32,
    #[command(flatten)]
    pub json: Json,
}

#[derive(Debug, Args)]
pub struct Backup {
    /// The file to write; it holds the relay's key, so keep it as safe as the relay
    #[arg(value_name = "FILE", required = true)]
    pub file: Option<PathBuf>,
    #[command(flatten)]
    pub json: Json,
    #[command(subcommand)]
    pub command: Option<BackupCommand>,
}

#[derive(Debug, Subcommand)]
pub enum BackupCommand {
    /// Read a backup to its end: every room's log must be dense, and every hash right
    Verify {
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        json: Json,
    },
}

#[derive(Debug, Args)]
pub struct Restore {
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Put aside the relay that is there already
    #[arg(long)]
    pub yes: bool,
    #[command(flatten)]
    pub json: Json,
}

#[derive(Debug, Args)]
pub struct Migrate {
    /// Change nothing; the relay may run meanwhile
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub json: Json,
}

#[derive(Debug, Args)]
pub struct Init {
    /// Where others reach this relay: `home` for the home network, or its public name; asked if not given
    #[arg(long, value_name = "home|HOST")]
    pub address: Option<String>,
    /// The port that others reach; asked if not given
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
    /// A certificate (PEM) instead of a key of its own whose pin stands in invites
    #[arg(long, value_name = "FILE", requires = "key")]
    pub cert: Option<PathBuf>,
    /// Its key (PEM)
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub key: Option<PathBuf>,
    /// Let's Encrypt issues a certificate for the public name, and the relay renews it; this accepts its terms
    #[arg(long, conflicts_with_all = ["cert", "behind_proxy"])]
    pub acme: bool,
    /// A proxy on this machine does TLS; the relay listens for it on 127.0.0.1:7443
    #[arg(long, conflicts_with = "cert")]
    pub behind_proxy: bool,
    #[command(flatten)]
    pub json: Json,
}

#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Say whether file, variables and flags make a good configuration
    Check,
    /// Print every key with its default and its reason, or with --effective what is set now
    Print {
        #[arg(long)]
        effective: bool,
    },
}

#[derive(Clone, Copy, Debug, Args)]
pub struct Json {
    /// Print JSON for scripts
    #[arg(long)]
    pub json: bool,
}

impl Place {
    /// The layers for any command; `serve` adds its flags.
    pub fn layers(&self) -> Layers {
        let variables: Vec<_> = std::env::vars_os()
            .filter_map(|(name, value)| {
                Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
            })
            .collect();
        let named =
            variables.iter().find(|(name, _)| name == "KITH_CONFIG").map(|(_, path)| PathBuf::from(path));
        let data = self.data.iter().map(|data| ("data".to_owned(), data.to_string_lossy().into_owned()));
        Layers { file: self.config.clone().or(named), flags: data.collect(), variables }
    }
}

impl Serve {
    /// Its flags as keys of the configuration.
    pub fn flags(&self) -> Vec<(String, String)> {
        let path = |path: &PathBuf| path.to_string_lossy().into_owned();
        let set = [
            ("listen", self.listen.map(|address| address.to_string())),
            ("public_address", self.public_address.clone()),
            ("behind_proxy", self.behind_proxy.then(|| "true".to_owned())),
            ("tls.mode", self.cert.as_ref().map(|_| "files".to_owned())),
            ("tls.cert", self.cert.as_ref().map(path)),
            ("tls.key", self.key.as_ref().map(path)),
            ("metrics.listen", self.metrics.map(|address| address.to_string())),
            ("log.level", self.log.clone()),
            ("log.format", self.log_format.clone()),
        ];
        let named = set.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
        named.chain(self.set.iter().cloned()).collect()
    }
}

/// What somebody may do on the relay.
fn role() -> impl TypedValueParser<Value = RelayRole> {
    PossibleValuesParser::new(RelayRole::NAMES).try_map(|name| name.parse::<RelayRole>())
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    let (key, value) =
        text.split_once('=').ok_or("it must be KEY=VALUE, such as limits.max_connections=500")?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}

fn lifetime(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text).map_err(|error| format!("{error}; write 7d, 12h or 30m"))?;
    if (LIFETIME_MIN..=LIFETIME_MAX).contains(&time) {
        Ok(time)
    } else {
        Err("it must be between a minute and a year".to_owned())
    }
}

const LIFETIME_MIN: Duration = Duration::from_mins(1);
const LIFETIME_MAX: Duration = Duration::from_hours(366 * 24);

const AFTER_HELP: &str = "\
invite, invites, users, devices, rooms, hooks, sessions, refusals, audit, stats and reload talk to the relay that runs on the same data folder, as the same user.
Exit codes: 0 done, 1 failed or refused, 2 wrong usage or configuration, 3 no relay runs.";

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_holds() {
        Cli::command().debug_assert();
    }

    #[test]
    fn flags_become_keys() {
        let cli = Cli::try_parse_from([
            "kith-relay",
            "serve",
            "--listen",
            "0.0.0.0:1",
            "--cert",
            "c",
            "--key",
            "k",
            "--set",
            "limits.max_connections=5",
            "--data",
            "d",
        ])
        .unwrap();
        let Command::Serve(serve) = &cli.command else { panic!("serve") };
        let layers = Layers { flags: serve.flags(), ..Layers::default() };
        let config = layers.load().unwrap();
        assert_eq!(config.listen.port(), 1);
        assert_eq!(config.limits.max_connections, 5);
        assert_eq!(config.security(), crate::config::Security::Files);
        assert_eq!(cli.place.data, Some("d".into()));
    }

    #[test]
    fn invites_have_a_sensible_life() {
        assert_eq!(lifetime("7d").unwrap().as_secs(), 604_800);
        assert!(lifetime("soon").is_err() && lifetime("1s").is_err() && lifetime("9y").is_err());
    }
    #[test]
    fn an_id_is_no_flag_whatever_it_begins_with() {
        for args in [["--json", "-0--7DV5"], ["-0--7DV5", "--json"], ["--json", "--0f-7DV"]] {
            let cli =
                Cli::try_parse_from([&["kith-relay", "invites", "revoke"][..], &args].concat()).unwrap();
            let Command::Invites(Invites::Revoke { invite, json }) = cli.command else {
                panic!("invites revoke")
            };
            assert!(
                args.contains(&invite.as_str()) && invite.contains("7DV") && json.json,
                "{args:?}: {invite}"
            );
        }
    }
}
