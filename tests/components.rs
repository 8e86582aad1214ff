//! What a component may import: the build refuses more, and so does the host; this looks at the
//! files themselves, with a parser that neither of them uses for it.

use std::collections::BTreeSet;

use wasmparser::{Parser, Payload};

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
