//! `ops.toml`: what the commands of operators need, so that nobody types it during an outage.

use std::path::{Path, PathBuf};

use ipnet::IpNet;
use snapshot::SiteName;
use url::Url;

use super::MIRRORS;
use crate::settings::{self, Item, Mistakes, Problems, Section};
use crate::signing::KeySource;
use crate::sync::mirror;

/// Most edges that `ops.toml` names.
pub const EDGES: usize = 1024;

/// Most networks of the origin that `ops.toml` names.
pub const NETWORKS: usize = 64;

/// A usable `ops.toml`. Every field may be given or overridden on the command line.
#[derive(Clone, Debug, Default)]
pub struct Ops {
    /// `site`: the site the commands are about.
    pub site: Option<SiteName>,
    /// `mirrors`: where orders are written, and releases read.
    pub mirrors: Vec<MirrorPlace>,
    /// `edges` and `peers`: edges, by their control listeners, their peer listeners or both.
    pub edges: Vec<EdgePlace>,
    /// `authority`: certificates that sign those of the peers; without it those of this machine count.
    pub authority: Option<PathBuf>,
    /// `token_file`: the fleet's token. With it peers tell releases too, so that a preview can name
    /// pages with every mirror gone; orders need none.
    pub token_file: Option<PathBuf>,
    /// `key`: the operator's key: a file, `agent:SHA256:...`, `agent:FILE.pub` or `env:NAME`.
    pub key: Option<KeySource>,
    /// `trust`: trust files; orders on the mirrors that nobody in them signed are passed over.
    pub trust: Option<PathBuf>,
    /// `origin_networks`: what is gone with the origin, as in `["10.1.0.0/16"]`, `[]` where nothing is.
    /// `edge check` finds names that point there; unset, nobody knows which do.
    pub origin_networks: Option<Vec<IpNet>>,
}

/// What a place shares with others, so that it is seen when one failure takes several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    /// `network`: how it is reached, `kt`.
    pub network: Option<String>,
    /// `provider`: in whose house it stands, `naver`.
    pub provider: Option<String>,
}

/// One entry of `mirrors`: a URL, or `{ url = "...", network = "...", provider = "..." }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MirrorPlace {
    /// Its URL.
    pub url: Url,
    /// What it shares with others.
    pub labels: Labels,
}

/// One edge. In `edges` the URL of a control listener, or
/// `{ name = "...", control = "...", peer = "...", network = "...", provider = "..." }`; in `peers`
/// the URL of a peer listener, or a table with `url` and labels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EdgePlace {
    /// Its name, where it is known without asking.
    pub name: Option<String>,
    /// Its control listener, which tells how the edge is.
    pub control: Option<Url>,
    /// Its peer listener, which takes orders.
    pub peer: Option<Url>,
    /// What it shares with others.
    pub labels: Labels,
}

impl Ops {
    /// Reads `path`. Relative paths in it are relative to it.
    ///
    /// # Errors
    /// All mistakes.
    pub fn load(path: &Path) -> Result<Self, Mistakes> {
        let source = settings::read(path, "--ops names another")?;
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Self::parse(path, &source, absolute.parent().unwrap_or(Path::new("/")))
    }

    /// Reads the text of `path`. Relative paths in it are relative to `base`.
    ///
    /// # Errors
    /// All mistakes.
    pub fn parse(path: &Path, source: &str, base: &Path) -> Result<Self, Mistakes> {
        let problems = Problems::default();
        let ops = Section::parse(source, &problems).map(|file| Self::read(file, base));
        problems.none_or(ops, path, source)
    }

    fn read(mut file: Section<'_, '_>, base: &Path) -> Self {
        let key = file.parsed::<KeySource>("key");
        let mut edges = places(
            &mut file,
            "edges",
            |text| parse_edge(text).map(control),
            edge,
        );
        let peers = places(
            &mut file,
            "peers",
            |text| parse_peer(text).map(peer),
            only_peer,
        );
        edges.extend(peers);
        let ops = Self {
            site: file.parsed("site").map(|site| site.value),
            mirrors: mirrors(&mut file, base),
            edges,
            authority: file.text("authority").map(|path| base.join(path.value)),
            token_file: file.text("token_file").map(|path| base.join(path.value)),
            key: key.map(|source| source.value.relative_to(base)),
            trust: file.text("trust").map(|dir| base.join(dir.value)),
            origin_networks: networks(&mut file),
        };
        file.finish();
        ops
    }
}

