//! `init`: from a folder of HTML to a site that can be published and served. Makes what is
//! missing, says so, and never touches what is there.

mod keys;
mod texts;

use std::io;
use std::path::{Path, PathBuf};

use edge::settings::{self, Problems, Section};
use fs_err as fs;
use snapshot::{SiteName, durable};

pub use keys::KeyPair;

/// What `init` is told.
#[derive(Clone, Debug)]
pub struct Init {
    /// Where.
    pub dir: PathBuf,
    /// The site's name; otherwise what `site.toml` says if there is one, else made from the
    /// directory's name.
    pub site: Option<SiteName>,
    /// The folder of pages, below `dir`; found or `public` otherwise.
    pub pages: Option<String>,
}

/// One thing that `init` looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its path, below the directory.
    pub path: String,
    /// What it is for.
    pub what: &'static str,
    /// Whether it was made now; otherwise it was there and is as it was.
    pub made: bool,
}

/// What `init` did.
#[derive(Clone, Debug)]
pub struct Made {
    /// The site's name.
    pub site: SiteName,
    /// Everything that was looked at.
    pub items: Vec<Item>,
    /// The commands to run next.
    pub next: [String; 3],
}

/// Why `init` stopped.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// A file or directory cannot be made.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A key cannot be made or read.
    #[error("{}: {why}", path.display())]
    Key {
        /// The key file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A directory whose name gives no site name.
    #[error(transparent)]
    Name(#[from] snapshot::InvalidName),
    /// A folder name that `site.toml` could not hold.
    #[error("{0:?} is not a folder below the directory")]
    Pages(String),
}

/// Makes what is missing. Blocks.
///
/// # Errors
/// See [`InitError`]; what was made until then stays.
pub fn init(init: &Init) -> Result<Made, InitError> {
    let dir = &init.dir;
    fs::create_dir_all(dir)?;
    let site = match &init.site {
        Some(site) => site.clone(),
        None => match declared(dir) {
            Some(site) => site,
            None => site_of(dir)?,
        },
    };
    let pages = match &init.pages {
        Some(pages) => plain(pages)?,
        None => found_pages(dir)?,
    };
    let mut work = Work {
        dir,
        items: Vec::new(),
    };
    if !dir.join(&pages).exists() {
        work.folder(&pages, "your pages", 0o755)?;
        work.file(
            &format!("{pages}/index.html"),
            "a first page",
            &texts::page(&site),
        )?;
    }
    work.file(
        "site.toml",
        "what is published",
        &texts::site(&site, &pages),
    )?;
    work.folder("mirror", "where releases go, and edges look", 0o755)?;
    work.folder("keys", "private keys: never on an edge", 0o700)?;
    let publisher = format!("publisher@{site}.example");
    let operator = format!("operator@{site}.example");
    let release = work.key(
        "keys/release",
        "signs releases: never on an edge",
        &publisher,
    )?;
    let orders = work.key("keys/operator", "signs orders: never on an edge", &operator)?;
    work.folder("trust", "whom an edge believes", 0o755)?;
    let signers = texts::signers((&publisher, &release.public), (&operator, &orders.public));
    work.file(
        "trust/allowed_signers",
        "the keys an edge believes",
        &signers,
    )?;
    let policy = texts::policy(&site, &publisher, &operator);
    work.file("trust/trust.toml", "what each of them may sign", &policy)?;
    work.file(
        "edge.toml",
        "an edge that runs as it is",
        &texts::edge(&site),
    )?;
    work.file("ops.toml", "what `edge order` needs", &texts::ops(&site))?;
    let (here, config) = prefix(dir);
    Ok(Made {
        site,
        items: work.items,
        next: [
            format!("origin-sync publish{config}"),
            format!("edge serve --config {here}edge.toml"),
            format!("curl http://{}/", texts::PUBLIC),
        ],
    })
}

/// How the next commands name the directory: not at all if they are run in it.
fn prefix(dir: &Path) -> (String, String) {
    if dir == Path::new(".") || dir.as_os_str().is_empty() {
        return (String::new(), String::new());
    }
    let here = format!("{}/", dir.display().to_string().trim_end_matches('/'));
    let config = format!(" --config {here}site.toml");
    (here, config)
}

/// What a `site.toml` that is there already calls the site: keys and trust are for that one.
fn declared(dir: &Path) -> Option<SiteName> {
    let text = settings::read(&dir.join("site.toml"), "").ok()?;
    let problems = Problems::default();
    Section::parse(&text, &problems)?
        .text("site")?
        .value
        .parse()
        .ok()
}

/// A site name out of the directory's: letters, digits and hyphens of it.
fn site_of(dir: &Path) -> Result<SiteName, InitError> {
    let absolute = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    let name = absolute
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    let label: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_lowercase() || c.is_ascii_digit() {
                c
            } else {
                '-'
            }
        })
        .collect();
    let label = label.trim_start_matches(|c: char| !c.is_ascii_lowercase());
    let label: String = label.chars().take(63).collect();
    let label = label.trim_end_matches('-');
    Ok(label.parse().or_else(|_| "site".parse())?)
}

