//! Taking a component in: what is refused before it ever runs.

use edge::host::HostError;
use snapshot::Digest;

use super::{Stage, hostile, limits};

#[tokio::test]
async fn what_is_not_a_component_is_refused_by_name() {
    let stage = Stage::new(limits()).await;
    let load = async |wasm: &[u8]| stage.host.load(&Digest::of(wasm), wasm.to_vec()).await;
    // "\0asm", then the version and layer of a component: an empty one is valid, and no handler.
    let empty = b"\0asm\x0d\0\x01\0";
    assert!(matches!(load(empty).await, Err(HostError::Handler { .. })));
    assert!(matches!(
        load(b"hello").await,
        Err(HostError::Compile { .. })
    ));
    let (digest, wasm) = hostile();
    let cut = wasm.get(..wasm.len() / 2).unwrap();
    assert!(matches!(load(cut).await, Err(HostError::Compile { .. })));
    assert!(matches!(
        stage.host.load(&digest, cut.to_vec()).await,
        Err(HostError::Digest { .. })
    ));
    let huge = vec![0; (32 << 20) + 1];
    assert!(matches!(load(&huge).await, Err(HostError::TooLarge { .. })));
}

#[tokio::test]
async fn a_foreign_import_is_refused_by_name() {
    let stage = Stage::new(limits()).await;
    let wasm = importing("wasi:random/random@0.3.0");
    match stage.host.load(&Digest::of(&wasm), wasm).await {
        Err(HostError::Import { import, .. }) => assert_eq!(import, "wasi:random/random@0.3.0"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_component_of_more_parts_than_it_may_have_is_refused() {
    let stage = Stage::new(limits()).await;
    // Sections of a core module: a memory of one page; a table of `elements` functions.
    let memory: &[u8] = &[5, 3, 1, 0, 1];
    let table = |elements: &[u8]| {
        let content = [&[1, 0x70, 0], elements].concat();
        [
            &[4, u8::try_from(content.len()).unwrap()],
            content.as_slice(),
        ]
        .concat()
    };
    let (small, largest, larger) = (
        table(&[1]),
        table(&[0x80, 0x80, 4]),
        table(&[0x81, 0x80, 4]),
    );
    for (what, module, instances, fits) in [
        ("instances", &[][..], 16, true),
        ("instances", &[], 17, false),
        ("memories", memory, 1, true),
        ("memories", memory, 2, false),
        ("tables", &small, 8, true),
        ("tables", &small, 9, false),
        ("elements", &largest, 1, true),
        ("elements", &larger, 1, false),
    ] {
        let wasm = instances_of(module, instances);
        let error = stage.host.load(&Digest::of(&wasm), wasm).await.unwrap_err();
        // What fits is refused later, for it answers no requests.
        let refused = match &error {
            HostError::Handler { .. } => fits,
            HostError::Compile { .. } => !fits,
            _ => false,
        };
        assert!(refused, "{instances} {what}: {error:?}");
    }
    assert!(stage.get("fine").await.is_ok());
}

/// A component of so many instances of one core module with these sections.
fn instances_of(module: &[u8], instances: u8) -> Vec<u8> {
    let mut wasm = b"\0asm\x0d\0\x01\0".to_vec();
    section(&mut wasm, 1, &[b"\0asm\x01\0\0\0", module].concat());
    // Each is module 0 without arguments.
    let each = [0, 0, 0].repeat(usize::from(instances));
    section(&mut wasm, 2, &[&[instances], each.as_slice()].concat());
    wasm
}

/// A component that imports a function of this name and nothing else.
fn importing(name: &str) -> Vec<u8> {
    let mut wasm = b"\0asm\x0d\0\x01\0".to_vec();
    // Type section: an instance type that exports one function without parameters or result.
    let ty = [
        0x01, 0x42, 0x02, 0x01, 0x40, 0x00, 0x01, 0x00, 0x04, 0x00, 0x01, b'f', 0x01, 0x00,
    ];
    section(&mut wasm, 7, &ty);
    // Import section: one import of the instance type 0.
    let mut import = vec![0x01, 0x00, u8::try_from(name.len()).unwrap()];
    import.extend_from_slice(name.as_bytes());
    import.extend_from_slice(&[0x05, 0x00]);
    section(&mut wasm, 10, &import);
    wasm
}

fn section(wasm: &mut Vec<u8>, id: u8, content: &[u8]) {
    wasm.extend_from_slice(&[id, u8::try_from(content.len()).unwrap()]);
    wasm.extend_from_slice(content);
}
