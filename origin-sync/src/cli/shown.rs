//! Releases and what differs between them, as a person reads it.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value as Json, json};
use snapshot::manifest::Privacy;
use snapshot::{Store, Value};

use crate::build::{Amendment, key_text};
use crate::inspect::{Changed, Difference, ReleaseLine};
use crate::mirror::Signed;
use crate::sweep::count;

/// Most records whose difference is shown.
const SHOWN_RECORDS: usize = 100;
/// Longest value that is shown line by line, bytes.
const SHOWN_BYTES: u64 = 64 << 10;
/// Most lines of one value that are shown.
const SHOWN_LINES: usize = 20;
/// Most of one line that is shown, characters.
const SHOWN_CHARS: usize = 200;

/// One release, and indented what it changed.
pub(super) fn release(line: &ReleaseLine) -> String {
    let mut text = format!(
        "{:>8}  {}  manifest {}  on {}, {}  {}",
        line.sequence.0,
        line.as_of.rfc3339(),
        line.manifest.short(),
        count(line.mirrors as u64, "mirror"),
        count(line.pointers as u64, "pointer"),
        line.signers.join(", "),
    );
    match &line.changed {
        Some(changed) => changes(changed, &mut text),
        None => text.push_str("\n          what it changed cannot be told"),
    }
    text
}

// Writing to a String cannot fail, so what it gives is let go in all of these.

fn changes(changed: &Changed, text: &mut String) {
    for (name, before, now) in &changed.collections {
        let name = name.as_str();
        let _ = match (before, now) {
            (Some(before), Some(now)) => {
                let sign = if now < before { '-' } else { '+' };
                let by = now.abs_diff(*before);
                write!(text, "\n          {name:<24} {now:>9} records  {sign}{by}")
            }
            (None, Some(now)) => write!(text, "\n          {name:<24} {now:>9} records  new"),
            (_, None) => write!(text, "\n          {name:<24} gone"),
        };
    }
    let (objects, bytes) = (changed.objects, changed.bytes);
    let _ = match changed.since {
        Some(since) => write!(
            text,
            "\n          {objects} objects, {bytes} bytes that release {since} had not"
        ),
        None => write!(
            text,
            "\n          {objects} objects, {bytes} bytes in all, without blobs"
        ),
    };
    if changed.missing > 0 {
        let _ = write!(text, "; {} of them on no mirror", changed.missing);
    }
}

/// What differs between two releases, line by line.
pub(super) fn difference(found: &Difference) -> String {
    let mut text = String::new();
    for collection in &found.collections {
        let _ = writeln!(
            text,
            "{:<24} {:<9} +{} ~{} -{}",
            collection.name.as_str(),
            collection.privacy.as_str(),
            collection.added,
            collection.changed,
            collection.removed,
        );
        for change in collection.keys.iter().flatten() {
            let _ = writeln!(text, "  {} {}", change.kind.sign(), change.key);
        }
    }
    for component in &found.components {
        let _ = writeln!(text, "component {component} differs");
    }
    if found.settings {
        text.push_str("titles, languages, services, routes or canaries differ\n");
    }
    if found.is_empty() {
        let _ = writeln!(
            text,
            "nothing differs between {} and {}",
            found.from, found.to
        );
    }
    text
}

/// What was changed by hand, as a person reads it: of private records only how many.
pub(super) fn amendments(base: &Signed, amendments: &[Amendment], store: &Store) -> String {
    let release = &base.release;
    let mut text = format!(
        "release {} of {}, signed by {}, is changed by hand:",
        release.sequence,
        release.as_of.rfc3339(),
        base.signers.join(", "),
    );
    let mut private: BTreeMap<&str, u64> = BTreeMap::new();
    let mut more = 0;
    for (at, amendment) in amendments.iter().enumerate() {
        let collection = amendment.collection.as_str();
        if amendment.privacy != Privacy::Public {
            *private.entry(collection).or_default() += 1;
            continue;
        }
        if at >= SHOWN_RECORDS {
            more += 1;
            continue;
        }
        let bytes = |value: &Option<Value>| value.as_ref().map(Value::bytes);
        let (sign, bytes) = match (bytes(&amendment.was), bytes(&amendment.is)) {
            (None, is) => ('+', format!("{} bytes", is.unwrap_or_default())),
            (Some(was), None) => ('-', format!("{was} bytes")),
            (Some(was), Some(is)) => ('~', format!("{was} -> {is} bytes")),
        };
        let key = key_text(&amendment.key);
        let _ = write!(text, "\n  {sign} {collection}/{key}  {bytes}");
        let words = |value: &Option<Value>| words(value.as_ref(), store);
        if let (Some(was), Some(is)) = (words(&amendment.was), words(&amendment.is)) {
            lines(&was, &is, &mut text);
        }
    }
    if more > 0 {
        let _ = write!(text, "\n  and {more} more, which --json lists");
    }
    for (collection, count) in private {
        let _ = write!(
            text,
            "\n  {count} records of {collection}, which is private"
        );
    }
    if amendments.is_empty() {
        text.push_str("\n  nothing: it says all of that already");
    }
    text
}

