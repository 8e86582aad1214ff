//! Asking every edge how it is, some at once.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use super::{EdgeView, View};
use crate::asking::{self, Client};
use crate::serve::{Edge, status};
use crate::sync::wall_clock;

/// Most edges whose control listeners an edge is told.
pub const EDGES: usize = 1024;
/// Edges that are asked at once: what is read of them is held at once as well.
pub const AT_ONCE: usize = 16;
/// Most that is read of one edge's status, bytes.
pub const PICTURE_BYTES: usize = 1 << 20;
/// How long a picture is good for: however many look at an edge, it asks the others no more often.
const GOOD_FOR: Duration = Duration::from_secs(1);

/// Asks every edge of `urls`, in this order.
pub async fn look(client: &Client, urls: &[Url]) -> Vec<EdgeView> {
    let each: Vec<_> = urls.iter().map(|url| look_at(client, url)).collect();
    stream::iter(each).buffered(AT_ONCE).collect().await
}

/// Asks one edge.
pub async fn look_at(client: &Client, url: &Url) -> EdgeView {
    let shown = Some(url.to_string());
    match asking::status_as::<EdgeView>(client, url, PICTURE_BYTES).await {
        Ok(status) => status.at(shown),
        Err(reason) => EdgeView::unknown(shown, reason),
    }
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

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use futures::future::join_all;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    async fn listening() -> (TcpListener, Url) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        (listener, url.parse().unwrap())
    }

    async fn answer(mut stream: TcpStream, body: String) {
        stream.read_buf(&mut Vec::new()).await.unwrap();
        let length = body.len();
        let head =
            format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
        stream.write_all((head + &body).as_bytes()).await.ok();
        stream.shutdown().await.ok();
        while stream.read_buf(&mut Vec::new()).await.is_ok_and(|n| n > 0) {}
    }

    #[tokio::test]
    async fn so_many_edges_are_asked_at_once_and_the_others_wait() {
        let (listener, url) = listening().await;
        let urls = vec![url; AT_ONCE * 2 + 3];
        let all = urls.len();
        let seen = tokio::spawn(async move { look(&asking::client(), &urls).await });
        let (mut answered, mut rounds) = (0, 0);
        while answered < all {
            let mut open = Vec::new();
            while open.len() < AT_ONCE.min(all - answered) {
                open.push(listener.accept().await.unwrap().0);
            }
            // Nobody else comes while all of these are waited for.
            for _ in 0..100 {
                tokio::task::yield_now().await;
                assert!(listener.accept().now_or_never().is_none());
            }
            answered += open.len();
            rounds += 1;
            let status = r#"{"name": "seoul-1", "sites": []}"#;
            join_all(
                open.into_iter()
                    .map(|stream| answer(stream, status.to_owned())),
            )
            .await;
        }
        assert_eq!(rounds, 3);
        let seen = seen.await.unwrap();
        assert!(seen.len() == all && seen.iter().all(|edge| edge.shown() == "seoul-1"));
    }

    #[tokio::test]
    async fn an_edge_that_says_more_than_any_is_not_read() {
        for (more, error) in [(0, None), (1, Some("/status: length limit exceeded"))] {
            let (listener, url) = listening().await;
            let start = r#"{"name": "seoul-1", "more": ""#;
            let room = PICTURE_BYTES - start.len() - 2 + more;
            let body = format!("{start}{}\"}}", "x".repeat(room));
            let client = asking::client();
            let (edge, ()) = tokio::join!(look_at(&client, &url), async {
                answer(listener.accept().await.unwrap().0, body).await;
            });
            assert_eq!(edge.error.as_deref(), error);
        }
    }
}
