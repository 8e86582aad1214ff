//! Wires the command line to the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(origin_sync::cli::run(std::env::args_os()) as u8)
}
