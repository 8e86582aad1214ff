//! `cargo xtask test`: everything a change is held to, part by part with its time, and the counts.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::components::{self, Guests};
use crate::error::{Error, Result};
use crate::play::{self, Play};
use crate::step::Steps;
use crate::workspace;
use crate::{parts, process, tidy};

/// Test results added up.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    passed: u64,
    failed: u64,
    skipped: u64,
}

/// How much is tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// What a change is held to.
    Usual,
    /// That, and what needs programs that take many minutes to build.
    All,
}

/// Runs all parts; the first that fails ends it, after the counts so far.
pub(crate) fn test(steps: &Steps, extent: Extent) -> Result<()> {
    let mut parts: Vec<(&str, Duration)> = Vec::new();
    let mut counts = Counts::default();
    let done = run(steps, extent, &mut parts, &mut counts);
    println!();
    for (name, took) in &parts {
        println!("{name:<28} {:>7.1} s", took.as_secs_f64());
    }
    println!("{:<28} {:>7.1} s", "all", steps.elapsed().as_secs_f64());
    println!();
    println!(
        "{} passed, {} failed, {} skipped",
        counts.passed, counts.failed, counts.skipped
    );
    done
}

fn run(
    steps: &Steps,
    extent: Extent,
    parts: &mut Vec<(&'static str, Duration)>,
    counts: &mut Counts,
) -> Result<()> {
    let mut part = |name: &'static str, work: &mut dyn FnMut() -> Result<()>| {
        steps.say("test", name);
        let begun = steps.elapsed();
        let done = work();
        parts.push((name, steps.elapsed().saturating_sub(begun)));
        done
    };
    part("format", &mut || {
        process::run(cargo().args(["fmt", "--all", "--check"]))
    })?;
    part("tidy", &mut || tidy::tidy(steps))?;
    part("outside programs", &mut || {
        parts::install(steps, outside::PROGRAMS);
        // A machine that is thrown away may get a whole server with its package.
        let is_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
        match extent {
            Extent::All => parts::install(steps, outside::LARGE),
            _ if is_ci => parts::install(steps, outside::SERVERS),
            _ => {}
        }
        Ok(())
    })?;
    part("guests", &mut || {
        components::build(steps, Guests::All).map(|_| ())
    })?;
    // Tests and the binaries they start, in one go: apart, they would resolve other features and
    // compile the dependencies twice.
    part("build", &mut || {
        process::run(cargo().args(["build", "--workspace", "--all-targets", "--quiet"]))
    })?;
    part("clippy", &mut || clippy(steps))?;
    let skips = workspace::target("skipped-tests.txt");
    forget(&skips)?;
    part("unit and integration tests", &mut || {
        tests(
            cargo()
                .args([
                    "test",
                    "--workspace",
                    "--no-fail-fast",
                    "--lib",
                    "--bins",
                    "--tests",
                ])
                .env(outside::SKIPS, &skips)
                .envs((extent == Extent::All).then_some((outside::ALL, "1"))),
            counts,
        )
    })?;
    part("doc tests", &mut || {
        tests(
            cargo().args(["test", "--workspace", "--doc", "--quiet"]),
            counts,
        )
    })?;
    part("drill", &mut || play::stage(steps, Play::Drill, &[]))?;
    counts.passed += 1;
    report_skips(&skips, counts)
}

fn cargo() -> Command {
    let mut cargo = Command::new(workspace::cargo());
    cargo.current_dir(workspace::root());
    cargo
}

/// Warnings are errors with the Rust that the manifest names; a newer one may know new warnings,
/// which are shown.
fn clippy(steps: &Steps) -> Result<()> {
    let mut clippy = cargo();
    clippy.args(["clippy", "--workspace", "--all-targets", "--quiet"]);
    let active = process::output(Command::new("rustc").arg("--version"))?;
    let named = manifest_rust()?;
    if active
        .split_whitespace()
        .nth(1)
        .is_some_and(|version| version.starts_with(&format!("{named}.")))
    {
        clippy.args(["--", "--deny", "warnings"]);
    } else {
        steps.say(
            "clippy",
            format_args!(
                "{} is not {named}: warnings are shown, not denied",
                active.trim()
            ),
        );
    }
    process::run(&mut clippy)
}

