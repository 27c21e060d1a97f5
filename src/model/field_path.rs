//! Where a field is in an object: `spec.template.spec.containers[name=app].image`. Items of a list are named by what identifies them, so
//! that a path means the same on both sides of a comparison.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

/// One step down into an object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Segment {
    /// A field of a map.
    Field(String),
    /// An item of a list whose items are told apart by some of their fields: `[name=app]`.
    Keyed(Map<String, Value>),
    /// An item of a set: `[=foregroundDeletion]`.
    Member(Value),
    /// An item of a list by its place, counted from 0.
    Index(usize),
    /// Not an item, but the order in which they stand.
    Order,
}

impl Segment {
    /// Returns the name of a field; `None` for steps into a list.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Field(name) => Some(name),
            Self::Keyed(_) | Self::Member(_) | Self::Index(_) | Self::Order => None,
        }
    }
}

/// The way from the root of an object to one of its fields. Empty: the whole object.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct FieldPath(Vec<Segment>);

impl FieldPath {
    /// Returns the steps from the root.
    pub(crate) fn segments(&self) -> &[Segment] {
        &self.0
    }
}

impl From<Vec<Segment>> for FieldPath {
    fn from(segments: Vec<Segment>) -> Self {
        Self(segments)
    }
}

impl FromIterator<Segment> for FieldPath {
    fn from_iter<I: IntoIterator<Item = Segment>>(segments: I) -> Self {
        Self(segments.into_iter().collect())
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str(".");
        }
        for (at, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Field(name) if !is_plain(name) => write!(f, "[{}]", Value::from(name.as_str()))?,
                Segment::Field(name) if at == 0 => f.write_str(name)?,
                Segment::Field(name) => write!(f, ".{name}")?,
                Segment::Keyed(keys) => write!(f, "[{}]", keyed(keys))?,
                Segment::Member(value) => write!(f, "[={}]", bare(value))?,
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Order => f.write_str("[order]")?,
            }
        }
        Ok(())
    }
}

impl Serialize for FieldPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Returns what tells an item apart, as `name=app` or `containerPort=80,protocol=TCP`.
pub(crate) fn keyed(keys: &Map<String, Value>) -> String {
    keys.iter().map(|(name, value)| format!("{name}={}", bare(value))).collect::<Vec<_>>().join(",")
}

/// Returns a value as it is read in a path: a text without quotes, unless it could be taken for something else.
fn bare(value: &Value) -> String {
    match value.as_str() {
        Some(text) if !text.is_empty() && !text.contains(['"', ']', '[', ',', '=']) && !text.contains(char::is_control) => text.to_owned(),
        _ => value.to_string(),
    }
}

/// Names with a dot or a slash, as those of annotations, are put into brackets: `metadata.annotations["checksum/config"]`.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '$'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn field(name: &str) -> Segment {
        Segment::Field(name.to_owned())
    }

    fn item(keys: &Value) -> Segment {
        Segment::Keyed(keys.as_object().unwrap().clone())
    }

    #[test]
    fn a_path_reads_as_people_write_it() {
        let containers = || vec![field("spec"), field("containers")];
        for (segments, expected) in [
            (vec![], "."),
            (vec![field("spec")], "spec"),
            (vec![field("spec"), field("replicas")], "spec.replicas"),
            (vec![field("metadata"), field("annotations"), field("a.b/c")], r#"metadata.annotations["a.b/c"]"#),
            (vec![field("data"), field("")], r#"data[""]"#),
            (vec![field("data"), field("say \"x\"\u{1b}")], r#"data["say \"x\"\u001b"]"#),
            ([containers(), vec![item(&json!({"name": "app"})), field("image")]].concat(), "spec.containers[name=app].image"),
            ([containers(), vec![item(&json!({"name": "a]b"}))]].concat(), r#"spec.containers[name="a]b"]"#),
            (vec![field("ports"), item(&json!({"protocol": "TCP", "containerPort": 80}))], "ports[containerPort=80,protocol=TCP]"),
            (vec![field("finalizers"), Segment::Member(json!("a/b"))], "finalizers[=a/b]"),
            (vec![field("rules"), Segment::Index(3), field("host")], "rules[3].host"),
            (vec![field("env"), Segment::Order], "env[order]"),
        ] {
            assert_eq!(FieldPath::from(segments).to_string(), expected);
        }
    }
}
