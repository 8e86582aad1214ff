//! `town`: makes the example's data and serves its origin.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// The example site's data and its small origin.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the town's database, exports and photographs, unless they are there.
    Generate {
        /// Where to.
        dir: PathBuf,
    },
    /// Write meetings.csv and guides.ndjson anew from the database.
    Export {
        /// The town's folder.
        dir: PathBuf,
    },
    /// Serve the origin until the process ends.
    Origin {
        /// The town's folder.
        #[arg(long)]
        data: PathBuf,
        /// Address to listen at; port 0 picks one and prints it.
        #[arg(long, default_value = "127.0.0.1:9000")]
        listen: SocketAddr,
    },
}

#[tokio::main]
async fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Generate { dir } => {
            let made = tokio::task::spawn_blocking(move || {
                town::generate(&dir, town::SEED, town::Size::default())
            })
            .await??;
            println!(
                "{}",
                if made {
                    "made the town"
                } else {
                    "the town is there already"
                }
            );
            Ok(())
        }
        Command::Export { dir } => tokio::task::spawn_blocking(move || town::export(&dir)).await?,
        Command::Origin { data, listen } => town::origin::serve(&data, listen).await,
    }
}
