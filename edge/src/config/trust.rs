//! The trust directory: `allowed_signers` and `trust.toml`, read as one generation.

use std::io::Read;
use std::path::Path;

use snapshot::trust::{Generation, TrustFiles, TrustProblem};
use snapshot::{SiteName, limits};

/// Reads both files of `dir`.
///
/// # Errors
/// Every mistake in them, in words; also when nobody may sign releases of `site`.
pub fn read(dir: &Path, site: &SiteName) -> Result<Generation, Vec<String>> {
    understand(dir, &read_files(dir)?, site)
}

/// Reads both files of `dir`, whatever stands in them.
///
/// # Errors
/// In words, for each that cannot be read.
pub fn read_files(dir: &Path) -> Result<TrustFiles, Vec<String>> {
    let signers = read_file(&dir.join("allowed_signers"));
    let roles = read_file(&dir.join("trust.toml"));
    match (signers, roles) {
        (Ok(allowed_signers), Ok(trust_toml)) => Ok(TrustFiles {
            allowed_signers,
            trust_toml,
        }),
        (signers, roles) => Err([signers.err(), roles.err()].into_iter().flatten().collect()),
    }
}

/// What the files of `dir` say.
///
/// # Errors
/// As [`read`].
pub fn understand(
    dir: &Path,
    files: &TrustFiles,
    site: &SiteName,
) -> Result<Generation, Vec<String>> {
    let say = |problem: &TrustProblem| format!("{}/{problem}", dir.display());
    let generation = Generation::parse(&files.allowed_signers, &files.trust_toml)
        .map_err(|problems| problems.iter().map(say).collect::<Vec<_>>())?;
    generation
        .require(site)
        .map_err(|problem| vec![say(&problem)])?;
    Ok(generation)
}

fn read_file(path: &Path) -> Result<String, String> {
    let file = fs_err::File::open(path).map_err(|e| e.to_string())?;
    let mut text = String::new();
    let limit = limits::TRUST_FILE_BYTES as u64;
    file.take(limit + 1)
        .read_to_string(&mut text)
        .map_err(|e| e.to_string())?;
    if text.len() as u64 > limit {
        return Err(format!("{} is larger than {limit} bytes", path.display()));
    }
    if text.trim().is_empty() {
        return Err(format!(
            "{} is empty: nobody would be believed",
            path.display()
        ));
    }
    Ok(text)
}
