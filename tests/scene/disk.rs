//! A disk that fails on request: kills at a step that writes, fills, becomes read-only, has a bad
//! sector. `disk.c` stands between the real program and the kernel, so that every write of it is
//! met, whichever library makes it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::Site;

/// The part of a disk below one folder. Sound until it is told otherwise.
#[derive(Clone, Debug)]
pub(crate) struct Disk {
    at: PathBuf,
    control: PathBuf,
}

impl Disk {
    /// Everything below `folder` of the site; "" is all of it.
    pub(crate) fn of(site: &Site, folder: &str) -> Self {
        // The library compares names as the kernel tells them.
        let root = fs_err::canonicalize(site.dir()).unwrap();
        let at = if folder.is_empty() {
            root.clone()
        } else {
            root.join(folder)
        };
        Self {
            at,
            control: root.join(format!("{folder}.disk")),
        }
    }

    /// Lets `command` run on it.
    pub(crate) fn under(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", library())
            .env("HOLDFAST_DISK_AT", &self.at)
            .env("HOLDFAST_DISK", &self.control);
    }

    /// Kills whoever takes the `step`th step from now.
    pub(crate) fn stops_at(&self, step: usize) {
        self.is(&format!("stop {step}"));
    }

    /// Has no space left from the `step`th step on.
    pub(crate) fn is_full_from(&self, step: usize) {
        self.is(&format!("full {step}"));
    }

    /// Takes no write at all.
    pub(crate) fn is_read_only(&self) {
        self.is("readonly 1");
    }

    /// Cannot read what lies at `path` now; another file of that name is sound.
    pub(crate) fn is_bad_at(&self, path: &Path) {
        use std::os::unix::fs::MetadataExt as _;
        let inode = fs_err::metadata(path).unwrap().ino();
        self.is(&format!("bad {inode}"));
    }

    /// Is sound again, and counts steps anew.
    pub(crate) fn is_sound(&self) {
        if self.control.exists() {
            fs_err::remove_file(&self.control).unwrap();
        }
    }

    /// Whole or absent: a program may be reading it.
    fn is(&self, wish: &str) {
        snapshot::durable::write(&self.control, format!("{wish}\n").as_bytes()).unwrap();
    }
}

fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| compiled("disk"))
}

/// `NAME.c` beside this file, compiled, to be loaded before a program. The workspace itself needs a C
/// compiler.
pub(super) fn compiled(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("../target/tests");
    fs_err::create_dir_all(&folder).unwrap();
    let made = folder.join(format!("{name}-{}.so", std::process::id()));
    let compiled = Command::new("cc")
        .args([
            "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o",
        ])
        .arg(&made)
        .arg(root.join(format!("scene/{name}.c")))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&compiled.stderr);
    assert!(compiled.status.success(), "{said}");
    // Other runs find it whole under the one name.
    let library = fs_err::canonicalize(folder)
        .unwrap()
        .join(format!("{name}.so"));
    fs_err::rename(made, &library).unwrap();
    library
}
