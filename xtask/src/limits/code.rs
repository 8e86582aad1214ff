//! Finding numbers and tests in source files, line by line: what `rustfmt` leaves is regular enough.

use std::collections::{BTreeMap, BTreeSet};

/// Where bytes from outside are read.
const ROOMS: [&str; 4] = ["snapshot/", "edge/", "origin-sync/", "components/"];
/// Types of numbers that can be limits.
const TYPES: [&str; 6] = ["usize", "u64", "u32", "u16", "u8", "Duration"];

/// A number with a name.
#[derive(Debug)]
pub(super) struct Number {
    pub(super) file: String,
    /// Of a constant its name, of a default `Limits.field`.
    pub(super) name: String,
    /// As it stands in the code.
    pub(super) value: String,
}

/// All numbers of the rooms.
pub(super) fn numbers(files: &BTreeMap<String, String>) -> Vec<Number> {
    let mut numbers = Vec::new();
    let for_tests = for_tests(files);
    for (file, text) in files {
        let is_source = ROOMS.iter().any(|room| file.starts_with(room)) && file.contains("/src/");
        if is_source && !for_tests.iter().any(|start| file.starts_with(start)) {
            collect(file, text, &mut numbers);
        }
    }
    numbers
}

/// How the names of those files start that are compiled for tests alone: their modules are
/// declared so.
fn for_tests(files: &BTreeMap<String, String>) -> Vec<String> {
    let mut starts = Vec::new();
    for (file, text) in files {
        let stem = file.strip_suffix(".rs").unwrap_or(file);
        let roots = ["/mod", "/lib", "/main"];
        let root = roots.iter().find_map(|root| stem.strip_suffix(root));
        let folder = root.unwrap_or(stem);
        let lines = text.lines().map(str::trim);
        for (attribute, declared) in lines.clone().zip(lines.skip(1)) {
            let module = declared.split_once("mod ").map(|(_, module)| module);
            if attribute == "#[cfg(test)]"
                && let Some(name) = module.and_then(|module| module.strip_suffix(';'))
            {
                starts.extend([format!("{folder}/{name}.rs"), format!("{folder}/{name}/")]);
            }
        }
    }
    starts
}

fn collect(file: &str, text: &str, numbers: &mut Vec<Number>) {
    let mut defaults = None;
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let next = lines.peek().copied().unwrap_or_default();
        if line == "#[cfg(test)]" && next.starts_with("mod ") && next.ends_with('{') {
            break;
        }
        if let Some(of) = line.strip_prefix("impl Default for ") {
            defaults = of.strip_suffix(" {").filter(|of| of.ends_with("Limits"));
        } else if line == "}" {
            defaults = None;
        }
        let named = match defaults {
            Some(of) => default(line).map(|(field, value)| (format!("{of}.{field}"), value)),
            None => constant(line).map(|(name, value)| (name.to_owned(), value)),
        };
        numbers.extend(named.map(|(name, value)| Number {
            file: file.to_owned(),
            name,
            value: value.to_owned(),
        }));
    }
}

/// `pub(super) const NAME: usize = VALUE;`
fn constant(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start();
    if line.starts_with("//") {
        return None;
    }
    let (before, rest) = line.split_once("const ")?;
    let (name, rest) = rest.split_once(": ")?;
    let (kind, value) = rest.split_once(" = ")?;
    let is_visibility = before.is_empty() || before.starts_with("pub");
    let kind = kind.rsplit("::").next()?;
    (is_visibility && TYPES.contains(&kind)).then_some((name, value.strip_suffix(';')?))
}

/// `            field: VALUE,`
fn default(line: &str) -> Option<(&str, &str)> {
    let field = line.strip_prefix("            ")?;
    let (name, value) = field.strip_suffix(',')?.split_once(": ")?;
    (!name.starts_with(' ')).then_some((name, value))
}

/// The names of all tests.
pub(super) fn tests(files: &BTreeMap<String, String>) -> BTreeSet<String> {
    let mut tests = BTreeSet::new();
    for text in files.values() {
        let mut attributed = false;
        for line in text.lines().map(str::trim) {
            if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
                attributed = true;
            } else if let Some((before, rest)) = line.split_once("fn ") {
                if attributed && (before.is_empty() || before == "async ") {
                    tests.extend(rest.split_once('(').map(|(name, _)| name.to_owned()));
                }
                attributed = false;
            }
        }
    }
    tests
}
