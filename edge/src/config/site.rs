//! `[[site]]`: what an edge answers for, whom it believes, and where it fetches from.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use snapshot::SiteName;
use snapshot::trust::Generation;
use url::Url;

use super::{Keep, LazySettings, Peer, trust};
use crate::settings::{DURATION_MOST, Placed, Problems, Section};
use crate::sync::mirror::{self, Shown};

/// Most sites of one edge.
pub const SITES: usize = 256;
/// Most host names of one site.
pub const HOSTS: usize = 256;
/// Most mirrors of one site.
pub const MIRRORS: usize = 16;
/// Most peers of one site.
pub const PEERS: usize = 16;
/// How often a mirror is asked, unless said otherwise.
pub const POLL: Duration = Duration::from_secs(1);
/// The most often a mirror may be asked.
pub const POLL_LEAST: Duration = Duration::from_millis(50);
/// The most seldom a mirror may be asked.
pub const POLL_MOST: Duration = Duration::from_secs(3600);

/// How fast what is held is read again, bytes a second, unless said otherwise: a tenth of the
/// slowest disks, and 10 GB in less than two hours.
pub const SCRUB: u64 = 2 << 20;
/// The fastest that it may be, bytes a second.
pub const SCRUB_MOST: u64 = 1 << 30;

/// The least age that may be an alarm: heartbeats are signed once a minute at most.
pub const AGE_ALARM_LEAST: Duration = Duration::from_secs(1);

/// One site.
#[derive(Clone, Debug)]
pub struct Site {
    /// `name`: as its publisher signs it. Required.
    pub name: SiteName,
    /// `hosts`: the names readers ask for, without port; `["*"]` is any. Required.
    pub hosts: Vec<Host>,
    /// `status-hosts`: names under which the site's status is shown, and nothing else of it. Default none.
    pub status_hosts: Vec<String>,
    /// `trust`: the directory with `allowed_signers` and `trust.toml`. Required.
    pub trust: PathBuf,
    /// What that directory says.
    pub generation: Arc<Generation>,
    /// `mirrors`: folders, `http://` or `s3://` URLs, tried in this order. Required, unless there are
    /// peers.
    pub mirrors: Vec<Url>,
    /// `peers`: `https://` or `http://` URLs of other edges' peer listeners, asked when mirrors fail or
    /// fall behind.
    pub peers: Vec<Url>,
    /// What is shown to them.
    pub shown: Shown,
    /// `poll`: how often each mirror is asked, give or take a fifth. Default `"1s"`.
    pub poll: Duration,
    /// `scrub`: how fast what is held is read again so that a rotting disk is found out, bytes a
    /// second; 0 never. Default 2,097,152.
    pub scrub: u64,
    /// `lazy` and `lazy-cache`: what is not held whole.
    pub lazy: LazySettings,
    /// `keep` and `grace`: what stays on this disk beside the release in use.
    pub keep: Keep,
    /// `age-alarm`: the age from which on the release in use raises an alarm. Default: the least
    /// age at which one of its routes calls it stale.
    pub age_alarm: Option<Duration>,
    /// `origin`: the living origin, `http://HOST:PORT`. Without it this is a pure fallback origin.
    pub origin: Option<Url>,
}

/// What a request's host is compared with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Host {
    /// Any host that no other site names.
    Any,
    /// This name, in lower case, without port.
    Name(String),
}

impl Host {
    fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Any);
        }
        let bare = text.trim_matches(['[', ']']);
        let name = (1..=253).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
        (name || bare.parse::<std::net::Ipv6Addr>().is_ok())
            .then(|| Self::Name(text.trim_end_matches('.').to_ascii_lowercase()))
    }
}

impl std::fmt::Display for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Any => "*",
            Self::Name(name) => name,
        })
    }
}

/// One `[[site]]` as written.
#[derive(Debug)]
pub(super) struct RawSite {
    name: Option<Placed<String>>,
    hosts: Option<Placed<Vec<Placed<String>>>>,
    status_hosts: Option<Placed<Vec<Placed<String>>>>,
    trust: Option<Placed<String>>,
    mirrors: Option<Placed<Vec<Placed<String>>>>,
    peers: Option<Placed<Vec<Placed<String>>>>,
    poll: Duration,
    scrub: u64,
    lazy: LazySettings,
    keep: Keep,
    age_alarm: Option<Duration>,
    origin: Option<Placed<String>>,
}

