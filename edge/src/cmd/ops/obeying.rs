//! Who obeys: every edge is asked, all at once, until it has what it should have or the wait is over.
//!
//! Control listeners are asked first, since they tell everything, the edge's name too. Where none of
//! an edge's is reached, its peer listener tells by what it gives to everybody. Paths that were only
//! given to bring orders by (`peers`, `--via`) are most likely peer listeners of the same edges: they
//! count as edges only where no control listener answers.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};
use snapshot::SiteName;
use snapshot::limits::BUNDLE_BYTES;
use tokio::time::{Instant, sleep};
use url::Url;

use super::Settings;
use super::plain::plain;
use super::progress::Progress;
use crate::asking::{self, Client};
use crate::cmd::Exit;
use crate::sync::{LeftBehindStatus, Mirror, Patience, Place};

/// When an edge is asked again for the first time; each time twice as late, up to [`SELDOM`].
const AGAIN: Duration = Duration::from_millis(20);
/// How seldom an edge is asked at most.
const SELDOM: Duration = Duration::from_millis(250);
/// How long a peer listener may take to answer once.
const PATIENCE: Duration = Duration::from_secs(2);
/// Most edges that a sentence names.
const NAMED: usize = 20;

/// What every edge is asked.
pub trait Question: Sync {
    /// Where on a peer listener the answer lies, for everybody to read.
    fn place(&self) -> Place;

    /// Whether an edge obeys that says this of the site in `/status`.
    ///
    /// # Errors
    /// Why it does not.
    fn of_status(&self, site: &Value) -> Result<(), String>;

    /// The same of what its peer listener gives at [`Question::place`].
    ///
    /// # Errors
    /// Why it does not.
    fn of_document(&self, bytes: Option<&[u8]>) -> Result<(), String>;

    /// Whether to ask on is in vain.
    fn is_over(&self) -> bool {
        false
    }
}

/// What one edge said.
#[derive(Clone, Debug)]
pub struct EdgeAnswer {
    /// Its name, or where it was asked.
    pub name: String,
    /// Where it was asked.
    pub url: Url,
    /// Whether it said anything about the site.
    pub is_reached: bool,
    /// Whether it obeys.
    pub in_force: bool,
    /// How long it took until it did.
    pub after: Option<Duration>,
    /// Why it does not.
    pub error: Option<String>,
    /// The release that it is too old for.
    pub left_behind: Option<LeftBehindStatus>,
    /// All that it said of the site.
    pub status: Option<Value>,
}

/// What all edges said.
#[derive(Clone, Debug, Default)]
pub struct Obedience {
    /// One entry an edge.
    pub edges: Vec<EdgeAnswer>,
}

/// Asks every edge until it obeys, for at most `wait` since `begun`. With a wait of nothing each is
/// asked once.
pub async fn obeying(
    settings: &Settings,
    question: &dyn Question,
    begun: Instant,
    wait: Duration,
) -> Obedience {
    let client = asking::client();
    let asked = asked(settings);
    let progress = Mutex::new(Progress::begin(asked.len(), begun));
    let answers = asked.iter().map(|asked| {
        let (client, progress) = (&client, &progress);
        async move {
            let mut again = AGAIN;
            loop {
                let mut answer = asked.ask(client, &settings.site, question).await;
                if answer.in_force {
                    // Who is asked once says how it is, and not since when.
                    answer.after = (!wait.is_zero()).then(|| begun.elapsed());
                    let progress = progress.lock();
                    progress.unwrap_or_else(PoisonError::into_inner).one_more();
                    return answer;
                }
                if question.is_over() || Instant::now() + again >= begun + wait {
                    return answer;
                }
                sleep(again).await;
                again = (2 * again).min(SELDOM);
            }
        }
    });
    let answers = join_all(answers).await;
    let any_control = asked
        .iter()
        .zip(&answers)
        .any(|(asked, answer)| asked.control.is_some() && answer.is_reached);
    let counted = asked
        .iter()
        .zip(answers)
        .filter(|(asked, _)| asked.control.is_some() || asked.is_named || !any_control);
    Obedience {
        edges: counted.map(|(_, answer)| answer).collect(),
    }
}

impl Obedience {
    /// How many obey.
    pub fn in_force(&self) -> usize {
        self.edges.iter().filter(|edge| edge.in_force).count()
    }

    /// All, some or none.
    pub fn exit(&self) -> Exit {
        match self.in_force() {
            n if n == self.edges.len() => Exit::Done,
            0 => Exit::NoEdge,
            _ => Exit::SomeEdges,
        }
    }

