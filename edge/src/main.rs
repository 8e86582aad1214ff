//! The `edge` program: wiring only.

use std::process::ExitCode;

fn main() -> ExitCode {
    edge::cmd::main()
}
