//! A running edge.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use http::Method;
use rustix::process::Signal;
use serde_json::Value;
use stage::process::Process;

use super::built::share_compiled;
use super::{Ask, Clock, Disk, HOST, Origin, Site, Wire, binary, eventually, free};

/// An edge that was not started yet.
#[derive(Debug)]
pub(crate) struct EdgeBuilder<'s> {
    site: &'s Site,
    name: String,
    mirrors: Vec<String>,
    origin: Option<SocketAddr>,
    peers: Vec<String>,
    /// Lines of `[peer]`.
    fleet: Vec<String>,
    peer: Option<SocketAddr>,
    /// Control listeners of others, for its picture of the fleet.
    known: Vec<String>,
    scrub: u64,
    poll: &'static str,
    disk: Option<Disk>,
    clock: Option<Clock>,
    settings: String,
}

impl<'s> EdgeBuilder<'s> {
    pub(super) fn new(site: &'s Site) -> Self {
        Self {
            site,
            name: "edge-1".to_owned(),
            mirrors: vec!["mirror".to_owned()],
            origin: None,
            peers: Vec::new(),
            fleet: Vec::new(),
            peer: None,
            known: Vec::new(),
            scrub: 0,
            poll: "100ms",
            disk: None,
            clock: None,
            settings: String::new(),
        }
    }

    /// In front of this origin.
    pub(crate) fn before(mut self, origin: &Origin) -> Self {
        self.origin = Some(origin.at());
        self
    }

    /// In front of whatever is at the far end of this wire.
    pub(crate) fn over(mut self, wire: &Wire) -> Self {
        self.origin = Some(wire.at());
        self
    }

    /// Under another name, with a disk of its own.
    pub(crate) fn named(mut self, name: &str) -> Self {
        self.name = name.to_owned();
        self
    }

    /// Following these mirrors instead, folders of the site.
    pub(crate) fn following(mut self, mirrors: &[&str]) -> Self {
        self.mirrors = mirrors.iter().map(|mirror| (*mirror).to_owned()).collect();
        self
    }

    /// Asking other edges too, by the URLs of their peer listeners.
    pub(crate) fn beside(mut self, peers: &[String]) -> Self {
        self.peers = peers.to_vec();
        self
    }

    /// Knowing the fleet's token.
    pub(crate) fn with_token(mut self, token: &str) -> Self {
        let file = format!("{token}.token");
        self.site.write(&file, token);
        self.fleet.push(format!("token_file = {file:?}"));
        self
    }

    /// Believing this authority, and with a certificate of its own, all beside the site.
    pub(crate) fn certified(mut self, authority: &str, own: &str) -> Self {
        let files = format!(
            "authority = \"{authority}.pem\"\ncertificate = \"{own}.pem\"\nkey = \"{own}.key\""
        );
        self.fleet.push(files);
        self
    }

    /// Giving other edges what it holds.
    pub(crate) fn giving(mut self) -> Self {
        let at = free();
        self.fleet.push(format!("listen = \"{at}\""));
        self.peer = Some(at);
        self
    }

    /// Giving one address at most so many bytes a second.
    pub(crate) fn giving_at_most(mut self, bytes_a_second: u64) -> Self {
        self.fleet.push(format!("bandwidth = {bytes_a_second}"));
        self.giving()
    }

    /// Showing these edges too, by the URLs of their control listeners, in its picture of the fleet.
    pub(crate) fn knowing(mut self, controls: &[String]) -> Self {
        self.known = controls.to_vec();
        self
    }

    /// Asking its sources as seldom as this.
    pub(crate) fn polling(mut self, every: &'static str) -> Self {
        self.poll = every;
        self
    }

    /// Reading what it holds again, at so many bytes a second.
    pub(crate) fn scrubbing(mut self, bytes_a_second: u64) -> Self {
        self.scrub = bytes_a_second;
        self
    }

    /// By this wall clock.
    pub(crate) fn by(mut self, clock: &Clock) -> Self {
        self.clock = Some(clock.clone());
        self
    }