    /// "in force on 48 of 50 edges after 1.2 s; not reached: seoul-7, busan-2".
    pub fn sentence(&self) -> String {
        if self.edges.is_empty() {
            return "no edge was asked: name them with --edge URL, or edges in ops.toml".to_owned();
        }
        let (obeying, all) = (self.in_force(), self.edges.len());
        let mut words = format!("in force on {obeying} of {all} edges");
        if let Some(after) = self.edges.iter().filter_map(|edge| edge.after).max() {
            words += &format!(" after {:.1} s", after.as_secs_f64());
        }
        let lacking = |is_reached: bool| {
            let lacking = |edge: &&EdgeAnswer| !edge.in_force && edge.is_reached == is_reached;
            list(
                self.edges
                    .iter()
                    .filter(lacking)
                    .map(|edge| edge.name.as_str()),
            )
        };
        for (what, names) in [
            ("not reached", lacking(false)),
            ("without it", lacking(true)),
        ] {
            if let Some(names) = names {
                words += &format!("; {what}: {names}");
            }
        }
        words
    }

    /// A line for each edge of which there is more to say than that.
    pub fn remarks(&self) -> String {
        let mut text = String::new();
        for edge in &self.edges {
            let name = plain(&edge.name);
            if let Some(error) = &edge.error {
                text += &format!("  edge {name}: {}\n", plain(error));
            }
            if let Some(behind) = &edge.left_behind {
                let behind = plain(&behind.to_string());
                text += &format!("  edge {name}: LEFT BEHIND: {behind}\n");
            }
        }
        text
    }

    /// The same for programs.
    pub fn json(&self) -> Value {
        let after = self.edges.iter().filter_map(|edge| edge.after).max();
        let names = |is_reached: bool| -> Vec<&str> {
            let lacking = |edge: &&EdgeAnswer| !edge.in_force && edge.is_reached == is_reached;
            let lacking = self.edges.iter().filter(lacking);
            lacking.map(|edge| edge.name.as_str()).collect()
        };
        let each = self.edges.iter().map(|edge| {
            json!({
                "name": edge.name,
                "url": edge.url.as_str(),
                "reached": edge.is_reached,
                "in_force": edge.in_force,
                "after_ms": edge.after.map(|after| after.as_millis()),
                "error": edge.error,
                "left_behind": edge.left_behind,
            })
        });
        json!({
            "in_force": self.in_force(),
            "asked": self.edges.len(),
            "after_ms": after.map(|after| after.as_millis()),
            "not_reached": names(false),
            "without_it": names(true),
            "each": each.collect::<Vec<_>>(),
        })
    }
}

/// Names, of very many the first.
fn list<'n>(names: impl Iterator<Item = &'n str>) -> Option<String> {
    let names: Vec<&str> = names.collect();
    let shown: Vec<String> = names.iter().take(NAMED).map(|name| plain(name)).collect();
    let more = names.len().saturating_sub(NAMED);
    match (shown.is_empty(), more) {
        (true, _) => None,
        (false, 0) => Some(shown.join(", ")),
        (false, more) => Some(format!("{} and {more} more", shown.join(", "))),
    }
}

/// The edges that would be asked, by name or place.
#[must_use]
pub fn names(settings: &Settings) -> Vec<String> {
    let asked = asked(settings).into_iter();
    asked
        .map(|asked| asked.name.unwrap_or_else(|| place(&asked.url)))
        .collect()
}

/// One edge, and how it is asked.
struct Asked {
    name: Option<String>,
    control: Option<Url>,
    peer: Option<Result<Mirror, String>>,
    url: Url,
    /// Whether it is told apart from the edges that have a control listener.
    is_named: bool,
}

fn asked(settings: &Settings) -> Vec<Asked> {
    let quick = Patience {
        small: PATIENCE,
        ..Patience::default()
    };
    let places = settings.edges.iter().filter_map(|place| {
        let url = place.control.clone().or_else(|| place.peer.clone())?;
        let peer = place.peer.as_ref();
        Some(Asked {
            name: place.name.clone(),
            control: place.control.clone(),
            peer: peer.map(|url| Ok(settings.peer(url)?.with_patience(quick))),
            is_named: place.name.is_some(),
            url,
        })
    });
    let mut all: Vec<Asked> = places.collect();
    let known: Vec<Url> = settings
        .edges
        .iter()
        .filter_map(|place| place.peer.clone())
        .collect();
    let paths = settings.known_paths().iter();
    for path in paths.filter(|path| path.is_edge() && !known.contains(path.url())) {
        all.push(Asked {
            name: None,
            control: None,
            peer: Some(Ok(path.clone().with_patience(quick))),
            url: path.url().clone(),
            is_named: false,
        });
    }
    all
}

