//! Asking every edge how it is, at once.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use super::{EdgeView, View};
use crate::asking::{self, Client};
use crate::serve::{Edge, status};
use crate::sync::wall_clock;

/// Most edges whose control listeners an edge is told.
pub const EDGES: usize = 1024;
/// How long a picture is good for: however many look at an edge, it asks the others no more often.
const GOOD_FOR: Duration = Duration::from_secs(1);

/// Asks every edge of `urls`, in this order.
pub async fn look(client: &Client, urls: &[Url]) -> Vec<EdgeView> {
    let each = urls.iter().map(|url| async move {
        let shown = Some(url.to_string());
        match asking::status(client, url).await {
            Ok(status) => EdgeView::of(&status, shown),
            Err(reason) => EdgeView::unknown(shown, reason),
        }
    });
    join_all(each).await
}

/// The fleet as one edge sees it: itself, and the edges that its settings name.
#[derive(Debug)]
pub struct Fleet {
    others: Vec<Url>,
    client: Client,
    seen: Mutex<Option<(Instant, Arc<View>)>>,
}

impl Default for Fleet {
    fn default() -> Self {
        Self::of(Vec::new())
    }
}

impl Fleet {
    /// With these edges beside the one that looks.
    #[must_use]
    pub fn of(others: Vec<Url>) -> Self {
        Self {
            others,
            client: asking::client(),
            seen: Mutex::default(),
        }
    }

    /// The picture of now, or of a moment ago.
    pub async fn look(&self, own: &Edge) -> Arc<View> {
        // Whoever comes while it is looked waits for what is seen.
        let mut seen = self.seen.lock().await;
        if let Some((at, view)) = &*seen
            && at.elapsed() < GOOD_FOR
        {
            return Arc::clone(view);
        }
        let mut edges = vec![match serde_json::to_value(status(own)) {
            Ok(status) => EdgeView::of(&status, None),
            Err(error) => EdgeView::unknown(None, error.to_string()),
        }];
        edges.extend(look(&self.client, &self.others).await);
        let view = Arc::new(View {
            at: wall_clock().rfc3339(),
            edges,
        });
        *seen = Some((Instant::now(), Arc::clone(&view)));
        view
    }
}
