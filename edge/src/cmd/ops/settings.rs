//! What the commands of operators were told, by `ops.toml` and by flags; a flag wins.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use ipnet::IpNet;
use snapshot::SiteName;
use snapshot::trust::Generation;
use url::Url;

use super::generations::Generations;
use crate::cmd::Fault;
use crate::config::ops::{EdgePlace, Labels, MirrorPlace, Ops, parse_edge};
use crate::config::trust;
use crate::peer::{Fleet, Token};
use crate::settings::parse_duration;
use crate::signing::KeySource;
use crate::sync::mirror::Shown;
use crate::sync::{Mirror, Patience, mirror};

/// The settings that are read where they lie, if no others are named.
const HERE: &str = "ops.toml";
/// Longest wait for the edges.
const WAIT_MOST: Duration = Duration::from_secs(600);

/// How long what is only good to know is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// The flags that every command of an operator takes.
#[derive(Clone, Debug, Args)]
pub struct Common {
    /// Settings for these commands: site, mirrors, edges, key, trust. `ops.toml` beside you is read
    /// without being named; `edge ops init` makes one.
    #[arg(long, value_name = "FILE", env = "HOLDFAST_OPS", global = true)]
    pub ops: Option<PathBuf>,
    /// The site it is about.
    #[arg(long, value_name = "NAME", global = true)]
    pub site: Option<String>,
    /// A mirror: file:///PATH, s3://BUCKET/PREFIX or a folder. May be given several times.
    #[arg(long = "mirror", value_name = "URL", global = true)]
    pub mirrors: Vec<String>,
    /// The only path to take: a mirror, or an edge's peer listener (https:// or http://). May be given
    /// several times.
    #[arg(long, value_name = "URL", global = true, conflicts_with = "mirrors")]
    pub via: Vec<String>,
    /// The operator's key: a file, agent:SHA256:..., agent:FILE.pub or env:NAME.
    #[arg(long, value_name = "SOURCE", global = true)]
    pub key: Option<String>,
    /// An edge's control listener, which tells how the edge is. May be given several times.
    #[arg(long = "edge", value_name = "URL", global = true)]
    pub edges: Vec<String>,
    /// Trust files: what nobody in them signed is passed over.
    #[arg(long, value_name = "DIR", global = true)]
    pub trust: Option<PathBuf>,
    /// Certificates that sign those of the peer listeners, where they are not the machine's.
    #[arg(long, value_name = "FILE", global = true)]
    pub authority: Option<PathBuf>,
    /// The fleet's token: with it peer listeners tell releases too.
    #[arg(long, value_name = "FILE", global = true)]
    pub token_file: Option<PathBuf>,
    /// How long to wait for the edges.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = wait, global = true)]
    pub wait: Duration,
    /// Print one JSON object instead of words.
    #[arg(long, global = true)]
    pub json: bool,
}

/// Resolved settings. What a command cannot do without it asks for: a path, a key.
#[derive(Debug)]
pub struct Settings {
    /// The site.
    pub site: SiteName,
    /// Mirrors, with what they share with others.
    pub mirrors: Vec<MirrorPlace>,
    /// Edges, with what they share with others.
    pub edges: Vec<EdgePlace>,
    /// Who is believed, where that is known here.
    pub generation: Option<Arc<Generation>>,
    /// Where that is written.
    pub trust: Option<PathBuf>,
    /// Networks that are gone with the origin, if anybody said which.
    pub origin_networks: Option<Vec<IpNet>>,
    /// How long to wait for the edges.
    pub wait: Duration,
    /// JSON instead of words.
    pub json: bool,
    paths: Vec<Mirror>,
    key: Option<KeySource>,
    shown: Shown,
}

