//! Good nodes in the wrong place.

use super::{Forge, head, inner, leaf, lone_root, refused, rows};
use crate::limits;
use crate::node::{Child, RowValue, tag};
use crate::segment::Fault;
use crate::segment::tests::{build, key, numbered, open};

#[test]
fn trees_of_a_wrong_depth_are_refused() {
    for level in [limits::LEVELS, 127, 255] {
        let mut forge = Forge::default();
        let children = [forge.leaf(&["a"]), forge.leaf(&["b"])];
        let root = forge.node("a", &inner(head(2), level, &children));
        assert_fault!(refused(forge.sign(&root, 2)), Fault::TooDeep { .. });
    }
    // A leaf where an inner node is due, and the other way round.
    let mut forge = Forge::default();
    let mut children = [forge.leaf(&["a"]), forge.leaf(&["b"])];
    for child in &mut children {
        child.tags = None;
    }
    let root = forge.node("a", &inner(head(2), 2, &children));
    let (bytes, entry) = forge.sign(&root, 2);
    assert_fault!(
        refused((bytes.clone(), entry.clone())),
        Fault::Level {
            expected: 1,
            got: 0
        }
    );
    let segment = open(&bytes, &entry).unwrap();
    assert_fault!(
        segment.get(&key("a")).unwrap_err(),
        Fault::Level {
            expected: 1,
            got: 0
        }
    );

    let mut forge = Forge::default();
    let leaves = [forge.leaf(&["a"]), forge.leaf(&["b"])];
    let inside = Child {
        tags: Some(vec![0, 0]),
        ..forge.node("a", &inner(None, 1, &leaves))
    };
    let last = forge.leaf(&["c"]);
    let root = forge.node("a", &inner(head(3), 1, &[inside, last]));
    assert_fault!(
        refused(forge.sign(&root, 3)),
        Fault::Level {
            expected: 0,
            got: 1
        }
    );
}

#[test]
fn roots_stand_at_the_top_and_nowhere_else() {
    assert_fault!(
        lone_root(&leaf(None, &["a"]), 1),
        Fault::Kind { expected: "a root" }
    );
    let mut forge = Forge::default();
    let children = [forge.node("a", &leaf(head(1), &["a"])), forge.leaf(&["b"])];
    let root = forge.node("a", &inner(head(2), 1, &children));
    assert_fault!(
        refused(forge.sign(&root, 2)),
        Fault::Kind {
            expected: "a node below a root"
        }
    );
}

#[test]
fn a_node_of_another_segment_is_refused_wherever_it_is_hung() {
    // In the file in place of the right one: another hash.
    let (mut bytes, entry) = build(&numbered(500, 300));
    let (other, _) = build(&numbered(500, 299));
    bytes[..10_000].copy_from_slice(&other[..10_000]);
    assert_fault!(refused((bytes, entry)), Fault::Digest { .. });

    // Named by a parent that lies about its keys.
    let mut forge = Forge::default();
    let (mut first, second) = (forge.leaf(&["b"]), forge.leaf(&["c"]));
    first.key = key("a");
    let root = forge.node("a", &inner(head(2), 1, &[first, second]));
    assert_fault!(refused(forge.sign(&root, 2)), Fault::FirstKey { expected, got } if expected == "a" && got == "b");

    // Reaching into its sibling's span.
    let mut forge = Forge::default();
    let children = [forge.leaf(&["a", "d"]), forge.leaf(&["c"])];
    let root = forge.node("a", &inner(head(3), 1, &children));
    let (bytes, entry) = forge.sign(&root, 3);
    assert_fault!(refused((bytes.clone(), entry.clone())), Fault::Above { below, .. } if below == "c");
    let segment = open(&bytes, &entry).unwrap();
    assert_fault!(segment.get(&key("a")).unwrap_err(), Fault::Above { .. });

    // Its sibling is its parent's: the span goes down.
    let mut forge = Forge::default();
    let leaves = [
        forge.leaf(&["a"]),
        forge.leaf(&["b", "z"]),
        forge.leaf(&["c"]),
        forge.leaf(&["e"]),
    ];
    let left = forge.node("a", &inner(None, 1, &leaves[..2]));
    let right = forge.node("c", &inner(None, 1, &leaves[2..]));
    let root = forge.node("a", &inner(head(5), 2, &[left, right]));
    let (bytes, entry) = forge.sign(&root, 5);
    let segment = open(&bytes, &entry).unwrap();
    assert_fault!(segment.get(&key("b")).unwrap_err(), Fault::Above { .. });
}

