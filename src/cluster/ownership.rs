//! What an apply may change without saying so: the content of an object as a number to compare, and which fields belong to whom
//! (`metadata.managedFields`). Pure.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::live::{finalizers, list, text};
use crate::model::FieldPath;
use crate::model::annotation;
use crate::model::managed::{After, Entry, Owner};

/// A digest that differs when anything but status, other people's bookkeeping and a controller's count differs. The same in each run of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Content([u8; 32]);

impl Content {
    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// What is remembered of a live object between seeing it and writing it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Snapshot {
    pub(crate) uid: String,
    pub(crate) resource_version: String,
    pub(crate) finalizers: Vec<String>,
    /// Items of the sync-options annotation: some count on the live object too (spec R727).
    pub(crate) options: Vec<String>,
    content: Content,
    /// `managedFields` entries of others.
    foreign: Vec<Value>,
}

impl Snapshot {
    pub(crate) fn of(object: &Value) -> Self {
        let metadata = &object["metadata"];
        let is_foreign = |entry: &&Value| {
            let entry = Entry::new(entry);
            !entry.is_ours() && entry.subresource.is_empty()
        };
        Self {
            uid: text(&metadata["uid"]).to_owned(),
            resource_version: text(&metadata["resourceVersion"]).to_owned(),
            finalizers: finalizers(object),
            options: options(metadata),
            content: content(object),
            foreign: list(&metadata["managedFields"]).filter(is_foreign).cloned().collect(),
        }
    }

    /// Returns what an apply of ours could have changed.
    pub(crate) fn content(&self) -> Content {
        self.content
    }

    /// Returns whether the object says the same as this snapshot: nothing was written, or only by others to its status.
    pub(super) fn is_same_as(&self, after: &Value) -> bool {
        let is_untouched = self.resource_version == text(&after["metadata"]["resourceVersion"]);
        self.uid == text(&after["metadata"]["uid"]) && (is_untouched || self.has_content_of(after))
    }

    /// Returns whether the content is the same. A dry run's answer has the old resource version whatever it would change.
    pub(super) fn has_content_of(&self, after: &Value) -> bool {
        self.content == content(after)
    }

    /// Returns whether a client-side apply has left fields behind (spec R715).
    pub(crate) fn has_left_behind(&self) -> bool {
        self.foreign.iter().any(|entry| Entry::new(entry).is_client_side())
    }

    /// Returns, by manager, the fields that an apply of ours has taken from others (decision 6).
    pub(super) fn taken(&self, after: &Value) -> Vec<(String, Vec<String>)> {
        if self.foreign.is_empty() {
            return Vec::new();
        }
        let owners = After::of(after);
        let taken_from = |entry: Entry<'_>| {
            let mut lost = Vec::new();
            owners.each_field_of(&entry, &mut |path, owner| {
                if owner == Owner::We {
                    lost.push(FieldPath::from(path).to_string());
                }
            });
            (entry.manager.to_owned(), lost)
        };
        self.foreign.iter().map(Entry::new).map(taken_from).filter(|(_, lost)| !lost.is_empty()).collect()
    }
}

fn options(metadata: &Value) -> Vec<String> {
    annotation::list(text(&metadata["annotations"][annotation::SYNC_OPTIONS])).into_iter().map(str::to_owned).collect()
}

/// Digests everything that an apply of ours could have changed.
fn content(object: &Value) -> Content {
    let mut digest = Sha256::new();
    for (key, value) in sorted(object) {
        match key.as_str() {
            "status" => {}
            "metadata" => digest_metadata(value, &mut digest),
            _ => digest_field(key, value, &mut digest),
        }
    }
    Content(digest.finalize().into())
}

fn digest_metadata(metadata: &Value, digest: &mut Sha256) {
    for (key, value) in sorted(metadata) {
        match key.as_str() {
            "resourceVersion" => {}
            "annotations" => digest_annotations(value, owns_revision(metadata), digest),
            "managedFields" => list(value).map(Entry::new).filter(Entry::is_ours).for_each(|entry| digest_value(entry.fields, digest)),
            _ => digest_field(key, value, digest),
        }
    }
}

