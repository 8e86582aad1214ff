//! What goes into the core, and what comes out.

use std::collections::BTreeSet;

use snapshot::Digest;

use crate::copy::{Lacking, Want};
use crate::sync::refusal::Refusal;
use crate::sync::work::{Errand, Offer, SourceId, Unbrought};

/// What happened.
#[derive(Debug)]
pub enum Event {
    /// Time passed.
    Tick,
    /// A source answered a poll.
    Polled(SourceId, Polled),
    /// What the release lacks, or why it never can be used.
    Planned(Job, Result<Lacking, Refusal>),
    /// An object arrived, verified and on disk; or did not.
    Fetched(Job, SourceId, Digest, Result<(), Unbrought>),
    /// A segment was merged from others and is on disk; or could not be.
    Merged(Job, Digest, Result<(), Unbrought>),
    /// The release loads, its counts hold and its canaries answer; or not.
    Checked(Job, Result<(), Refusal>),
    /// The release is written down and in use; or could not be.
    Switched(Job, Result<(), Refusal>),
    /// Reads found these objects of the release in use damaged.
    Damaged(Vec<Want>),
    /// A damaged object was read once more: true if it is whole after all.
    Inspected(Job, bool),
    /// Reads go to the repaired object; or it does not open.
    Reopened(Job, Result<(), String>),
}

/// What a source had to say.
#[derive(Debug)]
pub enum Polled {
    /// It has no release.
    Nothing,
    /// It could not be read.
    Unreachable,
    /// It has a release that is not trusted.
    Refused,
    /// It has one that is.
    Offers(Offer),
}

/// What is to be done.
#[derive(Debug)]
pub enum Action {
    /// Ask a source for its release and its orders.
    Poll(SourceId),
    /// Find out what the release lacks; these segments are not to be had by merging.
    Plan(Job, Offer, BTreeSet<Digest>),
    /// Bring an object.
    Fetch(Job, Errand),
    /// Merge a segment from those that are held.
    Merge(Job, Want),
    /// Load the release and try it.
    Check(Job, Offer),
    /// Write it down and use it.
    Switch(Job, Offer),
    /// Tell people: it will not be used. What is still fetched of it is to be stopped, and answered all
    /// the same.
    Refuse(Offer, Refusal),
    /// Read a damaged object of the release in use once more.
    Inspect(Job, Want),
    /// Let reads of the release in use go to the repaired object.
    Reopen(Job, Want),
    /// Tell people: it stays damaged for now.
    Unrepaired(Want, Refusal),
}

/// Which work an event belongs to: late answers to abandoned work are ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Job(pub(super) u64);