fn networks(file: &mut Section<'_, '_>) -> Option<Vec<IpNet>> {
    let list = file.texts("origin_networks")?;
    file.problems()
        .count("origin_networks", &list, 0..=NETWORKS);
    let network = |text: &str| {
        text.parse::<IpNet>()
            .map_err(|_| format!("{text:?} is not a network: expected one as in 10.1.0.0/16"))
    };
    let texts = list.value.iter().take(NETWORKS);
    let networks = texts.filter_map(|text| file.accepted(text, network(&text.value)));
    Some(networks.collect())
}

/// Reads the URL of a control listener.
///
/// # Errors
/// In words, when it is not `http://HOST:PORT`.
pub fn parse_edge(text: &str) -> Result<Url, String> {
    match Url::parse(text) {
        Ok(url) if url.scheme() == "http" && url.has_host() => Ok(url),
        _ => Err(format!(
            "{text:?} is not a control listener: expected a URL, as in http://127.0.0.1:8081"
        )),
    }
}

/// Reads the URL of a peer listener.
///
/// # Errors
/// In words, when it is not `https://HOST:PORT` or `http://HOST:PORT`.
pub fn parse_peer(text: &str) -> Result<Url, String> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
        _ => Err(format!(
            "{text:?} is not a peer listener: expected a URL, as in https://busan-2.example:8443"
        )),
    }
}

fn control(url: Url) -> EdgePlace {
    EdgePlace {
        control: Some(url),
        ..EdgePlace::default()
    }
}

fn peer(url: Url) -> EdgePlace {
    EdgePlace {
        peer: Some(url),
        ..EdgePlace::default()
    }
}

fn edge(section: &mut Section<'_, '_>) -> EdgePlace {
    let place = EdgePlace {
        name: section.text("name").map(|name| name.value),
        control: url(section, "control", parse_edge),
        peer: url(section, "peer", parse_peer),
        labels: labels(section),
    };
    if !section.was_written("control") && !section.was_written("peer") {
        section.missing("control", "or `peer`: where the edge is reached");
    }
    place
}

fn only_peer(section: &mut Section<'_, '_>) -> EdgePlace {
    let place = EdgePlace {
        name: section.text("name").map(|name| name.value),
        control: None,
        peer: url(section, "url", parse_peer),
        labels: labels(section),
    };
    if !section.was_written("url") {
        section.missing("url", "the peer listener: https://HOST:PORT");
    }
    place
}

fn places(
    file: &mut Section<'_, '_>,
    key: &'static str,
    of_text: impl Fn(&str) -> Result<EdgePlace, String>,
    of_table: impl Fn(&mut Section<'_, '_>) -> EdgePlace,
) -> Vec<EdgePlace> {
    let Some(list) = file.texts_or_tables(key) else {
        return Vec::new();
    };
    file.problems().count(key, &list, 0..=EDGES);
    let mut places = Vec::new();
    for item in list.value.into_iter().take(EDGES) {
        match item {
            Item::Text(text) => places.extend(file.accepted(&text, of_text(&text.value))),
            Item::Table(mut section) => {
                places.push(of_table(&mut section));
                section.finish();
            }
        }
    }
    places
}

fn mirrors(file: &mut Section<'_, '_>, base: &Path) -> Vec<MirrorPlace> {
    let Some(list) = file.texts_or_tables("mirrors") else {
        return Vec::new();
    };
    file.problems().count("mirrors", &list, 0..=MIRRORS);
    let mut mirrors = Vec::new();
    for item in list.value.into_iter().take(MIRRORS) {
        let parse = |text: &str| mirror::parse_url(text, base);
        match item {
            Item::Text(text) => {
                let url = file.accepted(&text, parse(&text.value));
                mirrors.extend(url.map(|url| MirrorPlace {
                    url,
                    labels: Labels::default(),
                }));
            }
            Item::Table(mut section) => {
                let (url, labels) = (url(&mut section, "url", parse), labels(&mut section));
                if !section.was_written("url") {
                    section.missing("url", "the mirror: file:///PATH, s3://BUCKET/PREFIX");
                }
                section.finish();
                mirrors.extend(url.map(|url| MirrorPlace { url, labels }));
            }
        }
    }
    mirrors
}

