//! Where a key is: `path`, `agent:SHA256:…`, `agent:path.pub` or `env:NAME`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use snapshot::Fingerprint;

/// Where a key is, as written on a command line or in `site.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// An OpenSSH private key file, readable by its owner only.
    File(PathBuf),
    /// A key that an ssh-agent holds, chosen by its public half.
    Agent(AgentKey),
    /// An environment variable that holds a private key's text.
    Env(String),
}

/// Which of an agent's keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentKey {
    /// By fingerprint.
    Fingerprint(Fingerprint),
    /// By public key file.
    File(PathBuf),
}

impl KeySource {
    /// The same source, its relative path taken from `directory`: that of the file it stands in.
    #[must_use]
    pub fn relative_to(self, directory: &Path) -> Self {
        match self {
            Self::File(path) => Self::File(directory.join(path)),
            Self::Agent(AgentKey::File(path)) => Self::Agent(AgentKey::File(directory.join(path))),
            other => other,
        }
    }
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Agent(AgentKey::Fingerprint(key)) => write!(f, "agent:{key}"),
            Self::Agent(AgentKey::File(path)) => write!(f, "agent:{}", path.display()),
            Self::Env(name) => write!(f, "env:{name}"),
        }
    }
}

/// A text that names no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} names no key: expected a private key file, agent:SHA256:…, agent:FILE.pub or env:NAME"
)]
pub struct ParseKeySourceError(String);

impl FromStr for KeySource {
    type Err = ParseKeySourceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = || ParseKeySourceError(text.chars().take(200).collect());
        if let Some(key) = text.strip_prefix("agent:") {
            if key.starts_with("SHA256:") {
                let key = key.parse().map_err(|_| refuse())?;
                return Ok(Self::Agent(AgentKey::Fingerprint(key)));
            }
            let path = Some(key).filter(|path| !path.is_empty());
            return Ok(Self::Agent(AgentKey::File(path.ok_or_else(refuse)?.into())));
        }
        if let Some(name) = text.strip_prefix("env:") {
            let sound = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if name.is_empty() || !name.chars().all(sound) {
                return Err(refuse());
            }
            return Ok(Self::Env(name.to_owned()));
        }
        if text.is_empty() {
            return Err(refuse());
        }
        Ok(Self::File(text.into()))
    }
}