impl Settings {
    /// Reads the file and the flags.
    ///
    /// # Errors
    /// All mistakes of the file; the first of a flag.
    pub fn resolve(common: &Common) -> Result<Self, Fault> {
        let here = Path::new(HERE);
        let ops = match &common.ops {
            Some(path) => Ops::load(path)?,
            None if here.is_file() => Ops::load(here)?,
            None => Ops::default(),
        };
        let site = match &common.site {
            Some(name) => Some(name.parse().map_err(Fault::usage)?),
            None => ops.site,
        };
        let site = site.ok_or_else(|| {
            let fault = Fault::usage("which site? neither --site nor ops.toml says");
            fault.hint(
                "give --ops FILE, or --site, --mirror and --key; `edge ops init` makes the file",
            )
        })?;
        let token_file = common.token_file.clone().or(ops.token_file);
        let token = token_file.as_deref().map(|file| {
            let named = |why| Fault::usage(format!("the token in {}: {why}", file.display()));
            Token::read(file).map_err(named)
        });
        let authority = common.authority.clone().or(ops.authority);
        let fleet = authority
            .as_deref()
            .map(|path| Fleet::read(None, Some(path)));
        let fleet = fleet.transpose().map_err(Fault::usage)?;
        let shown = Shown::of(token.transpose()?.as_ref(), fleet.as_ref());
        let beside = Path::new(".");
        let mirror = |text: &str| mirror::parse_url(text, beside);
        let plain = |url| MirrorPlace {
            url,
            labels: Labels::default(),
        };
        let peers = ops.edges.iter().filter_map(|edge| edge.peer.clone());
        let peers: Vec<Url> = peers.collect();
        let is_edge = |url: &Url| matches!(url.scheme(), "http" | "https");
        let (mirrors, peers) = match (common.via.as_slice(), common.mirrors.as_slice()) {
            ([], []) => (ops.mirrors, peers),
            ([], given) => {
                let mirrors = parse(given, mirror)?.into_iter().map(plain);
                (mirrors.collect(), Vec::new())
            }
            (given, _) => {
                let (peers, mirrors): (Vec<Url>, Vec<Url>) =
                    parse(given, mirror)?.into_iter().partition(is_edge);
                (mirrors.into_iter().map(plain).collect(), peers)
            }
        };
        let peers = peers.iter().map(|url| Mirror::open(url)?.showing(&shown));
        let mirrors_opened = mirrors.iter().map(|place| Mirror::open(&place.url));
        let paths: Result<Vec<Mirror>, _> = mirrors_opened.chain(peers).collect();
        let edges = match common.edges.as_slice() {
            [] => ops.edges,
            given => {
                let controls = parse(given, parse_edge)?.into_iter();
                let place = |url| EdgePlace {
                    control: Some(url),
                    ..EdgePlace::default()
                };
                controls.map(place).collect()
            }
        };
        let key = match &common.key {
            Some(text) => Some(text.parse().map_err(Fault::usage)?),
            None => ops.key,
        };
        let trust = common.trust.clone().or(ops.trust);
        let generation = match &trust {
            None => None,
            Some(dir) => {
                let read = trust::read(dir, &site);
                let read = read.map_err(|mistakes| Fault::usage(mistakes.join("\n")))?;
                Some(Arc::new(read))
            }
        };
        Ok(Self {
            site,
            mirrors,
            edges,
            generation,
            trust,
            origin_networks: ops.origin_networks,
            wait: common.wait,
            json: common.json,
            paths: paths.map_err(Fault::usage)?,
            key,
            shown,
        })
    }

    /// The same, believing whom the edges believe by now: trust files on a stick may be older than what
    /// has travelled since.
    pub async fn caught_up(mut self) -> Self {
        if self.generation.is_some() {
            let known = Generations::of(&self, &self.sources()).await;
            for (url, why) in &known.strange {
                eprintln!(
                    "NOTE {url} holds a chain that the trust files here do not lead to: {why}"
                );
            }
            self.generation = known.generation().cloned();
        }
        self
    }

    /// One path, and nothing else told.
    #[cfg(test)]
    pub fn of(site: SiteName, path: Mirror) -> Self {
        Self {
            site,
            mirrors: Vec::new(),
            edges: Vec::new(),
            generation: None,
            trust: None,
            origin_networks: None,
            wait: Duration::ZERO,
            json: false,
            paths: vec![path],
            key: None,
            shown: Shown::default(),
        }
    }

    /// The same, with a key.
    #[cfg(test)]
    pub fn signing_with(self, key: KeySource) -> Self {
        Self {
            key: Some(key),
            ..self
        }
    }

    /// The same, believing these.
    #[cfg(test)]
    pub fn believing(self, generation: Arc<Generation>) -> Self {
        Self {
            generation: Some(generation),
            ..self
        }
    }

    /// What statements are read from and brought to: mirrors, then edges' peer listeners.
    ///
    /// # Errors
    /// There is none.
    pub fn paths(&self) -> Result<&[Mirror], Fault> {
        if self.paths.is_empty() {
            let fault = Fault::usage("no path: neither a mirror nor an edge to bring orders to");
            return Err(fault.hint("give --via URL, or mirrors or peers in ops.toml"));
        }
        Ok(&self.paths)
    }

    /// The same, of which there may be none.
    pub fn known_paths(&self) -> &[Mirror] {
        &self.paths
    }

