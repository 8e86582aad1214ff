//! Everything that needs more than one room: one binary, one module a feature. A new case goes
//! into the module of its feature; a new module is declared here.

#[cfg(test)]
mod components;
#[cfg(test)]
mod host;
