//! Defaults, file, variables, flags: laid over each other, each checked where it comes from.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use toml::{Table, Value};

use super::{
    Config,
    check::{self, CheckError},
    keys::{Flat, VARIABLE_PREFIX, flatten, nearest, unflatten, variable},
};

/// Where the configuration comes from. Kept while the relay runs: a reload loads it again.
#[derive(Clone, Debug, Default)]
pub struct Layers {
    /// The TOML file, if one is named.
    pub file: Option<PathBuf>,
    /// All variables of the environment; those without `KITH_` are passed over.
    pub variables: Vec<(String, String)>,
    /// Dotted keys from the command line, with their values as text.
    pub flags: Vec<(String, String)>,
}

impl Layers {
    /// Reads the file and lays everything over the defaults.
    pub fn load(&self) -> Result<Config, ConfigError> {
        let mut config = defaults();
        if let Some(path) = &self.file {
            lay_file(&mut config, path)?;
        }
        for (name, value) in &self.variables {
            lay_variable(&mut config, name, value)?;
        }
        for (key, text) in &self.flags {
            lay_flag(&mut config, key, text)?;
        }
        parse(config)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("the configuration {} cannot be read: {source}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("the configuration {} is not TOML: {source}", path.display())]
    Syntax { path: PathBuf, source: Box<toml::de::Error> },
    #[error(
        "`{key}` {origin} is not a setting; the nearest is `{nearest}` (`kith-relay config print` shows all)"
    )]
    UnknownKey { key: String, origin: Origin, nearest: String },
    #[error("`{key}` {origin} must be {wanted}, not {found}")]
    WrongType { key: String, origin: Origin, wanted: &'static str, found: String },
    #[error("a setting has a value that it cannot take: {}", .0.to_string().trim_end().replace('\n', " "))]
    Value(Box<toml::de::Error>),
    #[error(transparent)]
    Check(#[from] CheckError),
}

/// Where a key was set: for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    File(PathBuf),
    Variable,
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "in {}", path.display()),
            Self::Variable => f.write_str("in the environment"),
            Self::Flag => f.write_str("on the command line"),
        }
    }
}

/// Variables of the same prefix that belong to Kith's other programs, or to the command line itself.
const OTHERS: &[&str] = &[
    "KITH_CONFIG",
    "KITH_HOME",
    "KITH_PASSPHRASE",
    "KITH_PROFILE",
    "KITH_KEYRING",
    "KITH_PROXY",
    "KITH_LOG",
    "KITH_RELAY",
    "KITH_SEED",
    "KITH_SEEDS",
    "KITH_UPDATE_FEED",
    "KITH_UPDATE_KEY",
];

pub(super) fn defaults() -> Flat {
    flat(&Config::default())
}

pub(super) fn flat(config: &Config) -> Flat {
    flatten(
        Table::try_from(config)
            .expect("a Config is strings, numbers, lists of strings and sections of these"),
    )
}

pub(super) fn parse(flat: Flat) -> Result<Config, ConfigError> {
    let config = Config::deserialize(Value::Table(unflatten(flat)))
        .map_err(|error| ConfigError::Value(Box::new(error)))?;
    check::check(&config)?;
    Ok(config)
}

fn lay_file(config: &mut Flat, path: &Path) -> Result<(), ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
    let table: Table = text
        .parse()
        .map_err(|source| ConfigError::Syntax { path: path.to_owned(), source: Box::new(source) })?;
    for (key, value) in flatten(table) {
        set(config, &key, value, Origin::File(path.to_owned()))?;
    }
    Ok(())
}

fn lay_variable(config: &mut Flat, name: &str, text: &str) -> Result<(), ConfigError> {
    if !name.starts_with(VARIABLE_PREFIX) || OTHERS.contains(&name) {
        return Ok(());
    }
    let Some(key) = config.keys().find(|key| variable(key) == name).cloned() else {
        let nearest = nearest(name, config.keys().map(|key| variable(key)));
        return Err(ConfigError::UnknownKey { key: name.to_owned(), origin: Origin::Variable, nearest });
    };
    set_text(config, &key, name, text, Origin::Variable)
}

fn lay_flag(config: &mut Flat, key: &str, text: &str) -> Result<(), ConfigError> {
    set_text(config, key, key, text, Origin::Flag)
}

/// `shown` is what the key is called where it comes from.
fn set_text(
    config: &mut Flat,
    key: &str,
    shown: &str,
    text: &str,
    origin: Origin,
) -> Result<(), ConfigError> {
    let Some(current) = config.get_mut(key) else {
        let nearest = nearest(key, config.keys().cloned());
        return Err(ConfigError::UnknownKey { key: shown.to_owned(), origin, nearest });
    };
    *current = value_like(current, text).ok_or_else(|| ConfigError::WrongType {
        key: shown.to_owned(),
        origin,
        wanted: kind(current),
        found: format!("`{text}`"),
    })?;
    Ok(())
}

fn set(config: &mut Flat, key: &str, value: Value, origin: Origin) -> Result<(), ConfigError> {
    let Some(current) = config.get_mut(key) else {
        let nearest = nearest(key, config.keys().cloned());
        return Err(ConfigError::UnknownKey { key: key.to_owned(), origin, nearest });
    };
    if !current.same_type(&value) {
        return Err(ConfigError::WrongType {
            key: key.to_owned(),
            origin,
            wanted: kind(current),
            found: format!("`{value}`"),
        });
    }
    *current = value;
    Ok(())
}

