//! The documents that tell clients what the API serves: versions, groups, resources (one by one and aggregated) and
//! the smallest OpenAPI that kubectl needs. Made from the catalogue, nothing is stored.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::registry::{Catalog, Resource};
use super::status::ApiError;

pub(super) const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

pub(super) fn version() -> Value {
    json!({
        "major": "1", "minor": "36", "gitVersion": "v1.36.0", "gitCommit": "", "gitTreeState": "clean",
        "buildDate": "2026-03-01T00:00:00Z", "goVersion": "", "compiler": "", "platform": "linux/amd64",
    })
}

pub(super) fn core_versions() -> Value {
    json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": "sim"}]})
}

/// Group → its versions → their rows, in order.
fn tree(catalog: &Catalog) -> BTreeMap<&str, BTreeMap<&str, Vec<&Resource>>> {
    let mut groups: BTreeMap<&str, BTreeMap<&str, Vec<&Resource>>> = BTreeMap::new();
    for row in catalog.rows() {
        groups.entry(&row.gr.group).or_default().entry(&row.version).or_default().push(row);
    }
    groups
}

pub(super) fn groups(catalog: &Catalog) -> Value {
    let tree = tree(catalog);
    let groups: Vec<Value> =
        tree.iter().filter(|(group, _)| !group.is_empty()).map(|(group, versions)| group_of(group, versions)).collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

pub(super) fn group(catalog: &Catalog, name: &str) -> Result<Value, ApiError> {
    let tree = tree(catalog);
    let versions = tree.get(name).filter(|_| !name.is_empty()).ok_or_else(ApiError::no_such_path)?;
    let mut group = group_of(name, versions);
    group["kind"] = "APIGroup".into();
    group["apiVersion"] = "v1".into();
    Ok(group)
}

fn group_of(name: &str, versions: &BTreeMap<&str, Vec<&Resource>>) -> Value {
    let mut list: Vec<Value> =
        versions.keys().map(|version| json!({"groupVersion": format!("{name}/{version}"), "version": version})).collect();
    list.sort_by_key(|version| std::cmp::Reverse(rank(version["version"].as_str().unwrap_or_default())));
    json!({"name": name, "versions": list, "preferredVersion": list[0]})
}

/// `v2` before `v1`, both before `v1beta1`.
fn rank(version: &str) -> (u32, u32) {
    let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0);
    let number = digits(version.trim_start_matches('v'));
    let stability = if version.contains("alpha") {
        0
    } else if version.contains("beta") {
        1
    } else {
        2
    };
    (stability, number)
}

/// Tells an unknown group (plain 404) from an unknown version of a known one (404 as a Status).
pub(super) fn unknown(catalog: &Catalog, group: &str) -> ApiError {
    let is_known = catalog.rows().any(|row| &*row.gr.group == group);
    if is_known { ApiError::no_such_resource() } else { ApiError::no_such_path() }
}

pub(super) fn resources(catalog: &Catalog, group: &str, version: &str) -> Result<Value, ApiError> {
    let tree = tree(catalog);
    let rows = tree.get(group).and_then(|versions| versions.get(version)).ok_or_else(|| unknown(catalog, group))?;
    let list: Vec<Value> = rows.iter().flat_map(|row| rows_of(row)).collect();
    let name = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    Ok(json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name, "resources": list}))
}

fn rows_of(row: &Resource) -> Vec<Value> {
    let mut main = json!({
        "name": *row.gr.plural, "singularName": row.singular, "namespaced": row.namespaced, "kind": row.kind, "verbs": row.verbs(),
    });
    if !row.short.is_empty() {
        main["shortNames"] = json!(row.short);
    }
    if !row.categories.is_empty() {
        main["categories"] = json!(row.categories);
    }
    let sub = |name: &str, kind: &str, verbs: &[&str]| json!({"name": format!("{}/{name}", row.gr.plural), "singularName": "", "namespaced": row.namespaced, "kind": kind, "verbs": verbs});
    let mut list = vec![main];
    for other in &row.others {
        let (kind, verbs) = other_kind(other);
        list.push(sub(other, kind.unwrap_or(&row.kind), verbs));
    }
    if row.scale.is_some() {
        let mut scale = sub("scale", "Scale", &["get", "patch", "update"]);
        scale["group"] = "autoscaling".into();
        scale["version"] = "v1".into();
        list.push(scale);
    }
    if row.status {
        list.push(sub("status", &row.kind, &["get", "patch", "update"]));
    }
    list
}

