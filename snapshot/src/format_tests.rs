//! `FORMAT.md` is read here: its test vectors are run, its steps are looked for in the code, its
//! limits compared. So the document and the code cannot drift apart.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::path::Path;

use crate::manifest::SegmentEntry;
use crate::manifest::tests::{manifest, release};
use crate::order::{Back, Mode, Notice, Pin};
use crate::release::Head;
use crate::segment::tests::{open, site};
use crate::trust::{Succession, TrustFiles};
use crate::{
    BlobRef, Digest, Entry, Envelope, Epoch, Key, KeySigner, Manifest, Namespace, Order, Release,
    Scope, SegmentBuilder, Sequence, Timestamp, at_rest, blob, decode, encode, limits,
};

const FORMAT: &str = include_str!("../FORMAT.md");

/// The lines of a vector block; one that starts with a space continues the one before.
fn blocks(kind: &str) -> Vec<Vec<(String, String)>> {
    let fence = format!("```vector-{kind}\n");
    let found: Vec<_> = FORMAT.split(&fence).skip(1).map(block).collect();
    assert!(!found.is_empty(), "FORMAT.md has no vector for {kind}");
    found
}

fn block(text: &str) -> Vec<(String, String)> {
    let mut lines: Vec<(String, String)> = Vec::new();
    for line in text.split("```").next().unwrap().lines() {
        match line.strip_prefix(' ') {
            Some(more) => {
                let last = &mut lines.last_mut().unwrap().1;
                last.push(' ');
                last.push_str(more);
            }
            None => {
                let (word, rest) = line.split_once(' ').unwrap();
                lines.push((word.into(), rest.trim().into()));
            }
        }
    }
    lines
}

fn field<'a>(block: &'a [(String, String)], word: &str) -> &'a str {
    &block.iter().find(|(w, _)| w == word).unwrap().1
}

/// Hex digits, spaces anywhere; `HH*N` is N times the byte HH.
fn bytes(hex: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for token in hex.split_whitespace() {
        let (digits, times) = token.split_once('*').unwrap_or((token, "1"));
        let run = (0..digits.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap());
        let run: Vec<u8> = run.collect();
        bytes.extend(run.repeat(times.parse().unwrap()));
    }
    bytes
}

/// The way back, for a vector that has to be written anew.
fn hex(bytes: &[u8]) -> String {
    let mut tokens = vec![String::new()];
    for run in bytes.chunk_by(|a, b| a == b) {
        if run.len() > 8 {
            tokens.push(format!("{:02x}*{}", run[0], run.len()));
            tokens.push(String::new());
            continue;
        }
        for byte in run {
            if tokens.last().unwrap().len() >= 64 {
                tokens.push(String::new());
            }
            tokens.last_mut().unwrap().push_str(&format!("{byte:02x}"));
        }
    }
    tokens.retain(|token| !token.is_empty());
    tokens.join(" ")
}

fn entry(rest: &str) -> Entry {
    match rest.split_once(' ').unwrap_or((rest, "")) {
        ("-", "") => Entry::Tombstone,
        ("=", value) => Entry::Inline(bytes(value)),
        ("@", blob) => {
            let (digest, length) = blob.split_once(' ').unwrap();
            Entry::Blob(BlobRef {
                digest: digest.parse().unwrap(),
                bytes: length.parse().unwrap(),
            })
        }
        _ => panic!("{rest}"),
    }
}

fn build(block: &[(String, String)]) -> (Vec<u8>, SegmentEntry) {
    let collection = field(block, "collection").parse().unwrap();
    let site = field(block, "site").parse().unwrap();
    let mut builder = SegmentBuilder::new(Vec::new(), site, collection);
    for (_, row) in block.iter().filter(|(word, _)| word == "row") {
        let (key, rest) = row.split_once(' ').unwrap();
        builder
            .push(&Key::new(bytes(key)).unwrap(), &entry(rest))
            .unwrap();
    }
    builder.finish().unwrap().unwrap()
}

#[test]
fn segment_vectors() {
    for block in blocks("segment") {
        let (built, claims) = build(&block);
        let segment = open(&built, &claims).unwrap();
        segment.verify().unwrap();
        segment.verify_on(3).unwrap();
        let mut nodes = Vec::new();
        segment.nodes(|at, bytes| nodes.push((at, bytes))).unwrap();
        let actual: String = nodes
            .iter()
            .map(|(at, length)| {
                let node = &built[*at as usize..(*at + *length) as usize];
                format!("node {}\n", hex(node))
            })
            .collect();
        let written: String = block
            .iter()
            .filter(|(word, _)| word == "node")
            .map(|(_, node)| format!("node {}\n", hex(&bytes(node))))
            .collect();
        assert_eq!(written, actual, "the vector should read:\n{actual}");
        let actual = [
            claims.id.to_string(),
            claims.bytes.to_string(),
            claims.root_at.to_string(),
        ];
        let written = ["id", "bytes", "root-at"].map(|word| field(&block, word));
        assert_eq!(written, actual.each_ref().map(String::as_str));
    }
}

