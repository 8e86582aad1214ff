//! The pages the visitor is sent to.

use anyhow::{Context, Result};
use town::db;
use town::model::Invitation;

use super::keys::KEYS;
use crate::world::World;

/// The pages the visitor is sent to.
pub(super) struct Visit {
    pub(super) base: String,
    other: String,
    pub(super) id: String,
    cap: String,
    club: String,
}

impl Visit {
    pub(super) fn of(world: &World) -> Result<Self> {
        let connection = db::open(&world.database())?;
        let invitation = db::all::<Invitation>(&connection)?
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

    pub(super) fn invitation(&self) -> String {
        format!("{}/i/{}/{}/", self.base, self.id, self.cap)
    }

    pub(super) fn welcome(&self) {
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
