//! Keys of people, for the two commands that sign: from a file, the environment or an agent.
//!
//! An edge that serves never comes here: no key that signs a release or an order is on an edge.
//! Everything in here blocks, on a disk, a person or an agent.

mod agent;
mod load;
mod source;

pub use agent::AgentError;
pub use load::{KeyError, PASSPHRASE_VARIABLE, Surroundings};
pub use source::{AgentKey, KeySource, ParseKeySourceError};

#[cfg(test)]
mod tests;