#[test]
fn at_rest_vectors() {
    for block in blocks("at-rest") {
        let nodes = bytes(field(&block, "nodes"));
        let mut packed = Vec::new();
        at_rest::compress(&mut Cursor::new(&nodes), &mut packed).unwrap();
        let written = bytes(field(&block, "file"));
        let claims = SegmentEntry {
            id: Digest::of(&nodes),
            bytes: nodes.len() as u64,
            root_at: 0,
            records: 0,
            from: vec![],
            bottom: false,
        };
        let mut expanded = Vec::new();
        // Another compressor may write other frames; this one must be readable for ever.
        at_rest::expand(&mut Cursor::new(&written), &claims, &mut expanded)
            .unwrap_or_else(|e| panic!("{e}; this compressor writes:\n{}", hex(&packed)));
        assert_eq!(expanded, nodes);
    }
}

#[test]
fn blob_vectors() {
    for block in blocks("blob") {
        let content = bytes(field(&block, "content"));
        let digest: Digest = field(&block, "name").parse().unwrap();
        assert_eq!(Digest::of(&content), digest);
        let (grown, _) = blob::grow_tree(&content[..], content.len() as u64).unwrap();
        assert_eq!(grown, digest);
    }
}

#[test]
fn document_vectors() {
    let block = &blocks("manifest")[0];
    let written = bytes(field(block, "bytes"));
    let actual = manifest().to_bytes().unwrap();
    assert_eq!(
        hex(&written),
        hex(&actual),
        "the vector should read:\n{}",
        hex(&actual)
    );
    assert_eq!(field(block, "name"), Digest::of(&written).to_string());

    let named = release(&written);
    assert_eq!(Manifest::read(&written, &named).unwrap(), manifest());
    let block = &blocks("release")[0];
    let written = bytes(field(block, "bytes"));
    let actual = encode(&named).unwrap();
    assert_eq!(
        hex(&written),
        hex(&actual),
        "the vector should read:\n{}",
        hex(&actual)
    );
    let read: Release = decode(&written, limits::STATEMENT_BYTES).unwrap();
    assert_eq!(read, named);
    assert_eq!(read.site, site());
}

#[test]
fn release_head_vectors() {
    for block in blocks("release-head") {
        let written = bytes(field(&block, "bytes"));
        assert!(decode::<Release>(&written, limits::STATEMENT_BYTES).is_err());
        let head = Head::of(&written).unwrap();
        assert_eq!(field(&block, "least-edge"), head.least_edge.to_string());
        assert_eq!(field(&block, "site"), head.site.as_str());
        assert_eq!(field(&block, "sequence"), head.sequence.to_string());
    }
}

/// The order of the vector: every field is there.
fn order(follows: Digest) -> Order {
    let words = |ko: &str, en: &str| [("ko", ko), ("en", en)].into_iter().collect();
    Order {
        version: Order::VERSION,
        site: site(),
        scope: Scope::Site,
        epoch: Epoch(3),
        predecessor: Some(follows),
        mode: Mode::Degraded,
        insists: true,
        notices: vec![Notice {
            at: Timestamp(1_760_500_000_000),
            text: words("복구 중입니다", "We are repairing"),
        }],
        pin: Some(Pin {
            sequence: Sequence(7),
            manifest: follows,
        }),
        back: Some(Back {
            since: Timestamp(1_760_500_000_000),
            until: Timestamp(1_760_507_200_000),
        }),
        who: "mina@dasom.example".into(),
        why: "fire".into(),
        ends_at: Some(Timestamp(1_760_600_000_000)),
        signed_at: Timestamp(1_760_500_001_000),
    }
}

#[test]
fn order_vectors() {
    let block = &blocks("order")[0];
    let written = bytes(field(block, "payload"));
    let named: Digest = field(&blocks("manifest")[0], "name").parse().unwrap();
    let actual = encode(&order(named)).unwrap();
    assert_eq!(
        hex(&written),
        hex(&actual),
        "the vector should read:\n{}",
        hex(&actual)
    );
    let read: Order = decode(&written, limits::STATEMENT_BYTES).unwrap();
    assert_eq!(read, order(named));
}

#[test]
fn succession_vectors() {
    let block = &blocks("succession")[0];
    let follows = TrustFiles::default().digest();
    let succession = Succession {
        version: Succession::VERSION,
        site: site(),
        number: 3,
        follows,
        allowed_signers: "# nobody\n".into(),
        trust_toml: "[thresholds]\n".into(),
        who: "mina@dasom.example".into(),
        why: "stolen".into(),
        signed_at: Timestamp(1_760_500_001_000),
    };
    let payload = encode(&succession).unwrap();
    let actual = format!(
        "follows {follows}\npayload {}\nmakes {}\n",
        hex(&payload),
        succession.files().digest()
    );
    let written = format!(
        "follows {}\npayload {}\nmakes {}\n",
        field(block, "follows"),
        hex(&bytes(field(block, "payload"))),
        field(block, "makes")
    );
    assert_eq!(written, actual, "the vector should read:\n{actual}");
    assert_eq!(
        Succession::of(&Envelope::seal(payload)).unwrap(),
        succession
    );
}

