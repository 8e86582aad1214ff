//! What writes that were killed left in a mirror that is a folder: `NAME#1`, which becomes `NAME` once
//! it is whole, and which no listing shows. It may hold anything, so it goes like an object that no
//! release names.

use std::io;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use edge::sync::Mirror;
use fs_err as fs;
use snapshot::Timestamp;

use super::look::age;
use super::{Known, MirrorSwept};

/// How deep below a site's folder anything is written: `objects/<2 hex>/<hash>`.
const DEEP: usize = 2;

impl Known<'_> {
    /// Takes away what is older than the grace.
    pub(super) async fn sweep_leftovers(
        &self,
        at: usize,
        mirror: &Mirror,
        swept: &mut MirrorSwept,
    ) {
        let folder = mirror.url().to_file_path();
        let (Ok(folder), Ok(now)) = (folder, self.time(at)) else {
            return;
        };
        let folder = folder.join(self.sweep.mirrors.site.as_str());
        let (grace, dry_run) = (self.grace, self.sweep.dry_run);
        let work = tokio::task::spawn_blocking(move || {
            let mut gone = 0;
            let error = each(&folder, DEEP, now, grace, dry_run, &mut gone).err();
            (gone, error.map(|error| error.to_string()))
        });
        match work.await {
            Ok((gone, error)) => {
                swept.leftovers += gone;
                swept.error = swept.error.take().or(error);
            }
            Err(error) => swept.error = Some(error.to_string()),
        }
    }
}

fn each(
    folder: &Path,
    deep: usize,
    now: Timestamp,
    grace: Duration,
    dry_run: bool,
    gone: &mut u64,
) -> io::Result<()> {
    for entry in found(fs::read_dir(folder))?.into_iter().flatten() {
        let entry = entry?;
        let path = entry.path();
        let kind = entry.file_type()?;
        if kind.is_dir() && deep > 0 {
            each(&path, deep - 1, now, grace, dry_run, gone)?;
        } else if kind.is_file() && is_leftover(&path) {
            let Some(about) = found(fs::metadata(&path))? else {
                continue;
            };
            let written = about.modified()?.duration_since(UNIX_EPOCH);
            let written = written.unwrap_or_default().as_millis();
            let written = Timestamp(u64::try_from(written).unwrap_or(0));
            if age(now, written) < grace {
                continue;
            }
            if !dry_run {
                found(fs::remove_file(&path))?;
            }
            *gone += 1;
        }
    }
    Ok(())
}

/// `None` of what is not there, or no longer: its write has ended.
fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

fn is_leftover(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.and_then(|name| name.rsplit_once('#'))
        .is_some_and(|(name, number)| {
            let digits = number.bytes().all(|byte| byte.is_ascii_digit());
            !name.is_empty() && !number.is_empty() && digits
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_old_and_was_never_whole_goes() {
        let dir = tempfile::tempdir().unwrap();
        let shard = dir.path().join("objects/ab");
        fs::create_dir_all(shard.join("deeper")).unwrap();
        fs::create_dir_all(dir.path().join("releases")).unwrap();
        let gone = ["objects/ab/abcd#1", "releases/7#12", "release#1"];
        let stays = ["objects/ab/abcd", "release", "objects/ab/#1", "a#b", "a#"];
        for name in gone.iter().chain(&stays).chain(&["objects/ab/deeper/x#1"]) {
            fs::write(dir.path().join(name), "bytes").unwrap();
        }
        let now = UNIX_EPOCH.elapsed().unwrap();
        let now = Timestamp(u64::try_from(now.as_millis()).unwrap() + 5_000);
        let sweep = |grace, dry_run| {
            let mut gone = 0;
            let grace = Duration::from_secs(grace);
            each(dir.path(), DEEP, now, grace, dry_run, &mut gone).unwrap();
            gone
        };
        assert_eq!(sweep(3600, false), 0);
        assert_eq!(
            (sweep(1, true), sweep(1, false), sweep(1, false)),
            (3, 3, 0)
        );
        assert!(gone.iter().all(|name| !dir.path().join(name).exists()));
        assert!(stays.iter().all(|name| dir.path().join(name).exists()));
        // And what is too deep is nobody's.
        assert!(shard.join("deeper/x#1").exists());
        fs::remove_dir_all(dir.path().join("objects")).unwrap();
        assert_eq!(sweep(0, false), 0);
    }
}
