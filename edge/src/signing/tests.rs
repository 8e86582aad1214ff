//! Keys as people have them: made by `ssh-keygen`, held by a real `ssh-agent`.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use snapshot::{Envelope, Fingerprint, Namespace, Signer};
use ssh_key::PublicKey;

use super::{AgentError, KeyError, KeySource, PASSPHRASE_VARIABLE, Surroundings};

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
}

fn keygen(directory: &Path, kind: &str, passphrase: &str) -> PathBuf {
    let path = directory.join(kind);
    run(Command::new("ssh-keygen")
        .args(["-q", "-t", kind, "-N", passphrase, "-C", "sora", "-f"])
        .arg(&path));
    path
}

fn fingerprint(private: &Path) -> Fingerprint {
    let text = fs_err::read_to_string(private.with_extension("pub")).unwrap();
    Fingerprint::of(PublicKey::from_openssh(text.trim()).unwrap().key_data())
}

/// Loads with the given variables and nobody to ask.
fn load(source: &str, variables: &[(&str, &str)]) -> Result<Box<dyn Signer>, KeyError> {
    let source: KeySource = source.parse().unwrap();
    source.load_in(Surroundings {
        variable: &|name| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        },
        ask: &|_| None,
    })
}

fn signs(signer: &dyn Signer, key: Fingerprint) {
    assert_eq!(Fingerprint::of(signer.public_key().key_data()), key);
    let mut envelope = Envelope::seal(b"statement".to_vec());
    envelope.sign_with(signer, Namespace::Order).unwrap();
    assert_eq!(envelope.signatures().len(), 1);
}

#[test]
fn sources_read_what_they_write() {
    let key = format!("agent:SHA256:{}", "A".repeat(43));
    for text in [
        "keys/release",
        "agent:keys/me.pub",
        "env:KEY_1",
        key.as_str(),
    ] {
        let source: KeySource = text.parse().unwrap();
        assert_eq!(source.to_string(), text);
    }
    for bad in ["", "agent:", "agent:SHA256:short", "env:", "env:A B"] {
        assert!(bad.parse::<KeySource>().is_err(), "{bad}");
    }
    let moved = "keys/release".parse::<KeySource>().unwrap();
    assert_eq!(
        moved.relative_to(Path::new("/site")).to_string(),
        "/site/keys/release"
    );
}

#[test]
fn a_key_file_signs() {
    if !outside::have("ssh-keygen") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    for kind in ["ed25519", "ecdsa"] {
        let path = keygen(directory.path(), kind, "");
        let signer = load(path.to_str().unwrap(), &[]).unwrap();
        signs(&*signer, fingerprint(&path));
    }
}

#[test]
fn an_exposed_key_file_is_refused_with_its_remedy() {
    if !outside::have("ssh-keygen") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = keygen(directory.path(), "ed25519", "");
    for mode in [0o640, 0o604, 0o666] {
        fs_err::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let refused = load(path.to_str().unwrap(), &[]).err().unwrap();
        assert!(matches!(&refused, KeyError::Exposed { mode: m, .. } if *m == mode));
        assert!(refused.to_string().contains("chmod 600"), "{refused}");
    }
}

#[test]
fn a_locked_key_file_needs_its_passphrase() {
    if !outside::have("ssh-keygen") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = keygen(directory.path(), "ed25519", "an old song");
    let source = path.to_str().unwrap();
    let refused = load(source, &[]).err().unwrap();
    assert!(matches!(refused, KeyError::Locked { .. }));
    assert!(refused.to_string().contains(PASSPHRASE_VARIABLE));
    let wrong = load(source, &[(PASSPHRASE_VARIABLE, "another")])
        .err()
        .unwrap();
    assert!(matches!(wrong, KeyError::WrongPassphrase { .. }));
    let signer = load(source, &[(PASSPHRASE_VARIABLE, "an old song")]).unwrap();
    signs(&*signer, fingerprint(&path));
    // Where there is a terminal, the person is asked.
    let signer = KeySource::File(path.clone())
        .load_in(Surroundings {
            variable: &|_| None,
            ask: &|from| from.contains("ed25519").then(|| "an old song".to_owned()),
        })
        .unwrap();
    signs(&*signer, fingerprint(&path));
}