fn read_scrub(section: &mut Section<'_, '_>) -> u64 {
    let Some(given) = section.integer("scrub") else {
        return SCRUB;
    };
    let rate = u64::try_from(given.value).ok();
    rate.filter(|rate| *rate <= SCRUB_MOST).unwrap_or_else(|| {
        let message = format!("`scrub` is not usable: {}", given.value);
        section
            .problems()
            .add(given.span, message)
            .label("expected bytes a second, from 0 (never) to 1073741824");
        SCRUB
    })
}

impl RawSite {
    pub(super) fn read(mut section: Section<'_, '_>) -> Self {
        let (name, hosts) = (
            "the site's name, as its publisher signs it",
            "the names readers ask for, or [\"*\"]",
        );
        let (trust, mirrors) = (
            "the folder with allowed_signers and trust.toml",
            "the folders, http:// or s3:// URLs that hold the site's releases",
        );
        let peers = section.texts("peers");
        let given = section.texts("mirrors");
        if !section.was_written("mirrors") && !section.was_written("peers") {
            section.missing("mirrors", mirrors);
        }
        let poll = section.duration("poll", POLL_LEAST..=POLL_MOST);
        let scrub = read_scrub(&mut section);
        let raw = Self {
            name: section.required("name", name, Section::text),
            hosts: section.required("hosts", hosts, Section::texts),
            status_hosts: section.texts("status-hosts"),
            trust: section.required("trust", trust, Section::text),
            mirrors: given,
            peers,
            poll: poll.unwrap_or(POLL),
            scrub,
            lazy: LazySettings::read(&mut section),
            keep: Keep::read(&mut section),
            age_alarm: section.duration("age-alarm", AGE_ALARM_LEAST..=DURATION_MOST),
            origin: section.text("origin"),
        };
        section.finish();
        raw
    }

    /// The site's name with its place, for comparing sites.
    pub(super) fn name(&self) -> Option<&Placed<String>> {
        self.name.as_ref()
    }

    /// Every host with its place, for comparing sites.
    pub(super) fn hosts(&self) -> impl Iterator<Item = (Host, &Placed<String>)> {
        let all = self.hosts.iter().chain(&self.status_hosts);
        let texts = all.flat_map(|hosts| &hosts.value);
        texts.filter_map(|text| Some((Host::parse(&text.value)?, text)))
    }

    /// The origin with its place, for seeing that it is not this edge.
    pub(super) fn origin(&self) -> Option<&Placed<String>> {
        self.origin.as_ref()
    }

    pub(super) fn resolve(
        &self,
        base: &Path,
        peer: Option<&Peer>,
        problems: &Problems,
    ) -> Option<Site> {
        let name = self.site_name(problems);
        let hosts = named("hosts", self.hosts.as_ref(), problems);
        let status_hosts = self.resolve_status_hosts(problems);
        let trust = self.resolve_trust(base, name.as_ref(), problems);
        let mirrors = sources(self.mirrors.as_ref(), "mirrors", base, problems);
        let peers = self.resolve_peers(peer, base, problems);
        let origin = self.resolve_origin(problems);
        let (trust, generation) = trust?;
        Some(Site {
            name: name?,
            hosts: hosts?,
            status_hosts,
            trust,
            generation: Arc::new(generation),
            mirrors: mirrors?,
            peers: peers?,
            shown: peer?.shown(),
            poll: self.poll,
            scrub: self.scrub,
            lazy: self.lazy.clone(),
            keep: self.keep,
            age_alarm: self.age_alarm,
            origin: origin?,
        })
    }

    fn site_name(&self, problems: &Problems) -> Option<SiteName> {
        let text = self.name.as_ref()?;
        match text.value.parse() {
            Ok(name) => Some(name),
            Err(error) => {
                problems
                    .add(text.span, error.to_string())
                    .label("not a site name");
                None
            }
        }
    }

    fn resolve_status_hosts(&self, problems: &Problems) -> Vec<String> {
        let Some(hosts) = &self.status_hosts else {
            return Vec::new();
        };
        let named = named("status-hosts", Some(hosts), problems);
        let mut names = Vec::new();
        for host in named.unwrap_or_default() {
            match host {
                Host::Name(name) => names.push(name),
                Host::Any => {
                    problems
                        .add(hosts.span, "`status-hosts` names any host")
                        .label("expected names: any other host is the site's own");
                }
            }
        }
        names
    }

