//! The stage: real processes of a town, its origin, a mirror and two edges, for the demo, the drill
//! and the tests.

pub mod ask;
pub mod attack;
pub mod client;
pub mod demo;
pub mod drill;
pub mod forge;
pub mod load;
pub mod ports;
pub mod process;
pub mod report;
pub mod systems;
pub mod urls;
pub mod visible;
pub mod world;