    /// What releases are read from: every path, and the control listeners of the edges.
    #[must_use]
    pub fn sources(&self) -> Vec<Mirror> {
        let controls = self.edges.iter().filter_map(|edge| edge.control.as_ref());
        let controls = controls.filter_map(|url| Mirror::open(url).ok());
        let quick = Patience {
            small: PATIENCE,
            ..Patience::default()
        };
        let paths = self.paths.iter().cloned().chain(controls);
        paths.map(|source| source.with_patience(quick)).collect()
    }

    /// The peer listener at `url`, shown who asks.
    ///
    /// # Errors
    /// In words: no certificates here to believe it by.
    pub fn peer(&self, url: &Url) -> Result<Mirror, String> {
        let peer = Mirror::open(url).and_then(|peer| peer.showing(&self.shown));
        peer.map_err(|error| error.to_string())
    }

    /// The key to sign with.
    ///
    /// # Errors
    /// None was named.
    pub fn key(&self) -> Result<&KeySource, Fault> {
        self.key.as_ref().ok_or_else(|| {
            let fault = Fault::usage("no key to sign with");
            fault.hint("give --key FILE, --key agent:FILE.pub, or key in ops.toml")
        })
    }
}

fn parse<E: std::fmt::Display>(
    texts: &[String],
    parse: impl Fn(&str) -> Result<Url, E>,
) -> Result<Vec<Url>, Fault> {
    let each = texts.iter().map(|text| parse(text).map_err(Fault::usage));
    each.collect()
}

fn wait(text: &str) -> Result<Duration, String> {
    match parse_duration(text) {
        Some(wait) if wait <= WAIT_MOST => Ok(wait),
        _ => Err("expected a whole number and ms, s or m, at most 10m".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        common: Common,
    }

    #[test]
    fn the_edges_are_waited_for_no_longer_than_may_be() {
        let wait = |wait| Line::try_parse_from(["order", "--wait", wait]).map(|_| ());
        wait("10m").unwrap();
        let said = wait("601s").unwrap_err().to_string();
        assert!(
            said.contains("expected a whole number and ms, s or m, at most 10m"),
            "{said}"
        );
    }

    #[test]
    fn via_is_the_only_path_and_says_what_it_is_by_its_scheme() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("ops.toml");
        let text = "site = \"dasom\"\nmirrors = [\"mirror\"]\npeers = [\"http://10.0.0.1:8443\"]\n";
        fs_err::write(&file, text).unwrap();
        let file = file.display().to_string();
        let resolve = |more: &[&str]| {
            let line = Line::parse_from([&["order", "--ops", &file], more].concat());
            Settings::resolve(&line.common).unwrap()
        };
        let edges = |settings: &Settings| {
            let paths = settings.paths().unwrap().iter();
            paths.map(Mirror::is_edge).collect::<Vec<_>>()
        };
        assert_eq!(edges(&resolve(&[])), [false, true]);
        assert_eq!(edges(&resolve(&["--mirror", "/srv/mirror"])), [false]);
        let via = ["--via", "http://10.0.0.2:8443", "--via", "/srv/mirror"];
        let settings = resolve(&via);
        assert_eq!(edges(&settings), [false, true]);
        // Who obeys is asked of the same edges as ever.
        assert_eq!(settings.edges.len(), 1);
    }

    #[test]
    fn flags_name_another_authority_and_token_than_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name).display().to_string();
        fs_err::write(at("token"), "the-token-of-this-fleet").unwrap();
        let text = "site = \"dasom\"\ntoken_file = \"absent\"\nauthority = \"gone\"\n";
        fs_err::write(at("ops.toml"), text).unwrap();
        let resolve = |more: &[&str]| {
            let line = Line::parse_from([&["order", "--ops", &at("ops.toml")], more].concat());
            Settings::resolve(&line.common).map_err(|fault| fault.to_string())
        };
        let gone = resolve(&[]).unwrap_err();
        assert!(gone.contains("gone"), "{gone}");
        let authority = rcgen::generate_simple_self_signed(vec!["fleet".to_owned()]).unwrap();
        fs_err::write(at("fleet.pem"), authority.cert.pem()).unwrap();
        let (token, authority) = (at("token"), at("fleet.pem"));
        let absent = resolve(&["--authority", &authority]).unwrap_err();
        assert!(absent.contains("absent"), "{absent}");
        let given = ["--token-file", &token, "--authority", &authority];
        resolve(&given).unwrap();
    }
}
