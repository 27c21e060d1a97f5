//! What is sent of a manifest, the same in a dry run and in the sync: without what only the server writes, which exported manifests
//! hold, and without what an apply would misread. Pure; knows nothing of requests.

use serde_json::Value;

use crate::model::key::is_built_in;
use crate::model::{Object, secret};

/// Fields of the metadata that are the server's own; some of them it refuses (`metadata.managedFields must be nil`), others would be
/// taken for preconditions.
const SERVERS: [&str; 6] = ["creationTimestamp", "managedFields", "generation", "uid", "resourceVersion", "selfLink"];

/// Returns the body of a write.
///
/// A `null` means `not there` to Kubernetes' own kinds, but a server-side apply sets it: in a map of texts it becomes an empty text. In a
/// custom resource it may be a value (`nullable`), and there `status` may be a field like any other, so both stay.
pub(crate) fn outgoing(target: &Object) -> Value {
    let mut value = target.wire().clone();
    let gvk = target.gvk();
    if is_built_in(&gvk.group) {
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
    // The server keeps the ownership of `stringData`, so that keys taken out of a manifest would stay for ever.
    if gvk.group.is_empty() && *gvk.kind == *"Secret" {
        secret::join_plain_text(&mut value);
    }
    value
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
