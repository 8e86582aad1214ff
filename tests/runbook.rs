//! The page for three in the morning: one side of paper, and each command on it works.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use ssh_key::private::{Ed25519Keypair, PrivateKey};

use crate::scene::{Edge, HOST, Origin, Site, TOKEN, binary, run};

const PAGE: &str = include_str!("../docs/runbook.md");
/// Lines of one side of A4 in print that can be read at night.
const LINES: usize = 66;
/// Characters of such a line.
const CHARACTERS: usize = 112;

/// Where its reader is told to type something.
#[derive(Debug)]
enum Typed {
    /// A line of a console, which works as it stands.
    Console(Vec<String>),
    /// Within a sentence, in the step of that number.
    Inline(u32, Vec<String>),
}

/// What it tells to type, in its order, cut into words as a shell does that knows no more than double
/// quotes.
fn typed() -> Vec<Typed> {
    let (mut typed, mut step) = (Vec::new(), 0);
    for line in PAGE.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            typed.push(Typed::Console(words(command)));
            continue;
        }
        let number = line
            .strip_prefix("**")
            .and_then(|line| line.split_once('.'));
        step = number.map_or(step, |(number, _)| number.parse().unwrap());
        let spans = line.split('`').skip(1).step_by(2);
        let commands = spans.filter(|span| span.starts_with("edge "));
        typed.extend(commands.map(|command| Typed::Inline(step, words(command))));
    }
    typed
}

fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for character in line.chars() {
        match character {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            other => words.last_mut().unwrap().push(other),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn it_is_one_side_of_paper() {
    assert!(
        PAGE.lines().count() <= LINES,
        "{} lines",
        PAGE.lines().count()
    );
    for line in PAGE.lines() {
        assert!(line.chars().count() <= CHARACTERS, "{line}");
    }
}

/// Two operators more: one whose key lies beside, one whose key is stolen. Two persons change trust.
fn more_operators(site: &Site) {
    for (name, seed) in [("second", 7), (STOLEN, 8)] {
        let key = PrivateKey::from(Ed25519Keypair::from_seed(&[seed; 32]));
        site.write(
            name,
            key.to_openssh(ssh_key::LineEnding::LF).unwrap().as_bytes(),
        );
        let private = std::fs::Permissions::from_mode(0o600);
        fs_err::set_permissions(site.path(name), private).unwrap();
        let signers = fs_err::read_to_string(site.path("trust/allowed_signers")).unwrap();
        let line = key.public_key().to_openssh().unwrap();
        site.write("trust/allowed_signers", format!("{signers}{name} {line}\n"));
        let policy = fs_err::read_to_string(site.path("trust/trust.toml")).unwrap();
        site.write("trust/trust.toml", person(name) + &policy);
    }
    site.edit("trust/trust.toml", "trust = 1 ", "trust = 2 ");
}

const STOLEN: &str = "stolen";

fn person(name: &str) -> String {
    format!("[person.\"{name}\"]\nroles = [\"operator\"]\nsites = [\"small\"]\n")
}

/// Takes the person whose key is stolen out of both files in `new`.
fn throw_out(site: &Site) {
    let signers = fs_err::read_to_string(site.path("new/allowed_signers")).unwrap();
    let kept = signers.lines().filter(|line| !line.starts_with(STOLEN));
    let kept: String = kept.map(|line| format!("{line}\n")).collect();
    site.write("new/allowed_signers", kept);
    site.edit("new/trust.toml", &person(STOLEN), "");
}

#[tokio::test]
async fn each_of_its_commands_works_in_its_place() {
    let site = Site::small().init().await;
    site.edit(
        "site.toml",
        "[collection.pages]",
        "[service.pay.notice]\nfire = { ko = \"전산실에 불이 났습니다.\", en = \"There is a fire.\" }\n\n[collection.pages]",
    );
    more_operators(&site);
    site.publish().await;
    let origin = Origin::small().await;
    let edge: Edge = site
        .edge()
        .named("edge-1")
        .before(&origin)
        .with_token(TOKEN)
        .giving()
        .start()
        .await;
    let ops = format!(
        "site = \"small\"\nmirrors = [\"mirror\"]\nkey = \"keys/operator\"\ntrust = \"trust\"\n\
         edges = [{{ name = \"edge-1\", control = \"http://{}\", peer = \"http://{}\" }}]\n",
        edge.control,
        edge.peer()
    );
    site.write("ops.toml", ops);
    let (mut consoles, mut trust) = (0, 0);
    for typed in typed() {
        let mut words = match typed {
            Typed::Console(words) => {
                consoles += 1;
                words
            }
            Typed::Inline(5, words) => {
                trust += 1;
                words
            }
            Typed::Inline(_, words) => {
                is_a_command(&words).await;
                continue;
            }
        };
        assert_eq!(words.remove(0), "edge");
        let mut words: Vec<String> = words
            .iter()
            .map(|word| word.replace("dasom.example", HOST))
            .collect();
        // Another person signs what one has proposed.
        if words.starts_with(&["trust".to_owned(), "sign".to_owned()]) {
            words.extend(["--key".to_owned(), "second".to_owned()]);
        }
        let mut command = Command::new(binary("edge"));
        command.args(&words).current_dir(site.dir());
        let ended = run(command).await;
        let (what, how) = (words[0].as_str(), words.get(1).map(String::as_str));
        let expected = match (what, how) {
            // What would not survive tonight is found on so small a stage.
            ("check", _) => 1,
            ("trust", Some("propose")) => 6,
            _ => 0,
        };
        assert_eq!(
            ended.code, expected,
            "edge {words:?}\n{}\n{}",
            ended.out, ended.err
        );
        let is_given = match (what, how) {
            ("order", how) => how != Some("show"),
            ("trust", how) => how == Some("apply"),
            _ => false,
        };
        if is_given {
            let everywhere = "in force on 1 of 1 edges";
            assert!(ended.out.contains(everywhere), "{words:?}: {}", ended.out);
        }
        if (what, how) == ("trust", Some("show")) {
            throw_out(&site);
        }
    }
    assert!(consoles > 10, "{consoles} lines of consoles");
    assert_eq!(trust, 4);
    let trust = edge.status().await["trust"].clone();
    assert_eq!(trust["number"], 1);
    assert!(!trust["may_sign"].to_string().contains(STOLEN), "{trust}");
}

/// The command line takes it, whatever becomes of it where there is nothing.
async fn is_a_command(words: &[String]) {
    let nowhere = tempfile::tempdir().unwrap();
    let mut command = Command::new(binary("edge"));
    command
        .args(words.get(1..).unwrap())
        .current_dir(nowhere.path());
    let ended = run(command).await;
    assert!(!ended.err.contains("Usage: "), "{words:?}: {}", ended.err);
}
