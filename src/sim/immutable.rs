//! Fields that may not change once an object exists, with the sentences of the real server: the errors that a
//! sync meets when a manifest changes what cannot be changed.

use serde_json::Value;

use super::registry::Resource;
use super::status::Cause;
use super::write::{Caller, Part};

const IMMUTABLE: &str = "field is immutable";

/// Returns what an update changes although it may not.
pub(super) fn causes(resource: &Resource, old: &Value, new: &Value, caller: &Caller) -> Vec<Cause> {
    if caller.part != Part::Main {
        return Vec::new();
    }
    match (&*resource.gr.group, &*resource.gr.plural) {
        ("apps", "deployments" | "replicasets" | "daemonsets") => fields(old, new, "spec", &["selector"]),
        ("apps", "statefulsets") => stateful_set(old, new),
        ("batch", "jobs") => job(old, new),
        ("", "pods") => pod(old, new),
        ("", "services") => service(old, new),
        ("", "configmaps" | "secrets") => frozen(resource, old, new),
        ("", "persistentvolumeclaims") => claim(old, new),
        ("rbac.authorization.k8s.io", "rolebindings" | "clusterrolebindings") if old["roleRef"] != new["roleRef"] => {
            vec![Cause::invalid("roleRef", &new["roleRef"], "cannot change roleRef")]
        }
        ("storage.k8s.io", "storageclasses") => storage_class(old, new),
        ("apiextensions.k8s.io", "customresourcedefinitions") => definition(old, new),
        _ => Vec::new(),
    }
}

fn fields(old: &Value, new: &Value, parent: &str, names: &[&str]) -> Vec<Cause> {
    let changed = names.iter().filter(|name| old[parent][**name] != new[parent][**name]);
    changed.map(|name| Cause::invalid(format!("{parent}.{name}"), &new[parent][*name], IMMUTABLE)).collect()
}

fn stateful_set(old: &Value, new: &Value) -> Vec<Cause> {
    let free = [
        "replicas",
        "ordinals",
        "template",
        "updateStrategy",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
        "minReadySeconds",
    ];
    if without(&old["spec"], &free) == without(&new["spec"], &free) {
        return Vec::new();
    }
    let detail = "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
    vec![Cause::forbidden("spec", detail)]
}

fn job(old: &Value, new: &Value) -> Vec<Cause> {
    let suspended = old["spec"]["suspend"] == true && old["status"]["startTime"].is_null();
    let mut names = vec!["selector", "completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy"];
    if old["spec"]["completionMode"] != "Indexed" {
        names.insert(0, "completions");
    }
    if !suspended {
        names.push("template");
    }
    let mut causes = unselected(new);
    causes.extend(fields(old, new, "spec", &names));
    causes
}

/// Selector and labels that tie pods to a Job are made when it is created. A manifest that takes its place whole leaves them out.
fn unselected(job: &Value) -> Vec<Cause> {
    if !job["spec"]["selector"].is_null() {
        return Vec::new();
    }
    let labels = &job["spec"]["template"]["metadata"]["labels"];
    vec![
        Cause::required("spec.selector", ""),
        Cause::invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`"),
    ]
}

fn pod(old: &Value, new: &Value) -> Vec<Cause> {
    let strip = |spec: &Value| {
        let mut spec = without(spec, &["activeDeadlineSeconds", "terminationGracePeriodSeconds", "tolerations"]);
        for list in ["containers", "initContainers"] {
            for container in spec[list].as_array_mut().into_iter().flatten() {
                container["image"] = Value::Null;
            }
        }
        spec
    };
    if strip(&old["spec"]) == strip(&new["spec"]) {
        return Vec::new();
    }
    let detail = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";
    vec![Cause::forbidden("spec", detail)]
}

fn service(old: &Value, new: &Value) -> Vec<Cause> {
    let (before, after) = (&old["spec"]["clusterIP"], &new["spec"]["clusterIP"]);
    let was_set = before.as_str().is_some_and(|address| !address.is_empty());
    if !was_set || before == after || old["spec"]["type"] == "ExternalName" || new["spec"]["type"] == "ExternalName" {
        return Vec::new();
    }
    vec![Cause::invalid("spec.clusterIPs[0]", &new["spec"]["clusterIPs"], "may not change once set")]
}

fn frozen(resource: &Resource, old: &Value, new: &Value) -> Vec<Cause> {
    if resource.kind == "Secret" && old["type"] != new["type"] {
        return vec![Cause::invalid("type", &new["type"], IMMUTABLE)];
    }
    if old["immutable"] != true {
        return Vec::new();
    }
    let detail = "field is immutable when `immutable` is set";
    let names = ["immutable", "data", "binaryData"];
    names.into_iter().filter(|name| old[name] != new[name]).map(|name| Cause::forbidden(name, detail)).collect()
}

fn claim(old: &Value, new: &Value) -> Vec<Cause> {
    let free = ["resources", "volumeAttributesClassName", "volumeName"];
    if without(&old["spec"], &free) == without(&new["spec"], &free) {
        return Vec::new();
    }
    let detail = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
    vec![Cause::forbidden("spec", detail)]
}

fn storage_class(old: &Value, new: &Value) -> Vec<Cause> {
    let texts = [
        ("parameters", "updates to parameters are forbidden."),
        ("provisioner", "updates to provisioner are forbidden."),
        ("reclaimPolicy", "updates to reclaimPolicy are forbidden."),
    ];
    texts.into_iter().filter(|(name, _)| old[name] != new[name]).map(|(name, text)| Cause::forbidden(name, text)).collect()
}

fn definition(old: &Value, new: &Value) -> Vec<Cause> {
    let mut causes = fields(old, new, "spec", &["group", "scope"]);
    for name in ["plural", "kind"] {
        if old["spec"]["names"][name] != new["spec"]["names"][name] {
            causes.push(Cause::invalid(format!("spec.names.{name}"), &new["spec"]["names"][name], IMMUTABLE));
        }
    }
    causes
}

fn without(value: &Value, names: &[&str]) -> Value {
    let mut value = value.clone();
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|key, value| !names.contains(&key.as_str()) && !value.is_null());
    }
    value
}
