//! What each key breaks or mends, and what the visitor should look at then.

use anyhow::Result;
use town::db;

use super::visit::Visit;
use crate::world::World;

/// The keys, in the order in which they play by themselves.
pub(super) const KEYS: &[(char, &str)] = &[
    ('d', "degrade Dasom Pay"),
    ('k', "kill the origin"),
    ('n', "write a notice (it travels over the mirror)"),
    ('m', "take the mirror away"),
    ('b', "bring everything back"),
    ('p', "publish a changed invitation"),
];

/// What a key does, and what the visitor should look at then.
pub(super) async fn press(world: &mut World, visit: &Visit, key: char) -> Result<String> {
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
            order(world, &["degrade", "pay"]).await?;
            format!(
                "Dasom Pay is degraded. Reload {}: the gift button has become account numbers.",
                visit.invitation()
            )
        }
        'n' => {
            let korean = "ko=센터 화재로 복구 중입니다. 저녁 9시에 다시 알립니다.";
            let english = "en=A fire at the centre; the next word is at 9 pm.";
            order(
                world,
                &["notice", "site", "--text", korean, "--text", english],
            )
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
            calm_down(world).await?;
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
pub(super) async fn calm_down(world: &World) -> Result<()> {
    order(world, &["recover", "pay"]).await?;
    order(world, &["notice", "site", "--clear"]).await
}

async fn order(world: &World, words: &[&str]) -> Result<()> {
    let why = ["--why", "the demo's visitor asked"];
    world.order(&[words, &why].concat()).await.map(|_| ())
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
