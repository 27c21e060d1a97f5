//! What the server does to an object before it validates it: status of new objects, which half an update may
//! touch, and the fields that a kind fills from elsewhere (addresses, selectors of Jobs). No plain defaults here.

use serde_json::{Map, Value, json};

use super::crd;
use super::registry::Resource;
use super::store::State;
use super::write::{Caller, Part};

/// Prepares a new object.
pub(super) fn for_create(state: &mut State, resource: &Resource, object: &mut Value) {
    reset_status(resource, object);
    match (&*resource.gr.group, &*resource.gr.plural) {
        ("", "namespaces") => namespace(object),
        ("", "pods") => pod_status(object),
        ("", "secrets") => secret(object),
        ("", "services") => service_addresses(state, object),
        ("", "persistentvolumeclaims" | "persistentvolumes") => object["status"] = json!({"phase": "Pending"}),
        ("batch", "jobs") => job_selector(object),
        ("apiextensions.k8s.io", "customresourcedefinitions") => {
            let created = object["metadata"]["creationTimestamp"].as_str().and_then(|at| at.parse().ok());
            crd::complete(object, created.unwrap_or_default());
        }
        _ => {}
    }
}

/// The status is the controllers' business: a client cannot set it at creation.
fn reset_status(resource: &Resource, object: &mut Value) {
    let Some(fields) = object.as_object_mut() else { return };
    if !resource.status {
        return;
    }
    fields.remove("status");
    if !resource.is_custom() {
        fields.insert("status".into(), Value::Object(Map::new()));
    }
}

fn namespace(object: &mut Value) {
    let name = object["metadata"]["name"].clone();
    object["metadata"]["labels"]["kubernetes.io/metadata.name"] = name;
    object["spec"]["finalizers"] = json!(["kubernetes"]);
    object["status"] = json!({"phase": "Active"});
}

fn pod_status(object: &mut Value) {
    let class = quality(&object["spec"]);
    object["status"] = json!({"phase": "Pending", "qosClass": class});
}

/// The quality-of-service class that the resources of the containers give a pod.
fn quality(spec: &Value) -> &'static str {
    let lists = ["containers", "initContainers"].map(|list| spec[list].as_array().map(Vec::as_slice).unwrap_or_default());
    let all: Vec<&Value> = lists.into_iter().flatten().collect();
    let asks = |container: &Value, list: &str| container["resources"][list].as_object().is_some_and(|map| !map.is_empty());
    if all.iter().all(|container| !asks(container, "requests") && !asks(container, "limits")) {
        return "BestEffort";
    }
    let is_guaranteed = |container: &&Value| {
        let limits = &container["resources"]["limits"];
        let requests = &container["resources"]["requests"];
        ["cpu", "memory"].iter().all(|name| !limits[name].is_null() && (requests[name].is_null() || requests[name] == limits[name]))
    };
    if all.iter().all(is_guaranteed) { "Guaranteed" } else { "Burstable" }
}

fn secret(object: &mut Value) {
    let Some(texts) = object.as_object_mut().and_then(|fields| fields.remove("stringData")) else { return };
    for (key, text) in texts.as_object().into_iter().flatten() {
        let encoded = super::encode(text.as_str().unwrap_or_default().as_bytes());
        object["data"][key.as_str()] = encoded.into();
    }
}

fn service_addresses(state: &mut State, object: &mut Value) {
    let spec = &mut object["spec"];
    if spec["type"] == "ExternalName" {
        return;
    }
    if spec["clusterIP"].as_str().unwrap_or_default().is_empty() {
        state.addresses += 1;
        let count = state.addresses;
        spec["clusterIP"] = format!("10.96.{}.{}", count / 250, count % 250 + 4).into();
    }
    spec["clusterIPs"] = json!([spec["clusterIP"]]);
    if matches!(spec["type"].as_str(), Some("NodePort" | "LoadBalancer")) {
        node_ports(state, &mut spec["ports"]);
    }
}

fn node_ports(state: &mut State, ports: &mut Value) {
    for port in ports.as_array_mut().into_iter().flatten() {
        if port["nodePort"].as_i64().unwrap_or(0) == 0 {
            state.addresses += 1;
            port["nodePort"] = (30_000 + state.addresses % 2_767).into();
        }
    }
}

/// A Job selects its pods by its own uid unless it asks for a selector of its own.
fn job_selector(object: &mut Value) {
    let spec = &object["spec"];
    if spec["manualSelector"] == true || !spec["template"].is_object() {
        return;
    }
    let (name, uid) = (object["metadata"]["name"].clone(), object["metadata"]["uid"].clone());
    let labels = &mut object["spec"]["template"]["metadata"]["labels"];
    if !labels.is_null() && !labels.is_object() {
        return;
    }
    for prefix in ["batch.kubernetes.io/", ""] {
        labels[format!("{prefix}controller-uid")] = uid.clone();
        labels[format!("{prefix}job-name")] = name.clone();
    }
    object["spec"]["selector"] = json!({"matchLabels": {"batch.kubernetes.io/controller-uid": uid}});
}

/// Lets an update touch only the half that its path is about.
pub(super) fn for_update(resource: &Resource, old: &Value, new: &mut Value, caller: &Caller) {
    match caller.part {
        Part::Status | Part::Binding => only_status(resource, old, new, caller.part),
        Part::Finalize => keep_only(old, new, "spec"),
        Part::Main | Part::Scale => {
            if resource.status && !(resource.is_custom() && caller.part == Part::Scale) {
                put_back(old, new, "status");
            }
            if &*resource.gr.plural == "namespaces" && !caller.is_internal {
                put_back(old, new, "spec");
            }
            if &*resource.gr.plural == "secrets" {
                secret(new);
            }
            if &*resource.gr.plural == "customresourcedefinitions" {
                renew_definition(old, new);
            }
        }
    }
}

fn only_status(resource: &Resource, old: &Value, new: &mut Value, part: Part) {
    let mut kept = old.clone();
    if part == Part::Binding {
        kept["spec"]["nodeName"] = new["spec"]["nodeName"].clone();
    }
    match new.get("status") {
        Some(status) => kept["status"] = status.clone(),
        None if resource.is_custom() => {
            if let Some(fields) = kept.as_object_mut() {
                fields.remove("status");
            }
        }
        None => kept["status"] = Value::Object(Map::new()),
    }
    *new = kept;
}

fn keep_only(old: &Value, new: &mut Value, field: &str) {
    let mut kept = old.clone();
    kept[field] = new[field].clone();
    *new = kept;
}

fn put_back(old: &Value, new: &mut Value, field: &str) {
    let Some(fields) = new.as_object_mut() else { return };
    match old.get(field) {
        Some(value) => fields.insert(field.to_owned(), value.clone()),
        None => fields.remove(field),
    };
}

fn renew_definition(old: &Value, new: &mut Value) {
    let at = old["metadata"]["creationTimestamp"].as_str().and_then(|at| at.parse().ok()).unwrap_or_default();
    crd::complete(new, at);
}

/// Gives an updated Service what its new type needs and its old one did not have.
pub(super) fn complete_update(state: &mut State, resource: &Resource, object: &mut Value) {
    if (&*resource.gr.group, &*resource.gr.plural) == ("", "services") {
        service_addresses(state, object);
    }
}
