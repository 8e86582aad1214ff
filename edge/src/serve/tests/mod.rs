//! An edge over real sockets, before an origin that can be broken.
//!
//! `origin` is that origin, `world` an edge with a small site, `raw` a client that can misbehave,
//! `frames` one that does so in HTTP/2.
//! A new case goes into the file of what it is about.

mod drain;
mod fallback;
mod forwarding;
mod frames;
mod http2;
mod limits;
mod origin;
mod pages;
mod patience;
mod raw;
mod stall;
mod world;
mod writes;
