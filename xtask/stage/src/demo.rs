//! The visitor's own outage: the world stands, each key breaks or mends a part of it, and says
//! which page to reload and what will be different there.
//!
//! On a terminal a block of lines shows what each edge does, redrawn every second. Without one the
//! keys are played by themselves, changes are printed as lines, and the world stays up.

use std::net::IpAddr;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, Result};
use console::{Key, Term};
use tokio::sync::mpsc;
use town::db;
use town::model::Invitation;

use crate::load::{Load, Pace};
use crate::urls::Urls;
use crate::world::{Built, World};

/// Between two looks at the edges.
const LOOK: Duration = Duration::from_secs(1);
/// Between two keys when nobody presses any.
const PLAY: Duration = Duration::from_secs(6);
/// The keys, in the order in which they play by themselves.
const KEYS: &[(char, &str)] = &[
    ('d', "degrade Dasom Pay"),
    ('k', "kill the origin"),
    ('n', "write a notice (it travels over the mirror)"),
    ('m', "take the mirror away"),
    ('b', "bring everything back"),
    ('p', "publish a changed invitation"),
];

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
        calm_down(&world).await?;
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

/// The pages the visitor is sent to.
struct Visit {
    base: String,
    other: String,
    id: String,
    cap: String,
    club: String,
}

impl Visit {
    fn of(world: &World) -> Result<Self> {
        let connection = db::open(&world.database())?;
        let invitation = db::all(&connection, Invitation::TABLE, Invitation::from_row)?
            .into_iter()
            .next()
            .context("an invitation")?;
        let club =
            connection.query_row("select id from meetings order by id limit 1", [], |row| {
                row.get(0)
            })?;
        let at = |n: usize| {
            world
                .edges
                .get(n)
                .map(|edge| format!("http://{}", edge.public))
                .unwrap_or_default()
        };
        Ok(Self {
            base: at(0),
            other: at(1),
            id: invitation.id,
            cap: invitation.cap,
            club,
        })
    }

    fn invitation(&self) -> String {
        format!("{}/i/{}/{}/", self.base, self.id, self.cap)
    }

    fn welcome(&self) {
        println!();
        println!(
            "  An invented town, served by two edges. Open these, on a phone too (--bind 0.0.0.0):"
        );
        println!("    a wedding invitation   {}", self.invitation());
        println!(
            "    a hiking club          {}/club/{}/   (asks to sign in while the origin lives)",
            self.base, self.club
        );
        println!("    what to do now         {}/guide/", self.base);
        println!(
            "    the same, other edge   {}/i/{}/{}/",
            self.other, self.id, self.cap
        );
        println!();
        for (key, what) in KEYS {
            println!("    {key}  {what}");
        }
        println!("    q  quit");
        println!();
    }
}

