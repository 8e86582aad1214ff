//! Nodes and entries as MessagePack arrays.

use std::fmt;

use serde::de::{Deserializer, Error as _, SeqAccess, Visitor};
use serde::ser::{SerializeTuple, Serializer};
use serde::{Deserialize, Serialize};
use serde_bytes::{ByteBuf, Bytes};

use super::{Child, Entries, Head, Node, PLAIN, ROOT, Row, RowValue, VERSION};
use crate::{BlobRef, Digest};

impl Serialize for Node<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut array = serializer.serialize_tuple(if self.head.is_some() { 7 } else { 3 })?;
        array.serialize_element(if self.head.is_some() { &ROOT } else { &PLAIN })?;
        array.serialize_element(&self.level)?;
        if let Some(head) = &self.head {
            array.serialize_element(&head.version)?;
            array.serialize_element(&head.site)?;
            array.serialize_element(&head.collection)?;
            array.serialize_element(&head.records)?;
        }
        match &self.entries {
            Entries::Leaf(rows) => array.serialize_element(rows)?,
            Entries::Inner(children) => array.serialize_element(children)?,
        }
        array.end()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Node<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NodeVisitor;
        impl<'de> Visitor<'de> for NodeVisitor {
            type Value = Node<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a node: an array of 3, or of 7 for a root")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node<'de>, A::Error> {
                let kind: u8 = need(&mut seq, "kind")?;
                let level: u8 = need(&mut seq, "level")?;
                let head = match kind {
                    PLAIN => None,
                    ROOT => Some(head(&mut seq)?),
                    other => {
                        return Err(A::Error::custom(format!(
                            "node kind {other} where 0 or 1 is expected"
                        )));
                    }
                };
                let entries = match level {
                    0 => Entries::Leaf(need(&mut seq, "entries")?),
                    _ => Entries::Inner(need(&mut seq, "children")?),
                };
                Ok(Node {
                    head,
                    level,
                    entries,
                })
            }
        }
        deserializer.deserialize_seq(NodeVisitor)
    }
}

fn head<'de, A: SeqAccess<'de>>(seq: &mut A) -> Result<Head, A::Error> {
    let version: u16 = need(seq, "version")?;
    if version != VERSION {
        return Err(A::Error::custom(format!(
            "format version {version} where {VERSION} is expected"
        )));
    }
    Ok(Head {
        version,
        site: need(seq, "site")?,
        collection: need(seq, "collection")?,
        records: need(seq, "record count")?,
    })
}

fn need<'de, A: SeqAccess<'de>, T: Deserialize<'de>>(
    seq: &mut A,
    what: &'static str,
) -> Result<T, A::Error> {
    seq.next_element()?
        .ok_or_else(|| A::Error::custom(format!("no {what}")))
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let len = match self.value {
            RowValue::Tombstone => 1,
            RowValue::Inline(_) => 2,
            RowValue::Blob(_) => 3,
        };
        let mut array = serializer.serialize_tuple(len)?;
        array.serialize_element(Bytes::new(self.key))?;
        match self.value {
            RowValue::Tombstone => {}
            RowValue::Inline(value) => array.serialize_element(Bytes::new(value))?,
            RowValue::Blob(blob) => {
                array.serialize_element(&blob.digest)?;
                array.serialize_element(&blob.bytes)?;
            }
        }
        array.end()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Row<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RowVisitor;
        impl<'de> Visitor<'de> for RowVisitor {
            type Value = Row<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an entry: key; key and value; or key, digest and length")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Row<'de>, A::Error> {
                let key: &Bytes = need(&mut seq, "key")?;
                let Some(second) = seq.next_element::<&Bytes>()? else {
                    return Ok(Row {
                        key,
                        value: RowValue::Tombstone,
                    });
                };
                let Some(bytes) = seq.next_element::<u64>()? else {
                    return Ok(Row {
                        key,
                        value: RowValue::Inline(second),
                    });
                };
                let digest = <[u8; Digest::LEN]>::try_from(&second[..])
                    .map_err(|_| A::Error::invalid_length(second.len(), &"a digest of 32 bytes"))?;
                let digest = Digest::from_bytes(digest);
                Ok(Row {
                    key,
                    value: RowValue::Blob(BlobRef { digest, bytes }),
                })
            }
        }
        deserializer.deserialize_seq(RowVisitor)
    }
}

impl Serialize for Child {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut array = serializer.serialize_tuple(if self.tags.is_some() { 5 } else { 4 })?;
        array.serialize_element(&self.key)?;
        array.serialize_element(&self.digest)?;
        array.serialize_element(&self.at)?;
        array.serialize_element(&self.bytes)?;
        if let Some(tags) = &self.tags {
            array.serialize_element(Bytes::new(tags))?;
        }
        array.end()
    }
}

impl<'de> Deserialize<'de> for Child {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ChildVisitor;
        impl<'de> Visitor<'de> for ChildVisitor {
            type Value = Child;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a child: key, digest, place and length, and the tags of a leaf")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Child, A::Error> {
                Ok(Child {
                    key: need(&mut seq, "key")?,
                    digest: need(&mut seq, "digest")?,
                    at: need(&mut seq, "place")?,
                    bytes: need(&mut seq, "length")?,
                    tags: seq.next_element::<ByteBuf>()?.map(ByteBuf::into_vec),
                })
            }
        }
        deserializer.deserialize_seq(ChildVisitor)
    }
}
