//! `edge check`: would we survive tonight? Whatever would not is named, with what to do about it.
//!
//! Each topic is a file that looks at what it is handed; what has to be asked for is asked here.

mod edges;
mod finding;
mod names;
mod places;
mod routes;
mod signers;
mod told;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use futures::future::join;
use ipnet::IpNet;
use url::Url;

use self::edges::Policy;
use self::finding::Finding;
use super::ops::{Common, Settings};
use super::order::facts::SiteFacts;
use super::{Exit, Fault};
use crate::config::Config;
use crate::settings::parse_duration;
use crate::sync::wall_clock;

pub(super) const HELP: &str = "\
Examples:
  edge check
  edge check --ops ops.toml --config edge.toml --json
  edge check --rehearsed-within 7d --ending-within 60d

What is looked at: who can sign, what mirrors and edges share, and of every edge its alarms, certificates,
rehearsals and room, which its control listener tells (edges in ops.toml, or --edge); canaries of the newest
release, which a mirror or a peer listener gives (--mirror, --via); names of mirrors, edges, and sources of
the edges. Names are held against origin_networks of ops.toml: the networks that are gone with the origin.
What cannot be looked at is never well.

Exit status:
   0  nothing was found
   1  something was found, or could not be looked at: each has a line and a remedy
  64  the command line or a settings file is wrong; nothing was looked at";

/// The machine's own name servers.
const RESOLVERS: &str = "/etc/resolv.conf";

#[derive(Debug, Args)]
pub(super) struct Check {
    #[command(flatten)]
    common: Common,
    /// An edge's settings, whose mirrors and peers are looked at as well. May be given several times.
    #[arg(long = "config", value_name = "EDGE.TOML")]
    configs: Vec<PathBuf>,
    /// Keys and certificates that end within this time are found.
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = time)]
    ending_within: Duration,
    /// How long ago the last rehearsal of a service may be.
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = time)]
    rehearsed_within: Duration,
}

impl Check {
    pub(super) async fn run(self) -> Result<Exit, Fault> {
        let settings = Settings::resolve(&self.common)?.caught_up().await;
        let mut urls: Vec<Url> = settings
            .mirrors
            .iter()
            .map(|place| place.url.clone())
            .collect();
        for edge in &settings.edges {
            urls.extend(edge.peer.iter().chain(&edge.control).cloned());
        }
        for config in &self.configs {
            for site in Config::load(config)?.sites {
                urls.extend(site.mirrors.into_iter().chain(site.peers));
            }
        }
        let findings = self.look(&settings, urls).await;
        if settings.json {
            println!("{}", finding::json(settings.site.as_str(), &findings));
        } else {
            print!("{}", finding::words(settings.site.as_str(), &findings));
        }
        Ok(match findings.is_empty() {
            true => Exit::Done,
            false => Exit::Failed,
        })
    }

    async fn look(&self, settings: &Settings, mut urls: Vec<Url>) -> Vec<Finding> {
        let now = wall_clock();
        let generation = settings.generation.as_deref();
        let mut findings = signers::findings(generation, &settings.site, now, self.ending_within);
        findings.extend(places::findings(&settings.mirrors, &settings.edges));
        let (told, facts) = join(told::ask(settings), SiteFacts::read(settings, now)).await;
        let manifest = facts.as_ref().map(|facts| &facts.manifest);
        let policy = Policy {
            now,
            rehearsed_within: self.rehearsed_within,
            ending_within: self.ending_within,
            rehearsable: manifest.map(edges::rehearsable),
        };
        findings.extend(edges::findings(&told, &settings.site, &policy));
        findings.extend(routes::findings(manifest));
        urls.extend(told::sources(&told, &settings.site));
        let urls: Vec<Url> = urls.into_iter().map(endpoint).collect();
        let origin: Option<&[IpNet]> = settings.origin_networks.as_deref();
        let servers = fs_err::read_to_string(RESOLVERS).unwrap_or_default();
        let servers = names::resolvers(&servers);
        findings.extend(names::findings(&urls, origin, &servers).await);
        findings
    }
}

/// Whom a URL's bytes really come from: a bucket's stand behind another host.
fn endpoint(url: Url) -> Url {
    let named = url.query_pairs().find(|(name, _)| name == "endpoint");
    let named = named.and_then(|(_, endpoint)| Url::parse(&endpoint).ok());
    named.filter(|_| url.scheme() == "s3").unwrap_or(url)
}

fn time(text: &str) -> Result<Duration, String> {
    parse_duration(text)
        .ok_or_else(|| "expected a whole number and m, h or d, as in 30d".to_owned())
}
