//! An order in its envelope, and the signatures on it.

use std::sync::Arc;

use snapshot::{Envelope, Namespace, Order, Signer, encode};

use super::mirrors::Known;
use crate::cmd::Fault;

/// The order with this key's signature.
pub(super) async fn sign(signer: Arc<dyn Signer>, order: &Order) -> Result<Known, Fault> {
    let envelope = Envelope::seal(encode(order).map_err(Fault::failed)?);
    let envelope = add_signature(signer, envelope).await?;
    Ok(Known {
        order: order.clone(),
        digest: envelope.payload_digest(),
        envelope,
    })
}

/// The envelope with one signature more.
pub(super) async fn add_signature(
    signer: Arc<dyn Signer>,
    mut envelope: Envelope,
) -> Result<Envelope, Fault> {
    let signed = tokio::task::spawn_blocking(move || {
        envelope.sign_with(signer.as_ref(), Namespace::Order)?;
        Ok::<_, snapshot::SignError>(envelope)
    });
    let signed = signed.await.map_err(Fault::failed)?;
    signed.map_err(|error| Fault::failed(format!("the order was not signed: {error}")))
}

/// Who decides, if nobody said: the key's comment.
pub(super) fn comment(signer: &dyn Signer) -> String {
    let comment = signer
        .public_key()
        .comment()
        .as_str_lossy()
        .trim()
        .to_owned();
    if comment.is_empty() {
        "operator".to_owned()
    } else {
        comment
    }
}
