//! Generations proposed, signed and applied by the command line.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Parser;
use snapshot::trust::{Chain, Generation, TrustFiles};

use super::proposal::Proposal;
use super::{Exit, Fault, Trust};
use crate::cmd::ops::Settings;
use crate::cmd::ops::generations::Generations;
use crate::fixture::{Draft, Following, Publisher, config, key, site, trust_files, write_trust};
use crate::sync::{Mirror, Place, wall_clock};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    trust: Trust,
}

/// A folder mirror, the operators minho and dori with keys 2 and 4, and who is believed.
struct Desk {
    publisher: Publisher,
}

impl Desk {
    fn new(thresholds: &str) -> Self {
        let publisher = Publisher::new();
        let desk = Self { publisher };
        for (name, seed) in [("minho", 2), ("dori", 4), ("stranger", 9)] {
            let path = desk.path(name);
            let text = key(seed).to_openssh(ssh_key::LineEnding::LF).unwrap();
            fs_err::write(&path, text.as_bytes()).unwrap();
            fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        write_trust(&desk.path("trust"), &both(thresholds));
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.publisher.dir.path().join(name)
    }

    /// A command line; words that begin with `@` are files on the desk.
    async fn run(&self, key: &str, arguments: &[&str]) -> Result<Exit, Fault> {
        let at = |name: &str| self.path(name).display().to_string();
        let arguments = arguments.iter().map(|word| match word.strip_prefix('@') {
            Some(name) => at(name),
            None => (*word).to_owned(),
        });
        let (mirror, key, trust) = (at("mirror"), at(key), at("trust"));
        let common = ["--site", "dasom", "--mirror", &mirror, "--key", &key];
        let common = common.into_iter().chain(["--trust", &trust]);
        let line = ["trust".to_owned()].into_iter().chain(arguments);
        let line = line.chain(common.map(str::to_owned));
        Line::parse_from(line).trust.run().await
    }

    async fn fails(&self, key: &str, arguments: &[&str], exit: Exit, words: &[&str]) {
        let fault = self.run(key, arguments).await.unwrap_err();
        let said = fault.to_string();
        for words in words {
            assert!(said.contains(words), "{words}: {said}");
        }
        assert_eq!(fault.exit(), exit, "{said}");
    }

    fn chain(&self) -> Option<Chain> {
        let held = fs_err::read(self.publisher.at(&Place::trust(&site()))).ok()?;
        Some(Chain::from_bytes(&held).unwrap())
    }
}

/// Two operators.
fn both(thresholds: &str) -> TrustFiles {
    let (signers, roles) = trust_files();
    let line = key(4).public_key().to_openssh().unwrap();
    let person = "[person.\"dori@dasom.example\"]\nroles = [\"operator\"]\nsites = [\"dasom\"]\n";
    TrustFiles {
        allowed_signers: format!("{signers}dori@dasom.example {line}\n"),
        trust_toml: format!("{roles}{person}[thresholds]\n{thresholds}\n"),
    }
}

/// Minho has another key.
fn rotated(thresholds: &str) -> TrustFiles {
    let line = |seed| key(seed).public_key().to_openssh().unwrap();
    let before = both(thresholds);
    TrustFiles {
        allowed_signers: before.allowed_signers.replace(&line(2), &line(5)),
        ..before
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_persons_move_trust_and_the_next_one_goes_on_from_there() {
    let desk = Desk::new("trust = 2");
    desk.publisher.publish(&Draft::new(1));
    let data = tempfile::tempdir().unwrap();
    let mut settings = config(vec![desk.publisher.url()]);
    let files = both("trust = 2");
    let begun = Generation::parse(&files.allowed_signers, &files.trust_toml);
    settings.generation = Arc::new(begun.unwrap());
    let edge = Following::start(data.path(), &settings).await;
    edge.serves(1).await;

    assert_eq!(
        desk.run("minho", &["show", "--save", "@new"])
            .await
            .unwrap(),
        Exit::Done
    );
    let saved = crate::config::trust::read_files(&desk.path("new")).unwrap();
    assert_eq!(saved, files);
    write_trust(&desk.path("new"), &rotated("trust = 2"));
    let propose = ["propose", "@new", "--out", "@proposal", "--why", "불"];
    assert_eq!(desk.run("minho", &propose).await.unwrap(), Exit::Proposed);
    // One is not enough, and says how many are.
    let apply = ["apply", "@proposal", "--yes"];
    let lacking = [
        "1 of 2 persons have signed: 1 more needed",
        "edge trust sign",
    ];
    desk.fails("minho", &apply, Exit::Failed, &lacking).await;
    let sign = ["sign", "@proposal", "--yes"];
    for again in ["stranger", "minho"] {
        desk.fails(
            again,
            &sign,
            Exit::Failed,
            &["adds nobody", "nothing was written"],
        )
        .await;
    }
    desk.fails("minho", &apply, Exit::Failed, &lacking).await;
    assert_eq!(
        desk.run("dori", &["sign", "@proposal", "--yes", "--dry-run"])
            .await
            .unwrap(),
        Exit::Done
    );
    desk.fails("minho", &apply, Exit::Failed, &lacking).await;
    assert_eq!(desk.run("dori", &sign).await.unwrap(), Exit::Done);
    assert_eq!(
        desk.run("dori", &["show", "@proposal"]).await.unwrap(),
        Exit::Done
    );
    desk.run("minho", &["apply", "@proposal", "--dry-run"])
        .await
        .unwrap();
    assert_eq!(desk.chain(), None);
    assert_eq!(desk.run("minho", &apply).await.unwrap(), Exit::Done);
    let on = |number: u64| move |status: &crate::sync::SyncStatus| status.trust.number == number;
    let status = edge.until("on generation 1", on(1)).await;
    assert_eq!(status.trust.succession.unwrap().why, "불");

    // What lies there already is no fault. The files on the desk are still the old ones: the chain
    // leads on from them.
    assert_eq!(desk.run("minho", &apply).await.unwrap(), Exit::Done);
    let remark = TrustFiles {
        allowed_signers: rotated("trust = 2").allowed_signers + "# later\n",
        ..rotated("trust = 2")
    };
    write_trust(&desk.path("new"), &remark);
    let fresh = desk.path("fresh");
    let text = key(5).to_openssh(ssh_key::LineEnding::LF).unwrap();
    fs_err::write(&fresh, text.as_bytes()).unwrap();
    fs_err::set_permissions(&fresh, std::fs::Permissions::from_mode(0o600)).unwrap();
    // The old key is worth nothing any more.
    let refused = ["edges would refuse it: wrong-key", "an operator's key"];
    desk.fails("minho", &propose, Exit::Failed, &refused).await;
    desk.run("fresh", &propose).await.unwrap();
    desk.run("dori", &sign).await.unwrap();
    assert_eq!(desk.run("fresh", &apply).await.unwrap(), Exit::Done);
    edge.until("on generation 2", on(2)).await;
    assert_eq!(desk.chain().unwrap().successions().count(), 2);
    edge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_edges_would_refuse_is_said_before_anything_is_written() {
    let desk = Desk::new("order = 2");
    let propose = ["propose", "@new", "--out", "@proposal"];
    let same = ["these files are in force already", "edit them"];
    write_trust(&desk.path("new"), &both("order = 2"));
    desk.fails("minho", &propose, Exit::Usage, &same).await;
    let lowered = ["lowered-threshold: order would take 1 persons instead of 2"];
    write_trust(&desk.path("new"), &rotated("order = 1"));
    desk.fails("minho", &propose, Exit::Usage, &lowered).await;
    let few = ["orders about the whole site of dasom need 3 persons, 2 can sign"];
    write_trust(&desk.path("new"), &rotated("order = 2\nsite-order = 3"));
    desk.fails("minho", &propose, Exit::Usage, &few).await;
    fs_err::remove_file(desk.path("new/trust.toml")).unwrap();
    desk.fails("minho", &propose, Exit::Usage, &["new/trust.toml"])
        .await;
    write_trust(&desk.path("new"), &rotated("order = 2"));
    let stranger = ["edges would refuse it: wrong-key: "];
    desk.fails("stranger", &propose, Exit::Failed, &stranger)
        .await;
    let long = TrustFiles {
        allowed_signers: rotated("order = 2").allowed_signers + &"#".repeat(70_000),
        ..rotated("order = 2")
    };
    write_trust(&desk.path("new"), &long);
    desk.fails("minho", &propose, Exit::Failed, &["too long to travel"])
        .await;
    assert!(!desk.path("proposal").exists());
    // A proposal that somebody else's was faster than.
    write_trust(&desk.path("new"), &rotated("order = 2"));
    desk.run("minho", &["propose", "@new", "--out", "@late"])
        .await
        .unwrap();
    write_trust(&desk.path("new"), &rotated("order = 2\n# sooner"));
    desk.run("dori", &propose).await.unwrap();
    desk.run("dori", &["apply", "@proposal", "--yes"])
        .await
        .unwrap();
    let late = ["edges would refuse it: other-predecessor", "propose anew"];
    desk.fails("minho", &["apply", "@late", "--yes"], Exit::Failed, &late)
        .await;
    // What is there is not written over, and asked for before anything goes out.
    desk.fails(
        "minho",
        &["show", "--save", "@new"],
        Exit::Usage,
        &["is there already"],
    )
    .await;
    let asked = ["--yes"];
    write_trust(&desk.path("new"), &both("order = 2\n# third"));
    desk.run("dori", &["propose", "@new", "--out", "@third"])
        .await
        .unwrap();
    desk.fails("dori", &["apply", "@third"], Exit::Usage, &asked)
        .await;
    assert_eq!(desk.chain().unwrap().successions().count(), 1);
}

#[tokio::test]
async fn a_signature_that_is_not_enough_ends_as_one_that_waits_for_more() {
    let desk = Desk::new("trust = 2");
    write_trust(&desk.path("new"), &rotated("trust = 2"));
    let unsigned = ["propose", "@new", "--out", "@proposal", "--unsigned"];
    assert_eq!(desk.run("minho", &unsigned).await.unwrap(), Exit::Proposed);
    let sign = ["sign", "@proposal", "--yes"];
    assert_eq!(desk.run("minho", &sign).await.unwrap(), Exit::Proposed);
    assert_eq!(desk.run("dori", &sign).await.unwrap(), Exit::Done);
}

#[tokio::test]
async fn what_a_proposal_says_of_itself_does_nothing_to_a_terminal() {
    let desk = Desk::new("trust = 1");
    write_trust(&desk.path("new"), &rotated("trust = 1"));
    let why = "\u{1b}[2Jall is well";
    let who = "minho\u{7}";
    let propose = [
        "propose", "@new", "--out", "@odd", "--why", why, "--who", who,
    ];
    desk.run("minho", &propose).await.unwrap();
    let settings = Settings::of(site(), Mirror::open(&desk.publisher.url()).unwrap());
    let proposal = Proposal::read(&desk.path("odd"), &settings).unwrap();
    let known = Generations::read(&settings).await.unwrap();
    let shown = proposal.preview(&known, wall_clock());
    assert!(
        shown.starts_with("generation 1 of dasom, by minho :  [2Jall is well\n"),
        "{shown:?}"
    );
    assert!(!shown.contains('\u{1b}'), "{shown:?}");
}

#[tokio::test]
async fn without_trust_files_nobody_can_tell_what_a_proposal_changes() {
    let desk = Desk::new("");
    let mirror = desk.publisher.mirror().display().to_string();
    let new = desk.path("trust").display().to_string();
    let line = [
        "trust", "propose", &new, "--site", "dasom", "--mirror", &mirror,
    ];
    let fault = Line::parse_from(line).trust.run().await.unwrap_err();
    assert!(fault.to_string().contains("give --trust DIR"), "{fault}");
    assert_eq!(fault.exit(), Exit::Usage);
}
