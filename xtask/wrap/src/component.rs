//! A component file: made out of a core module whose custom sections carry its interfaces, and
//! read back for its imports. What it may import is the list below: a guest has no clock, no
//! randomness, no file and no network, and a dependency that asks for one is found here, when it
//! is built, rather than on an edge.

use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use wit_component::{ComponentEncoder, DecodedWasm, decode};

/// The interfaces a component may import, without their versions.
const ALLOWED: [&str; 2] = ["spin:key-value/key-value", "wasi:http/types"];

/// What [`write`] did with the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// The file had these very bytes already, and was not touched.
    Unchanged,
    /// The file is new, or has other bytes now.
    Changed,
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Written::Unchanged => "unchanged",
            Written::Changed => "changed",
        })
    }
}

/// Wraps the core module at `module` and leaves the component at `out`, whole or not at all.
pub(crate) fn write(module: &Path, out: &Path) -> Result<Written> {
    let core = read(module)?;
    let component = encode(&core).with_context(|| format!("wrap {}", module.display()))?;
    let names = imports_of(&component).with_context(|| format!("wrap {}", module.display()))?;
    let foreign: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|name| !allowed(name))
        .collect();
    if !foreign.is_empty() {
        bail!(
            "{} imports {}, but a guest may import only {}; `cargo tree -e features --target \
             wasm32-unknown-unknown` shows which dependency asks for it",
            module.display(),
            foreign.join(", "),
            ALLOWED.join(", "),
        );
    }
    if fs::read(out).is_ok_and(|bytes| bytes == component) {
        return Ok(Written::Unchanged);
    }
    // A reader, or a second run beside this one, must never meet half a component.
    let partial = out.with_extension(format!("partial-{}", std::process::id()));
    fs::write(&partial, &component).with_context(|| format!("write {}", partial.display()))?;
    fs::rename(&partial, out).with_context(|| format!("rename to {}", out.display()))?;
    Ok(Written::Changed)
}

/// The interfaces that the component at `file` imports, with their versions, in order of name.
pub(crate) fn imports(file: &Path) -> Result<Vec<String>> {
    imports_of(&read(file)?).with_context(|| format!("read {}", file.display()))
}

fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("read {}", file.display()))
}

fn encode(core: &[u8]) -> Result<Vec<u8>> {
    ComponentEncoder::default()
        .validate(true)
        .module(core)?
        .encode()
}

fn imports_of(bytes: &[u8]) -> Result<Vec<String>> {
    // Version 13 of layer 1 is a component, version 1 of layer 0 a core module: an empty one of
    // those would pass for a component without imports.
    if bytes.get(4..8) != Some(&[0x0d, 0, 1, 0]) {
        bail!("this is no component");
    }
    let DecodedWasm::Component(resolve, world) = decode(bytes)? else {
        bail!("this is a package of interfaces, not a component");
    };
    let world = resolve
        .worlds
        .get(world)
        .context("the component names a world that it does not hold")?;
    let mut names: Vec<String> = world
        .imports
        .keys()
        .map(|key| resolve.name_world_key(key))
        .collect();
    names.sort();
    Ok(names)
}

/// Whether `name`, such as `wasi:http/types@0.3.0`, is on the list.
fn allowed(name: &str) -> bool {
    let interface = name
        .split_once('@')
        .map_or(name, |(interface, _)| interface);
    ALLOWED.contains(&interface)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_does_not_matter_but_the_interface_does() {
        assert!(allowed("wasi:http/types@0.3.0"));
        assert!(allowed("wasi:http/types"));
        assert!(allowed("spin:key-value/key-value@3.0.0"));
        assert!(!allowed("wasi:http/client@0.3.0"));
        assert!(!allowed("wasi:clocks/types@0.3.0"));
        assert!(!allowed("wasi:http/types-more@0.3.0"));
    }

    #[test]
    fn bytes_that_are_no_component_are_refused() {
        assert!(imports_of(b"\0asm\x01\0\0\0").is_err());
        assert!(encode(b"not wasm").is_err());
    }
}
