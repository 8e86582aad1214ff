//! From a source to something that signs.

use std::fmt;
use std::io::{IsTerminal, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use snapshot::{KeySigner, SignError, Signer};
use ssh_key::{Algorithm, PrivateKey, PublicKey};

use crate::signing::agent::{AgentError, AgentSigner};
use crate::signing::source::{AgentKey, KeySource};

/// Holds the passphrase of a locked key, where nobody can be asked.
pub const PASSPHRASE_VARIABLE: &str = "HOLDFAST_KEY_PASSPHRASE";
/// Holds the path of the agent's socket, as OpenSSH names it.
const AGENT_VARIABLE: &str = "SSH_AUTH_SOCK";
/// Longest private or public key, bytes of text.
const KEY_BYTES: u64 = 64 * 1024;

/// Why there is no key to sign with. Each says what would help.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Others can read the private key.
    #[error("{} can be read by others (mode {mode:03o}): run  chmod 600 {}", path.display(), path.display())]
    Exposed {
        /// The key file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Longer than any key.
    #[error("{from}: longer than {KEY_BYTES} bytes, which no key is")]
    TooLarge {
        /// Where it was looked for.
        from: String,
    },
    /// The variable is not set.
    #[error("environment variable {0} is not set: expected a private key's text")]
    NoVariable(String),
    /// Not an OpenSSH key.
    #[error(
        "{from}: not a key in OpenSSH's form ({source}); ssh-keygen -p -f FILE rewrites older forms"
    )]
    Unreadable {
        /// Where it was looked for.
        from: String,
        /// What is wrong with it.
        source: ssh_key::Error,
    },
    /// A file that only refers to a hardware key.
    #[error(
        "{from}: a hardware key signs through ssh-agent: ssh-add FILE, then give agent:FILE.pub"
    )]
    Hardware {
        /// Where it was looked for.
        from: String,
    },
    /// Locked, and nobody to ask.
    #[error("{from} is locked by a passphrase: set {PASSPHRASE_VARIABLE}, or run on a terminal")]
    Locked {
        /// Where it was looked for.
        from: String,
    },
    /// Locked by another passphrase.
    #[error("{from}: the passphrase does not open it")]
    WrongPassphrase {
        /// Where it was looked for.
        from: String,
    },
    /// A key whose signatures nobody accepts.
    #[error("{from}: {source}")]
    Refused {
        /// Where it was looked for.
        from: String,
        /// Why.
        source: SignError,
    },
    /// No agent.
    #[error("no ssh-agent: {AGENT_VARIABLE} is not set")]
    NoAgent,
    /// The agent does not answer as it should.
    #[error(transparent)]
    Agent(#[from] AgentError),
}

/// What is read besides files: the environment, and a person at a terminal. Handed in, so that a
/// test needs neither.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// A variable's value.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// Asks for the passphrase of the named key; `None` where nobody can be asked.
    pub ask: &'a dyn Fn(&str) -> Option<String>,
}

impl fmt::Debug for Surroundings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Surroundings(***)")
    }
}

impl KeySource {
    /// Loads the key, with this process's environment and terminal.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn load(&self) -> Result<Box<dyn Signer>, KeyError> {
        self.load_in(Surroundings {
            variable: &|name| std::env::var(name).ok(),
            ask: &ask,
        })
    }

    /// Loads the key in the given surroundings.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn load_in(&self, surroundings: Surroundings<'_>) -> Result<Box<dyn Signer>, KeyError> {
        match self {
            Self::File(path) => {
                let text = private_text(path)?;
                self.unlock(&text, surroundings)
            }
            Self::Env(name) => {
                let text = (surroundings.variable)(name)
                    .ok_or_else(|| KeyError::NoVariable(name.clone()))?;
                if text.len() as u64 > KEY_BYTES {
                    return Err(self.too_large());
                }
                self.unlock(&text, surroundings)
            }
            Self::Agent(key) => {
                let socket = (surroundings.variable)(AGENT_VARIABLE).ok_or(KeyError::NoAgent)?;
                let signer = match key {
                    AgentKey::Fingerprint(key) => AgentSigner::find(socket.into(), *key)?,
                    AgentKey::File(path) => {
                        let key = self.public_key(path)?;
                        let key = snapshot::Fingerprint::of(key.key_data());
                        AgentSigner::find(socket.into(), key)?
                    }
                };
                Ok(Box::new(signer))
            }
        }
    }

    fn unlock(
        &self,
        text: &str,
        surroundings: Surroundings<'_>,
    ) -> Result<Box<dyn Signer>, KeyError> {
        let from = self.to_string();
        let key = match PrivateKey::from_openssh(text.trim()) {
            Ok(key) => key,
            Err(source) => return Err(KeyError::Unreadable { from, source }),
        };
        if matches!(
            key.algorithm(),
            Algorithm::SkEd25519 | Algorithm::SkEcdsaSha2NistP256
        ) {
            return Err(KeyError::Hardware { from });
        }
        let key = if key.is_encrypted() {
            let passphrase =
                (surroundings.variable)(PASSPHRASE_VARIABLE).or_else(|| (surroundings.ask)(&from));
            let Some(passphrase) = passphrase else {
                return Err(KeyError::Locked { from });
            };
            let Ok(key) = key.decrypt(passphrase) else {
                return Err(KeyError::WrongPassphrase { from });
            };
            key
        } else {
            key
        };
        match KeySigner::new(key) {
            Ok(signer) => Ok(Box::new(signer)),
            Err(source) => Err(KeyError::Refused { from, source }),
        }
    }

    fn public_key(&self, path: &Path) -> Result<PublicKey, KeyError> {
        let text = bounded_text(fs_err::File::open(path)?)?.ok_or_else(|| self.too_large())?;
        PublicKey::from_openssh(text.trim()).map_err(|source| KeyError::Unreadable {
            from: path.display().to_string(),
            source,
        })
    }

    fn too_large(&self) -> KeyError {
        KeyError::TooLarge {
            from: self.to_string(),
        }
    }
}

/// A private key file's text, if nobody else can read it. The open file is asked, not its name.
fn private_text(path: &Path) -> Result<String, KeyError> {
    let file = fs_err::File::open(path)?;
    let mode = file.metadata()?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyError::Exposed {
            path: path.to_owned(),
            mode,
        });
    }
    bounded_text(file)?.ok_or_else(|| KeyError::TooLarge {
        from: path.display().to_string(),
    })
}

/// `None` above [`KEY_BYTES`].
fn bounded_text(file: fs_err::File) -> Result<Option<String>, std::io::Error> {
    let mut text = String::new();
    let read = file.take(KEY_BYTES + 1).read_to_string(&mut text)?;
    Ok((read as u64 <= KEY_BYTES).then_some(text))
}

/// Asks on the terminal, if there is one to be asked and to answer on.
fn ask(from: &str) -> Option<String> {
    let terminal = console::Term::stderr();
    if !terminal.is_term() || !std::io::stdin().is_terminal() {
        return None;
    }
    terminal
        .write_str(&format!("Passphrase of {from}: "))
        .ok()?;
    terminal.read_secure_line().ok()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_file_longer_than_any_key_is_not_read_as_one() {
        for (bytes, fits) in [(KEY_BYTES, true), (KEY_BYTES + 1, false)] {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            file.write_all(&vec![b'k'; usize::try_from(bytes).unwrap()])
                .unwrap();
            let text = bounded_text(fs_err::File::open(file.path()).unwrap());
            assert_eq!(text.unwrap().is_some(), fits, "{bytes}");
        }
    }
}