    fn resolve_trust(
        &self,
        base: &Path,
        site: Option<&SiteName>,
        problems: &Problems,
    ) -> Option<(PathBuf, Generation)> {
        let text = self.trust.as_ref()?;
        let dir = base.join(&text.value);
        match trust::read(&dir, site?) {
            Ok(generation) => Some((dir, generation)),
            Err(mistakes) => {
                for mistake in mistakes {
                    problems
                        .add(text.span, mistake)
                        .label("whom this edge believes")
                        .help("without trust an edge could only believe anyone: it does not start");
                }
                None
            }
        }
    }

    fn resolve_peers(
        &self,
        peer: Option<&Peer>,
        base: &Path,
        problems: &Problems,
    ) -> Option<Vec<Url>> {
        let peers = sources(self.peers.as_ref(), "peers", base, problems)?;
        let places = self.peers.iter().flat_map(|peers| &peers.value);
        for (url, text) in peers.iter().zip(places) {
            let is_tls = url.scheme() == "https";
            if !is_tls && url.scheme() != "http" {
                problems
                    .add(text.span, format!("{url} is no peer"))
                    .label("expected https://HOST:PORT or http://HOST:PORT: a folder or bucket is a mirror");
            } else if peer.is_some_and(|peer| !peer.shows(is_tls)) {
                problems
                    .add(text.span, format!("peer {url} would be shown nothing"))
                    .label(
                        "needs `token_file` in [peer]; over https:// a `certificate` does as well",
                    );
            }
        }
        Some(peers)
    }

    fn resolve_origin(&self, problems: &Problems) -> Option<Option<Url>> {
        let Some(text) = &self.origin else {
            return Some(None);
        };
        let refuse = |label: &str| {
            let message = format!("`origin` is not usable: {:?}", text.value);
            problems.add(text.span, message).label(label);
            None
        };
        let Ok(url) = Url::parse(&text.value) else {
            return refuse("expected a URL, as in http://127.0.0.1:9000");
        };
        if url.scheme() != "http" {
            return refuse("expected http://: this edge speaks no TLS to an origin");
        }
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        if !bare || !url.username().is_empty() || url.password().is_some() {
            return refuse("expected scheme, host and port only");
        }
        Some(Some(url))
    }
}

/// The hosts of `key`.
fn named(
    key: &'static str,
    hosts: Option<&Placed<Vec<Placed<String>>>>,
    problems: &Problems,
) -> Option<Vec<Host>> {
    let hosts = hosts?;
    problems.count(key, hosts, 1..=HOSTS);
    let mut resolved = Vec::new();
    for text in hosts.value.iter().take(HOSTS) {
        let Some(host) = Host::parse(&text.value) else {
            problems
                .add(text.span, format!("not a host name: {:?}", text.value))
                .label(
                    "expected a name without scheme, port or path, in ASCII (xn--...), or \"*\"",
                );
            continue;
        };
        resolved.push(host);
    }
    Some(resolved)
}

/// The URLs of `key`, each once.
fn sources(
    list: Option<&Placed<Vec<Placed<String>>>>,
    key: &str,
    base: &Path,
    problems: &Problems,
) -> Option<Vec<Url>> {
    let Some(list) = list else {
        return Some(Vec::new());
    };
    let most = if key == "peers" { PEERS } else { MIRRORS };
    problems.count(key, list, 1..=most);
    let mut resolved: Vec<(Url, &Placed<String>)> = Vec::new();
    for text in list.value.iter().take(most) {
        match mirror::parse_url(&text.value, base) {
            Err(error) => {
                problems
                    .add(text.span, error.to_string())
                    .label("not a mirror");
            }
            Ok(url) => {
                if let Some((_, first)) = resolved.iter().find(|(known, _)| *known == url) {
                    let message = format!("mirror {url} is named twice");
                    problems
                        .add(text.span, message)
                        .label("again here")
                        .also(first.span, "first here");
                }
                resolved.push((url, text));
            }
        }
    }
    Some(resolved.into_iter().map(|(url, _)| url).collect())
}
