//! Every URL the snapshot promises, told from the source data, not from the snapshot.

use std::path::Path;

use anyhow::Result;
use town::db;
use town::model::{Guide, Invitation, Meeting};

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
        for Invitation { id, cap, .. } in
            db::all(&connection, Invitation::TABLE, Invitation::from_row)?
        {
            pages.extend([
                format!("/i/{id}/"),
                format!("/i/{id}/{cap}/"),
                format!("/i/{id}/{cap}/gift"),
            ]);
            files.push(format!("/i/{id}/event.ics"));
        }
        for meeting in db::all(&connection, Meeting::TABLE, Meeting::from_row)? {
            pages.push(format!("/club/{}/", meeting.id));
        }
        for guide in db::all(&connection, Guide::TABLE, Guide::from_row)? {
            pages.push(format!("/guide/{}/", guide.service));
        }
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