    /// With its data on a disk that fails on request, and nothing of it elsewhere.
    pub(crate) fn on(mut self, disk: &Disk) -> Self {
        self.disk = Some(disk.clone());
        self
    }

    /// With these lines more about its site.
    pub(crate) fn set(mut self, settings: &str) -> Self {
        self.settings = format!("{settings}\n");
        self
    }

    /// Starts it; it may not answer yet.
    pub(crate) fn spawn(self) -> Edge {
        let mut edge = self.prepared();
        edge.begin();
        edge
    }

    /// With its settings written, and not started.
    pub(crate) fn prepared(self) -> Edge {
        let (public, control) = (free(), free());
        let config = self.site.path(&format!("{}.toml", self.name));
        let origin = self
            .origin
            .map(|at| format!("origin = \"http://{at}\"\n"))
            .unwrap_or_default();
        let list = |key: &str, urls: &[String]| match urls {
            [] => String::new(),
            urls => format!("{key} = {urls:?}\n"),
        };
        let text = format!(
            "name = \"{name}\"\ndata = \"{name}\"\n\n[listen]\npublic = \"{public}\"\n\
             control = \"{control}\"\n\n[peer]\n{fleet}\n\n[fleet]\nedges = {known:?}\n\n[[site]]\nname = \"{site}\"\nhosts = [\"{HOST}\"]\n\
             trust = \"trust\"\n{mirrors}{peers}poll = \"{poll}\"\nscrub = {scrub}\n{origin}{settings}",
            name = self.name,
            site = self.site.name(),
            settings = self.settings,
            fleet = self.fleet.join("\n"),
            known = self.known,
            mirrors = list("mirrors", &self.mirrors),
            peers = list("peers", &self.peers),
            scrub = self.scrub,
            poll = self.poll,
        );
        fs_err::write(&config, text).unwrap();
        if self.disk.is_none() {
            share_compiled(&self.site.path(&self.name));
        }
        Edge {
            public,
            control,
            peer: self.peer,
            log: self.site.path(&format!("{}.log", self.name)),
            name: self.name,
            config,
            disk: self.disk,
            clock: self.clock,
            process: None,
        }
    }

    /// Starts it and waits until it says that it is ready.
    pub(crate) async fn start(self) -> Edge {
        let mut edge = self.spawn();
        edge.ready().await;
        edge
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.holds_memory();
        }
    }
}

/// The most that an edge may ever hold, bytes.
const MOST_MEMORY: u64 = 300_000_000;

/// An edge. Killed when dropped.
#[derive(Debug)]
pub(crate) struct Edge {
    /// Where readers ask.
    pub(crate) public: SocketAddr,
    /// Where ops ask.
    pub(crate) control: SocketAddr,
    /// Where other edges ask.
    peer: Option<SocketAddr>,
    /// Its log.
    pub(crate) log: PathBuf,
    name: String,
    config: PathBuf,
    disk: Option<Disk>,
    clock: Option<Clock>,
    process: Option<Process>,
}

impl Edge {
    /// Starts it anew.
    pub(crate) fn begin(&mut self) {
        let mut serve = Command::new(binary("edge"));
        serve.arg("serve").arg("--config").arg(&self.config);
        if let Some(disk) = &self.disk {
            disk.under(&mut serve);
        }
        if let Some(clock) = &self.clock {
            clock.under(&mut serve);
        }
        let started = Process::start(&self.name, serve, &self.log);
        self.process = Some(started.unwrap_or_else(|error| panic!("{error:#}")));
    }

    /// `edge sync` with its settings, not yet run.
    pub(crate) fn syncing(&self) -> Command {
        let mut sync = Command::new(binary("edge"));
        sync.arg("sync").arg("--config").arg(&self.config);
        sync
    }

