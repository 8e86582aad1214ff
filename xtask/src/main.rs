//! The chores of this repository, as `cargo xtask COMMAND`. This file only wires: each command is
//! a module. The crate needs only the standard library, so that its first line comes within seconds.

mod apt;
mod bench;
mod components;
mod error;
mod limits;
mod lock;
mod parts;
mod play;
mod process;
mod step;
mod test;
mod tidy;
mod toolchain;
mod workspace;

use std::process::ExitCode;

use components::Guests;
use error::{Error, Result};
use play::Play;
use step::Steps;
use test::Extent;

const HELP: &str = "\
The chores of this repository.

usage: cargo xtask COMMAND [OPTIONS]

  demo        build, then an outage of your own: keys break and mend an example site
                --bind ADDR  where the edges listen; 0.0.0.0 lets a phone open the pages
                --fresh      forget the last visit
  drill       build, then play the outage without a person; fails if anything falls short
                --json  end with one line of JSON
                --long  go on until readers have asked a million times
  bench snapshot | sync | flip
              build optimised, then Holdfast beside its peers, in one run; installs those with
              apt-get where it may. Takes a quarter of an hour each and 60 GB at full size
                --records N  of the usual collection [1,000,000]
                --large N    of the one that memory and reads are measured with [10,000,000]
                --rounds N   of each comparison [3]
                --edges N    of the fleet that orders are given to [50]
                --orders N   by each path [10]
                --only ID,.. only these rows                  --json     end with a line of JSON
  test        format, tidy, guests, clippy, unit, integration and doc tests, the drill; installs
              programs that tests need, as root with apt-get, others once for this user under
              ~/.cache/holdfast; skips tests without theirs
  test all    the same with Garage, a store over three zones, which takes ten minutes to build, and
              every attack of a lying mirror on a site of twenty thousand pages
  tidy        rules that no compiler holds
  components  build the guests and wrap them as target/components/NAME.wasm
                --tests  those that only tests run as well

Environment
  HOLDFAST_GUESTS=installed|rustup|debian
              the way to a compiler for the guests. Unset, the first that works is taken:
              installed  the active toolchain has wasm32-unknown-unknown
              rustup     `rustup target add wasm32-unknown-unknown`, for at most 20 s
              debian     Debian's rustc-web, fetched without root, unpacked under
                         target/guest-toolchain (900 MB; remove the folder to renew it)
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let steps = Steps::start();
    match dispatch(&steps, &arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Outcome::Usage(message)) => {
            eprint!("xtask: {message}\n\n{HELP}");
            ExitCode::from(64)
        }
        Err(Outcome::Failed(error)) => {
            eprintln!("xtask: {error}");
            if let Some(next) = error.next_step() {
                eprintln!("next: {next}");
            }
            ExitCode::FAILURE
        }
    }
}

/// Why a command did not succeed.
enum Outcome {
    /// The command line was not understood.
    Usage(String),
    /// The command was understood, and failed.
    Failed(Error),
}

impl From<Error> for Outcome {
    fn from(error: Error) -> Self {
        Outcome::Failed(error)
    }
}

fn dispatch(steps: &Steps, arguments: &[String]) -> Result<(), Outcome> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *words.as_slice() {
        [] | ["help" | "-h" | "--help", ..] | [.., "-h" | "--help"] => {
            print!("{HELP}");
            Ok(())
        }
        ["bench", which, ref options @ ..] => Ok(bench::bench(steps, which, options)?),
        ["components"] => build(steps, Guests::Site),
        ["components", "--tests"] => build(steps, Guests::All),
        ["demo", ref options @ ..] => Ok(play::play(steps, Play::Demo, options)?),
        ["drill", ref options @ ..] => Ok(play::play(steps, Play::Drill, options)?),
        ["test"] => Ok(test::test(steps, Extent::Usual)?),
        ["test", "all"] => Ok(test::test(steps, Extent::All)?),
        ["tidy"] => Ok(tidy::tidy(steps)?),
        [command, ..] => Err(Outcome::Usage(format!("`{command}` is not understood"))),
    }
}

fn build(steps: &Steps, which: Guests) -> Result<(), Outcome> {
    for component in components::build(steps, which)? {
        println!("{}", component.display());
    }
    Ok(())
}
