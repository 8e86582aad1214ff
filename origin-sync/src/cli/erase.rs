//! `origin-sync erase`.

use std::fmt::Write as _;
use std::time::Duration;

use clap::Args;
use edge::asking::{self, Client, Url};
use edge::settings::parse_duration;
use futures::future::join_all;
use serde_json::{Value, json};
use snapshot::{CollectionName, Sequence, SiteName};
use tokio::time::{Instant, sleep};

use super::press::{PressArgs, open, progress};
use super::said::{line_of, print};
use super::{Failure, runtime};
use crate::config::EDGES;
use crate::exit::{Exit, TABLE};
use crate::publish::{Erase, Erasure, wall_clock};
use crate::sweep::count;

/// How often an edge is asked again.
const AGAIN: Duration = Duration::from_millis(200);

/// Erase a record: from every release, mirror, own copy and edge
///
/// Publishes the last release without the record, its collection's segments merged into one that never
/// held it; drops the releases that hold it from every mirror, pinned ones too; sweeps what no release
/// names any more at once, without grace, from the mirrors and the publisher's own copy: blobs, the mark
/// of an amendment, and what killed writes left in folders. The new release tells every edge to drop all
/// releases before it; this command waits until each edge that is named here, or in [publish] `edges` of
/// site.toml, says that it has. Not within --wait: it ends with 3, and run again it asks again.
///
/// The key is remembered in `erased.list` beside site.toml, as a keyed hash: keep that file, and give it
/// to everybody who publishes the site. While a source still has the record, `publish` leaves it out and
/// says so; `publish --take-erased` takes it. A value that another record has as well stays as that
/// record's. Files are deleted, not overwritten; what readers, caches, backups, old versions of a
/// bucket's objects and uploads that a bucket never saw the end of hold is not reached.
#[derive(Debug, Args)]
#[command(after_help = TABLE)]
pub(super) struct EraseArgs {
    /// The collection and the record's key. Of a private collection: the id (unlisted) or capability
    /// (sealed) that names it; `COLLECTION/-` reads it from standard input
    #[arg(value_name = "COLLECTION/KEY")]
    what: String,
    #[command(flatten)]
    press: PressArgs,
    /// The control listener of an edge, as in http://10.0.0.7:9180; may be repeated, and stands in
    /// place of those in site.toml
    #[arg(long = "edge", value_name = "URL")]
    edges: Vec<Url>,
    /// How long edges are waited for
    #[arg(long, value_name = "DURATION", default_value = "2m")]
    wait: String,
    /// Tell which releases hold it, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// End with one line of JSON on standard output
    #[arg(long)]
    pub(super) json: bool,
}

/// What became of one edge.
struct Said {
    url: Url,
    name: Option<String>,
    /// Why it is not gone from there.
    error: Option<String>,
}

pub(super) fn run(args: EraseArgs) -> Result<Exit, Failure> {
    let wait = parse_duration(&args.wait).ok_or_else(|| {
        let message = format!("--wait {:?} is not a duration", args.wait);
        Failure::usage(message, Some("--wait 2m"))
    })?;
    if args.edges.len() > EDGES {
        let message = format!(
            "--edge is given {} times, at most {EDGES}",
            args.edges.len()
        );
        return Err(Failure::usage(message, None));
    }
    let (collection, key) = named(&args.what)?;
    let site = args.press.declared()?;
    let edges = if args.edges.is_empty() {
        site.publish.edges.clone()
    } else {
        args.edges.clone()
    };
    let signer = args.press.key(&site)?;
    let publisher = open(site, &signer)?;
    let (runtime, progress) = (runtime()?, progress());
    let erase = Erase {
        collection: &collection,
        given: &key,
        dry_run: args.dry_run,
    };
    let erased = runtime.block_on(publisher.erase(erase, wall_clock, &*progress));
    progress.done();
    let erased = erased?;
    let mut said = Vec::new();
    if let Some(done) = &erased.done {
        let warnings = done.report.warnings.iter().cloned();
        for warning in warnings.chain(done.swept.warnings()) {
            eprintln!("warning: {warning}");
        }
        let sequence = done.release;
        if !edges.is_empty() {
            let edges = count(edges.len() as u64, "edge");
            eprintln!("waiting for {edges} to drop what came before release {sequence}");
        }
        said = runtime.block_on(gone(&edges, &publisher.site.site, sequence, wait));
    }
    let text = text(&erased, &said);
    if args.json {
        eprintln!("{text}");
        print(&line_of(&json(&erased, &said)))?;
    } else {
        print(format!("{text}\n").as_bytes())?;
    }
    Ok(exit(&erased, &said))
}

