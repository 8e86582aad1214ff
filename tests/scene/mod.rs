//! The scene of a test, made to read like a sentence:
//!
//! ```text
//! let site = Site::small().init().await;
//! site.publish().await;
//! let edge = site.edge().start().await;
//! let page = edge.get("/").language("ko").await;
//! ```
//!
//! Everything lies in a temporary folder and every process dies with the value that stands for it.

mod ask;
mod bucket;
mod built;
mod bytes;
mod clock;
mod disk;
mod edge;
mod fleet;
mod flood;
mod html;
mod origin;
mod run;
mod schema;
mod site;
mod spin;
mod town;
mod wire;
mod zones;

pub(crate) use ask::{Ask, hurl, raw};
pub(crate) use bucket::{Bucket, SECRET};
pub(crate) use built::{binaries, binary, compiled_cache, component, component_file, components};
pub(crate) use clock::Clock;
pub(crate) use disk::Disk;
pub(crate) use edge::{Edge, EdgeBuilder};
pub(crate) use fleet::{Fleet, TOKEN};
pub(crate) use flood::flood;
pub(crate) use html::{elements, parse, problems};
pub(crate) use origin::Origin;
pub(crate) use run::{Ended, run, run_fed};
pub(crate) use schema::unlike;
pub(crate) use site::{HOST, INDEX, Site};
pub(crate) use spin::{Spin, seen};
pub(crate) use town::Town;
pub(crate) use wire::{Fault, Wire};
pub(crate) use zones::Zones;

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use tokio::time::Instant;

/// How long anything may take that is waited for: far more than it needs on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `condition` gives something; fails naming `what` after [`PATIENCE`].
pub(crate) async fn eventually<T>(what: &str, mut condition: impl AsyncFnMut() -> Option<T>) -> T {
    let found = stage::process::wait_for(what, PATIENCE, async || Ok(condition().await)).await;
    found.unwrap_or_else(|error| panic!("{error:#}"))
}

/// An address of loopback to listen on; no other test, and no other run, is given it meanwhile.
pub(crate) fn free() -> SocketAddr {
    stage::ports::free(Ipv4Addr::LOCALHOST.into()).unwrap()
}

/// The same, taken: nobody can listen there while the listener lives.
pub(crate) fn hold() -> TcpListener {
    let (at, begun) = (free(), Instant::now());
    loop {
        match TcpListener::bind(at) {
            // A program that another test starts this instant has what was tried there open until it runs.
            Err(error) if error.kind() == ErrorKind::AddrInUse && begun.elapsed() < PATIENCE => {
                std::thread::yield_now();
            }
            bound => return bound.unwrap(),
        }
    }
}
