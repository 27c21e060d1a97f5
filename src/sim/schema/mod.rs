//! The types of objects: which fields a kind has, of which type, and how their lists and maps are merged. Built-in
//! kinds are traced from `k8s_openapi`, custom ones read from their definition. Knows no requests and no storage.

mod check;
mod custom;
mod kinds;
mod lists;
mod trace;

use std::collections::BTreeMap;

use serde_json::Value;

use super::status::Cause;

pub(super) use check::{Cleaning, Report, TypeError};

/// The type of a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    /// Anything: maps are merged by key, lists are one value.
    Any,
    Bool,
    /// The Go name of the type (`int32`).
    Number(&'static str),
    Text,
    /// Base64 of bytes.
    Bytes,
    Time,
    IntOrString,
    Quantity,
    Map(Box<Self>, Merge),
    List(Box<Self>, ListMerge),
    Struct(Box<Struct>),
}

/// How the writes of several managers meet in a map or struct.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Merge {
    Granular,
    Atomic,
}

/// How they meet in a list.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ListMerge {
    Atomic,
    Set,
    /// Items are told apart by these fields; a key that an item leaves out has its default.
    Keyed(Vec<Key>),
}

/// One of the fields that identify an item of a list.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) default: Option<Value>,
}

/// A type with named fields.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Struct {
    /// The name without package, as Go prints it (`ServiceSpec`).
    pub(super) name: String,
    /// The name with package (`v1.ServiceSpec`).
    pub(super) go: String,
    pub(super) fields: BTreeMap<String, Node>,
    pub(super) merge: Merge,
    /// Fields that are not declared are kept.
    pub(super) is_open: bool,
}

/// The type of all objects of one kind.
#[derive(Debug)]
pub(super) struct Schema {
    root: Node,
    /// The schema of a custom resource, for defaults and validation.
    rules: Option<Value>,
}

/// Returns the schema of a built-in kind.
pub(super) fn builtin(group: &str, kind: &str) -> Schema {
    Schema { root: kinds::root(group, kind), rules: None }
}

/// Returns the schema of a custom kind from the `openAPIV3Schema` of its definition.
pub(super) fn custom(kind: &str, tree: &Value) -> Schema {
    Schema { root: custom::root(kind, tree), rules: Some(tree.clone()) }
}

impl Schema {
    /// Returns the type of the whole object.
    pub(super) fn root(&self) -> &Node {
        &self.root
    }

    /// Compares an object with the type: reports fields that do not exist and the first wrong type.
    pub(super) fn check(&self, object: &mut Value, cleaning: Cleaning) -> Report {
        check::check(&self.root, object, cleaning)
    }

    /// Fills in the defaults of a custom resource.
    pub(super) fn fill_defaults(&self, object: &mut Value) {
        if let Some(rules) = &self.rules {
            custom::fill_defaults(rules, object);
        }
    }

    /// Returns what a custom resource violates.
    pub(super) fn causes(&self, object: &Value) -> Vec<Cause> {
        let mut causes = Vec::new();
        if let Some(rules) = &self.rules {
            custom::causes(rules, "", object, &mut causes);
        }
        causes
    }
}

