//! `edge fleet`: every edge, live on a terminal.

mod table;

use std::time::Duration;

use clap::Args;
use console::Term;
use futures::StreamExt as _;
use futures::stream;

use super::control::At;
use super::{Exit, Fault};
use crate::asking::{self, Client};
use crate::config::ops::EdgePlace;
use crate::fleet::{AT_ONCE, EdgeView, View, look_at};
use crate::settings::parse_duration;
use crate::sync::wall_clock;

pub(super) const HELP: &str = "\
Asks every edge's control listener, named in ops.toml (`edges`) or by --edge, how it is. On a terminal
the table follows until Ctrl-C; elsewhere it is printed once. Edges that are known only as peers of others
are named below it, by what those find: nobody has said where they can be asked. http://CONTROL/fleet shows the same in a
browser, of the edges under `[fleet] edges` of that edge's edge.toml.

Exit status:
   0  every edge answered, when last asked
   1  it did not work; the reason is printed
   3  some did not
   4  none did
  64  the command line or a settings file is wrong";

/// Width of the lines where there is no terminal.
const WIDTH: usize = 100;
/// The least time between two looks.
const EVERY_LEAST: Duration = Duration::from_millis(500);

#[derive(Debug, Args)]
pub(super) struct Fleet {
    #[command(flatten)]
    at: At,
    /// Print it once, also on a terminal.
    #[arg(long)]
    once: bool,
    /// How often to look.
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = every)]
    every: Duration,
    /// Print one JSON object, once.
    #[arg(long)]
    json: bool,
}

impl Fleet {
    pub(super) async fn run(self) -> Result<Exit, Fault> {
        let edges = self.at.edges()?;
        let peers = edges.iter().filter_map(|edge| edge.peer.as_ref());
        let known: Vec<String> = peers.map(ToString::to_string).collect();
        let client = asking::client();
        let term = Term::stdout();
        if self.json || self.once || !term.is_term() {
            let view = look(&client, &edges).await;
            if self.json {
                let json = serde_json::to_string_pretty(&view).map_err(Fault::failed)?;
                println!("{json}");
            } else {
                let width = match term.size_checked() {
                    Some((_, width)) => usize::from(width),
                    None => WIDTH,
                };
                let colors = console::colors_enabled();
                print!("{}", table::table(&view, &known, width, colors));
            }
            return Ok(exit(&view));
        }
        let mut drawn = 0;
        let interrupted = tokio::signal::ctrl_c();
        tokio::pin!(interrupted);
        let mut last = Exit::NoEdge;
        loop {
            let view = tokio::select! {
                view = look(&client, &edges) => view,
                _ = &mut interrupted => return Ok(last),
            };
            last = exit(&view);
            drawn = redraw(&term, &view, &known, drawn).map_err(Fault::failed)?;
            tokio::select! {
                () = tokio::time::sleep(self.every) => {}
                _ = &mut interrupted => return Ok(last),
            }
        }
    }
}

/// Draws over what was drawn before, as much as fits; gives how many lines that is.
fn redraw(term: &Term, view: &View, known: &[String], drawn: usize) -> std::io::Result<usize> {
    let (height, width) = term.size();
    let (height, width) = (usize::from(height), usize::from(width));
    let text = table::table(view, known, width, console::colors_enabled());
    let lines: Vec<&str> = text.lines().collect();
    let room = height.saturating_sub(2).max(1);
    let mut out = String::new();
    for line in lines.iter().take(room) {
        out.push_str(&console::truncate_str(line, width, "…"));
        out.push('\n');
    }
    let mut shown = lines.len().min(room);
    if lines.len() > room {
        out.push_str("… more than fits: --once prints all\n");
        shown += 1;
    }
    term.clear_last_lines(drawn)?;
    term.write_str(&out)?;
    Ok(shown)
}

async fn look(client: &Client, edges: &[EdgePlace]) -> View {
    let each = edges.iter().map(|edge| async move {
        let mut view = match &edge.control {
            Some(url) => look_at(client, url).await,
            None => {
                let peer = edge.peer.as_ref().map(ToString::to_string);
                let why = "its control listener is not in ops.toml".to_owned();
                EdgeView::unknown(peer, why)
            }
        };
        view.name = view.name.or_else(|| edge.name.clone());
        view
    });
    View {
        edges: stream::iter(each).buffered(AT_ONCE).collect().await,
        at: wall_clock().rfc3339(),
    }
}

fn exit(view: &View) -> Exit {
    let reached = view
        .edges
        .iter()
        .filter(|edge| edge.error.is_none())
        .count();
    match reached {
        n if n == view.edges.len() => Exit::Done,
        0 => Exit::NoEdge,
        _ => Exit::SomeEdges,
    }
}

fn every(text: &str) -> Result<Duration, String> {
    let every = parse_duration(text).filter(|every| *every >= EVERY_LEAST);
    every.ok_or_else(|| "expected a whole number and ms, s or m, at least 500ms".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_looks_more_often_than_may_be() {
        assert_eq!(every("500ms"), Ok(EVERY_LEAST));
        assert!(every("499ms").is_err() && every("often").is_err());
    }
}