impl Asked {
    async fn ask(&self, client: &Client, site: &SiteName, question: &dyn Question) -> EdgeAnswer {
        let mut answer = EdgeAnswer {
            name: self.name.clone().unwrap_or_else(|| place(&self.url)),
            url: self.url.clone(),
            is_reached: false,
            in_force: false,
            after: None,
            error: None,
            left_behind: None,
            status: None,
        };
        if let Some(control) = &self.control {
            match asking::status(client, control).await {
                Ok(status) => {
                    answer.heard(&status, site, question);
                    return answer;
                }
                Err(error) => answer.error = Some(error),
            }
        }
        match &self.peer {
            None => {}
            Some(Err(error)) => answer.error = Some(error.clone()),
            Some(Ok(peer)) => match peer.read(&question.place(), BUNDLE_BYTES).await {
                Ok(bytes) => {
                    answer.is_reached = true;
                    answer.obeys(question.of_document(bytes.as_deref()));
                }
                Err(error) => answer.error = Some(error.to_string()),
            },
        }
        answer
    }
}

impl EdgeAnswer {
    fn obeys(&mut self, obeys: Result<(), String>) {
        self.in_force = obeys.is_ok();
        self.error = obeys.err();
    }

    /// Finds the site in what a control listener says.
    fn heard(&mut self, status: &Value, site: &SiteName, question: &dyn Question) {
        self.is_reached = true;
        if let Some(name) = status.get("name").and_then(Value::as_str) {
            name.clone_into(&mut self.name);
        }
        let sites = status.get("sites").and_then(Value::as_array);
        let mut sites = sites.into_iter().flatten();
        let own = |entry: &&Value| entry.get("site").and_then(Value::as_str) == Some(site.as_str());
        let Some(entry) = sites.find(own) else {
            self.error = Some(format!("it does not serve site {site}"));
            return;
        };
        self.obeys(question.of_status(entry));
        let behind = entry
            .get("left_behind")
            .cloned()
            .map(serde_json::from_value);
        // An edge may be of any version: what it says otherwise counts none the less.
        self.left_behind = behind.and_then(Result::ok).flatten();
        self.status = Some(entry.clone());
    }
}

/// Host and port: what people know a listener by.
fn place(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(name: &str, is_reached: bool, after_ms: Option<u64>) -> EdgeAnswer {
        EdgeAnswer {
            name: name.to_owned(),
            url: Url::parse("http://127.0.0.1:8081").unwrap(),
            is_reached,
            in_force: after_ms.is_some(),
            after: after_ms.map(Duration::from_millis),
            error: None,
            left_behind: None,
            status: None,
        }
    }

    #[test]
    fn the_sentence_names_who_does_not_obey() {
        let mut edges: Vec<_> = (0..48)
            .map(|n| answer(&format!("edge-{n}"), true, Some(20 * n + 260)))
            .collect();
        let all = Obedience {
            edges: edges.clone(),
        };
        assert_eq!(all.sentence(), "in force on 48 of 48 edges after 1.2 s");
        assert_eq!(all.exit(), Exit::Done);
        edges.push(answer("seoul-7", false, None));
        edges.push(answer("busan-2", false, None));
        let some = Obedience { edges };
        let said = "in force on 48 of 50 edges after 1.2 s; not reached: seoul-7, busan-2";
        assert_eq!(some.sentence(), said);
        assert_eq!(some.exit(), Exit::SomeEdges);
        let edges = vec![answer("a", true, None), answer("b", false, None)];
        let none = Obedience { edges };
        let said = "in force on 0 of 2 edges; not reached: b; without it: a";
        assert_eq!(none.sentence(), said);
        assert_eq!(none.exit(), Exit::NoEdge);
        let json = none.json();
        assert_eq!(json["not_reached"], json!(["b"]));
        assert_eq!(json["in_force"], 0);
        assert_eq!(Obedience::default().exit(), Exit::Done);
    }

    #[test]
    fn what_an_edge_calls_itself_does_nothing_to_a_terminal() {
        let mut odd = answer("seoul\u{1b}[2J", true, None);
        odd.error = Some("obeys \u{1b}]0;all is well".to_owned());
        let said = Obedience { edges: vec![odd] };
        assert_eq!(said.remarks(), "  edge seoul [2J: obeys  ]0;all is well\n");
        assert!(said.sentence().ends_with("without it: seoul [2J"));
    }

    #[test]
    fn of_very_many_names_the_first_are_said() {
        let names: Vec<String> = (0..=NAMED).map(|n| n.to_string()).collect();
        let said = list(names.iter().map(String::as_str)).unwrap();
        assert!(said.ends_with("19 and 1 more"), "{said}");
    }
}