fn named(what: &str) -> Result<(CollectionName, String), Failure> {
    let refuse = || Failure::usage(format!("{what:?} is not COLLECTION/KEY"), None);
    let (collection, key) = what.split_once('/').ok_or_else(refuse)?;
    let collection = collection.parse().map_err(|_| refuse())?;
    let key = super::inspect::secret_of(key.to_owned(), std::io::stdin())?;
    if key.is_empty() {
        return Err(refuse());
    }
    Ok((collection, key))
}

fn exit(erased: &Erasure, said: &[Said]) -> Exit {
    let Some(done) = &erased.done else {
        return Exit::Done;
    };
    match (done.report.exit, done.swept.exit()) {
        (Exit::MirrorsMissed, _) | (_, Exit::MirrorsMissed) => Exit::MirrorsMissed,
        (_, Exit::Done) if said.iter().any(|edge| edge.error.is_some()) => Exit::EdgesMissed,
        (_, swept) => swept,
    }
}

/// Asks every edge until it says that all releases before `sequence` are gone, or the wait is over.
async fn gone(edges: &[Url], site: &SiteName, sequence: Sequence, wait: Duration) -> Vec<Said> {
    let client = asking::client();
    let until = Instant::now() + wait;
    let all = edges.iter().map(|url| {
        let client = &client;
        async move {
            loop {
                let said = ask(client, url, site, sequence).await;
                if said.error.is_none() || Instant::now() + AGAIN >= until {
                    return said;
                }
                sleep(AGAIN).await;
            }
        }
    });
    join_all(all).await
}

async fn ask(client: &Client, url: &Url, site: &SiteName, sequence: Sequence) -> Said {
    let mut said = Said {
        url: url.clone(),
        name: None,
        error: None,
    };
    let status = match asking::status(client, url).await {
        Ok(status) => status,
        Err(error) => {
            said.error = Some(format!("not reached: {error}"));
            return said;
        }
    };
    let text = |value: &Value, name: &str| value.get(name)?.as_str().map(str::to_owned);
    said.name = text(&status, "name");
    let sites = status.get("sites").and_then(Value::as_array);
    let mut known = sites.into_iter().flatten();
    let known = known.find(|known| text(known, "site").as_deref() == Some(site.as_str()));
    let Some(known) = known else {
        said.error = Some(format!("it does not serve site {site}"));
        return said;
    };
    let number = |at: &str| known.pointer(at).and_then(Value::as_u64);
    if number("/store/erased").unwrap_or(0) < sequence.0 {
        let on = number("/release/sequence");
        let on = on.map_or("no release".to_owned(), |on| format!("release {on}"));
        let why = known.pointer("/store/error").and_then(Value::as_str);
        let why = why.map_or(String::new(), |why| format!(": {why}"));
        said.error = Some(format!("not gone yet, it is on {on}{why}"));
    }
    said
}

fn text(erased: &Erasure, said: &[Said]) -> String {
    let held: Vec<String> = erased.held_by.iter().map(ToString::to_string).collect();
    let held = match held.len() {
        0 => "no release on a mirror holds it any more".to_owned(),
        1 => format!("release {} held it", held.concat()),
        _ => format!("releases {} held it", held.join(", ")),
    };
    let Some(done) = &erased.done else {
        return format!("{held}; nothing was changed (--dry-run)");
    };
    let mut text = format!("{held}\n{}\n{}\n", done.report.text(), done.swept.text());
    let gone = said.iter().filter(|edge| edge.error.is_none()).count();
    // Writing to a String cannot fail.
    let _ = write!(text, "gone from {gone} of {} edges", said.len());
    for edge in said {
        if let Some(error) = &edge.error {
            let name = edge.name.as_deref().unwrap_or(edge.url.as_str());
            let _ = write!(text, "; {name}: {error}");
        }
    }
    if said.is_empty() {
        text.push_str(": none is named, so whether any still holds it is not known");
    }
    text
}

fn json(erased: &Erasure, said: &[Said]) -> Value {
    let exit = exit(erased, said);
    let held: Vec<u64> = erased.held_by.iter().map(|sequence| sequence.0).collect();
    let Some(done) = &erased.done else {
        return json!({ "result": "dry-run", "exit": exit as u8, "held_by": held });
    };
    let edges = said.iter().map(|edge| {
        json!({
            "url": edge.url.as_str(),
            "name": edge.name,
            "gone": edge.error.is_none(),
            "error": edge.error,
        })
    });
    json!({
        "result": if exit == Exit::Done { "erased" } else { exit.word() },
        "exit": exit as u8,
        "held_by": held,
        "erased_by": done.release.0,
        "release": done.report.json(),
        "swept": done.swept.json(),
        "edges": edges.collect::<Vec<_>>(),
    })
}