/// The controller counts in every Deployment as soon as it sees it; that is no change of the object, unless an apply of ours has set the count.
fn digest_annotations(annotations: &Value, is_revision_ours: bool, digest: &mut Sha256) {
    let is_counted = |map: &serde_json::Map<String, Value>| map.contains_key(annotation::DEPLOYMENT_REVISION) && !is_revision_ours;
    match annotations.as_object().filter(|map| is_counted(map)) {
        Some(map) if map.len() == 1 => {}
        Some(map) => {
            let mut rest = map.clone();
            rest.remove(annotation::DEPLOYMENT_REVISION);
            digest_field("annotations", &Value::Object(rest), digest);
        }
        None => digest_field("annotations", annotations, digest),
    }
}

fn owns_revision(metadata: &Value) -> bool {
    let path = format!("/f:metadata/f:annotations/f:{}", annotation::DEPLOYMENT_REVISION.replace('/', "~1"));
    list(&metadata["managedFields"]).map(Entry::new).any(|entry| entry.is_ours() && entry.fields.pointer(&path).is_some())
}

fn sorted(object: &Value) -> Vec<(&String, &Value)> {
    let mut entries: Vec<_> = object.as_object().into_iter().flatten().collect();
    entries.sort_by_key(|(key, _)| key.as_str());
    entries
}

fn digest_field(key: &str, value: &Value, digest: &mut Sha256) {
    digest_text(b'k', key, digest);
    digest_value(value, digest);
}

/// Digests JSON in a form that does not depend on the order of keys: a letter for what it is, how long it is, and what is in it.
fn digest_value(value: &Value, digest: &mut Sha256) {
    match value {
        Value::Null => digest.update(b"0"),
        Value::Bool(flag) => digest.update(if *flag { b"t" } else { b"f" }),
        Value::Number(number) => digest_text(b'n', &number.to_string(), digest),
        Value::String(text) => digest_text(b's', text, digest),
        Value::Array(items) => {
            digest_length(b'a', items.len(), digest);
            items.iter().for_each(|item| digest_value(item, digest));
        }
        Value::Object(fields) => {
            digest_length(b'o', fields.len(), digest);
            sorted(value).into_iter().for_each(|(key, value)| digest_field(key, value, digest));
        }
    }
}

fn digest_text(letter: u8, text: &str, digest: &mut Sha256) {
    digest_length(letter, text.len(), digest);
    digest.update(text);
}

