//! The key that an operator signs with.

use std::sync::Arc;

use snapshot::Signer;

use super::Settings;
use crate::cmd::Fault;

/// Loads the key that the settings name; it may ask for a passphrase or a touch.
///
/// # Errors
/// None is named, or it cannot be used.
pub async fn load_key(settings: &Settings) -> Result<Arc<dyn Signer>, Fault> {
    let source = settings.key()?.clone();
    let loaded = tokio::task::spawn_blocking(move || source.load()).await;
    let loaded = loaded.map_err(Fault::failed)?;
    let loaded = loaded.map_err(|error| Fault::failed(format!("the operator's key: {error}")));
    loaded.map(Arc::from)
}
