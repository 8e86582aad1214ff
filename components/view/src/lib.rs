//! Any collection's records through templates that travel in the snapshot: a new read-only page is
//! a template and rows.
//!
//! The route's first collection holds the records, its last one the templates; `template` names
//! the one to begin with. Rendering asks for further templates by name as it meets them
//! ([`Step::Needs`]), because reading them is the host's and cannot be waited for in between.
//!
//! Status pages need no collection: the page is a template of the component's own, unless the route's
//! collection has one, and what programs read is [`status`].

mod bounded;
mod filters;
mod page;
mod status;
mod templates;
mod values;

pub use page::{FUEL, OUTPUT_BYTES, Step, render};
pub use status::status;
pub use templates::{TEMPLATES, Templates};
pub use values::Records;

#[cfg(target_family = "wasm")]
mod guest;

#[cfg(test)]
mod tests;
