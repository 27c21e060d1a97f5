//! Custom resources and their definitions: checks R.

use super::*;

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const WIDGETS: &str = "/apis/ex.com/v1/namespaces/cf/widgets";

pub(super) fn definition(plural: &str) -> Value {
    let part = json!({"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}, "v": {"type": "string"}}});
    let spec = json!({"type": "object", "required": ["size"], "properties": {
        "size": {"type": "integer", "minimum": 1, "default": 3},
        "color": {"type": "string", "enum": ["red", "blue"]},
        "replicas": {"type": "integer"},
        "parts": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["id"], "items": part},
        "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
    }});
    let status = json!({"type": "object", "properties": {"phase": {"type": "string"}, "replicas": {"type": "integer"}}});
    let schema = json!({"openAPIV3Schema": {"type": "object", "properties": {"spec": spec, "status": status}}});
    let subresources = json!({"status": {}, "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}});
    let version = json!({"name": "v1", "served": true, "storage": true, "subresources": subresources, "schema": schema});
    let names = json!({"plural": "widgets", "singular": "widget", "kind": "Widget", "shortNames": ["wd"]});
    let spec = json!({"group": "ex.com", "scope": "Namespaced", "names": names, "versions": [version]});
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": format!("{plural}.ex.com")}, "spec": spec})
}

pub(super) fn widget(name: &str, spec: Value) -> Value {
    json!({"apiVersion": "ex.com/v1", "kind": "Widget", "metadata": {"name": name}, "spec": spec})
}

async fn with_widgets() -> Rig {
    let rig = Rig::new();
    rig.post(DEFINITIONS, definition("widgets")).await.ok(201);
    rig
}

#[tokio::test(start_paused = true)]
async fn r01_a_definition_is_established_and_served() {
    let rig = Rig::new();
    rig.get(WIDGETS).await.ok(404);
    let created = rig.post(DEFINITIONS, definition("widgets")).await.ok(201);
    let conditions: Vec<_> =
        created.at("/status/conditions").as_array().unwrap().iter().map(|c| (c["type"].clone(), c["status"].clone())).collect();
    assert_eq!(conditions, [(json!("NamesAccepted"), json!("True")), (json!("Established"), json!("True"))]);
    assert_eq!(rig.get(WIDGETS).await.ok(200).at("/kind"), json!("WidgetList"));
    let groups = rig.get("/apis").await;
    assert!(groups.json["groups"].as_array().unwrap().iter().any(|group| group["name"] == "ex.com"));
    assert!(rig.get("/openapi/v3").await.json["paths"]["apis/ex.com/v1"].is_object());
}

#[tokio::test(start_paused = true)]
async fn r02_custom_resources_are_defaulted_and_pruned() {
    let rig = with_widgets().await;
    let mut body = widget("a", json!({"bogus": 1, "any": {"x": 1}}));
    body["status"] = json!({"phase": "X"});
    let created = rig.post(WIDGETS, body).await.ok(201);
    assert_eq!(created.at("/spec"), json!({"any": {"x": 1}, "size": 3}));
    assert!(created.header("warning").contains("unknown field \\\"spec.bogus\\\""));
    assert_eq!((created.at("/status"), created.at("/metadata/generation")), (Value::Null, json!(1)));
    assert_eq!(rig.get(WIDGETS).await.at("/items/0/kind"), json!("Widget"));
}

#[tokio::test(start_paused = true)]
async fn r03_custom_resources_are_validated() {
    let rig = with_widgets().await;
    let both = rig.post(WIDGETS, widget("b", json!({"size": 0, "color": "green"}))).await.refused(
        422,
        "Invalid",
        "Widget.ex.com \"b\" is invalid",
    );
    drop(both.cause("FieldValueInvalid", "spec.size").cause("FieldValueNotSupported", "spec.color"));
    let kind = rig.post(WIDGETS, widget("b", json!({"size": "big"}))).await.refused(422, "Invalid", "must be of type integer");
    drop(kind.cause("FieldValueTypeInvalid", "spec.size"));
    let strict = rig.post(&format!("{WIDGETS}?fieldValidation=Strict"), widget("b", json!({"size": 1, "bogus": 1}))).await;
    strict.refused(400, "BadRequest", "unknown field \"spec.bogus\"");
}

#[tokio::test(start_paused = true)]
async fn r04_custom_resources_are_stricter_about_bodies() {
    let rig = with_widgets().await;
    rig.post(WIDGETS, widget("a", json!({}))).await.ok(201);
    rig.post(WIDGETS, json!({"metadata": {"name": "x"}, "spec": {}})).await.refused(400, "BadRequest", "Object 'Kind' is missing");
    rig.patch(&format!("{WIDGETS}/a"), STRATEGIC, json!({})).await.refused(415, "UnsupportedMediaType", "");
    rig.put(&format!("{WIDGETS}/a"), &widget("a", json!({"size": 1}))).await.refused(422, "Invalid", "must be specified for an update");
}

#[tokio::test(start_paused = true)]
async fn r05_r07_status_and_scale_of_custom_resources() {
    let rig = with_widgets().await;
    rig.post(WIDGETS, widget("a", json!({}))).await.ok(201);
    let main = rig.patch(&format!("{WIDGETS}/a"), MERGE, json!({"spec": {"size": 5}, "status": {"phase": "Y"}})).await.ok(200);
    assert_eq!((main.at("/metadata/generation"), main.at("/status")), (json!(2), Value::Null));
    let status = rig.patch(&format!("{WIDGETS}/a/status"), MERGE, json!({"spec": {"size": 9}, "status": {"phase": "Z"}})).await.ok(200);
    assert_eq!((status.at("/metadata/generation"), status.at("/status/phase"), status.at("/spec/size")), (json!(2), json!("Z"), json!(5)));
    rig.get(&format!("{WIDGETS}?fieldSelector=spec.size%3D5")).await.refused(400, "BadRequest", "field label not supported");
    rig.get(&format!("{WIDGETS}/a/scale")).await.ok(500);
    rig.patch(&format!("{WIDGETS}/a"), MERGE, json!({"spec": {"replicas": 2}})).await.ok(200);
    assert_eq!(rig.get(&format!("{WIDGETS}/a/scale")).await.ok(200).at("/spec/replicas"), json!(2));
}

#[tokio::test(start_paused = true)]
async fn r06_lists_with_keys_are_merged_by_apply() {
    let rig = with_widgets().await;
    let with = |parts: Value| widget("p", json!({"size": 1, "parts": parts}));
    rig.apply(WIDGETS, "m1", with(json!([{"id": "1", "v": "a"}]))).await.ok(201);
    let merged = rig.apply(WIDGETS, "m2", with(json!([{"id": "2", "v": "b"}]))).await.ok(200);
    let ids: Vec<_> = merged.at("/spec/parts").as_array().unwrap().iter().map(|part| part["id"].clone()).collect();
    assert_eq!(ids, [json!("1"), json!("2")]);
    let managers = merged.at("/metadata/managedFields");
    let second = managers.as_array().unwrap().iter().find(|entry| entry["manager"] == "m2").unwrap();
    assert!(second["fieldsV1"]["f:spec"]["f:parts"].get("k:{\"id\":\"2\"}").is_some(), "{second}");
}

#[tokio::test(start_paused = true)]
async fn r08_r09_names_of_definitions_and_their_end() {
    let rig = with_widgets().await;
    rig.post(DEFINITIONS, definition("wrong")).await.refused(422, "Invalid", "must be spec.names.plural+\".\"+spec.group");
    rig.post(WIDGETS, widget("a", json!({}))).await.ok(201);
    rig.delete(&format!("{DEFINITIONS}/widgets.ex.com")).await.ok(200);
    assert!(rig.get(WIDGETS).await.ok(404).header("content-type").starts_with("text/plain"));
    assert!(rig.store.list("ex.com", "widgets", None).is_empty());
}
