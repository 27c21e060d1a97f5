//! What is sent of a manifest, the same in a dry run and in the sync: without what only the server writes, which exported manifests
//! hold, and without what an apply would misread. Pure; knows nothing of requests.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::model::Object;

/// Fields of the metadata that are the server's own; some of them it refuses (`metadata.managedFields must be nil`), others would be
/// taken for preconditions.
const SERVERS: [&str; 6] = ["creationTimestamp", "managedFields", "generation", "uid", "resourceVersion", "selfLink"];

/// API groups of Kubernetes itself whose names look like those of definitions.
const OWN_GROUPS: [&str; 16] = [
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
];

/// Returns the body of a write.
///
/// A `null` means `not there` to Kubernetes' own kinds, but a server-side apply sets it: in a map of texts it becomes an empty text. In a
/// custom resource it may be a value (`nullable`), and there `status` may be a field like any other, so both stay.
pub(crate) fn outgoing(target: &Object) -> Value {
    let mut value = target.wire().clone();
    let gvk = target.gvk();
    if is_own(&gvk.group) {
        without_nulls(&mut value);
        if let Some(fields) = value.as_object_mut() {
            fields.remove("status");
        }
    }
    if let Some(metadata) = value.get_mut("metadata") {
        without_nulls(metadata);
        if let Some(fields) = metadata.as_object_mut() {
            SERVERS.iter().for_each(|name| drop(fields.remove(*name)));
        }
    }
    if gvk.group.is_empty() && *gvk.kind == *"Secret" {
        encode(&mut value);
    }
    value
}

fn is_own(group: &str) -> bool {
    !group.contains('.') || OWN_GROUPS.contains(&group)
}

/// Takes out fields without a value. Items of lists stay, because a list without one of them is another list, and so does everything in
/// the schema of a definition, where `null` may be a default.
fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            fields.iter_mut().filter(|(key, _)| *key != "openAPIV3Schema").for_each(|(_, field)| without_nulls(field));
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The server turns `stringData` into `data` and keeps the ownership of the former, so that keys taken out of a manifest would stay for
/// ever. What is no text is left to the server, which names it.
fn encode(secret: &mut Value) {
    let is_readable = |field: &Value| field.as_object().is_some_and(|fields| fields.values().all(Value::is_string));
    let has_data = secret.get("data").is_some();
    if !secret.get("stringData").is_some_and(is_readable) || has_data && !secret["data"].is_object() {
        return;
    }
    let Some(fields) = secret.as_object_mut() else { return };
    let Some(Value::Object(texts)) = fields.remove("stringData") else { return };
    let data = fields.entry("data").or_insert_with(|| Value::Object(Map::new()));
    for (key, text) in texts {
        data[key] = STANDARD.encode(text.as_str().unwrap_or_default()).into();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sent(manifest: Value) -> Value {
        outgoing(&Object::new(manifest))
    }

    #[test]
    fn what_only_the_server_writes_is_not_sent() {
        let exported = json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": 1}, "status": {"replicas": 1}, "metadata": {
            "name": "a", "labels": {"x": "y"}, "creationTimestamp": "2026-03-01T09:00:00Z", "managedFields": [{}], "generation": 3, "uid": "u",
            "resourceVersion": "7", "selfLink": "/x"}});
        let left = json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": 1}, "metadata": {"name": "a", "labels": {"x": "y"}}});
        assert_eq!(sent(exported), left);
    }

    #[test]
    fn a_null_is_no_value_of_a_kubernetes_kind() {
        let manifest = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "annotations": null, "labels": {"x": null}},
            "data": {"legacy": null, "k": "v"}});
        assert_eq!(
            sent(manifest),
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "labels": {}}, "data": {"k": "v"}})
        );
        let pods = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"},
            "spec": {"template": {"metadata": {"creationTimestamp": null}, "spec": {"containers": [{"name": "c", "resources": null, "args": ["a", null]}]}}}});
        let template = json!({"metadata": {}, "spec": {"containers": [{"name": "c", "args": ["a", null]}]}});
        assert_eq!(sent(pods)["spec"]["template"], template, "an item of a list is not a field");
    }

    #[test]
    fn nulls_and_status_of_a_custom_resource_and_of_a_schema_may_mean_something() {
        let custom = json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "a"}, "spec": {"size": null}, "status": {"x": 1}});
        assert_eq!(sent(custom.clone()), custom);
        let definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "a"},
            "spec": {"conversion": null, "versions": [{"schema": {"openAPIV3Schema": {"default": null}}}]}});
        let schema = json!({"versions": [{"schema": {"openAPIV3Schema": {"default": null}}}]});
        assert_eq!(sent(definition)["spec"], schema);
    }

    #[test]
    fn string_data_becomes_data_and_wins() {
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"a": "x", "b": "y"}, "data": {"a": "b2xk"}});
        let left = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"a": "eA==", "b": "eQ=="}});
        assert_eq!(sent(secret), left);
        for odd in [json!({"a": 1}), json!([]), json!("x")] {
            let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": odd});
            assert_eq!(sent(secret.clone()), secret, "the server says what is wrong with it");
        }
        let config = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "s"}, "stringData": {"a": "x"}});
        assert_eq!(sent(config.clone()), config);
    }

    #[test]
    fn a_manifest_of_any_shape_is_sent_as_it_is() {
        for odd in
            [json!({"kind": "Secret", "apiVersion": "v1"}), json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": []}), json!([null])]
        {
            assert_eq!(sent(odd.clone()), odd);
        }
    }
}
