//! Releases and what differs between them, as a person reads it.

use std::fmt::Write;

use crate::inspect::{Changed, Difference, ReleaseLine};

/// One release, and indented what it changed.
pub(super) fn release(line: &ReleaseLine) -> String {
    let mut text = format!(
        "{:>8}  {}  manifest {}  on {} mirrors, {} pointers  {}",
        line.sequence.0,
        line.as_of.rfc3339(),
        line.manifest.short(),
        line.mirrors,
        line.pointers,
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
