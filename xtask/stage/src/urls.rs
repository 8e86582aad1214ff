//! Every URL the snapshot promises, told from the source data, not from the snapshot.

use std::path::Path;

use anyhow::Result;
use rusqlite::Connection;
use town::db;
use town::model::{
    BankAccount, Duty, Guide, Invitation, Meeting, Member, Payment, Place, Record, SignIn, Talk,
    Taxi, Wishes,
};

/// All URLs of the site.
#[derive(Clone, Debug)]
pub struct Urls {
    /// Pages.
    pub pages: Vec<String>,
    /// Everything else: calendars, photographs, assets.
    pub files: Vec<String>,
}

impl Urls {
    /// Reads the town's database and folders.
    ///
    /// # Errors
    /// A database or folder that cannot be read.
    pub fn of(site: &Path) -> Result<Self> {
        let connection = db::open(&site.join("town.db"))?;
        let (mut pages, mut files) = (vec!["/".to_owned(), "/guide/".to_owned()], Vec::new());
        for Invitation { id, cap, .. } in db::all(&connection)? {
            pages.extend([
                format!("/i/{id}/"),
                format!("/i/{id}/{cap}/"),
                format!("/i/{id}/{cap}/gift"),
            ]);
            files.push(format!("/i/{id}/event.ics"));
        }
        pages.extend(paths::<Meeting>(&connection)?);
        pages.extend(paths::<Guide>(&connection)?);
        pages.extend(paths::<Talk>(&connection)?);
        pages.extend(paths::<BankAccount>(&connection)?);
        pages.extend(paths::<Payment>(&connection)?);
        pages.extend(paths::<Taxi>(&connection)?);
        pages.extend(paths::<Place>(&connection)?);
        pages.extend(paths::<Member>(&connection)?);
        pages.extend(paths::<SignIn>(&connection)?);
        pages.extend(paths::<Duty>(&connection)?);
        pages.extend(paths::<Wishes>(&connection)?);
        for (folder, prefix) in [("photos", "/photos"), ("public", "/assets")] {
            for entry in fs_err::read_dir(site.join(folder))? {
                let name = entry?.file_name();
                files.push(format!("{prefix}/{}", name.to_string_lossy()));
            }
        }
        Ok(Self { pages, files })
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pages.len() + self.files.len()
    }

    /// True when there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &String> {
        self.pages.iter().chain(&self.files)
    }
}

fn paths<T: Record>(connection: &Connection) -> Result<Vec<String>> {
    Ok(db::all::<T>(connection)?.iter().map(T::path).collect())
}