fn digest_length(letter: u8, length: usize, digest: &mut Sha256) {
    digest.update([letter]);
    digest.update(u64::try_from(length).unwrap_or(u64::MAX).to_be_bytes());
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(version: &str, replicas: u64, managed: &Value) -> Value {
        json!({"metadata": {"name": "web", "uid": "u", "resourceVersion": version, "managedFields": managed},
            "spec": {"replicas": replicas}, "status": {"readyReplicas": version}})
    }

    fn entry(manager: &str, operation: &str, fields: &Value) -> Value {
        json!({"manager": manager, "operation": operation, "time": "2026-03-01T09:00:00Z", "fieldsV1": fields})
    }

    #[test]
    fn an_object_is_the_same_when_only_others_wrote_its_status() {
        let ours = json!([entry("syncwave", "Apply", &json!({"f:spec": {"f:replicas": {}}}))]);
        let before = Snapshot::of(&object("7", 2, &ours));
        assert!(before.is_same_as(&object("7", 2, &ours)));
        assert!(before.is_same_as(&object("9", 2, &ours)), "a controller wrote the status in between");
        assert!(!before.is_same_as(&object("9", 3, &ours)));
        let first = Snapshot::of(&object("7", 2, &json!([])));
        assert!(!first.is_same_as(&object("8", 2, &ours)), "our first apply leaves its mark");
    }

    #[test]
    fn content_is_the_same_whatever_the_order_of_keys_and_differs_with_each_value() {
        let one: Value = serde_json::from_str(r#"{"data": {"a": "1", "b": "2"}, "metadata": {"name": "x", "uid": "u"}}"#).unwrap();
        let other: Value = serde_json::from_str(r#"{"metadata": {"uid": "u", "name": "x"}, "data": {"b": "2", "a": "1"}}"#).unwrap();
        assert_eq!(Snapshot::of(&one).content(), Snapshot::of(&other).content());
        for (pointer, value) in [
            ("/data/a", json!("12")),
            ("/data/a", json!(1)),
            ("/data", json!({"a": "1"})),
            ("/metadata/uid", json!("v")),
            ("/metadata", json!({"name": "x", "uid": "u", "deletionTimestamp": "2026-03-01T09:00:00Z"})),
            ("/metadata", json!({"name": "x", "uid": "u", "finalizers": ["a"]})),
        ] {
            let mut changed = one.clone();
            *changed.pointer_mut(pointer).unwrap() = value.clone();
            assert_ne!(Snapshot::of(&one).content(), Snapshot::of(&changed).content(), "{pointer} {value}");
        }
    }

    /// performance.md 2.5, point 8: otherwise the first sync after the one that made a Deployment would send it again.
    #[test]
    fn a_controllers_count_of_revisions_is_no_content_unless_it_is_ours() {
        let deployment = |annotations: Value, entries: Value| {
            let live = json!({"kind": "Deployment", "metadata": {"name": "x", "annotations": annotations, "managedFields": entries}});
            Snapshot::of(&live).content()
        };
        let revision = |count: &str| json!({"a": "1", "deployment.kubernetes.io/revision": count});
        let without = deployment(json!({"a": "1"}), json!([]));
        assert_eq!([deployment(revision("1"), json!([])), deployment(revision("2"), json!([]))], [without; 2]);
        assert_ne!(deployment(json!({"deployment.kubernetes.io/revision": "1"}), json!([])), without);
        let none = Snapshot::of(&json!({"kind": "Deployment", "metadata": {"name": "x", "managedFields": []}})).content();
        assert_eq!(deployment(json!({"deployment.kubernetes.io/revision": "1"}), json!([])), none);
        let ours =
            json!([entry("syncwave", "Apply", &json!({"f:metadata": {"f:annotations": {"f:deployment.kubernetes.io/revision": {}}}}))]);
        assert_ne!(deployment(revision("1"), ours.clone()), deployment(revision("2"), ours), "what a manifest sets is kept");
    }

    #[test]
    fn fields_that_an_apply_took_from_others_are_named_by_manager() {
        let theirs = json!({"f:spec": {"f:replicas": {}, "f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"c\"}": {".": {}, "f:image": {}, "f:name": {}}}}}}});
        let before = Snapshot::of(&object(
            "7",
            2,
            &json!([entry("kubectl-edit", "Update", &theirs), entry("hpa", "Update", &json!({"f:spec": {"f:x": {}}}))]),
        ));
        let image = json!({"f:spec": {"f:replicas": {}, "f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"c\"}": {".": {}, "f:image": {}}}}}}});
        let rest = json!({"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"c\"}": {"f:name": {}}}}}}});
        let after = object(
            "8",
            3,
            &json!([
                entry("syncwave", "Apply", &image),
                entry("kubectl-edit", "Update", &rest),
                entry("hpa", "Update", &json!({"f:spec": {"f:x": {}}}))
            ]),
        );
        let lost = vec!["spec.replicas".to_owned(), "spec.template.spec.containers[name=c].image".to_owned()];
        assert_eq!(before.taken(&after), [("kubectl-edit".to_owned(), lost)]);
    }

    #[test]
    fn a_field_that_both_own_was_not_taken() {
        let shared = json!({"f:data": {"f:a": {}}});
        let before = Snapshot::of(&object("7", 2, &json!([entry("other", "Apply", &shared)])));
        let after = object("8", 2, &json!([entry("other", "Apply", &shared), entry("syncwave", "Apply", &shared)]));
        assert_eq!(before.taken(&after), []);
    }
}
