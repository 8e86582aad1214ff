//! What every bench may be asked.

use std::path::PathBuf;

/// How much, how often, and where.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Records of the usual collection
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) records: u64,
    /// Records of the large one; each takes about 5 KB of disk
    #[arg(long, default_value_t = 10_000_000)]
    pub(crate) large: u64,
    /// Rounds of each comparison
    #[arg(long, default_value_t = 3)]
    pub(crate) rounds: usize,
    /// Edges of the fleet that orders are given to
    #[arg(long, default_value_t = 50)]
    pub(crate) edges: usize,
    /// Orders by each path
    #[arg(long, default_value_t = 10)]
    pub(crate) orders: usize,
    /// Only these rows
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Folder of the optimised binaries
    #[arg(long)]
    pub(crate) binaries: PathBuf,
    /// Folder of the components
    #[arg(long)]
    pub(crate) components: PathBuf,
    /// A folder to work in; tens of GB for the large collection
    #[arg(long)]
    pub(crate) work: PathBuf,
    /// End with one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
}

impl Options {
    /// Whether one of these rows is asked for.
    pub(crate) fn wants(&self, ids: &[&str]) -> bool {
        self.only.is_empty() || ids.iter().any(|id| self.only.iter().any(|only| only == id))
    }
}
