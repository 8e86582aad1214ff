//! The two trust files, well and badly written.

use snapshot::trust::{Problem, TrustFile};
use snapshot::{Floor, Generation, limits};
use ssh_key::PublicKey;

use crate::world::*;

/// Every problem, as people read it.
fn problems(signers: &str, trust: &str) -> Vec<String> {
    Generation::parse(signers, trust)
        .unwrap_err()
        .iter()
        .map(ToString::to_string)
        .collect()
}

/// The one problem of a line of `allowed_signers`.
fn problem(bad: &str) -> Problem {
    let mut found = Generation::parse(&format!("{}{bad}\n", signers()), TRUST).unwrap_err();
    assert_eq!(found.len(), 1, "{found:?}");
    let found = found.remove(0);
    assert_eq!(
        (found.file, found.line),
        (TrustFile::AllowedSigners, Some(4))
    );
    found.problem
}

fn public(seed: u8) -> String {
    line("", "", seed).trim().to_owned()
}

#[test]
fn openssh_forms_are_read() {
    let with = |line: &str| {
        let others = line_of("jun", JUN) + &line_of("mina", MINA);
        let generation = Generation::parse(&format!("{line}\n{others}"), TRUST)
            .unwrap_or_else(|problems| panic!("{line}: {problems:?}"));
        let envelope = signed_release(&release(1), &[SORA]);
        judge_release(&generation, &envelope, &Floor::default()).is_ok()
    };
    fn line_of(person: &str, seed: u8) -> String {
        line(person, "", seed)
    }
    let key = public(SORA);
    for good in [
        format!("sora {key}"),
        format!("sora {key} a comment of several words"),
        format!("\t sora \t {key}"),
        format!("# a comment\n\n   # another\nsora {key}\r"),
        format!("\"sora\" {key}"),
        format!("\"someone else,sora\" {key}"),
        format!("so?a {key}"),
        format!("s*,!jun,!mina {key}"),
        format!("sora namespaces=\"release@holdfast\" {key}"),
        format!("sora Namespaces=\"git,release@*\" {key}"),
        format!("sora namespaces=\"*\",valid-after=\"20200101Z\" {key}"),
        format!("sora valid-before=\"20991231235959Z\",valid-after=\"202001010000Z\"   {key}"),
    ] {
        assert!(with(&good), "{good}");
    }
    assert!(!with(&format!(
        "sora namespaces=\"*,!release@holdfast,order@holdfast\" {}\njunk {key}",
        public(77)
    )));
}

#[test]
fn badly_written_lines() {
    let key = public(77);
    let of = |options: &str| problem(&format!("sora {options} {key}"));
    assert_eq!(problem("\"sora"), Problem::UnclosedQuote);
    assert_eq!(of("namespaces=\"a"), Problem::UnclosedQuote);
    assert!(matches!(
        problem(&format!("sora,, {key}")),
        Problem::Principals(_)
    ));
    assert_eq!(of("cert-authority"), Problem::CertAuthority);
    assert_eq!(
        of("CERT-authority,namespaces=\"a\""),
        Problem::CertAuthority
    );
    assert_eq!(
        of("restrict"),
        Problem::UnknownOption("restrict".to_owned())
    );
    for bare in [
        "namespaces",
        "namespaces=a",
        "namespaces=\"a\",namespaces=\"b\"",
    ] {
        assert_eq!(of(bare), Problem::Option("namespaces".to_owned()), "{bare}");
    }
    assert!(matches!(of("namespaces=\"\""), Problem::Namespaces(_)));
    assert_eq!(
        of("valid-before=\"20271231\""),
        Problem::LocalDate("20271231".to_owned())
    );
    assert!(matches!(of("valid-after=\"tomorrowZ\""), Problem::Date(_)));
    assert_eq!(
        of("valid-after=\"20270101Z\",valid-before=\"20260101Z\""),
        Problem::NeverValid
    );
    assert!(matches!(problem("sora"), Problem::Key(_)));
    assert!(matches!(problem("sora ssh-ed25519 AAAA"), Problem::Key(_)));
    assert!(matches!(problem("sora namespaces=\"a\""), Problem::Key(_)));
}

#[test]
fn weak_or_foreign_algorithms() {
    // An RSA key and one on another curve, as ssh-keygen writes them, made of chosen bytes.
    let wire = |parts: &[&[u8]]| {
        let mut bytes = Vec::new();
        for part in parts {
            bytes.extend_from_slice(&u32::try_from(part.len()).unwrap().to_be_bytes());
            bytes.extend_from_slice(part);
        }
        PublicKey::from_bytes(&bytes).unwrap().to_openssh().unwrap()
    };
    let rsa = wire(&[b"ssh-rsa", &[1, 0, 1], &[0x7f; 128]]);
    let p384 = {
        let mut point = [7; 97];
        point[0] = 4;
        wire(&[b"ecdsa-sha2-nistp384", b"nistp384", &point])
    };
    for foreign in [rsa, p384] {
        let line = format!("sora {foreign}");
        assert!(matches!(problem(&line), Problem::Algorithm(_)), "{line}");
        let line = format!("sora namespaces=\"*\" {foreign}");
        assert!(matches!(problem(&line), Problem::Algorithm(_)), "{line}");
    }
}

