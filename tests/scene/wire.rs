//! A wire that can break: a TCP relay between an edge and what it talks to.
//!
//! ```text
//! let wire = Wire::to(origin).await;
//! wire.is(Fault::BlackHole);
//! ```
//!
//! A fault holds for what connects or asks after it was set; setting one closes what is open, as
//! a cable that is cut does.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{eventually, free};

/// What is wrong with a wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// Every connection is reset at once.
    Refused,
    /// Connections are taken, and nothing ever comes back.
    BlackHole,
    /// The first byte takes this long.
    SlowFirstByte(Duration),
    /// After the first so many bytes each further one takes as long.
    Trickle {
        /// Bytes that pass at once.
        after: usize,
        /// What each further byte takes.
        each: Duration,
    },
    /// The connection is reset after so many bytes of the answer.
    ResetAfter(usize),
    /// Every other connection is reset at once.
    Flapping,
    /// These bytes are the answer to whatever is asked, and then the connection ends.
    Says(&'static str),
    /// These bytes are the answer's beginning, and this goes on for ever.
    SaysForEver(&'static str, &'static str),
}

/// A running relay. Gone when dropped.
pub(crate) struct Wire {
    at: SocketAddr,
    fault: watch::Sender<Fault>,
    open: Arc<AtomicUsize>,
    _relaying: JoinSet<()>,
}

impl Wire {
    /// A whole one, to `far`.
    pub(crate) async fn to(far: SocketAddr) -> Self {
        let at = free();
        let listener = TcpListener::bind(at).await.unwrap();
        let (fault, open) = (watch::Sender::new(Fault::None), Arc::default());
        let mut relaying = JoinSet::new();
        relaying.spawn(relay(listener, far, fault.subscribe(), Arc::clone(&open)));
        Self {
            at,
            fault,
            open,
            _relaying: relaying,
        }
    }

    /// Where to connect to.
    pub(crate) fn at(&self) -> SocketAddr {
        self.at
    }

    /// From now on this is wrong with it.
    pub(crate) fn is(&self, fault: Fault) {
        self.fault.send_replace(fault);
    }

    /// Waits until nothing is connected through it.
    pub(crate) async fn is_silent(&self) {
        eventually("the wire to be silent", async || {
            (self.open.load(Ordering::SeqCst) == 0).then_some(())
        })
        .await;
    }
}

/// Counts a connection while it lives.
struct Open(Arc<AtomicUsize>);

impl Open {
    fn new(open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(open))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn relay(
    listener: TcpListener,
    far: SocketAddr,
    fault: watch::Receiver<Fault>,
    open: Arc<AtomicUsize>,
) {
    let mut connections = JoinSet::new();
    let mut number = 0_usize;
    loop {
        let Ok((near, _)) = listener.accept().await else {
            continue;
        };
        number += 1;
        let (mut changes, open) = (fault.clone(), Open::new(&open));
        let wrong = *changes.borrow_and_update();
        connections.spawn(async move {
            let _open = open;
            tokio::select! {
                _ = connection(near, far, wrong, number) => {}
                _ = changes.changed() => {}
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn connection(
    mut near: TcpStream,
    far: SocketAddr,
    fault: Fault,
    number: usize,
) -> std::io::Result<()> {
    match fault {
        Fault::Refused => return reset(near),
        Fault::Flapping if number.is_multiple_of(2) => return reset(near),
        Fault::BlackHole => std::future::pending().await,
        Fault::Says(words) => {
            asked(&mut near).await?;
            near.write_all(words.as_bytes()).await?;
            near.shutdown().await?;
            // Until the other side has read it: closing now could take the words back.
            near.read_to_end(&mut Vec::new()).await?;
            return Ok(());
        }
        Fault::SaysForEver(words, more) => {
            asked(&mut near).await?;
            near.write_all(words.as_bytes()).await?;
            loop {
                near.write_all(more.as_bytes()).await?;
            }
        }
        _ => {}
    }
    let mut far = TcpStream::connect(far).await?;
    let whole = {
        let (mut from_near, mut to_near) = near.split();
        let (mut from_far, mut to_far) = far.split();
        let asking = async {
            tokio::io::copy(&mut from_near, &mut to_far).await?;
            to_far.shutdown().await?;
            // The far side still speaks when the near one has said all.
            std::future::pending::<std::io::Result<bool>>().await
        };
        tokio::select! {
            answered = answer(&mut from_far, &mut to_near, fault) => answered?,
            failed = asking => failed?,
        }
    };
    if whole {
        near.shutdown().await
    } else {
        reset(near)
    }
}

/// Passes the answer on as the fault lets it; whether it came to its end.
async fn answer(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    fault: Fault,
) -> std::io::Result<bool> {
    let mut passed = 0_usize;
    let mut buffer = [0; 16 << 10];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return Ok(true);
        }
        let bytes = &buffer[..length];
        match fault {
            Fault::SlowFirstByte(wait) if passed == 0 => {
                tokio::time::sleep(wait).await;
                to.write_all(bytes).await?;
            }
            Fault::Trickle { after, each } => {
                let (now, slowly) = bytes.split_at(after.saturating_sub(passed).min(length));
                to.write_all(now).await?;
                for byte in slowly {
                    tokio::time::sleep(each).await;
                    to.write_all(&[*byte]).await?;
                }
            }
            Fault::ResetAfter(limit) if passed + length >= limit => {
                to.write_all(&bytes[..limit.saturating_sub(passed)]).await?;
                to.flush().await?;
                return Ok(false);
            }
            _ => to.write_all(bytes).await?,
        }
        passed += length;
    }
}

/// Reads what is asked to the end of its head.
async fn asked(near: &mut TcpStream) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(near.read_u8().await?);
    }
    Ok(())
}

/// Closes with RST instead of FIN.
fn reset(stream: TcpStream) -> std::io::Result<()> {
    stream.set_zero_linger()
}
