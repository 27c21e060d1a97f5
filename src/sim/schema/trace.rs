//! Learns a type from its `Deserialize`: a deserializer that holds no data, notes what is asked of it and answers
//! with something harmless. So the field names and types are those of `k8s_openapi`, without a copy of them here.

use std::any::type_name;

use serde::de::value::{Error, StrDeserializer};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};

use super::{ListMerge, Merge, Node, Struct, lists};

/// Returns the type behind a Rust type.
pub(super) fn trace<T: for<'de> Deserialize<'de>>() -> Node {
    let mut node = Node::Any;
    // An answer that the type refuses only cuts the trace short; the tests look at every kind.
    drop(T::deserialize(Tracer { out: &mut node }));
    node
}

struct Tracer<'a> {
    out: &'a mut Node,
}

/// Text that a time, a quantity and any other text accept.
const TEXT: &str = "2000-01-01T00:00:00Z";

impl<'de> Deserializer<'de> for Tracer<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        *self.out = if type_name::<V>().contains("int_or_string") { Node::IntOrString } else { Node::Any };
        visitor.visit_str(TEXT)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Error> {
        *self.out = match name {
            "Time" | "MicroTime" => Node::Time,
            "Quantity" => Node::Quantity,
            _ => Node::Any,
        };
        let text: StrDeserializer<'_, Error> = TEXT.into_deserializer();
        visitor.visit_newtype_struct(text)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        // A byte string asks for an option itself; an option of a map of them must not be taken for one.
        let asker = type_name::<V>();
        if asker.contains("byte_string") && asker.ends_with("::Visitor") {
            *self.out = Node::Bytes;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let mut item = Node::Any;
        let value = visitor.visit_seq(Once { out: &mut item, is_done: false });
        *self.out = Node::List(Box::new(item), ListMerge::Atomic);
        value
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let mut item = Node::Any;
        let value = visitor.visit_map(Once { out: &mut item, is_done: false });
        *self.out = Node::Map(Box::new(item), Merge::Granular);
        value
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if name == "JSONSchemaProps" {
            // It contains itself.
            *self.out = Node::Any;
            return visitor.visit_map(Fields { out: &mut Vec::new(), names: [].iter(), current: "" });
        }
        let mut found = Vec::new();
        let is_object = fields.contains(&"apiVersion") && fields.contains(&"metadata");
        let value = visitor.visit_map(Fields { out: &mut found, names: fields.iter(), current: "" });
        if is_object {
            // Objects check these two against their own names, so they were left out.
            found.extend(["apiVersion", "kind"].map(|name| (name, Node::Text)));
        }
        let go = format!("{}.{name}", package(type_name::<V>()));
        let fields = found.into_iter().map(|(field, node)| (field.to_owned(), lists::with_merge(name, field, node))).collect();
        let merge = lists::struct_merge(name);
        *self.out = Node::Struct(Box::new(Struct { name: name.to_owned(), go, fields, merge, is_open: false }));
        value
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        *self.out = Node::Bool;
        visitor.visit_bool(false)
    }

    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        *self.out = Node::Number("int32");
        visitor.visit_i32(0)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        *self.out = Node::Number("int64");
        visitor.visit_i64(0)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        *self.out = Node::Number("float64");
        visitor.visit_f64(0.0)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        *self.out = Node::Text;
        visitor.visit_str(TEXT)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i128 u8 u16 u32 u64 u128 f32 char bytes byte_buf unit unit_struct tuple tuple_struct enum identifier
    }
}

/// The version in the path of a generated type: `v1` of `…::api::core::v1::pod_spec::…`.
fn package(visitor: &str) -> &str {
    let is_version = |part: &&str| part.starts_with('v') && part[1..].starts_with(|c: char| c.is_ascii_digit()) && !part.contains('_');
    visitor.split("::").find(is_version).unwrap_or("v1")
}

/// A list with one item, or a map with one entry.
struct Once<'a> {
    out: &'a mut Node,
    is_done: bool,
}

impl<'de> SeqAccess<'de> for Once<'_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        if std::mem::replace(&mut self.is_done, true) {
            return Ok(None);
        }
        seed.deserialize(Tracer { out: self.out }).map(Some)
    }
}

impl<'de> MapAccess<'de> for Once<'_> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        if std::mem::replace(&mut self.is_done, true) {
            return Ok(None);
        }
        let key: StrDeserializer<'_, Error> = "key".into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(Tracer { out: self.out })
    }
}

/// A struct with each of its fields once.
struct Fields<'a> {
    out: &'a mut Vec<(&'static str, Node)>,
    names: std::slice::Iter<'static, &'static str>,
    current: &'static str,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        let is_object = self.names.as_slice().contains(&"metadata");
        let names = self.names.by_ref().skip_while(|name| is_object && matches!(**name, "apiVersion" | "kind"));
        let Some(name) = { names }.next() else { return Ok(None) };
        self.current = name;
        let key: StrDeserializer<'_, Error> = self.current.into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let mut node = Node::Any;
        let value = seed.deserialize(Tracer { out: &mut node });
        self.out.push((self.current, node));
        value
    }
}