async fn play(world: &mut World, visit: &Visit, load: &Load) -> Result<()> {
    let term = Term::stdout();
    let person = term.is_term() && console::user_attended();
    let (press, mut keys) = mpsc::channel(8);
    if person {
        let reader = term.clone();
        std::thread::spawn(move || {
            while let Ok(key) = reader.read_key() {
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
    } else {
        println!(
            "  No terminal: the keys play by themselves, then everything stays until this is stopped."
        );
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
    }
    let mut look = tokio::time::interval(LOOK);
    let mut shown: Vec<String> = Vec::new();
    let mut readers = Readers::default();
    loop {
        tokio::select! {
            _ = look.tick() => {
                let mut lines = edges(world).await;
                if person {
                    lines.push(readers.line(load));
                }
                if person {
                    term.clear_last_lines(shown.len())?;
                    for line in &lines {
                        println!("{line}");
                    }
                    shown = lines;
                } else if without_age(&lines) != without_age(&shown) {
                    for line in &lines {
                        println!("{line}");
                    }
                    shown = lines;
                }
            }
            key = keys.recv() => {
                if person {
                    term.clear_last_lines(shown.len())?;
                }
                shown.clear();
                match key {
                    Some('q') | None => return Ok(()),
                    Some(key) => match press_key(world, visit, key).await {
                        Ok(words) => println!("  {key}  {words}\n"),
                        Err(error) => println!("  {key}  did not work: {error:#}\n"),
                    },
                }
            }
            _ = tokio::signal::ctrl_c() => return Ok(()),
        }
    }
}

/// What a key does, and what the visitor should look at then.
async fn press_key(world: &mut World, visit: &Visit, key: char) -> Result<String> {
    Ok(match key {
        'k' => {
            world.kill_origin();
            format!(
                "The origin is dead. Reload {}: it opens as before, with a banner, and the guest book is gone.",
                visit.invitation()
            )
        }
        'm' => {
            world.mirror_gone(true)?;
            format!(
                "The mirror is gone. Reload any page: nothing changes, the edges hold their own copy. {}/guide/",
                visit.base
            )
        }
        'd' => {
            world
                .order(&["degrade", "pay", "--why", "the demo's visitor asked"])
                .await?;
            format!(
                "Dasom Pay is degraded. Reload {}: the gift button has become account numbers.",
                visit.invitation()
            )
        }
        'n' => {
            let texts = [
                "ko=센터 화재로 복구 중입니다. 저녁 9시에 다시 알립니다.",
                "en=A fire at the centre; the next word is at 9 pm.",
            ];
            let [korean, english] = texts;
            world
                .order(&[
                    "notice",
                    "site",
                    "--text",
                    korean,
                    "--text",
                    english,
                    "--why",
                    "the demo's visitor asked",
                ])
                .await?;
            format!(
                "A notice is written. Reload any page, {}/guide/ too: it stands on top.",
                visit.base
            )
        }
        'p' => {
            change_invitation(world, &visit.id).await?;
            let published = world.publish().await?;
            let last = published
                .lines()
                .rev()
                .find(|line| !line.trim().is_empty())
                .unwrap_or_default()
                .trim()
                .to_owned();
            format!(
                "Published: {last}\n     Reload {}: the hall has changed, on the snapshot's page as well.",
                visit.invitation()
            )
        }
        'b' => {
            world.mirror_gone(false)?;
            world.start_origin().await?;
            world
                .order(&["recover", "pay", "--why", "the demo's visitor asked"])
                .await?;
            world
                .order(&[
                    "notice",
                    "site",
                    "--clear",
                    "--why",
                    "the demo's visitor asked",
                ])
                .await?;
            format!(
                "Everything is back. Reload {}: within seconds it comes from the origin again.",
                visit.invitation()
            )
        }
        other => format!(
            "is no key here; {} and q are ({other:?} was pressed)",
            KEYS.iter()
                .map(|(k, _)| k.to_string())
                .collect::<Vec<_>>()
                .join(", ")
        ),
    })
}

/// Takes back what the keys have ordered.
async fn calm_down(world: &World) -> Result<()> {
    world
        .order(&["recover", "pay", "--why", "the demo's visitor asked"])
        .await?;
    world
        .order(&[
            "notice",
            "site",
            "--clear",
            "--why",
            "the demo's visitor asked",
        ])
        .await?;
    Ok(())
}

async fn change_invitation(world: &World, id: &str) -> Result<()> {
    let (database, id) = (world.database(), id.to_owned());
    tokio::task::spawn_blocking(move || {
        let connection = db::open(&database)?;
        connection.execute(
            "update invitations set hall_ko = '5층 하늘정원', hall_en = 'The Sky Garden, 5th floor' where id = ?",
            [&id],
        )?;
        anyhow::Ok(())
    })
    .await?
}

/// What the background readers got since the last look.
#[derive(Default)]
struct Readers {
    requests: u64,
    from_snapshot: u64,
}

impl Readers {
    fn line(&mut self, load: &Load) -> String {
        let counts = load.counts();
        let (requests, from_snapshot, failed) = (
            counts.requests.load(Ordering::Relaxed),
            counts.from_snapshot.load(Ordering::Relaxed),
            counts.failed.load(Ordering::Relaxed),
        );
        let (asked, snapshot) = (requests - self.requests, from_snapshot - self.from_snapshot);
        (self.requests, self.from_snapshot) = (requests, from_snapshot);
        format!(
            "  readers  {asked} pages in the last second: {} from the origin, {snapshot} from the snapshot; {failed} failed of {requests} so far",
            asked.saturating_sub(snapshot)
        )
    }
}

/// A line an edge: its release and age, and who answers for each service.
async fn edges(world: &World) -> Vec<String> {
    let mut lines = Vec::new();
    for edge in &world.edges {
        let Ok(status) = world.status(edge).await else {
            lines.push(format!("  {:<8} does not answer", edge.name));
            continue;
        };
        let text = |pointer: &str| status.pointer(pointer).map(plain).unwrap_or_default();
        let services: Vec<String> = status
            .pointer("/sites/0/services")
            .and_then(|services| services.as_array())
            .into_iter()
            .flatten()
            .filter_map(|service| {
                Some(format!(
                    "{} {}",
                    plain(service.get("name")?),
                    plain(service.get("state")?)
                ))
            })
            .collect();
        lines.push(format!(
            "  {:<8} release {}, {} s old │ {}",
            edge.name,
            text("/sites/0/release/sequence"),
            text("/sites/0/release/age_s"),
            services.join(" · ")
        ));
    }
    lines
}

fn plain(value: &serde_json::Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// The lines without the age, which changes by itself.
fn without_age(lines: &[String]) -> Vec<String> {
    lines
        .iter()
        .map(|line| {
            line.split(", ").next().unwrap_or_default().to_owned()
                + line.split('│').nth(1).unwrap_or_default()
        })
        .collect()
}
