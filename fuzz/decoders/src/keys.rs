//! Keys to sign with: a private key's text, and what an ssh-agent says.

use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread;

use edge::signing::{AgentKey, KeySource, Surroundings};
use snapshot::{Fingerprint, Signer};
use ssh_key::PrivateKey;
use ssh_key::private::Ed25519Keypair;

crate::decoders![private_key, agent_keys, agent_signature];

fn key() -> PrivateKey {
    PrivateKey::from(Ed25519Keypair::from_seed(&[1; 32]))
}

/// An OpenSSH private key, unlocked.
fn private_key(bytes: &[u8]) -> bool {
    let text = crate::text(bytes);
    let around = Surroundings {
        variable: &|name| (name == "KEY").then(|| text.clone()),
        ask: &|_| None,
    };
    KeySource::Env("KEY".to_owned()).load_in(around).is_ok()
}

/// What becomes of an agent that answers each request in turn with one of these.
fn asked<T>(answers: &[&[u8]], with: impl FnOnce(Box<dyn Signer>) -> Option<T>) -> Option<T> {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("agent");
    let listener = UnixListener::bind(&socket).expect("a socket");
    thread::scope(|scope| {
        scope.spawn(|| {
            for answer in answers {
                let (stream, _) = listener.accept().expect("somebody asks");
                // Who has read enough hangs up.
                say(stream, answer).ok();
            }
        });
        let around = Surroundings {
            variable: &|_| socket.to_str().map(str::to_owned),
            ask: &|_| None,
        };
        let wanted = Fingerprint::of(key().public_key().key_data());
        let source = KeySource::Agent(AgentKey::Fingerprint(wanted));
        with(source.load_in(around).ok()?)
    })
}

fn say(mut stream: UnixStream, answer: &[u8]) -> std::io::Result<()> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let mut asked = vec![0; usize::try_from(u32::from_be_bytes(length)).expect("it is short")];
    stream.read_exact(&mut asked)?;
    stream.write_all(answer)
}

/// The keys that an agent says it holds.
fn agent_keys(bytes: &[u8]) -> bool {
    asked(&[bytes], Some).is_some()
}

/// The signature that an agent gives.
fn agent_signature(bytes: &[u8]) -> bool {
    let keys = valid::agent_keys().concat();
    asked(&[&keys, bytes], |signer| signer.sign(b"anything").ok()).is_some()
}

mod valid {
    //! Our key, and an agent that holds it.

    use ssh_key::LineEnding;

    use super::{Signer, key};

    pub(super) fn private_key() -> Vec<Vec<u8>> {
        let text = key().to_openssh(LineEnding::LF).expect("it has a text");
        crate::texts([&text])
    }

    /// One part of a message, or all of it.
    fn part(bytes: &[u8]) -> Vec<u8> {
        let length = u32::try_from(bytes.len()).expect("it is short");
        [&length.to_be_bytes(), bytes].concat()
    }

    pub(super) fn agent_keys() -> Vec<Vec<u8>> {
        let own = key().public_key().to_bytes().expect("it has bytes");
        let other = part(b"another kind of key");
        let parts = [
            vec![12, 0, 0, 0, 2],
            other,
            part(b""),
            part(&own),
            part(b"sora"),
        ];
        vec![part(&parts.concat())]
    }

    pub(super) fn agent_signature() -> Vec<Vec<u8>> {
        let signer = snapshot::KeySigner::new(key()).expect("a key that is not locked");
        let signature = signer.sign(b"anything").expect("it signs");
        let signature: Vec<u8> = signature.try_into().expect("it has bytes");
        vec![part(&[vec![14], part(&signature)].concat())]
    }
}
