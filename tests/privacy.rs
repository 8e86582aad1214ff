//! Account numbers are for whoever has the link, and lie nowhere: not on a mirror, not on an
//! edge's disk, not in what was compiled, not in a log, compressed or not.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use town::db;
use town::model::{Accounts, BankAccount, Payment};

use crate::scene::Town;

/// Most bytes a compressed part may become: far more than anything here holds.
const EXPANDED: usize = 64 << 20;
/// What every zstd frame starts with (RFC 8878 section 3.1.1).
const FRAME: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Every account number of the town.
fn numbers(town: &Town) -> Vec<String> {
    let connection = db::open(&town.world.database()).unwrap();
    let gifts = db::all::<Accounts>(&connection).unwrap();
    let accounts = db::all::<BankAccount>(&connection).unwrap();
    let bills = db::all::<Payment>(&connection).unwrap();
    let mut numbers: Vec<String> = gifts
        .iter()
        .flat_map(Accounts::numbers)
        .map(str::to_owned)
        .collect();
    numbers.extend(accounts.iter().map(|account| account.number.clone()));
    numbers.extend(bills.iter().map(|bill| bill.account.clone()));
    assert!(!gifts.is_empty() && !accounts.is_empty() && !bills.is_empty());
    assert!(numbers.iter().all(|number| number.len() > 8));
    numbers
}

/// Every file below `folder`.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs_err::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            files(&entry.path(), found);
        } else {
            found.push(entry.path());
        }
    }
}

/// A file's bytes, and those of every frame in it.
fn contents(path: &Path) -> Vec<Vec<u8>> {
    let raw = fs_err::read(path).unwrap();
    let starts = raw.windows(FRAME.len()).enumerate();
    let starts = starts.filter_map(|(at, bytes)| (bytes == FRAME).then_some(at));
    let frames = starts.filter_map(|at| {
        let length = zstd::zstd_safe::find_frame_compressed_size(&raw[at..]).ok()?;
        zstd::bulk::decompress(&raw[at..at + length], EXPANDED).ok()
    });
    let mut contents: Vec<Vec<u8>> = frames.collect();
    contents.push(raw);
    contents
}

/// Which of `numbers`, given without hyphens, stand in `bytes`, with hyphens or without.
fn standing<'n>(numbers: &'n BTreeSet<String>, bytes: &[u8]) -> BTreeSet<&'n str> {
    let lengths: BTreeSet<usize> = numbers.iter().map(String::len).collect();
    let mut standing = BTreeSet::new();
    for run in bytes.split(|byte| !byte.is_ascii_digit() && *byte != b'-') {
        let digits: Vec<u8> = run.iter().copied().filter(u8::is_ascii_digit).collect();
        for length in &lengths {
            for part in digits.windows(*length) {
                let part = std::str::from_utf8(part).unwrap();
                standing.extend(numbers.get(part).map(String::as_str));
            }
        }
    }
    standing
}

/// How many of `numbers` stand in some file of `places`, and in which files.
fn found(numbers: &[String], places: &[PathBuf]) -> (usize, Vec<PathBuf>) {
    let bare: BTreeSet<String> = numbers.iter().map(|n| n.replace('-', "")).collect();
    let (mut seen, mut holding) = (BTreeSet::new(), Vec::new());
    let mut paths = Vec::new();
    for place in places {
        if place.is_dir() {
            files(place, &mut paths);
        } else {
            paths.push(place.clone());
        }
    }
    for path in paths {
        for bytes in contents(&path) {
            let standing = standing(&bare, &bytes);
            if !standing.is_empty() {
                holding.push(path.clone());
                seen.extend(standing);
            }
        }
    }
    let all = numbers
        .iter()
        .filter(|number| seen.contains(number.replace('-', "").as_str()));
    (all.count(), holding)
}

#[test]
fn numbers_are_seen_with_hyphens_and_without() {
    let numbers = ["110-234-567890".to_owned()];
    for text in [
        "110-234-567890",
        "110234567890",
        "x110234567890y",
        "99110-234-56789000",
    ] {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), text).unwrap();
        let place = [file.path().to_owned()];
        assert_eq!(found(&numbers, &place).0, 1, "{text}");
        let frame = zstd::bulk::compress(text.as_bytes(), 3).unwrap();
        fs_err::write(file.path(), [b"before", &frame[..], b"after"].concat()).unwrap();
        assert_eq!(found(&numbers, &place).0, 1, "{text}, compressed");
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    fs_err::write(file.path(), "110 234 567890 and 11023456789").unwrap();
    assert_eq!(found(&numbers, &[file.path().to_owned()]).0, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_account_number_lies_on_a_mirror_an_edge_or_in_a_log() {
    let town = Town::lay_out_alone().await.open_edges(1).await;
    let (world, numbers) = (&town.world, numbers(&town));
    // Every page with a number was served, to readers who have its link.
    let pages = town.urls().pages.into_iter().filter(|page| {
        page.ends_with("/gift") || page.starts_with("/bank/") || page.starts_with("/pay/")
    });
    let mut served = 0;
    for page in pages {
        for edge in &world.edges {
            let answer = world.client.get(edge.public, &page, "ko").await.unwrap();
            assert_eq!(answer.status, 200);
            served += numbers
                .iter()
                .filter(|n| answer.text().contains(*n))
                .count();
        }
    }
    assert!(
        served >= numbers.len() * world.edges.len(),
        "{served} numbers were served"
    );

    let mut places = vec![world.mirror()];
    for edge in &world.edges {
        let data = world.dir.join(edge.name);
        for part in ["sites", "compiled"] {
            let mut held = Vec::new();
            files(&data.join(part), &mut held);
            assert!(!held.is_empty(), "{} holds no {part}", data.display());
        }
        places.extend([data, world.dir.join(format!("{}.log", edge.name))]);
    }
    // The publisher's own copy is what mirrors hold.
    places.push(world.site().join(".holdfast"));
    for place in &places {
        assert!(
            place.exists(),
            "{} is not where it was looked for",
            place.display()
        );
    }
    assert_eq!(found(&numbers, &places), (0, Vec::new()));
}

/// The search above finds what is there: the same town with nothing sealed.
#[tokio::test(flavor = "multi_thread")]
async fn without_sealing_every_account_number_is_found() {
    let town = Town::lay_out().await;
    let file = town.world.site().join("site.toml");
    let mut text = fs_err::read_to_string(&file).unwrap();
    let sealed = "privacy = \"sealed\"\nsecret = \"cap\"\n";
    for private in [sealed, "privacy = \"unlisted\"\n"] {
        assert!(text.contains(private));
        text = text.replace(private, "privacy = \"public\"\n");
    }
    // Its page opens sealed records only.
    let gift = text
        .find("[[route]]\npath = \"/i/{id}/{cap}/gift\"")
        .unwrap();
    let end = gift + text[gift..].find("\n\n").unwrap();
    text.replace_range(gift..end, "");
    fs_err::write(&file, text).unwrap();
    let town = town.open_edges(1).await;
    let numbers = numbers(&town);
    for place in [
        town.world.mirror(),
        town.world.dir.join(town.world.edges[0].name).join("sites"),
    ] {
        let (count, holding) = found(&numbers, &[place]);
        assert_eq!(count, numbers.len(), "{holding:?}");
    }
}
