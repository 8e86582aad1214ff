//! A component that has been compiled, checked and linked, ready to be instantiated.

use std::fmt;

use snapshot::Digest;
use wasmtime::Engine;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker};
use wasmtime_wasi_http::p3::bindings::ServicePre;
use wasmtime_wasi_http::p3::bindings::http::types;
use wasmtime_wasi_http::{WasiHttp, WasiHttpView as _};

use super::error::HostError;
use super::key_value;
use super::state::State;

/// The interfaces a guest may import. Prefixes: a patch release of an interface is the same one.
const OFFERED: [&str; 2] = ["wasi:http/types@0.3.", "spin:key-value/key-value@3.0."];

/// A component, ready to answer. Made by `Host::load`.
pub struct Guest {
    digest: Digest,
    pub(super) service: ServicePre<State>,
}

impl Guest {
    /// The component's name: the hash of its bytes.
    #[must_use]
    pub const fn digest(&self) -> &Digest {
        &self.digest
    }

    pub(super) fn new(
        linker: &Linker<State>,
        digest: Digest,
        component: &Component,
    ) -> Result<Self, HostError> {
        if let Some(import) = foreign_import(linker.engine(), component) {
            return Err(HostError::Import { digest, import });
        }
        let instance = linker
            .instantiate_pre(component)
            .map_err(|source| HostError::Link { digest, source })?;
        let service =
            ServicePre::new(instance).map_err(|source| HostError::Handler { digest, source })?;
        Ok(Self { digest, service })
    }
}

impl fmt::Debug for Guest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Guest").field(&self.digest).finish()
    }
}

/// Everything a guest can reach: HTTP's nouns, and reading collections. No verbs of HTTP, no
/// clock, no randomness, no files.
pub(super) fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    types::add_to_linker::<State, WasiHttp>(&mut linker, State::http)?;
    key_value::add_to_linker(&mut linker)?;
    Ok(linker)
}

fn foreign_import(engine: &Engine, component: &Component) -> Option<String> {
    component
        .component_type()
        .imports(engine)
        .find(|(name, import)| {
            !OFFERED.iter().any(|offered| name.starts_with(offered))
                && !only_types(engine, &import.ty)
        })
        .map(|(name, _)| name.to_owned())
}

/// Whether an import brings nothing that could be called, such as `wasi:clocks/types`, which
/// names what a duration is.
fn only_types(engine: &Engine, import: &ComponentItem) -> bool {
    match import {
        ComponentItem::Type(_) => true,
        ComponentItem::ComponentInstance(instance) => instance
            .exports(engine)
            .all(|(_, export)| matches!(export.ty, ComponentItem::Type(_))),
        _ => false,
    }
}
