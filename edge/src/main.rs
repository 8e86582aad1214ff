//! The `edge` program: wiring only.

use std::process::ExitCode;

fn main() -> ExitCode {
    edge::cmd::main(|config| async move {
        anyhow::bail!("{} cannot serve: this build has no listeners", config.name)
    })
}
