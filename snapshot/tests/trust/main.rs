//! Trust, seen from outside: each attack by its name, with the very refusal it meets, and the
//! real `ssh-keygen` on the other side.
//!
//! A new attack goes into the file of the statement it forges; a new way to write the trust files
//! wrongly into `files.rs`.

#[cfg(test)]
mod bundles;
#[cfg(test)]
mod files;
#[cfg(test)]
mod lineages;
#[cfg(test)]
mod openssh;
#[cfg(test)]
mod orders;
#[cfg(test)]
mod releases;
#[cfg(test)]
mod signatures;
#[cfg(test)]
mod succession_world;
#[cfg(test)]
mod successions;
#[cfg(test)]
mod world;
