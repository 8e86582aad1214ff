//! The example town, small: the stage's world on real processes, for what needs its pages.

use std::path::PathBuf;

use stage::urls::Urls;
use stage::world::{Built, World};
use tempfile::TempDir;
use town::Size;

use super::built::{binaries, share_compiled};
use super::{binary, component_file, components};

/// A town small enough for a test: every kind of page, few of each.
pub(crate) const SMALL: Size = Size {
    invitations: 12,
    meetings: 6,
    photos: 3,
    rows: 6,
    sheets: 3,
};

/// A laid-out world. Its folder and processes go with the value.
#[derive(Debug)]
pub(crate) struct Town {
    /// The world.
    pub(crate) world: World,
    _dir: TempDir,
}

impl Town {
    /// A small town with its keys; nothing runs and nothing is published.
    pub(crate) async fn lay_out() -> Self {
        let town = Self::lay_out_alone().await;
        share_compiled(&town.world.site().join(".holdfast"));
        for edge in &town.world.edges {
            share_compiled(&town.world.dir.join(edge.name));
        }
        town
    }

    /// The same, where everything that is kept lies below its own folder.
    pub(crate) async fn lay_out_alone() -> Self {
        for name in ["edge", "origin-sync", "town"] {
            binary(name);
        }
        for name in ["account", "invitation", "view"] {
            component_file(name);
        }
        let built = Built {
            binaries: binaries(),
            components: fs_err::canonicalize(components()).unwrap(),
            root: PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/..")),
        };
        let dir = tempfile::Builder::new()
            .prefix("holdfast-town-")
            .tempdir()
            .unwrap();
        let loopback = std::net::Ipv4Addr::LOCALHOST.into();
        let world = World::lay_out_of(dir.path(), &built, loopback, SMALL).await;
        Self {
            world: world.unwrap(),
            _dir: dir,
        }
    }

    /// Publishes, and starts every edge.
    pub(crate) async fn open(self) -> Self {
        let edges = self.world.edges.len();
        self.open_edges(edges).await
    }

    /// Publishes, and starts the first `edges` edges; the others are no part of it.
    pub(crate) async fn open_edges(mut self, edges: usize) -> Self {
        self.publish().await;
        self.world.edges.truncate(edges);
        for at in 0..edges {
            self.world.start_edge(at).unwrap();
        }
        self.world.wait_ready().await.unwrap();
        self
    }

    /// Publishes.
    pub(crate) async fn publish(&self) {
        let published = self.world.publish().await;
        published.unwrap_or_else(|error| panic!("{error:#}"));
    }

    /// Every URL that the source data promises.
    pub(crate) fn urls(&self) -> Urls {
        Urls::of(&self.world.site()).unwrap()
    }
}
