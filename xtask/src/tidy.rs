//! `cargo xtask tidy`: rules of this repository that no compiler holds.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use crate::error::{Error, Result};
use crate::step::Steps;
use crate::workspace;
use crate::{limits, process};

/// Longest source file, lines; a room is split well before.
const FILE_LINES: usize = 600;
/// Longest `ARCHITECTURE.md`, lines.
const ARCHITECTURE_LINES: usize = 150;
/// Largest file in git, bytes: what is built is not kept.
const FILE_BYTES: u64 = 1 << 20;

/// Checks every file that git tracks, and names all that break a rule.
pub(crate) fn tidy(steps: &Steps) -> Result<()> {
    let listed = process::output(
        Command::new("git")
            .current_dir(workspace::root())
            .args(["ls-files", "-z"]),
    )?;
    let mut broken = Vec::new();
    let mut files = 0;
    let mut sources = BTreeMap::new();
    let mut limits_page = String::new();
    for name in listed.split_terminator('\0') {
        let path = workspace::root().join(name);
        let Ok(about) = fs::metadata(&path) else {
            continue;
        };
        files += 1;
        if about.len() > FILE_BYTES {
            broken.push(format!(
                "{name}: {} bytes, more than {FILE_BYTES}",
                about.len()
            ));
        }
        if let Ok(text) = fs::read_to_string(&path) {
            broken.extend(
                faults(name, &text)
                    .into_iter()
                    .map(|fault| format!("{name}: {fault}")),
            );
            if name.ends_with(".rs") {
                sources.insert(name.to_owned(), text);
            } else if name == limits::PAGE {
                limits_page = text;
            }
        }
    }
    let disagreements = limits::faults(&limits_page, &sources);
    broken.extend(
        disagreements
            .into_iter()
            .map(|fault| format!("{}: {fault}", limits::PAGE)),
    );
    if broken.is_empty() {
        steps.say("tidy", format_args!("{files} files keep the rules"));
        return Ok(());
    }
    Err(Error::new(format!(
        "{} rules are broken:\n  {}",
        broken.len(),
        broken.join("\n  ")
    )))
}

/// The rules that one text file breaks.
fn faults(name: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let lines = text.lines().count();
    if name.ends_with(".rs") {
        if !text.starts_with("//!") && !text.starts_with("#![") {
            faults.push("does not open with a `//!` paragraph".to_owned());
        }
        if lines > FILE_LINES {
            faults.push(format!("{lines} lines, more than {FILE_LINES}"));
        }
    }
    for (at, line) in text.lines().enumerate() {
        faults.extend(leftover(line).map(|what| format!("line {}: {what}", at + 1)));
    }
    if name == "ARCHITECTURE.md" && lines > ARCHITECTURE_LINES {
        faults.push(format!("{lines} lines, more than {ARCHITECTURE_LINES}"));
    }
    if !text.is_empty() && !text.ends_with('\n') {
        faults.push("does not end with a newline".to_owned());
    }
    faults
}

/// What an edit that was not finished leaves in a line of any text. Spelt in two here, so that
/// this file keeps its own rule.
fn leftover(line: &str) -> Option<&'static str> {
    const CONFLICTS: [&str; 4] = ["<<<<<<<", "|||||||", "=======", ">>>>>>>"];
    const UNDONE: [&str; 3] = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("X", "XX"),
    ];
    let conflict = CONFLICTS.iter().any(|marker| {
        let rest = line.strip_prefix(marker);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    });
    let mut words = line.split(|c: char| !c.is_alphanumeric());
    if conflict {
        Some("a conflict's marker")
    } else if line.contains(concat!("@", "@")) {
        Some("a mark that something was to be put here")
    } else if words.any(|word| UNDONE.contains(&word)) {
        Some("something is left to be done")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_can_be_broken() {
        assert!(faults("a.rs", "//! Good.\n").is_empty());
        assert_eq!(faults("a.rs", "fn main() {}\n").len(), 1);
        assert_eq!(
            faults("a.rs", &format!("//! Long.\n{}", "\n".repeat(FILE_LINES))).len(),
            1
        );
        assert_eq!(
            faults("ARCHITECTURE.md", &"x\n".repeat(ARCHITECTURE_LINES + 1)).len(),
            1
        );
        assert_eq!(faults("a.md", "x").len(), 1);
    }

    #[test]
    fn what_an_edit_left_is_found_in_every_text() {
        let left = [
            concat!("// TO", "DO: later"),
            concat!("# FIX", "ME"),
            concat!("<p>X", "XX</p>"),
            concat!("name = \"@", "@NAME@", "@\""),
            "<<<<<<< ours",
            "||||||| base",
            "=======",
            ">>>>>>> theirs",
        ];
        for line in left {
            for name in ["a.toml", "a.html", "a.md", "Cargo.lock"] {
                assert_eq!(faults(name, &format!("first\n{line}\n")).len(), 1, "{line}");
            }
        }
        for line in [
            "// ========",
            concat!("TO", "DOS"),
            "mail@example",
            "a << 7",
            "todo = \"warn\"",
        ] {
            assert_eq!(leftover(line), None, "{line}");
        }
    }
}
