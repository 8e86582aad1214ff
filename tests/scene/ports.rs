//! Ports that nobody else takes meanwhile: below those the kernel hands to outgoing connections,
//! each given out once. A listener that was killed can so come back where it was.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// Linux hands out 32768 and above (`ip_local_port_range`).
const PORTS: std::ops::Range<u16> = 12_000..32_000;
/// Ports between the first ones of two test processes that run at once.
const APART: u16 = 389;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// An address of loopback that is free now.
pub(crate) fn free() -> SocketAddr {
    hold().local_addr().unwrap()
}

/// A free address, held: nobody else can bind it while the listener lives.
pub(crate) fn hold() -> TcpListener {
    let span = PORTS.end - PORTS.start;
    let start = (std::process::id() % u32::from(span)) as u16;
    for _ in 0..span {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let offset = (u32::from(start) * u32::from(APART) + u32::from(step)) % u32::from(span);
        let port = PORTS.start + u16::try_from(offset).unwrap();
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            return listener;
        }
    }
    panic!("no port of {PORTS:?} is free");
}