fn other_kind(subresource: &str) -> (Option<&'static str>, &'static [&'static str]) {
    match subresource {
        "binding" => (Some("Binding"), &["create"]),
        "eviction" => (Some("Eviction"), &["create"]),
        "finalize" => (None, &["update"]),
        _ => (None, &["get"]),
    }
}

/// The aggregated form: all groups with all resources in one document.
pub(super) fn aggregated(catalog: &Catalog, core: bool) -> (Bytes, String) {
    let tree = tree(catalog);
    let items: Vec<Value> =
        tree.iter().filter(|(group, _)| group.is_empty() == core).map(|(group, versions)| discovery_of(group, versions)).collect();
    let document = json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items});
    let text = document.to_string();
    let tag = format!("\"{}\"", hash(text.as_bytes()));
    (text.into(), tag)
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02X}")).collect()
}

fn discovery_of(group: &str, versions: &BTreeMap<&str, Vec<&Resource>>) -> Value {
    let mut names: Vec<&&str> = versions.keys().collect();
    names.sort_by_key(|version| std::cmp::Reverse(rank(version)));
    let version_of = |version: &&str| {
        let resources: Vec<Value> = versions[*version].iter().map(|row| discovered(row)).collect();
        json!({"version": version, "resources": resources, "freshness": "Current"})
    };
    let metadata = if group.is_empty() { json!({}) } else { json!({"name": group}) };
    json!({"metadata": metadata, "versions": names.into_iter().map(version_of).collect::<Vec<_>>()})
}

fn discovered(row: &Resource) -> Value {
    let kind = |group: &str, version: &str, kind: &str| json!({"group": group, "version": version, "kind": kind});
    let mut subresources = Vec::new();
    for other in &row.others {
        let (name, verbs) = other_kind(other);
        let kind = kind("", &row.version, name.unwrap_or(&row.kind));
        subresources.push(json!({"subresource": other, "responseKind": kind, "verbs": verbs}));
    }
    let verbs = ["get", "patch", "update"];
    if row.scale.is_some() {
        subresources.push(json!({"subresource": "scale", "responseKind": kind("autoscaling", "v1", "Scale"), "verbs": verbs}));
    }
    if row.status {
        subresources.push(json!({"subresource": "status", "responseKind": kind("", "", &row.kind), "verbs": verbs}));
    }
    let mut fields = Map::new();
    fields.insert("resource".into(), (*row.gr.plural).into());
    fields.insert("responseKind".into(), kind(&row.gr.group, &row.version, &row.kind));
    fields.insert("scope".into(), if row.namespaced { "Namespaced" } else { "Cluster" }.into());
    fields.insert("singularResource".into(), row.singular.clone().into());
    fields.insert("verbs".into(), json!(row.verbs()));
    let lists = [("shortNames", json!(row.short)), ("categories", json!(row.categories)), ("subresources", json!(subresources))];
    for (name, list) in lists {
        if list.as_array().is_some_and(|list| !list.is_empty()) {
            fields.insert(name.into(), list);
        }
    }
    Value::Object(fields)
}

/// The index of `/openapi/v3`.
pub(super) fn openapi(catalog: &Catalog) -> Value {
    let mut paths = Map::new();
    for (group, versions) in tree(catalog) {
        for version in versions.keys() {
            let path = if group.is_empty() { format!("api/{version}") } else { format!("apis/{group}/{version}") };
            let tag = hash(path.as_bytes());
            paths.insert(path.clone(), json!({"serverRelativeURL": format!("/openapi/v3/{path}?hash={tag}")}));
        }
    }
    json!({"paths": paths})
}

/// One document of it: per kind a patch operation, which is all that kubectl looks for.
pub(super) fn openapi_document(catalog: &Catalog, group: &str, version: &str) -> Result<Value, ApiError> {
    let tree = tree(catalog);
    let rows = tree.get(group).and_then(|versions| versions.get(version)).ok_or_else(ApiError::no_such_path)?;
    let root = if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") };
    let parameters: Vec<Value> = ["dryRun", "fieldManager", "fieldValidation", "force"]
        .map(|name| json!({"name": name, "in": "query", "schema": {"type": "string"}}))
        .into();
    let mut paths = Map::new();
    for row in rows {
        let place = if row.namespaced { "/namespaces/{namespace}" } else { "" };
        let kind = json!({"group": group, "version": version, "kind": row.kind});
        let operation = json!({"parameters": parameters, "x-kubernetes-group-version-kind": kind, "x-kubernetes-action": "patch"});
        paths.insert(format!("{root}{place}/{}/{{name}}", row.gr.plural), json!({"patch": operation}));
    }
    Ok(json!({"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "v1.36.0"}, "paths": paths, "components": {"schemas": {}}}))
}