fn url<E: std::fmt::Display>(
    section: &mut Section<'_, '_>,
    key: &'static str,
    parse: impl Fn(&str) -> Result<Url, E>,
) -> Option<Url> {
    let text = section.text(key)?;
    section.accepted(&text, parse(&text.value))
}

fn labels(section: &mut Section<'_, '_>) -> Labels {
    Labels {
        network: section.text("network").map(|label| label.value),
        provider: section.text("provider").map(|label| label.value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Ops, Mistakes> {
        Ops::parse(Path::new("ops.toml"), text, Path::new("/stick"))
    }

    #[test]
    fn places_are_plain_or_labelled() {
        let ops = parse(
            "mirrors = [\"mirror\", { url = \"s3://town\", network = \"kt\", provider = \"naver\" }]\n\
             edges = [\"http://10.0.0.1:8081\", { name = \"busan-1\", control = \"http://10.0.0.2:8081\", \
             peer = \"https://busan-1.example:8443\", network = \"skt\" }]\n\
             peers = [\"https://jeju-1.example:8443\"]\ntoken_file = \"token\"\n",
        );
        let ops = ops.unwrap();
        assert_eq!(ops.mirrors[0].labels, Labels::default());
        assert_eq!(ops.mirrors[1].labels.network.as_deref(), Some("kt"));
        assert_eq!(ops.mirrors[1].labels.provider.as_deref(), Some("naver"));
        let shown = |place: &EdgePlace| {
            let url = |url: &Option<Url>| url.as_ref().map(ToString::to_string);
            (place.name.clone(), url(&place.control), url(&place.peer))
        };
        let text = |text: &str| Some(text.to_owned());
        let edges: Vec<_> = ops.edges.iter().map(shown).collect();
        assert_eq!(
            edges,
            [
                (None, text("http://10.0.0.1:8081/"), None),
                (
                    text("busan-1"),
                    text("http://10.0.0.2:8081/"),
                    text("https://busan-1.example:8443/")
                ),
                (None, None, text("https://jeju-1.example:8443/")),
            ]
        );
        assert_eq!(ops.token_file, Some("/stick/token".into()));
    }

    #[test]
    fn a_place_without_an_address_is_a_mistake() {
        for (text, problem) in [
            ("edges = [{ name = \"a\" }]", "needs `control`"),
            ("mirrors = [{ network = \"kt\" }]", "needs `url`"),
            ("edges = [3]", "a text or a table"),
            (
                "mirrors = [{ url = \"m\", netwrk = \"kt\" }]",
                "has no key `netwrk`",
            ),
        ] {
            let found = parse(text).unwrap_err().list()[0].message.clone();
            assert!(found.contains(problem), "{found}");
        }
    }

    #[test]
    fn networks_of_the_origin_are_networks_and_so_many() {
        let list = |text: &str| {
            let source = format!("origin_networks = [{text}]");
            Ops::parse(Path::new("ops.toml"), &source, Path::new("/"))
        };
        let networks = list("\"10.1.0.0/16\", \"fd00::/8\"")
            .unwrap()
            .origin_networks;
        assert_eq!(networks.map(|networks| networks.len()), Some(2));
        // None at all is something else than not saying.
        assert_eq!(list("").unwrap().origin_networks, Some(Vec::new()));
        assert_eq!(parse("").unwrap().origin_networks, None);
        let wrong = list("\"dc1\"").unwrap_err().list()[0].message.clone();
        assert!(wrong.contains("expected one as in 10.1.0.0/16"), "{wrong}");
        let many = |count| list(&"\"10.1.0.0/16\", ".repeat(count));
        let most = many(NETWORKS).unwrap().origin_networks.unwrap();
        assert_eq!(most.len(), NETWORKS);
        assert!(many(NETWORKS + 1).is_err());
    }

    #[test]
    fn so_many_edges_and_no_more() {
        let list = |n: usize| {
            let urls = vec!["\"http://127.0.0.1:8081\""; n].join(",");
            parse(&format!("edges = [{urls}]"))
        };
        assert_eq!(list(EDGES).unwrap().edges.len(), EDGES);
        let found = list(EDGES + 1).unwrap_err().list()[0].message.clone();
        assert_eq!(found, "`edges` has 1025 entries");
    }
}
