//! What a machine lacks is no failure, but it is said, and `CI=true` allows none.

use std::io::Write;

/// Notes that test `name` did not run: in the file that `HOLDFAST_SKIPS` names, one line a skip.
pub(crate) fn skip(name: &str, why: &str) {
    let ci = std::env::var_os("CI").is_some_and(|ci| ci == "true");
    assert!(!ci, "{name} was skipped, and CI=true allows no skip: {why}");
    eprintln!("skipped {name}: {why}");
    if let Some(file) = std::env::var_os("HOLDFAST_SKIPS") {
        let mut options = fs_err::OpenOptions::new();
        let mut file = options.create(true).append(true).open(file).unwrap();
        writeln!(file, "{name}: {why}").unwrap();
    }
}

/// Whether the program `tool` is installed; test `name` is skipped otherwise.
pub(crate) fn tool(name: &str, tool: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|folder| folder.join(tool).is_file());
    if !found {
        skip(name, &format!("{tool} is not installed"));
    }
    found
}
