//! The key that signs releases, and the trust that releases found on mirrors are judged by.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use edge::signing::{KeyError, KeySource};
use fs_err as fs;
use snapshot::{Generation, Signer, SiteName, limits};

/// Holds a private key's text; used when neither `--key` nor `site.toml` names a key.
pub const RELEASE_KEY_VARIABLE: &str = "HOLDFAST_RELEASE_KEY";

/// Loads the key from `source`, or from [`RELEASE_KEY_VARIABLE`]. Blocks, and asks for a
/// passphrase only at a terminal.
///
/// # Errors
/// See [`KeyError`].
pub fn load(source: Option<KeySource>) -> Result<Arc<dyn Signer>, KeyError> {
    let source = source.unwrap_or_else(|| KeySource::Env(RELEASE_KEY_VARIABLE.to_owned()));
    Ok(Arc::from(source.load()?))
}

/// The trust that releases on mirrors are judged by: the folder's, or else one in which only
/// `signer` may sign releases of `site`. A folder that is named and bad is an error, never passed
/// over.
///
/// # Errors
/// Everything that is wrong with the folder, as lines.
pub fn trust(
    folder: Option<&Path>,
    signer: &dyn Signer,
    site: &SiteName,
) -> Result<Generation, Vec<String>> {
    let generation = match folder {
        Some(folder) => read(folder)?,
        None => only(signer, site)?,
    };
    generation
        .require(site)
        .map_err(|problem| vec![problem.to_string()])?;
    Ok(generation)
}

/// The trust in `folder`: `allowed_signers` and `trust.toml`.
///
/// # Errors
/// Everything that is wrong with it, as lines.
pub fn read(folder: &Path) -> Result<Generation, Vec<String>> {
    let signers = bounded(&folder.join("allowed_signers"));
    let policy = bounded(&folder.join("trust.toml"));
    match (signers, policy) {
        (Ok(signers), Ok(policy)) => Generation::parse(&signers, &policy)
            .map_err(|problems| problems.iter().map(ToString::to_string).collect()),
        (signers, policy) => Err([signers.err(), policy.err()]
            .into_iter()
            .flatten()
            .map(|error| error.to_string())
            .collect()),
    }
}

fn bounded(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    let most = limits::TRUST_FILE_BYTES as u64 + 1;
    fs::File::open(path)?.take(most).read_to_string(&mut text)?;
    Ok(text)
}

fn only(signer: &dyn Signer, site: &SiteName) -> Result<Generation, Vec<String>> {
    let key = signer
        .public_key()
        .to_openssh()
        .map_err(|error| vec![error.to_string()])?;
    let signers = format!("publisher namespaces=\"release@holdfast\" {key}\n");
    let policy = format!("[person.publisher]\nroles = [\"publisher\"]\nsites = [\"{site}\"]\n");
    Generation::parse(&signers, &policy)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect())
}