#[test]
fn envelope_vectors() {
    let block = &blocks("envelope")[0];
    let written = bytes(field(block, "bytes"));
    let pair = ssh_key::private::Ed25519Keypair::from_seed(&[1; 32]);
    let mut envelope = Envelope::seal(bytes(field(&blocks("release")[0], "bytes")));
    let signer = KeySigner::new(pair.into()).unwrap();
    envelope.sign_with(&signer, Namespace::Release).unwrap();
    let actual = envelope.to_bytes().unwrap();
    assert_eq!(
        hex(&written),
        hex(&actual),
        "the vector should read:\n{}",
        hex(&actual)
    );
    assert_eq!(Envelope::from_bytes(&written).unwrap(), envelope);
}

#[test]
fn sealed_vectors() {
    for block in blocks("sealed") {
        let [site, collection, secret] =
            ["site", "collection", "secret"].map(|word| field(&block, word));
        let plaintext = bytes(field(&block, "plaintext"));
        let name = seal::record_name(site, collection, secret);
        assert_eq!(field(&block, "name"), name);
        let written = bytes(field(&block, "sealed"));
        let actual = seal::seal(site, collection, secret, &plaintext).unwrap();
        assert_eq!(
            hex(&written),
            hex(&actual),
            "the vector should read:\n{}",
            hex(&actual)
        );
        let opened = seal::open(site, collection, secret, &written).unwrap();
        assert_eq!(opened, plaintext);
    }
}

#[test]
fn every_step_is_in_the_code() {
    let steps: BTreeSet<_> = FORMAT
        .split("\n- **")
        .skip(1)
        .map(|item| item.split("**").next().unwrap().to_owned())
        .collect();
    assert!(steps.len() > 25, "FORMAT.md lists only {steps:?}");
    let mut code = String::new();
    read_sources(
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")),
        &mut code,
    );
    read_sources(
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/seal/src")),
        &mut code,
    );
    for step in steps {
        let found = code.lines().any(|line| {
            let comment = line.trim_start();
            comment.starts_with("//") && comment.contains(&format!(" {step} "))
        });
        assert!(found, "no comment names step {step} of FORMAT.md");
    }
}

fn read_sources(dir: &Path, into: &mut String) {
    for entry in fs_err::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_sources(&path, into);
        } else {
            into.push_str(&fs_err::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn limits_are_the_codes() {
    let table = FORMAT.split("| limit | value |").nth(1).unwrap();
    let documented = |name: &str| {
        let row = table
            .lines()
            .find(|row| row.starts_with(&format!("| {name} |")));
        let value = row
            .unwrap_or_else(|| panic!("no limit {name}"))
            .split('|')
            .nth(2)
            .unwrap();
        let digits: String = value.chars().filter(char::is_ascii_digit).collect();
        digits.parse::<u64>().unwrap()
    };
    let pairs = [
        ("key", limits::KEY_BYTES as u64),
        ("inline value", limits::INLINE_VALUE_BYTES as u64),
        ("node", limits::NODE_BYTES as u64),
        ("head of a root", limits::ROOT_HEAD_BYTES as u64),
        ("levels", u64::from(limits::LEVELS)),
        ("segment", limits::SEGMENT_BYTES),
        ("frame", limits::FRAME_BYTES as u64),
        ("blob hashed whole", limits::WHOLE_BLOB_BYTES),
        ("blob", limits::BLOB_BYTES),
        ("component", limits::COMPONENT_BYTES as u64),
        ("segments in a stack", limits::STACK_SEGMENTS as u64),
        ("manifest", limits::MANIFEST_BYTES as u64),
        ("presets of a site, or of a service", limits::PRESETS as u64),
        (
            "release, order or succession",
            limits::STATEMENT_BYTES as u64,
        ),
        ("envelope", limits::ENVELOPE_BYTES as u64),
        ("signature", limits::SIGNATURE_BYTES as u64),
        ("signatures in an envelope", limits::SIGNATURES as u64),
        ("bundle", limits::BUNDLE_BYTES as u64),
        ("orders in a bundle", limits::BUNDLE_ORDERS as u64),
        ("chain", limits::CHAIN_BYTES as u64),
        ("successions in a chain", limits::CHAIN_SUCCESSIONS as u64),
        ("trust file", limits::TRUST_FILE_BYTES as u64),
        ("statement ahead of edge time", limits::AHEAD_MS),
        ("forced mode, at most", limits::FORCED_MS),
    ];
    for (name, value) in pairs {
        assert_eq!(documented(name), value, "{name}");
    }
}