    /// `edge` with these arguments and the edge's own settings, not yet run.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary("edge"));
        command.args(arguments).arg("--config").arg(&self.config);
        command
    }

    /// Kills it (SIGKILL).
    pub(crate) fn kill(&mut self) {
        self.holds_memory();
        self.process = None;
    }

    /// Whatever a test did to it, it never held more than it may.
    fn holds_memory(&self) {
        let peak = self.process.as_ref().map(Process::peak_memory);
        // One that was made to end has none.
        if let Some(Ok(peak)) = peak {
            assert!(peak <= MOST_MEMORY, "{} held {peak} bytes", self.name);
        }
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        self.process.as_ref().unwrap().signal(signal).unwrap();
    }

    /// Whether its process has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.process.as_mut().unwrap().alive().is_err()
    }

    /// Fails, with the end of its log, if it has ended.
    #[track_caller]
    pub(crate) fn alive(&mut self) {
        let alive = self.process.as_mut().unwrap().alive();
        alive.unwrap_or_else(|error| panic!("{error:#}"));
    }

    /// Waits until it says that it is ready.
    pub(crate) async fn ready(&mut self) {
        eventually("the edge to be ready", async || {
            self.alive();
            let ready = self.ops("/readyz").send().await.ok()?;
            ready.status.is_success().then_some(())
        })
        .await;
    }

    /// GETs as a reader.
    pub(crate) fn get(&self, target: &str) -> Ask {
        self.ask(Method::GET, target)
    }

    /// Asks as a reader.
    pub(crate) fn ask(&self, method: Method, target: &str) -> Ask {
        Ask::new(self.public, method, HOST, target)
    }

    /// GETs from the control listener.
    pub(crate) fn ops(&self, target: &str) -> Ask {
        let host = self.control.to_string();
        Ask::new(self.control, Method::GET, &host, target)
    }

    /// Where other edges ask.
    pub(crate) fn peer(&self) -> SocketAddr {
        self.peer.unwrap()
    }

    /// GETs as another edge would that shows this token.
    pub(crate) fn peered(&self, token: &str, target: &str) -> Ask {
        let host = self.peer().to_string();
        let ask = Ask::new(self.peer(), Method::GET, &host, target);
        ask.header("authorization", &format!("Bearer {token}"))
    }

    /// What `/status` says of the site.
    pub(crate) async fn status(&self) -> Value {
        let answer = self.ops("/status").await;
        let status: Value = serde_json::from_slice(&answer.body).unwrap();
        status
            .pointer("/sites/0")
            .cloned()
            .expect("a site in /status")
    }

    /// The sequence of the release in use.
    pub(crate) async fn sequence(&self) -> Option<u64> {
        let status = self.status().await;
        status.pointer("/release/sequence")?.as_u64()
    }

    /// Waits until the release `sequence` is in use.
    pub(crate) async fn reaches(&self, sequence: u64) {
        let what = format!("release {sequence} to be in use");
        eventually(&what, async || {
            (self.sequence().await? == sequence).then_some(())
        })
        .await;
    }

    /// Waits for a refusal by `check` whose reason has `word`; gives the reason.
    pub(crate) async fn refuses(&self, check: &str, word: &str) -> String {
        let what = format!("a refusal by {check} that says {word:?}");
        eventually(&what, async || {
            let status = self.status().await;
            let refusals = status.pointer("/refusals")?.as_array()?;
            refusals.iter().find_map(|refusal| {
                let reason = refusal["reason"].as_str()?;
                (refusal["check"] == check && reason.contains(word)).then(|| reason.to_owned())
            })
        })
        .await
    }

    /// How a service is: `normal`, `probing` or `degraded`.
    pub(crate) async fn state(&self, service: &str) -> String {
        let status = self.status().await;
        let services = status["services"].as_array().unwrap();
        let known = services.iter().find(|known| known["name"] == service);
        known.unwrap()["state"].as_str().unwrap().to_owned()
    }

    /// The most memory it ever held, bytes.
    pub(crate) fn peak_memory(&self) -> u64 {
        self.process.as_ref().unwrap().peak_memory().unwrap()
    }

    /// What it logged.
    pub(crate) fn logged(&self) -> String {
        fs_err::read_to_string(&self.log).unwrap_or_default()
    }
}
