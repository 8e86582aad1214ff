//! `cargo xtask components`: builds the guests for a target without a system, and wraps each as a
//! component. Cargo decides what is compiled again; a component whose bytes stay the same is not
//! touched.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Error, Result};
use crate::lock::Lock;
use crate::process;
use crate::step::Steps;
use crate::toolchain::{self, TARGET, Toolchain};
use crate::workspace;

/// The guests, each a package under `components/` and a file `target/components/NAME.wasm`.
const NAMES: &[&str] = &["invitation", "account", "view"];

/// The guests that only tests run, from `tests/guests/`.
const TEST_NAMES: &[&str] = &["hostile"];

/// Which guests to build. Each row is a build of its own: cargo unites the features of packages
/// that it builds together, and a test's guest must not change the bytes of a site's.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Guests {
    /// What a site is made of.
    Site,
    /// Those of the tests as well.
    All,
}

impl Guests {
    fn builds(self) -> &'static [&'static [&'static str]] {
        match self {
            Guests::Site => &[NAMES],
            Guests::All => &[NAMES, TEST_NAMES],
        }
    }
}

/// The profile of the guests, in the workspace's manifest.
const PROFILE: &str = "guest";

/// Builds the components and returns their files.
pub(crate) fn build(steps: &Steps, which: Guests) -> Result<Vec<PathBuf>> {
    steps.say("guests", "looking for a compiler");
    let toolchain = toolchain::find(steps)?;
    let guests = workspace::target("guests");
    let _lock = Lock::take(steps, &guests.join("xtask.lock"))?;

    for names in which.builds() {
        compile(&toolchain, &guests, names)?;
    }
    steps.say("guests", "compiled");
    let wrap = wrapper(&guests)?;
    let components = workspace::target("components");
    fs::create_dir_all(&components).map_err(|error| Error::file("make", &components, &error))?;

    let mut files = Vec::new();
    for name in which.builds().concat() {
        let module = guests.join(format!("{TARGET}/{PROFILE}/{name}.wasm"));
        let file = components.join(format!("{name}.wasm"));
        let done = process::output(Command::new(&wrap).arg(&module).arg(&file))?;
        let bytes = fs::metadata(&file)
            .map_err(|error| Error::file("read", &file, &error))?
            .len();
        let kilobytes = bytes.div_ceil(1_000);
        steps.say(
            "guests",
            format_args!("{name}.wasm {}, {kilobytes} KB", done.trim()),
        );
        files.push(file);
    }
    Ok(files)
}

/// Compiles guests to core modules, in a folder of their own: flags and compiler differ
/// from the host's, and a guest being built blocks no other build.
fn compile(toolchain: &Toolchain, guests: &Path, names: &[&str]) -> Result<()> {
    let mut cargo = Command::new(workspace::cargo());
    cargo
        .current_dir(workspace::root())
        .args(["build", "--target", TARGET, "--profile", PROFILE])
        .arg("--target-dir")
        .arg(guests)
        .args(names.iter().flat_map(|name| ["--package", name]))
        // What a person sets for the host is not meant for the guests, and would change bytes.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET")
        .env("CARGO_ENCODED_RUSTFLAGS", flags(toolchain).join("\u{1f}"))
        // A dependency's build script asks git for a commit and puts it into the module; where
        // the sources lie inside some repository, it would be an unrelated one.
        .env("GIT_DIR", "/nonexistent");
    toolchain.apply(&mut cargo);
    process::run(&mut cargo).map_err(|error| {
        Error::new(format!("the guests do not compile: {error}"))
            .next("read the compiler's message above")
    })
}

/// Panic messages carry paths of sources; these flags make them, and so a component's bytes, the
/// same in every checkout.
fn flags(toolchain: &Toolchain) -> Vec<String> {
    let mut places = vec![(workspace::root(), "/holdfast")];
    places.extend(workspace::cargo_home().map(|home| (home, "/cargo")));
    // The last one that fits counts, and this one lies inside the checkout.
    places.extend(toolchain.library().map(|place| (place.clone(), "/std")));
    places
        .iter()
        .map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display()))
        .collect()
}

/// The program that wraps, built for this machine. It shares the guests' folder, so that it waits
/// for no other build either.
fn wrapper(guests: &Path) -> Result<PathBuf> {
    let mut cargo = Command::new(workspace::cargo());
    cargo
        .current_dir(workspace::root())
        .args(["build", "--quiet", "--package", "wrap", "--target-dir"])
        .arg(guests)
        .env_remove("CARGO_BUILD_TARGET");
    process::run(&mut cargo)?;
    let name = format!("wrap{}", std::env::consts::EXE_SUFFIX);
    Ok(guests.join("debug").join(name))
}
