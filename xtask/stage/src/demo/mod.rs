//! The visitor's own outage: the world stands, each key breaks or mends a part of it, and says
//! which page to reload and what will be different there.
//!
//! On a terminal a block of lines shows what each edge does, redrawn every second. Without one the
//! keys are played by themselves, changes are printed as lines, and the world stays up.

mod keys;
mod screen;
mod visit;

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use console::{Key, Term, truncate_str};
use tokio::sync::mpsc;

use crate::load::{Load, Pace};
use crate::urls::Urls;
use crate::world::{Built, World};
use keys::KEYS;
use screen::{Readers, edges, without_age};
use visit::Visit;

/// Between two looks at the edges.
const LOOK: Duration = Duration::from_secs(1);
/// Between two keys when nobody presses any.
const PLAY: Duration = Duration::from_secs(6);

/// Builds the world in `dir` and keeps it until `q` or Ctrl-C.
///
/// # Errors
/// A world that cannot be built.
pub async fn run(dir: &Path, built: &Built, bind: IpAddr, say: impl Fn(&str)) -> Result<()> {
    let again = dir.join("site/mirror").exists() || dir.join("site/mirror.gone").exists();
    say(if again {
        "the town of your last visit is set right again"
    } else {
        "laying out the town and its keys"
    });
    let mut world = World::lay_out(dir, built, bind).await?;
    say("starting the origin");
    world.start_origin().await?;
    say("publishing the site into a folder");
    let published = world.publish().await?;
    for line in published
        .lines()
        .filter(|line| !line.trim().is_empty())
        .take(40)
    {
        println!("           {line}");
    }
    say("starting two edges");
    for at in 0..world.edges.len() {
        world.start_edge(at)?;
    }
    world.wait_ready().await?;
    if again {
        keys::calm_down(&world).await?;
    }
    say("ready");
    let visit = Visit::of(&world)?;
    visit.welcome();
    let urls = Urls::of(&world.site())?;
    let load = Load::start(
        &world.client,
        Pace::DEMO,
        urls.iter().cloned().collect(),
        world.in_service(),
    );
    let done = play(&mut world, &visit, &load).await;
    load.stop().await;
    done
}

/// Redraws what goes on, and plays keys as they come, until one ends it.
async fn play(world: &mut World, visit: &Visit, load: &Load) -> Result<()> {
    let term = Term::stdout();
    let person = term.is_term() && console::user_attended();
    let mut presses = if person {
        pressed(term.clone())
    } else {
        println!(
            "  No terminal: the keys play by themselves, then everything stays until this is stopped."
        );
        by_themselves()
    };
    let mut look = tokio::time::interval(LOOK);
    let mut shown: Vec<String> = Vec::new();
    let mut readers = Readers::default();
    // One for good: a signal that comes while a key does its work would be lost on a later one.
    let mut ended = std::pin::pin!(tokio::signal::ctrl_c());
    loop {
        tokio::select! {
            _ = look.tick() => {
                let mut lines = edges(world).await;
                if person {
                    lines.push(readers.line(load));
                    // A line that the terminal breaks would be two to clear.
                    let width = usize::from(term.size().1);
                    for line in &mut lines {
                        *line = truncate_str(line, width, "…").into_owned();
                    }
                    term.clear_last_lines(shown.len())?;
                } else if without_age(&lines) == without_age(&shown) {
                    continue;
                }
                println!("{}", lines.join("\n"));
                shown = lines;
            }
            key = presses.recv() => {
                if person {
                    term.clear_last_lines(shown.len())?;
                }
                shown.clear();
                match key {
                    Some('q') | None => return Ok(()),
                    Some(key) => match keys::press(world, visit, key).await {
                        Ok(words) => println!("  {key}  {words}\n"),
                        Err(error) => println!("  {key}  did not work: {error:#}\n"),
                    },
                }
            }
            _ = &mut ended => return Ok(()),
        }
    }
}

/// The keys that a person presses.
fn pressed(term: Term) -> mpsc::Receiver<char> {
    let (press, presses) = mpsc::channel(8);
    std::thread::spawn(move || {
        while let Ok(key) = term.read_key() {
            let key = match key {
                Key::Char(key) => key,
                Key::CtrlC | Key::Escape => 'q',
                _ => continue,
            };
            if press.blocking_send(key).is_err() {
                return;
            }
        }
    });
    presses
}

/// All keys in turn.
fn by_themselves() -> mpsc::Receiver<char> {
    let (press, presses) = mpsc::channel(8);
    tokio::spawn(async move {
        for (key, _) in KEYS {
            tokio::time::sleep(PLAY).await;
            if press.send(*key).await.is_err() {
                return;
            }
        }
        // Keeps the channel open: the world stays.
        std::future::pending::<()>().await;
    });
    presses
}
