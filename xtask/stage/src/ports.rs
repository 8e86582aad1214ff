//! Ports for processes to listen on, each given to one run at a time.
//!
//! They lie below those that the kernel hands to outgoing connections, so that a listener that was
//! killed finds its port free when it comes back. A run claims one by holding the UDP port of the
//! same number on loopback, which nothing here uses otherwise: only one process can, and the kernel
//! takes it back however that process ends.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, bail};

/// Linux hands out 32768 and above (`ip_local_port_range`).
const PORTS: Range<u16> = 20_000..32_000;

/// A free port of `ip`, this process's own until it ends.
///
/// # Errors
/// None is free.
pub fn free(ip: IpAddr) -> Result<SocketAddr> {
    static CLAIMS: Mutex<Vec<UdpSocket>> = Mutex::new(Vec::new());
    let mut claims = CLAIMS.lock().unwrap_or_else(PoisonError::into_inner);
    for port in PORTS {
        let Ok(claim) = UdpSocket::bind((Ipv4Addr::LOCALHOST, port)) else {
            continue;
        };
        // Somebody who claims nothing may listen there.
        if let Ok(listener) = TcpListener::bind((ip, port)) {
            claims.push(claim);
            return Ok(listener.local_addr()?);
        }
    }
    bail!(
        "no port of {ip} from {} to {} is free",
        PORTS.start,
        PORTS.end
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_given_once_and_stays_claimed() {
        let loopback = IpAddr::from(Ipv4Addr::LOCALHOST);
        let (one, other) = (free(loopback).unwrap(), free(loopback).unwrap());
        assert_ne!(one, other);
        for at in [one, other] {
            assert!(PORTS.contains(&at.port()), "{at}");
            // What another run would try first fails, and what it is for works.
            assert!(UdpSocket::bind(at).is_err(), "{at}");
            assert!(TcpListener::bind(at).is_ok(), "{at}");
        }
    }
}
