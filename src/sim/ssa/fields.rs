//! Sets of fields as `managedFields` writes them: a tree whose steps are `f:name`, `k:{keys}` and `v:value`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// A set of paths. The steps are kept in their wire form, which is canonical.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::sim) struct FieldSet {
    /// The path up to here is itself in the set.
    pub(in crate::sim) is_member: bool,
    pub(in crate::sim) children: BTreeMap<String, Self>,
}

impl FieldSet {
    pub(in crate::sim) fn is_empty(&self) -> bool {
        !self.is_member && self.children.is_empty()
    }

    /// Returns the subtree behind a step, making it if need be.
    pub(in crate::sim) fn step(&mut self, step: impl Into<String>) -> &mut Self {
        self.children.entry(step.into()).or_default()
    }

    /// Reads `fieldsV1`.
    pub(in crate::sim) fn read(value: &Value) -> Self {
        let mut set = Self::default();
        for (step, inner) in value.as_object().into_iter().flatten() {
            if step == "." {
                set.is_member = true;
                continue;
            }
            let mut child = Self::read(inner);
            child.is_member |= child.children.is_empty();
            set.children.insert(step.clone(), child);
        }
        set
    }

    /// Writes `fieldsV1`.
    pub(in crate::sim) fn write(&self) -> Value {
        let mut fields: Map<String, Value> = self.children.iter().map(|(step, child)| (step.clone(), child.write())).collect();
        if self.is_member && !fields.is_empty() {
            fields.insert(".".to_owned(), Value::Object(Map::new()));
        }
        Value::Object(fields)
    }

    /// Adds everything in another set.
    pub(in crate::sim) fn unite(&mut self, other: &Self) {
        self.is_member |= other.is_member;
        for (step, child) in &other.children {
            self.step(step.as_str()).unite(child);
        }
    }

    /// Removes everything that is in another set.
    pub(in crate::sim) fn subtract(&mut self, other: &Self) {
        self.is_member &= !other.is_member;
        for (step, gone) in &other.children {
            if let Some(child) = self.children.get_mut(step) {
                child.subtract(gone);
                if child.is_empty() {
                    self.children.remove(step);
                }
            }
        }
    }

    /// Returns what is in both sets.
    pub(in crate::sim) fn common(&self, other: &Self) -> Self {
        let mut both = Self { is_member: self.is_member && other.is_member, children: BTreeMap::new() };
        for (step, child) in &self.children {
            if let Some(common) = other.children.get(step).map(|other| child.common(other)).filter(|common| !common.is_empty()) {
                both.children.insert(step.clone(), common);
            }
        }
        both
    }

    /// Returns the paths as people read them: `.spec.ports[port=53,protocol="UDP"].name`.
    pub(in crate::sim) fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.collect("", &mut paths);
        paths
    }

    fn collect(&self, path: &str, paths: &mut Vec<String>) {
        if self.is_member {
            paths.push(path.to_owned());
        }
        for (step, child) in &self.children {
            child.collect(&format!("{path}{}", readable(step)), paths);
        }
    }
}

/// A step as people read it.
fn readable(step: &str) -> String {
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    match step.split_once(':') {
        Some(("k", keys)) => {
            let keys = json(keys);
            let parts: Vec<String> = keys.as_object().into_iter().flatten().map(|(key, value)| format!("{key}={value}")).collect();
            format!("[{}]", parts.join(","))
        }
        Some(("v", value)) => format!("[={value}]"),
        Some((_, name)) => format!(".{name}"),
        None => step.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn set(value: &Value) -> FieldSet {
        FieldSet::read(value)
    }

    #[test]
    fn fields_are_read_and_written_alike() {
        let value = json!({"f:spec": {"f:ports": {".": {}, "k:{\"port\":53,\"protocol\":\"UDP\"}": {".": {}, "f:port": {}}}}, "f:metadata": {"f:finalizers": {"v:\"a/b\"": {}}}});
        assert_eq!(set(&value).write(), value);
        let paths = [
            ".metadata.finalizers[=\"a/b\"]",
            ".spec.ports",
            ".spec.ports[port=53,protocol=\"UDP\"]",
            ".spec.ports[port=53,protocol=\"UDP\"].port",
        ];
        assert_eq!(set(&value).paths(), paths);
    }

    fn any_set() -> impl Strategy<Value = FieldSet> {
        let path = prop::collection::vec(prop::sample::select(vec!["f:a", "f:b", "k:{\"n\":1}", "v:1"]), 1..4);
        prop::collection::vec(path, 0..6).prop_map(|paths| {
            let mut set = FieldSet::default();
            for path in paths {
                path.into_iter().fold(&mut set, |set, step| set.step(step)).is_member = true;
            }
            set
        })
    }

    proptest! {
        #[test]
        fn what_is_subtracted_is_gone_and_the_rest_stays(a in any_set(), b in any_set()) {
            let mut rest = a.clone();
            rest.subtract(&b);
            prop_assert!(rest.common(&b).is_empty());
            let mut whole = rest;
            whole.unite(&a.common(&b));
            prop_assert_eq!(whole, a);
        }

        #[test]
        fn the_wire_form_of_any_set_is_the_set(a in any_set()) {
            prop_assert_eq!(FieldSet::read(&a.write()), a);
        }
    }
}
