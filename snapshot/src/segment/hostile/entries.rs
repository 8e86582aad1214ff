//! Entries and nodes of a size or order that none may have.

use super::{Forge, head, inner, leaf, lone_root, refused, rows};
use crate::node::RowValue;
use crate::segment::Fault;
use crate::{BlobRef, limits};

#[test]
fn keys_out_of_order_are_refused() {
    for keys in [["b", "a"], ["a", "a"]] {
        let error = lone_root(&leaf(head(2), &keys), 2);
        assert_fault!(&error, Fault::Order { .. });
        assert!(error.to_string().contains("keys must ascend"), "{error}");
    }
}

#[test]
fn lengths_that_no_entry_may_have_are_refused() {
    let long = vec![7; limits::INLINE_VALUE_BYTES + 1];
    let blob = |bytes| {
        RowValue::Blob(BlobRef {
            bytes,
            ..BlobRef::of(b"x")
        })
    };
    let values = [
        RowValue::Inline(&long),
        blob(4096),
        blob(0),
        blob(limits::BLOB_BYTES + 1),
        blob(u64::MAX),
    ];
    for value in values {
        assert_fault!(
            lone_root(&rows(head(1), [("a", value)]), 1),
            Fault::Value { .. }
        );
    }
    assert_fault!(
        lone_root(&leaf(head(1), &[""]), 1),
        Fault::Value {
            what: "key",
            got: 0,
            ..
        }
    );
    let long = "k".repeat(limits::KEY_BYTES + 1);
    assert_fault!(
        lone_root(&leaf(head(1), &[&long]), 1),
        Fault::Value { got: 1025, .. }
    );
}

#[test]
fn nodes_of_a_wrong_size_are_refused() {
    assert_fault!(
        lone_root(&leaf(head(0), &[]), 0),
        Fault::TooFew { got: 0, least: 1 }
    );
    let mut forge = Forge::default();
    let only = forge.leaf(&["a"]);
    let root = forge.node("a", &inner(head(1), 1, &[only]));
    assert_fault!(
        refused(forge.sign(&root, 1)),
        Fault::TooFew { got: 1, least: 2 }
    );

    // By one byte: the head of this root is 14 bytes, a root of 8,206 is full.
    let full = [vec![7; 4096], vec![7; 4079]];
    let entries = ["1", "2"]
        .into_iter()
        .zip(&full)
        .map(|(k, v)| (k, RowValue::Inline(v)));
    let error = lone_root(&rows(head(2), entries), 2);
    assert_fault!(
        error,
        Fault::Length {
            got: 8_193,
            limit: 8_192
        }
    );

    let mut forge = Forge::default();
    let root = forge.raw(
        "a",
        &vec![0x93; limits::NODE_BYTES + limits::ROOT_HEAD_BYTES + 1],
    );
    assert_fault!(
        refused(forge.sign(&root, 1)),
        Fault::RootPlace {
            got: 8_333,
            limit: 8_332
        }
    );

    // A child that claims to be huge costs no memory.
    let mut forge = Forge::default();
    let (first, mut second) = (forge.leaf(&["a"]), forge.leaf(&["b"]));
    second.bytes = u64::MAX;
    let root = forge.node("a", &inner(head(2), 1, &[first, second]));
    assert_fault!(refused(forge.sign(&root, 2)), Fault::ChildEnd { .. });
}