/// Reads `text` as what `like` is. Lists are separated by commas.
fn value_like(like: &Value, text: &str) -> Option<Value> {
    match like {
        Value::Integer(_) => text.trim().replace('_', "").parse().ok().map(Value::Integer),
        Value::Boolean(_) => text.trim().parse().ok().map(Value::Boolean),
        Value::Array(_) => {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            Some(Value::Array(parts.map(|part| Value::String(part.to_owned())).collect()))
        }
        Value::String(_) => Some(Value::String(text.to_owned())),
        Value::Float(_) | Value::Datetime(_) | Value::Table(_) => None,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Integer(_) => "a whole number",
        Value::Boolean(_) => "true or false",
        Value::Array(_) => "a list",
        Value::String(_) => "a text in quotes",
        Value::Float(_) => "a number",
        Value::Datetime(_) => "a date",
        Value::Table(_) => "a section",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{EXAMPLE, LogFormat};

    fn with_file(text: &str) -> (tempfile::TempDir, Layers) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("relay.toml");
        std::fs::write(&path, text).unwrap();
        (folder, Layers { file: Some(path), ..Layers::default() })
    }

    fn with_variable(name: &str, value: &str) -> Layers {
        Layers { variables: vec![(name.to_owned(), value.to_owned())], ..Layers::default() }
    }

    #[test]
    fn the_example_holds_every_key_with_its_default() {
        let example = flatten(EXAMPLE.parse::<Table>().unwrap());
        assert_eq!(example, defaults());
        assert_eq!(Layers::default().load().unwrap(), Config::default());
    }

    #[test]
    fn later_layers_win() {
        let (_folder, mut layers) = with_file(
            "listen = \"127.0.0.1:1111\"\n[limits]\nmax_body_bytes = 1000\nmax_frame_bytes = 20000\n[log]\nformat = \"json\"",
        );
        layers.variables = vec![
            ("KITH_LISTEN".into(), "127.0.0.1:2222".into()),
            ("KITH_LIMITS_MAX_BODY_BYTES".into(), "2000".into()),
            ("PATH".into(), "/bin".into()),
            ("KITH_PASSPHRASE".into(), "of another program".into()),
        ];
        layers.flags = vec![("listen".into(), "127.0.0.1:3333".into())];
        let config = layers.load().unwrap();
        assert_eq!(config.listen.port(), 3333);
        assert_eq!(config.limits.max_body_bytes, 2000);
        assert_eq!(config.limits.max_frame_bytes, 20_000);
        assert_eq!(config.log.format, LogFormat::Json);
    }

    #[test]
    fn an_unknown_key_names_the_nearest() {
        let cases = [
            ("[limits]\nmax_conections = 5", "limits.max_connections"),
            ("[limit]\nmax_connections = 5", "limits.max_connections"),
            ("max_body_byte = 5", "limits.max_body_bytes"),
            ("listn = \"127.0.0.1:1\"", "listen"),
            ("[tls]\ncertificate = \"x\"", "tls.cert"),
        ];
        for (text, expected) in cases {
            let (_folder, layers) = with_file(text);
            let error = layers.load().unwrap_err();
            assert!(
                matches!(&error, ConfigError::UnknownKey { nearest, .. } if nearest == expected),
                "{text}: {error}"
            );
            assert!(error.to_string().contains(expected) && error.to_string().contains("relay.toml"));
        }
    }

    #[test]
    fn an_unknown_variable_names_the_nearest() {
        let error = with_variable("KITH_LISTN", "127.0.0.1:1").load().unwrap_err();
        assert!(error.to_string().contains("`KITH_LISTEN`"), "{error}");
        let error = with_variable("KITH_LIMITS_MAX_BODYBYTES", "1").load().unwrap_err();
        assert!(error.to_string().contains("`KITH_LIMITS_MAX_BODY_BYTES`"), "{error}");
    }

    #[test]
    fn a_wrong_value_names_the_key() {
        let error = with_variable("KITH_LIMITS_MAX_BODY_BYTES", "plenty").load().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`KITH_LIMITS_MAX_BODY_BYTES` in the environment must be a whole number, not `plenty`"
        );
        let (_folder, layers) = with_file("behind_proxy = \"yes\"");
        assert!(layers.load().unwrap_err().to_string().contains("must be true or false"));
        let error = with_variable("KITH_LISTEN", "here").load().unwrap_err().to_string();
        assert!(error.contains("listen"), "{error}");
        let error = with_variable("KITH_TLS_MODE", "maybe").load().unwrap_err().to_string();
        assert!(error.contains("mode") && error.contains("auto"), "{error}");
        let error = with_variable("KITH_LIMITS_MAX_BODY_BYTES", "-1").load().unwrap_err().to_string();
        assert!(error.contains("max_body_bytes"), "{error}");
    }

    #[test]
    fn broken_toml_names_the_line() {
        let (_folder, layers) = with_file("listen = \"127.0.0.1:1\"\nlog = [");
        assert!(layers.load().unwrap_err().to_string().contains("line 2"));
    }

    #[test]
    fn lists_come_from_variables_too() {
        let config = with_variable("KITH_TRUSTED_PROXIES", "10.0.0.0/8, fd00::/8").load().unwrap();
        assert_eq!(config.trusted_proxies.len(), 2);
    }
}
