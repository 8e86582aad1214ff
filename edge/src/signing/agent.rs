//! The two questions that an ssh-agent is asked: which keys, and sign this
//! (draft-miller-ssh-agent, sections 4.4 and 4.5).

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use snapshot::{Fingerprint, SignError, Signer};
use ssh_key::{PublicKey, Signature};

const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;
/// Longest message either way, bytes: as OpenSSH's own.
const MESSAGE_BYTES: usize = 256 * 1024;
/// How long an agent may take: somebody may have to find a hardware key and touch it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why an agent did not help.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// It cannot be reached, or hung up.
    #[error("ssh-agent at {}: {source}", socket.display())]
    Io {
        /// Its socket.
        socket: PathBuf,
        /// What went wrong.
        source: std::io::Error,
    },
    /// It said no.
    #[error("ssh-agent at {} refused: is it locked, or did nobody confirm?", .0.display())]
    Refused(PathBuf),
    /// It answered what is no answer.
    #[error("ssh-agent at {}: {what}", socket.display())]
    Nonsense {
        /// Its socket.
        socket: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// It holds other keys.
    #[error("ssh-agent does not hold {wanted}: it holds {}; add it with  ssh-add FILE", list(.held))]
    Missing {
        /// The key that was asked for.
        wanted: Fingerprint,
        /// The keys it holds.
        held: Vec<Fingerprint>,
    },
}

fn list(held: &[Fingerprint]) -> String {
    if held.is_empty() {
        return "none".to_owned();
    }
    let held: Vec<String> = held.iter().map(ToString::to_string).collect();
    held.join(", ")
}

/// A key that an agent holds. Each signature is a connection of its own.
#[derive(Debug)]
pub(crate) struct AgentSigner {
    socket: PathBuf,
    key: PublicKey,
}

impl AgentSigner {
    pub(crate) fn find(socket: PathBuf, wanted: Fingerprint) -> Result<Self, AgentError> {
        let answer = ask(&socket, &[REQUEST_IDENTITIES], PATIENCE)?;
        let mut answer = Answer::new(&socket, &answer, IDENTITIES_ANSWER)?;
        let mut held = Vec::new();
        for _ in 0..answer.number()? {
            let (blob, _comment) = (answer.text()?, answer.text()?);
            // A kind of key that we do not know is none that we look for.
            let Ok(key) = PublicKey::from_bytes(blob) else {
                continue;
            };
            let fingerprint = Fingerprint::of(key.key_data());
            if fingerprint == wanted {
                return Ok(Self { socket, key });
            }
            held.push(fingerprint);
        }
        Err(AgentError::Missing { wanted, held })
    }

    fn signature(&self, data: &[u8]) -> Result<Signature, AgentError> {
        let nonsense = |what| AgentError::Nonsense {
            socket: self.socket.clone(),
            what,
        };
        let blob = self
            .key
            .to_bytes()
            .map_err(|_| nonsense("its key cannot be written"))?;
        let mut request = vec![SIGN_REQUEST];
        for part in [blob.as_slice(), data] {
            let length = u32::try_from(part.len()).map_err(|_| nonsense("too much to sign"))?;
            request.extend_from_slice(&length.to_be_bytes());
            request.extend_from_slice(part);
        }
        // No flags: they choose among RSA's hashes.
        request.extend_from_slice(&0u32.to_be_bytes());
        let answer = ask(&self.socket, &request, PATIENCE)?;
        let blob = Answer::new(&self.socket, &answer, SIGN_RESPONSE)?.text()?;
        Signature::try_from(blob).map_err(|_| nonsense("its signature cannot be read"))
    }
}

impl Signer for AgentSigner {
    fn public_key(&self) -> &PublicKey {
        &self.key
    }

    fn sign(&self, signed_data: &[u8]) -> Result<Signature, SignError> {
        self.signature(signed_data)
            .map_err(|error| SignError::Holder {
                key: Fingerprint::of(self.key.key_data()),
                source: Box::new(error),
            })
    }
}

/// Sends one message and reads one; each of the two may take as long as `patience` lasts.
fn ask(socket: &PathBuf, request: &[u8], patience: Duration) -> Result<Vec<u8>, AgentError> {
    let failed = |source| AgentError::Io {
        socket: socket.clone(),
        source,
    };
    let too_long = AgentError::Nonsense {
        socket: socket.clone(),
        what: "a message of more than 256 KiB",
    };
    let length = match u32::try_from(request.len()) {
        Ok(length) if request.len() <= MESSAGE_BYTES => length,
        _ => return Err(too_long),
    };
    let mut stream = UnixStream::connect(socket).map_err(failed)?;
    stream.set_read_timeout(Some(patience)).map_err(failed)?;
    stream.set_write_timeout(Some(patience)).map_err(failed)?;
    let message = [&length.to_be_bytes(), request].concat();
    stream.write_all(&message).map_err(failed)?;

    let mut length = [0; 4];
    stream.read_exact(&mut length).map_err(failed)?;
    let length = match usize::try_from(u32::from_be_bytes(length)) {
        Ok(length) if length <= MESSAGE_BYTES => length,
        _ => return Err(too_long),
    };
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer).map_err(failed)?;
    Ok(answer)
}

/// Reads an answer's parts; every length in it is checked against what there is.
struct Answer<'a> {
    socket: &'a PathBuf,
    rest: &'a [u8],
}

impl<'a> Answer<'a> {
    fn new(socket: &'a PathBuf, answer: &'a [u8], expected: u8) -> Result<Self, AgentError> {
        match answer.split_first() {
            Some((kind, rest)) if *kind == expected => Ok(Self { socket, rest }),
            _ => Err(AgentError::Refused(socket.clone())),
        }
    }

    fn number(&mut self) -> Result<u32, AgentError> {
        let (number, rest) = self.rest.split_first_chunk().ok_or_else(|| self.short())?;
        self.rest = rest;
        Ok(u32::from_be_bytes(*number))
    }

    fn text(&mut self) -> Result<&'a [u8], AgentError> {
        let length = usize::try_from(self.number()?).map_err(|_| self.short())?;
        let (text, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or_else(|| self.short())?;
        self.rest = rest;
        Ok(text)
    }

    fn short(&self) -> AgentError {
        AgentError::Nonsense {
            socket: self.socket.clone(),
            what: "an answer that ends too soon",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn an_agent_that_says_nothing_is_given_up() {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("agent");
        let _silent = UnixListener::bind(&socket).unwrap();
        let asked = ask(&socket, &[REQUEST_IDENTITIES], Duration::from_millis(50));
        let Err(AgentError::Io { source, .. }) = asked else {
            panic!("{asked:?}");
        };
        assert_eq!(source.kind(), std::io::ErrorKind::WouldBlock);
    }

    #[test]
    fn nothing_is_sent_that_no_agent_takes() {
        let request = vec![SIGN_REQUEST; MESSAGE_BYTES + 1];
        let asked = ask(&PathBuf::from("/nonexistent"), &request, PATIENCE);
        assert!(
            matches!(asked, Err(AgentError::Nonsense { .. })),
            "{asked:?}"
        );
    }
}