impl Node {
    /// Returns the type of a field or of a map's values.
    pub(super) fn field(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Struct(inner) => inner.fields.get(name).or(if inner.is_open { Some(&Self::Any) } else { None }),
            Self::Map(value, _) => Some(value),
            Self::Any => Some(&Self::Any),
            Self::Bool | Self::Number(_) | Self::Text | Self::Bytes | Self::Time | Self::IntOrString | Self::Quantity | Self::List(..) => {
                None
            }
        }
    }

    /// Tells whether the value is one leaf for the managers, however large it is.
    pub(super) fn is_atomic(&self) -> bool {
        match self {
            Self::Struct(inner) => inner.merge == Merge::Atomic,
            Self::Map(_, merge) => *merge == Merge::Atomic,
            Self::List(_, merge) => *merge == ListMerge::Atomic,
            Self::Any | Self::Bool | Self::Number(_) | Self::Text | Self::Bytes | Self::Time | Self::IntOrString | Self::Quantity => false,
        }
    }

    /// The name of the type as Go's JSON decoder prints it.
    pub(super) fn go_type(&self) -> String {
        match self {
            Self::Any => "interface {}".to_owned(),
            Self::Bool => "bool".to_owned(),
            Self::Number(name) => (*name).to_owned(),
            Self::Text | Self::IntOrString | Self::Quantity | Self::Time => "string".to_owned(),
            Self::Bytes => "[]uint8".to_owned(),
            Self::Map(value, _) => format!("map[string]{}", value.go_type()),
            Self::List(item, _) => format!("[]{}", item.go_type()),
            Self::Struct(inner) => inner.go.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::registry::Catalog;
    use super::*;

    #[test]
    fn every_built_in_kind_has_a_type_with_metadata() {
        for row in Catalog::default().rows() {
            let Node::Struct(root) = row.schema.root() else { panic!("{} has no type", row.kind) };
            let Some(Node::Struct(metadata)) = root.fields.get("metadata") else { panic!("{} has no metadata", row.kind) };
            assert!(metadata.fields.contains_key("ownerReferences"), "{}: {:?}", row.kind, metadata.fields.keys());
            assert!(root.fields.contains_key("apiVersion"), "{}", row.kind);
            assert!(!row.status || root.fields.contains_key("status"), "{}", row.kind);
        }
    }

    #[test]
    fn the_lists_of_the_table_exist_and_are_lists() {
        let schema = builtin("apps", "Deployment");
        let mut node = schema.root();
        for name in ["spec", "template", "spec", "containers"] {
            node = node.field(name).unwrap();
        }
        let Node::List(container, ListMerge::Keyed(keys)) = node else { panic!("{node:?}") };
        assert_eq!(keys[0].name, "name");
        assert_eq!(container.go_type(), "v1.Container");
        assert!(matches!(container.field("ports"), Some(Node::List(_, ListMerge::Keyed(keys))) if keys.len() == 2));
        assert!(matches!(container.field("args"), Some(Node::List(_, ListMerge::Atomic))));
    }

    #[test]
    fn maps_of_bytes_are_maps() {
        for (kind, field) in [("Secret", "data"), ("ConfigMap", "binaryData")] {
            let schema = builtin("", kind);
            let found = schema.root().field(field).unwrap();
            assert!(matches!(found, Node::Map(value, _) if **value == Node::Bytes), "{found:?}");
        }
        let schema = builtin("admissionregistration.k8s.io", "ValidatingWebhookConfiguration");
        let Some(Node::List(webhook, _)) = schema.root().field("webhooks") else { panic!("webhooks are a list") };
        assert_eq!(webhook.field("clientConfig").unwrap().field("caBundle"), Some(&Node::Bytes));
    }

    #[test]
    fn a_wrong_type_is_reported_in_the_words_of_gos_decoder() {
        let mut service = json!({"spec": {"ports": "nonsense"}});
        let report = builtin("", "Service").check(&mut service, Cleaning::Full);
        let text = "json: cannot unmarshal string into Go struct field ServiceSpec.spec.ports of type []v1.ServicePort";
        assert_eq!(report.wrong.unwrap().go, text);
    }

    #[test]
    fn an_unknown_field_is_dropped_and_named_with_its_index() {
        let mut pod = json!({"spec": {"containers": [{"name": "c", "imagee": "x"}]}, "extra": 1});
        let report = builtin("", "Pod").check(&mut pod, Cleaning::Full);
        assert_eq!(report.unknown, ["extra", "spec.containers[0].imagee"]);
        assert_eq!(pod, json!({"spec": {"containers": [{"name": "c"}]}}));
    }
}