/// The `rust-version` of the workspace.
fn manifest_rust() -> Result<String> {
    let manifest = workspace::root().join("Cargo.toml");
    let text =
        fs::read_to_string(&manifest).map_err(|error| Error::file("read", &manifest, &error))?;
    text.lines()
        .find_map(|line| line.strip_prefix("rust-version = \"")?.strip_suffix('"'))
        .map(str::to_owned)
        .ok_or_else(|| Error::new(format!("{} names no rust-version", manifest.display())))
}

/// Runs tests, shows what they print, and adds their results up.
fn tests(command: &mut Command, counts: &mut Counts) -> Result<()> {
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| Error::new(format!("cannot start cargo: {error}")))?;
    let done = child
        .wait_with_output()
        .map_err(|error| Error::new(format!("cannot wait for cargo: {error}")))?;
    let said = String::from_utf8_lossy(&done.stdout);
    for line in said.lines().filter(|line| tells(line)) {
        println!("{line}");
    }
    add(&said, counts);
    if done.status.success() {
        Ok(())
    } else {
        Err(Error::new(format!("tests failed: {}", done.status)))
    }
}

/// Whether a line is worth a look: passing tests by name are not, nor is a binary without tests.
fn tells(line: &str) -> bool {
    !(line.trim().is_empty()
        || line.ends_with(" ... ok")
        || line == "running 0 tests"
        || line.starts_with("test result: ok. 0 passed; 0 failed; 0 ignored;"))
}

/// Adds the closing lines of test binaries: `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
fn add(said: &str, counts: &mut Counts) {
    for line in said
        .lines()
        .filter_map(|line| line.strip_prefix("test result: "))
    {
        let count = |what: &str| {
            line.split([';', '.'])
                .find_map(|part| part.trim().strip_suffix(what)?.trim().parse::<u64>().ok())
                .unwrap_or(0)
        };
        counts.passed += count("passed");
        counts.failed += count("failed");
        counts.skipped += count("ignored");
    }
}

fn forget(skips: &PathBuf) -> Result<()> {
    match fs::remove_file(skips) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::file("remove", skips, &error))
        }
        _ => Ok(()),
    }
}

/// Names the tests that skipped themselves; such a test counts as passed for its runner.
fn report_skips(skips: &PathBuf, counts: &mut Counts) -> Result<()> {
    let named = fs::read_to_string(skips).unwrap_or_default();
    for line in named.lines() {
        println!("skipped: {line}");
        counts.skipped += 1;
        counts.passed = counts.passed.saturating_sub(1);
    }
    if counts.skipped > 0 && std::env::var_os("CI").is_some_and(|ci| ci == "true") {
        return Err(Error::new(format!(
            "{} tests were skipped, and CI=true allows none",
            counts.skipped
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_add_up() {
        let mut counts = Counts::default();
        add(
            "x\ntest result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s\n",
            &mut counts,
        );
        add(
            "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured\n",
            &mut counts,
        );
        assert_eq!(
            counts,
            Counts {
                passed: 15,
                failed: 2,
                skipped: 1
            }
        );
    }

    #[test]
    fn what_a_person_looks_for_is_shown() {
        for line in [
            "running 3 tests",
            "test sync::rollback ... FAILED",
            "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured",
            "test result: ok. 0 passed; 0 failed; 1 ignored; 0 measured",
            "skipped interop::signs: ssh-keygen is not installed",
        ] {
            assert!(tells(line), "{line}");
        }
        for line in [
            "",
            "test sync::rollback ... ok",
            "running 0 tests",
            "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured",
        ] {
            assert!(!tells(line), "{line}");
        }
    }

    #[test]
    fn the_manifest_names_a_rust() {
        assert_eq!(manifest_rust().unwrap().split('.').count(), 2);
    }
}