#[test]
fn children_lie_in_a_row_before_their_parent() {
    let build = |change: fn(&mut [Child; 2])| {
        let mut forge = Forge::default();
        let mut children = [forge.leaf(&["a"]), forge.leaf(&["b"])];
        change(&mut children);
        let root = forge.node("a", &inner(head(2), 1, &children));
        refused(forge.sign(&root, 2))
    };
    assert_fault!(build(|c| c[1].at = 0), Fault::ChildPlace { .. });
    assert_fault!(build(|c| c[1].at += 1), Fault::ChildPlace { .. });
    assert_fault!(build(|c| c[0].bytes = 0), Fault::ChildEnd { .. });
    assert_fault!(build(|c| c[1].bytes += 1), Fault::ChildEnd { .. });
    assert_fault!(build(|c| c[0].at = u64::MAX), Fault::ChildEnd { .. });
}

#[test]
fn nothing_lies_between_nodes() {
    let mut forge = Forge::default();
    forge.raw("a", b"hidden");
    let children = [forge.leaf(&["a"]), forge.leaf(&["b"])];
    let root = forge.node("a", &inner(head(2), 1, &children));
    // 4.8 and 4.9 come first: these leaves are not cut by the rule either.
    assert_fault!(refused(forge.sign(&root, 2)), Fault::Cut);

    let mut forge = Forge::default();
    forge.raw("a", b"hidden");
    let value = vec![7; 4096];
    let mut full = |key| forge.node(key, &rows(None, [(key, RowValue::Inline(&value))]));
    let children = [full("1"), full("2")];
    let root = forge.node("1", &inner(head(2), 1, &children));
    assert_fault!(
        refused(forge.sign(&root, 2)),
        Fault::ChildPlace {
            expected: 0,
            got: 6
        }
    );

    let mut forge = Forge::default();
    let root = forge.raw("a", b"hidden");
    let root = Child {
        at: root.bytes,
        ..forge.node("a", &leaf(head(1), &["a"]))
    };
    assert_fault!(
        refused(forge.sign(&root, 1)),
        Fault::ChildPlace {
            expected: 0,
            got: 6
        }
    );
}

#[test]
fn tags_are_those_of_the_leaf_below() {
    let lie = |level, change: fn(&mut Child)| {
        let mut forge = Forge::default();
        let mut children = [forge.leaf(&["a", "b"]), forge.leaf(&["c"])];
        change(&mut children[0]);
        let root = forge.node("a", &inner(head(3), level, &children));
        refused(forge.sign(&root, 3))
    };
    assert_fault!(
        lie(1, |child| child.tags = None),
        Fault::Tags {
            expected: 1,
            got: 0
        }
    );
    assert_fault!(
        lie(2, |_| {}),
        Fault::Tags {
            expected: 0,
            got: 2
        }
    );
    assert_fault!(
        lie(1, |child| child.tags = Some(vec![tag(b"a")])),
        Fault::Tags {
            expected: 2,
            got: 1
        }
    );
    assert_fault!(
        lie(1, |child| child.tags = Some(vec![])),
        Fault::Tags {
            expected: 2,
            got: 0
        }
    );
    let hidden = lie(1, |child| child.tags = Some(vec![tag(b"a"), !tag(b"b")]));
    assert_fault!(hidden, Fault::Tag { key } if key == "b");
}