/// A folder's name that can stand in a TOML string and stays below the directory.
fn plain(pages: &str) -> Result<String, InitError> {
    let parts = Path::new(pages).components();
    let below = parts.clone().count() > 0
        && parts
            .clone()
            .all(|part| matches!(part, std::path::Component::Normal(_)));
    let sound = !pages.contains(['"', '\\']) && !pages.chars().any(char::is_control);
    if below && sound {
        return Ok(pages.trim_end_matches('/').to_owned());
    }
    Err(InitError::Pages(pages.to_owned()))
}

/// The one folder that has an `index.html`; `public` if that is there, or if it is not clear.
fn found_pages(dir: &Path) -> Result<String, InitError> {
    const USUAL: &str = "public";
    if dir.join(USUAL).is_dir() {
        return Ok(USUAL.to_owned());
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().join("index.html").is_file()
            && let Ok(name) = plain(&name)
        {
            found.push(name);
        }
    }
    match <[String; 1]>::try_from(found) {
        Ok([only]) => Ok(only),
        Err(_) => Ok(USUAL.to_owned()),
    }
}

struct Work<'a> {
    dir: &'a Path,
    items: Vec<Item>,
}

impl Work<'_> {
    fn note(&mut self, path: &str, what: &'static str, made: bool) {
        self.items.push(Item {
            path: path.to_owned(),
            what,
            made,
        });
    }

    fn folder(&mut self, name: &str, what: &'static str, mode: u32) -> Result<(), InitError> {
        use std::os::unix::fs::DirBuilderExt;
        let path = self.dir.join(name);
        let made = !path.is_dir();
        if made {
            std::fs::DirBuilder::new()
                .recursive(true)
                .mode(mode)
                .create(&path)
                .map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", path.display())))?;
        }
        self.note(&format!("{name}/"), what, made);
        Ok(())
    }

    fn file(&mut self, name: &str, what: &'static str, text: &str) -> Result<(), InitError> {
        let made = create(&self.dir.join(name), text.as_bytes(), 0o644)?;
        self.note(name, what, made);
        Ok(())
    }

    fn key(&mut self, name: &str, what: &'static str, who: &str) -> Result<KeyPair, InitError> {
        let path = self.dir.join(name);
        let (pair, made) = keys::make_or_read(&path, who)?;
        self.note(name, what, made);
        Ok(pair)
    }
}

/// True if it was made; what exists is left as it is.
fn create(path: &Path, bytes: &[u8], mode: u32) -> Result<bool, InitError> {
    use std::os::unix::fs::PermissionsExt;
    match durable::create_new(path, bytes) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
        Err(error) => return Err(error.into()),
    }
    fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
    Ok(true)
}

#[cfg(test)]
mod tests;