#[test]
fn one_key_for_two_persons() {
    assert!(matches!(
        problem(&line("so*,jun", "", 77)),
        Problem::SharedKey { .. }
    ));
    assert!(matches!(
        problem(&line("jun", "", SORA)),
        Problem::SharedKey { .. }
    ));
}

#[test]
fn all_problems_of_both_files_at_once() {
    let signers = format!(
        "sora valid-before=\"20271231\",cert-authority {}\n\njun ssh-ed25519 AAAA\n",
        public(SORA)
    );
    let trust = "
[person.sora]
roles = [\"publisher\", \"boss\"]
sites = [\"Dasom\"]
key = 1
[person.jun]
roles = \"publisher\"
[thresholds]
release = 0
order = \"one\"
quorum = 2
[other]
";
    let found = problems(&signers, trust);
    for (start, part) in [
        ("allowed_signers:1:", "no zone"),
        ("allowed_signers:1:", "cert-authority"),
        ("allowed_signers:3:", "no public key"),
        ("trust.toml:3:", "\"boss\" is no role"),
        ("trust.toml:4:", "\"Dasom\" is no site"),
        ("trust.toml:5:", "unknown \"key\""),
        ("trust.toml:7:", "roles: expected a list"),
        ("trust.toml:9:", "threshold release is 0"),
        ("trust.toml:10:", "order: expected a number"),
        ("trust.toml:11:", "unknown \"quorum\""),
        ("trust.toml:12:", "unknown \"other\""),
    ] {
        assert!(
            found
                .iter()
                .any(|line| line.starts_with(start) && line.contains(part)),
            "{start} {part}: {found:#?}"
        );
    }
    assert_eq!(found.len(), 11, "{found:#?}");
}

#[test]
fn toml_that_cannot_be_read() {
    for (trust, line) in [
        ("[person.sora\n", 1),
        ("\n[person.sora]\nroles = [\n", 4),
        ("[person.sora]\nroles = []\nroles = []\n", 3),
        ("person = 1\n", 1),
    ] {
        let found = problems(&signers(), trust);
        assert!(
            found
                .iter()
                .any(|text| text.starts_with(&format!("trust.toml:{line}:"))),
            "{trust:?}: {found:?}"
        );
    }
}

#[test]
fn nobody_can_sign() {
    for (signers, trust, part) in [
        ("", "", "empty"),
        ("", TRUST, "no key"),
        (
            &*signers(),
            "[person.sora]\nroles=[\"operator\"]\nsites=[\"dasom\"]\n",
            "empty: nobody can sign releases of site dasom",
        ),
        (
            &*signers(),
            "[person.sora]\nroles=[\"operator\"]\nsites=[\"*\"]\n",
            "empty",
        ),
        (
            &*line("sora", "namespaces=\"git\"", SORA),
            "[person.sora]\nroles=[\"publisher\"]\nsites=[\"dasom\"]\n",
            "empty",
        ),
        (
            &*signers(),
            "[person.sora]\nroles=[]\nsites=[\"dasom\"]\n",
            "no role",
        ),
        (
            &*signers(),
            "[person.sora]\nroles=[\"publisher\"]\n",
            "no site",
        ),
        (
            &*signers(),
            &*format!("{TRUST}[thresholds]\nrelease = 3\n"),
            "need 3 persons, 2 can sign",
        ),
        (
            &*signers(),
            &*format!("{TRUST}[thresholds]\nsite-order = 2\n"),
            "need 2 persons, 1 can sign",
        ),
        (
            &*signers(),
            &*format!("{TRUST}[thresholds]\norder = 17\n"),
            "expected 1 to 16",
        ),
    ] {
        let found = problems(signers, trust);
        assert!(
            found.iter().any(|line| line.contains(part)),
            "{part}: {found:?}"
        );
    }
}

#[test]
fn a_site_that_nobody_publishes() {
    let generation = generation();
    assert!(generation.require(&site()).is_ok());
    let text = generation
        .require(&"garam".parse().unwrap())
        .unwrap_err()
        .to_string();
    assert!(text.contains("garam"), "{text}");
}

#[test]
fn oversized_files() {
    let long = "#".repeat(limits::TRUST_FILE_BYTES + 1);
    let found = Generation::parse(&long, &long).unwrap_err();
    assert_eq!(found.len(), 2);
    assert!(
        found
            .iter()
            .all(|p| matches!(p.problem, Problem::TooLarge { .. }))
    );
    let most = format!(
        "{}{}",
        signers(),
        "#".repeat(limits::TRUST_FILE_BYTES - signers().len())
    );
    assert!(Generation::parse(&most, TRUST).is_ok());
}

#[test]
fn equal_files_are_one_generation() {
    assert_eq!(generation().digest(), generation().digest());
    let other = Generation::parse(&format!("{}#\n", signers()), TRUST).unwrap();
    assert_ne!(other.digest(), generation().digest());
}
