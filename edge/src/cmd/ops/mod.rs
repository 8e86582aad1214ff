//! What the commands of operators share: their settings, the paths that statements take, the text
//! that carries them by hand, the question whether to go on, and who obeys in the end.

pub mod armor;
pub mod busy;
pub mod confirm;
pub mod generations;
mod init;
pub mod key;
pub mod obeying;
pub mod plain;
mod progress;
mod settings;
pub mod written;

use clap::{Args, Subcommand};

use super::{Exit, Fault};

pub use settings::{Common, Settings};

/// The settings of operators.
#[derive(Debug, Args)]
pub struct Ops {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Writes ops.toml: which site, by which paths, with which key.
    #[command(after_long_help = init::HELP)]
    Init(init::Init),
}

impl Ops {
    /// Blocking.
    pub(super) fn run(self) -> Result<Exit, Fault> {
        match self.what {
            What::Init(init) => init.run(),
        }
    }
}
