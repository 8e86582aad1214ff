//! The real `ssh-keygen` on the other side, both ways.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use snapshot::{Envelope, Floor, Generation, KeySigner, Namespace, encode};
use ssh_key::PrivateKey;

use crate::world::*;

const KINDS: [&str; 2] = ["ed25519", "ecdsa"];

fn run(command: &mut Command, input: &Path) -> Output {
    let input = fs_err::File::open(input).unwrap().into_file();
    command.stdin(input).output().unwrap()
}

struct Bench {
    directory: tempfile::TempDir,
    key: PathBuf,
    public: String,
}

impl Bench {
    fn new(kind: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let key = directory.path().join("key");
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", kind, "-N", "", "-C", "", "-f"])
            .arg(&key)
            .status()
            .unwrap();
        assert!(made.success());
        let public = fs_err::read_to_string(key.with_extension("pub")).unwrap();
        Self {
            directory,
            key,
            public: public.trim().to_owned(),
        }
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.directory.path().join(name);
        fs_err::write(&path, bytes).unwrap();
        path
    }

    fn signer(&self) -> KeySigner {
        let text = fs_err::read_to_string(&self.key).unwrap();
        KeySigner::new(PrivateKey::from_openssh(text).unwrap()).unwrap()
    }

    /// `allowed_signers` with Sora holding this key.
    fn signers(&self, options: &str) -> String {
        let sora = format!("sora {options} {}\n", self.public);
        sora + &line("jun", "", JUN) + &line("mina", "", MINA)
    }

    fn sign(&self, namespace: &str, payload: &[u8]) -> String {
        let payload = self.file("payload", payload);
        let output = run(
            Command::new("ssh-keygen")
                .args(["-Y", "sign", "-n", namespace, "-f"])
                .arg(&self.key),
            &payload,
        );
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn verify(
        &self,
        options: &str,
        namespace: &str,
        armor: &str,
        at: &str,
        payload: &[u8],
    ) -> bool {
        let signers = self.file("allowed_signers", self.signers(options).as_bytes());
        let armor = self.file("armor", armor.as_bytes());
        let payload = self.file("payload", payload);
        let output = run(
            Command::new("ssh-keygen")
                .args(["-Y", "verify", "-I", "sora", "-n", namespace])
                .arg(format!("-Overify-time={at}"))
                .arg("-f")
                .arg(signers)
                .arg("-s")
                .arg(armor),
            &payload,
        );
        output.status.success()
    }
}

#[test]
fn what_ssh_keygen_signs_is_accepted() {
    if !outside::have("ssh-keygen") {
        return;
    }
    for kind in KINDS {
        let bench = Bench::new(kind);
        let generation = Generation::parse(&bench.signers(""), TRUST).unwrap();
        let mut envelope = Envelope::seal(encode(&release(1)).unwrap());
        let armor = bench.sign("release@holdfast", envelope.payload());
        envelope.attach_armor(&armor).unwrap();
        let carried = Envelope::from_bytes(&envelope.to_bytes().unwrap()).unwrap();
        let (accepted, _) = judge_release(&generation, &carried, &Floor::default()).unwrap();
        assert_eq!(accepted.signers.persons(), ["sora"].into(), "{kind}");

        let mut other = Envelope::seal(encode(&release(1)).unwrap());
        let armor = bench.sign("order@holdfast", other.payload());
        other.attach_armor(&armor).unwrap();
        let result = judge_release(&generation, &other, &Floor::default());
        assert_eq!(refused(result), "wrong-namespace", "{kind}");
    }
}

#[test]
fn what_we_sign_ssh_keygen_verifies() {
    if !outside::have("ssh-keygen") {
        return;
    }
    let options = "namespaces=\"release@holdfast\",valid-before=\"20270101Z\"";
    let (now, later) = ("20261122050500Z", "20270102Z");
    for kind in KINDS {
        let bench = Bench::new(kind);
        let mut envelope = Envelope::seal(encode(&release(1)).unwrap());
        envelope
            .sign_with(&bench.signer(), Namespace::Release)
            .unwrap();
        let armor = envelope.armor().unwrap().remove(0);
        let verify =
            |namespace, at, payload: &[u8]| bench.verify(options, namespace, &armor, at, payload);
        let payload = envelope.payload();
        assert!(verify("release@holdfast", now, payload), "{kind}");
        assert!(!verify("order@holdfast", now, payload), "{kind}");
        assert!(!verify("release@holdfast", later, payload), "{kind}");
        assert!(!verify("release@holdfast", now, b"other bytes"), "{kind}");
    }
}

/// Both sides read the same lines the same way.
#[test]
fn lines_mean_to_us_what_they_mean_to_ssh_keygen() {
    if !outside::have("ssh-keygen") {
        return;
    }
    let bench = Bench::new("ed25519");
    let mut envelope = Envelope::seal(encode(&release(1)).unwrap());
    envelope
        .sign_with(&bench.signer(), Namespace::Release)
        .unwrap();
    let armor = envelope.armor().unwrap().remove(0);
    for options in [
        "",
        "namespaces=\"release@holdfast\"",
        "namespaces=\"git,re*@holdfast\"",
        "namespaces=\"*,!release@holdfast\"",
        "namespaces=\"order@holdfast\"",
        "valid-after=\"20261122050500Z\"",
        "valid-after=\"20261122050501Z\"",
        "valid-before=\"20261122050500Z\"",
        "valid-before=\"20261122050459Z\"",
        "valid-before=\"20261122Z\"",
        "NAMESPACES=\"release@holdfast\",valid-after=\"20200101Z\",valid-before=\"20300101Z\"",
    ] {
        let theirs = bench.verify(
            options,
            "release@holdfast",
            &armor,
            "20261122050500Z",
            envelope.payload(),
        );
        let generation = Generation::parse(&bench.signers(options), TRUST).unwrap();
        let ours = judge_release(&generation, &envelope, &Floor::default());
        assert_eq!(ours.is_ok(), theirs, "{options}: {ours:?}");
    }
}
