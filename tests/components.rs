//! What a component may import: the build refuses more, and so does the host; this looks at the
//! files themselves, with a parser that neither of them uses for it. And what it imports is held
//! against Spin's own words for it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use wasmparser::{Parser, Payload};
use wit_component::targets;
use wit_parser::{Resolve, UnresolvedPackageGroup, WorldId};

use crate::scene::{component, components};

/// What the design lets a guest have.
const ALLOWED: [&str; 2] = ["spin:key-value/key-value", "wasi:http/types"];

/// What a guest is for.
const EXPORTED: &str = "wasi:http/handler";

/// Names of imports and exports, without versions.
fn interfaces(wasm: &[u8]) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut imports, mut exports) = (BTreeSet::new(), BTreeSet::new());
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.unwrap() {
            // Modules and components inside have imports of their own, from their neighbours.
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(section) if depth == 0 => {
                imports.extend(
                    section
                        .into_iter()
                        .map(|import| bare(import.unwrap().name.name)),
                );
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                exports.extend(
                    section
                        .into_iter()
                        .map(|export| bare(export.unwrap().name.name)),
                );
            }
            _ => {}
        }
    }
    (imports, exports)
}

fn bare(name: &str) -> String {
    name.split('@').next().unwrap().to_owned()
}

#[test]
fn each_component_imports_what_the_design_allows_and_nothing_else() {
    let mut seen = BTreeSet::new();
    for file in fs_err::read_dir(components()).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "wasm") {
            continue;
        }
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let (imports, exports) = interfaces(&component(&name));
        for import in &imports {
            assert!(
                ALLOWED.contains(&import.as_str()),
                "{name} imports {import}"
            );
        }
        // One that reads nothing or answers nothing is not the component it should be.
        assert!(
            imports.contains(ALLOWED[0]),
            "{name} reads no collection: {imports:?}"
        );
        assert!(
            imports.contains(ALLOWED[1]),
            "{name} speaks no HTTP: {imports:?}"
        );
        assert!(exports.contains(EXPORTED), "{name} exports {exports:?}");
        seen.insert(name);
    }
    let expected = ["account", "hostile", "invitation", "view"];
    assert_eq!(seen, expected.map(str::to_owned).into());
}

/// What a service has behind Spin, in the words of the folder of interfaces that it publishes.
const SPIN: &str = "
    package holdfast:check;

    world spin {
        include wasi:http/service@0.3.0;
        import spin:key-value/key-value@3.0.0;
    }

    world without-keys {
        include wasi:http/service@0.3.0;
    }
";

/// The `wit` folder of the `spin-sdk` that the guests are built with.
fn spin_s_interfaces() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked"])
        // It is a dependency only there.
        .args(["--filter-platform", "wasm32-unknown-unknown"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo metadata: {words}");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let sdk = packages
        .iter()
        .find(|package| package["name"] == "spin-sdk");
    let manifest = sdk.expect("spin-sdk")["manifest_path"].as_str().unwrap();
    Path::new(manifest).parent().unwrap().join("wit")
}

/// Spin's interfaces, with the worlds of [`SPIN`].
fn spin_s_worlds() -> (Resolve, WorldId, WorldId) {
    let mut resolve = Resolve::new();
    resolve.push_dir(spin_s_interfaces()).unwrap();
    let check = UnresolvedPackageGroup::parse("check.wit", SPIN).unwrap();
    let check = resolve.push_group(check).unwrap();
    let world = |name: &str| resolve.select_world(&[check], Some(name)).unwrap();
    let (spin, without_keys) = (world("spin"), world("without-keys"));
    (resolve, spin, without_keys)
}

#[test]
fn each_guest_fits_spin_s_own_interfaces() {
    let (resolve, spin, without_keys) = spin_s_worlds();
    for name in ["account", "hostile", "invitation", "view"] {
        let wasm = component(name);
        let fits = targets(&resolve, spin, &wasm);
        fits.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        // That the check can fail: it does where the key-value interface is not offered.
        let refused = targets(&resolve, without_keys, &wasm).unwrap_err();
        let why = format!("{refused:?}");
        assert!(why.contains("spin:key-value/key-value"), "{name}: {why}");
    }
}