#[test]
fn the_environment_can_hold_a_key() {
    if !outside::have("ssh-keygen") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = keygen(directory.path(), "ed25519", "");
    let text = fs_err::read_to_string(&path).unwrap();
    let signer = load("env:RELEASE", &[("RELEASE", &text)]).unwrap();
    signs(&*signer, fingerprint(&path));
    assert!(matches!(
        load("env:RELEASE", &[]),
        Err(KeyError::NoVariable(_))
    ));
    let garbage = load("env:RELEASE", &[("RELEASE", "garbage")]);
    assert!(matches!(garbage, Err(KeyError::Unreadable { .. })));
    let long = "A".repeat(65 * 1024);
    let long = load("env:RELEASE", &[("RELEASE", &long)]);
    assert!(matches!(long, Err(KeyError::TooLarge { .. })));
}

#[test]
fn other_algorithms_are_refused() {
    if !outside::have("ssh-keygen") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = keygen(directory.path(), "rsa", "");
    let refused = load(path.to_str().unwrap(), &[]).err().unwrap();
    assert!(matches!(refused, KeyError::Refused { .. }), "{refused}");
}

/// A real agent, ended with the test.
struct Agent {
    child: Child,
    socket: PathBuf,
}

impl Agent {
    fn start(directory: &Path) -> Self {
        let socket = directory.join("agent.sock");
        let mut child = Command::new("ssh-agent")
            .arg("-D")
            .arg("-a")
            .arg(&socket)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // It prints its socket once it listens.
        let mut first = [0];
        child
            .stdout
            .as_mut()
            .unwrap()
            .read_exact(&mut first)
            .unwrap();
        Self { child, socket }
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("SSH_AUTH_SOCK", &self.socket);
        command
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

#[test]
fn an_agent_signs() {
    if !outside::have("ssh-agent") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path());
    let socket = agent.socket.to_str().unwrap();
    let variables = [("SSH_AUTH_SOCK", socket)];
    let held = ["ed25519", "ecdsa"].map(|kind| keygen(directory.path(), kind, ""));
    for path in &held {
        run(agent.command("ssh-add").arg("-q").arg(path));
    }
    for path in &held {
        let by_name = format!("agent:{}", fingerprint(path));
        let by_file = format!("agent:{}", path.with_extension("pub").display());
        for source in [by_name, by_file] {
            signs(&*load(&source, &variables).unwrap(), fingerprint(path));
        }
    }

    let stranger = format!("agent:SHA256:{}", "A".repeat(43));
    let missing = load(&stranger, &variables).err().unwrap();
    assert!(matches!(
        &missing,
        KeyError::Agent(AgentError::Missing { held, .. }) if held.len() == 2
    ));
    assert!(missing.to_string().contains("ssh-add"), "{missing}");

    let signer = load(&format!("agent:{}", fingerprint(&held[0])), &variables).unwrap();
    run(agent.command("ssh-add").arg("-q").arg("-D"));
    let refused = signer.sign(b"data").unwrap_err();
    assert!(refused.to_string().contains("refused"), "{refused}");
}

#[test]
fn no_agent() {
    let source = format!("agent:SHA256:{}", "A".repeat(43));
    assert!(matches!(load(&source, &[]), Err(KeyError::NoAgent)));
    let gone = load(&source, &[("SSH_AUTH_SOCK", "/nonexistent/agent")]);
    assert!(matches!(gone, Err(KeyError::Agent(AgentError::Io { .. }))));
}

#[test]
fn an_agent_that_lies_about_lengths() {
    let directory = tempfile::tempdir().unwrap();
    let source = format!("agent:SHA256:{}", "A".repeat(43));
    let cases: [(&str, &[u8]); 4] = [
        ("oversized", &[0xff, 0xff, 0xff, 0xff]),
        ("empty", &[0, 0, 0, 0]),
        ("short-list", &[0, 0, 0, 5, 12, 0xff, 0xff, 0xff, 0xff]),
        (
            "long-key",
            &[0, 0, 0, 9, 12, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff],
        ),
    ];
    for (name, answer) in cases {
        let socket = directory.path().join(name);
        let listener = UnixListener::bind(&socket).unwrap();
        let answer = answer.to_vec();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.read_exact(&mut [0; 5]).unwrap();
            stream.write_all(&answer).unwrap();
        });
        let refused = load(&source, &[("SSH_AUTH_SOCK", socket.to_str().unwrap())]);
        assert!(matches!(
            refused,
            Err(KeyError::Agent(
                AgentError::Nonsense { .. } | AgentError::Refused(_)
            ))
        ));
        server.join().unwrap();
    }
}
