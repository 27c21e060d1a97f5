//! A Kubernetes object as JSON, with Secrets masked whenever it is printed. Knows no other kind.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::key::{Gvk, ResourceKey};
use super::secret;

/// Where a manifest came from: a file (or `-`, or `kustomize DIR`), and the line of its first key, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, serde::Deserialize)]
pub(crate) struct Origin {
    pub(crate) file: Arc<str>,
    pub(crate) line: usize,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// One object. Cloning shares the JSON. Serialising or printing it masks the data of Secrets, so no record,
/// screen or report can hold them; only `cluster` asks for [`Object::wire`].
#[derive(Clone, PartialEq)]
pub(crate) struct Object(Arc<Value>);

/// What stands where a secret value was.
pub(crate) const MASK: &str = "••••••••";

impl Object {
    /// Wraps JSON. The caller has checked that it is a mapping with `apiVersion` and `kind`.
    pub(crate) fn new(value: Value) -> Self {
        Self(Arc::new(value))
    }

    /// Returns the JSON as the API server gets it, Secrets included. For `cluster` and pure computations, never for output.
    pub(crate) fn wire(&self) -> &Value {
        &self.0
    }

    /// Returns the JSON for people: `data` and `stringData` of Secrets masked, and every annotation that repeats them left out.
    pub(crate) fn masked(&self) -> Value {
        let mut value = (*self.0).clone();
        secret::mask(&mut value, false, &mut |_| MASK.into());
        value
    }

    /// Returns the string at a path of keys, or an empty string.
    pub(crate) fn text(&self, path: &[&str]) -> &str {
        path.iter().try_fold(&*self.0, |value, key| value.get(key)).and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns group, version and kind.
    pub(crate) fn gvk(&self) -> Gvk {
        Gvk::new(self.text(&["apiVersion"]), self.text(&["kind"]))
    }

    /// Returns `metadata.name`, or an empty string.
    pub(crate) fn name(&self) -> &str {
        self.text(&["metadata", "name"])
    }

    /// Returns `metadata.generateName`, or an empty string.
    pub(crate) fn generate_name(&self) -> &str {
        self.text(&["metadata", "generateName"])
    }

    /// Returns `metadata.namespace`, or an empty string.
    pub(crate) fn namespace(&self) -> &str {
        self.text(&["metadata", "namespace"])
    }

    /// Returns the value of an annotation.
    pub(crate) fn annotation(&self, name: &str) -> Option<&str> {
        self.0.get("metadata")?.get("annotations")?.get(name)?.as_str()
    }

    /// Returns the key as the object itself says it, without defaults for the namespace.
    pub(crate) fn key(&self) -> ResourceKey {
        let gvk = self.gvk();
        ResourceKey { group: gvk.group, kind: gvk.kind, namespace: self.namespace().into(), name: self.name().into() }
    }

    /// Returns a copy with changes made to the JSON.
    pub(crate) fn with(&self, change: impl FnOnce(&mut Value)) -> Self {
        let mut value = (*self.0).clone();
        change(&mut value);
        Self::new(value)
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Object({})", self.masked())
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.masked().serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_secret_is_masked_in_json_debug_and_lists_but_not_on_the_wire() {
        let secret = Object::new(
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{\"data\":\"aHVudGVyMg==\"}"}}, "data": {"password": "aHVudGVyMg=="}, "stringData": {"plain": "hunter2"}}),
        );
        let list = Object::new(json!({"apiVersion": "v1", "kind": "List", "items": [secret.wire()]}));
        for printed in [serde_json::to_string(&secret).unwrap(), format!("{secret:?}"), serde_json::to_string(&list).unwrap()] {
            assert!(!printed.contains("hunter2") && !printed.contains("aHVudGVyMg"), "{printed}");
            assert!(printed.contains("password"), "the keys stay visible: {printed}");
        }
        assert_eq!(secret.wire()["stringData"]["plain"], "hunter2");
    }

    #[test]
    fn a_config_map_is_not_masked() {
        let config = Object::new(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"k": "v"}}));
        assert_eq!(config.masked(), *config.wire());
    }
}