/// For scripts.
pub(super) fn amendment_json(amendment: &Amendment) -> Json {
    let bytes = |value: &Option<Value>| value.as_ref().map(Value::bytes);
    json!({
        "collection": amendment.collection.as_str(),
        "key": key_text(&amendment.key),
        "bytes_before": bytes(&amendment.was),
        "bytes": bytes(&amendment.is),
    })
}

/// A value that a person can read.
fn words(value: Option<&Value>, store: &Store) -> Option<String> {
    let bytes = match value? {
        Value::Inline(bytes) => bytes.clone(),
        Value::Blob(blob) if blob.bytes <= SHOWN_BYTES => {
            store.blob(blob).ok()?.read(0..blob.bytes).ok()?
        }
        Value::Blob(_) => return None,
    };
    let text = String::from_utf8(bytes).ok()?;
    let strange = |c: char| c.is_control() && !c.is_whitespace();
    (!text.contains(strange)).then_some(text)
}

/// The lines between the first and the last that differ.
fn lines(was: &str, is: &str, text: &mut String) {
    let (was, is): (Vec<_>, Vec<_>) = (was.lines().collect(), is.lines().collect());
    let same = was.iter().zip(&is).take_while(|(a, b)| a == b).count();
    let (was, is) = (was.get(same..), is.get(same..));
    let (was, is) = (was.unwrap_or_default(), is.unwrap_or_default());
    let after = was.iter().rev().zip(is.iter().rev());
    let after = after.take_while(|(a, b)| a == b).count();
    for (sign, lines) in [('-', was), ('+', is)] {
        let lines = lines.get(..lines.len() - after).unwrap_or_default();
        for line in lines.iter().take(SHOWN_LINES) {
            let line: String = line.chars().take(SHOWN_CHARS).collect();
            let _ = write!(text, "\n      {sign} {line}");
        }
        if lines.len() > SHOWN_LINES {
            let more = lines.len() - SHOWN_LINES;
            let _ = write!(text, "\n      {sign} and {more} lines more");
        }
    }
}

#[cfg(test)]
mod tests {
    use snapshot::Entry;

    use super::*;

    #[test]
    fn of_very_many_changes_the_first_are_shown() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let one = |n: usize| Amendment {
            collection: "pages".parse().unwrap(),
            privacy: if n == 0 {
                Privacy::Sealed
            } else {
                Privacy::Public
            },
            key: snapshot::Key::new(format!("{n}.html")).unwrap(),
            was: None,
            is: Some(Value::Inline(b"words".to_vec())),
        };
        let all: Vec<Amendment> = (0..SHOWN_RECORDS + 3).map(one).collect();
        let release = snapshot::Release {
            version: snapshot::Release::VERSION,
            least_edge: snapshot::EdgeVersion::FIRST,
            site: "x".parse().unwrap(),
            sequence: snapshot::Sequence(7),
            manifest: snapshot::Digest::of(b""),
            manifest_bytes: 0,
            as_of: snapshot::Timestamp(0),
            positions: Vec::new(),
            signed_at: snapshot::Timestamp(0),
            erased: snapshot::Sequence(0),
        };
        let base = Signed {
            release,
            envelope: Vec::new(),
            signers: vec!["sora".to_owned()],
        };
        let text = amendments(&base, &all, &store);
        assert_eq!(text.matches("+ pages/").count(), SHOWN_RECORDS - 1);
        assert!(text.contains("and 3 more"), "{text}");
        assert!(
            text.ends_with("1 records of pages, which is private"),
            "{text}"
        );
        assert!(amendments(&base, &[], &store).ends_with("it says all of that already"));
    }

    #[test]
    fn a_value_too_long_to_be_read_is_told_by_its_length() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let value = |bytes: Vec<u8>| match store.entry(bytes).unwrap() {
            Entry::Inline(bytes) => Value::Inline(bytes),
            Entry::Blob(blob) => Value::Blob(blob),
            Entry::Tombstone => panic!("a value"),
        };
        let readable = |bytes| words(Some(&value(bytes)), &store).is_some();
        let most = usize::try_from(SHOWN_BYTES).unwrap();
        assert!(readable(b"short".to_vec()));
        assert!(readable(vec![b'x'; most]));
        assert!(!readable(vec![b'x'; most + 1]));
        assert!(!readable(b"\xff".to_vec()));
        assert!(!readable(b"\x1b[2J".to_vec()));
    }

    #[test]
    fn of_two_texts_the_lines_between_are_shown_and_not_too_many() {
        let shown = |was: &str, is: &str| {
            let mut text = String::new();
            lines(was, is, &mut text);
            text
        };
        assert_eq!(
            shown("a\nb\nc", "a\nx\ny\nc"),
            "\n      - b\n      + x\n      + y"
        );
        assert_eq!(shown("a\na", "a"), "\n      - a");
        assert_eq!(shown("same", "same"), "");
        let many = shown("", &"line\n".repeat(SHOWN_LINES + 3));
        assert_eq!(many.matches("+ line").count(), SHOWN_LINES);
        assert!(many.ends_with("+ and 3 lines more"));
        assert!(shown("", &"x".repeat(9999)).len() < SHOWN_CHARS + 20);
    }
}
