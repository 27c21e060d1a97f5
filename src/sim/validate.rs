//! What is wrong with an object by itself: required fields, selectors that do not fit, sizes. Each rule gives the
//! cause that the real server gives; the step from an old state to a new one is `immutable`'s.

use serde_json::Value;

use super::meta;
use super::registry::Resource;
use super::status::Cause;

/// Returns everything that is wrong with an object.
pub(super) fn causes(resource: &Resource, object: &Value) -> Vec<Cause> {
    let mut causes = meta::causes(resource, object);
    let spec = &object["spec"];
    match (&*resource.gr.group, &*resource.gr.plural) {
        ("", "configmaps") => causes.extend(data_causes(object, &["data", "binaryData"])),
        ("", "secrets") => causes.extend(data_causes(object, &["data"])),
        ("", "pods") => causes.extend(pod_causes("spec", spec)),
        ("", "services") => causes.extend(service_causes(spec)),
        ("", "events") => causes.extend(event_causes(object)),
        ("apps", _) if !spec.is_null() => causes.extend(workload_causes(spec)),
        ("networking.k8s.io", "ingresses") => causes.extend(ingress_causes(spec)),
        ("autoscaling", "horizontalpodautoscalers") => causes.extend(autoscaler_causes(spec)),
        ("batch", "jobs") => causes.extend(job_causes("spec", spec)),
        ("batch", "cronjobs") => causes.extend(cron_causes(spec)),
        ("apiextensions.k8s.io", "customresourcedefinitions") => causes.extend(definition_causes(object)),
        _ if resource.is_custom() => causes.extend(resource.schema.causes(object)),
        _ => {}
    }
    causes
}

fn data_causes(object: &Value, fields: &[&str]) -> Vec<Cause> {
    let mut causes = Vec::new();
    let mut size = 0;
    for (field, key, value) in
        fields.iter().flat_map(|field| object[field].as_object().into_iter().flatten().map(move |(k, v)| (field, k, v)))
    {
        size += value.as_str().map_or(0, str::len);
        let is_fine = !key.is_empty() && key.len() <= 253 && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
        if !is_fine {
            let detail = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
            causes.push(Cause::invalid(format!("{field}[{key}]"), &key.clone().into(), detail));
        }
    }
    if size > 1_048_576 {
        causes.push(Cause::too_long("", "may not be more than 1048576 bytes"));
    }
    causes
}

fn service_causes(spec: &Value) -> Vec<Cause> {
    let is_headless = spec["clusterIP"] == "None";
    let has_ports = spec["ports"].as_array().is_some_and(|ports| !ports.is_empty());
    let mut causes = Vec::new();
    if !has_ports && !is_headless && spec["type"] != "ExternalName" {
        causes.push(Cause::required("spec.ports", ""));
    }
    let ports: Vec<&Value> = spec["ports"].as_array().into_iter().flatten().collect();
    for (index, port) in ports.iter().enumerate() {
        if ports.len() > 1 && port["name"].as_str().unwrap_or_default().is_empty() {
            causes.push(Cause::required(format!("spec.ports[{index}].name"), ""));
        }
        if !port["port"].as_i64().is_some_and(|number| (1..=65_535).contains(&number)) {
            causes.push(Cause::invalid(format!("spec.ports[{index}].port"), &port["port"], "must be between 1 and 65535, inclusive"));
        }
    }
    causes
}

fn ingress_causes(spec: &Value) -> Vec<Cause> {
    let rules: Vec<&Value> = spec["rules"].as_array().into_iter().flatten().collect();
    let mut causes = Vec::new();
    if rules.is_empty() && spec["defaultBackend"].is_null() {
        causes.push(Cause::invalid("spec", &Value::Array(Vec::new()), "either `defaultBackend` or `rules` must be specified"));
    }
    for (at, rule) in rules.into_iter().enumerate() {
        for (index, path) in rule["http"]["paths"].as_array().into_iter().flatten().enumerate() {
            if path["pathType"].is_null() {
                let field = format!("spec.rules[{at}].http.paths[{index}].pathType");
                causes.push(Cause::required(field, "pathType must be specified"));
            }
        }
    }
    causes
}

fn autoscaler_causes(spec: &Value) -> Vec<Cause> {
    let (least, most) = (spec["minReplicas"].as_i64().unwrap_or(1), spec["maxReplicas"].as_i64().unwrap_or(0));
    let mut causes = Vec::new();
    if most < 1 {
        causes.push(Cause::invalid("spec.maxReplicas", &most.into(), "must be greater than 0"));
    } else if most < least {
        causes.push(Cause::invalid("spec.maxReplicas", &most.into(), "must be greater than or equal to `minReplicas`"));
    }
    for field in ["kind", "name"] {
        if spec["scaleTargetRef"][field].as_str().unwrap_or_default().is_empty() {
            causes.push(Cause::required(format!("spec.scaleTargetRef.{field}"), ""));
        }
    }
    causes
}

fn event_causes(object: &Value) -> Vec<Cause> {
    let (own, other) = (meta::text(object, "namespace"), object["involvedObject"]["namespace"].as_str().unwrap_or_default());
    let is_fine = own == other || (other.is_empty() && own == "default");
    if is_fine {
        return Vec::new();
    }
    vec![Cause::invalid("involvedObject.namespace", &other.into(), "does not match event.namespace")]
}

/// Deployment, ReplicaSet, StatefulSet, DaemonSet.
fn workload_causes(spec: &Value) -> Vec<Cause> {
    if spec.get("template").is_none() && spec.get("selector").is_none() {
        return Vec::new();
    }
    let mut causes = Vec::new();
    let wanted = spec["selector"]["matchLabels"].as_object();
    let is_empty =
        wanted.is_none_or(serde_json::Map::is_empty) && spec["selector"]["matchExpressions"].as_array().is_none_or(Vec::is_empty);
    let labels = &spec["template"]["metadata"]["labels"];
    if spec["selector"].is_null() {
        causes.push(Cause::required("spec.selector", ""));
    } else if is_empty {
        causes.push(Cause::invalid("spec.selector", &spec["selector"], "empty selector is invalid for deployment"));
    }
    let fits = wanted.into_iter().flatten().all(|(key, value)| &labels[key] == value);
    if !fits {
        causes.push(Cause::invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`"));
    }
    if spec["replicas"].as_i64().is_some_and(|count| count < 0) {
        causes.push(Cause::invalid("spec.replicas", &spec["replicas"], "must be greater than or equal to 0"));
    }
    causes.extend(pod_causes("spec.template.spec", &spec["template"]["spec"]));
    let policy = &spec["template"]["spec"]["restartPolicy"];
    if policy.as_str().is_some_and(|policy| policy != "Always") {
        causes.push(Cause::not_supported("spec.template.spec.restartPolicy", policy, &["Always"]));
    }
    causes
}

fn cron_causes(spec: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    if spec["schedule"].as_str().unwrap_or_default().is_empty() {
        causes.push(Cause::required("spec.schedule", ""));
    }
    causes.extend(job_causes("spec.jobTemplate.spec", &spec["jobTemplate"]["spec"]));
    causes
}

fn job_causes(path: &str, spec: &Value) -> Vec<Cause> {
    let mut causes = meta::label_causes(&format!("{path}.template.labels"), &spec["template"]["metadata"]["labels"]);
    for field in ["parallelism", "completions", "backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished"] {
        if spec[field].as_i64().is_some_and(|number| number < 0) {
            causes.push(Cause::invalid(format!("{path}.{field}"), &spec[field], "must be greater than or equal to 0"));
        }
    }
    let pods = format!("{path}.template.spec");
    causes.extend(pod_causes(&pods, &spec["template"]["spec"]));
    let policy = &spec["template"]["spec"]["restartPolicy"];
    match policy.as_str() {
        None | Some("") => causes.push(Cause::required(format!("{pods}.restartPolicy"), "valid values: \"OnFailure\", \"Never\"")),
        Some("OnFailure" | "Never") => {}
        Some(_) => causes.push(Cause::not_supported(format!("{pods}.restartPolicy"), policy, &["OnFailure", "Never"])),
    }
    causes
}

fn pod_causes(path: &str, spec: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    if spec["containers"].as_array().is_none_or(Vec::is_empty) {
        causes.push(Cause::required(format!("{path}.containers"), ""));
    }
    for list in ["initContainers", "containers"] {
        let containers: Vec<&Value> = spec[list].as_array().into_iter().flatten().collect();
        for (index, container) in containers.iter().enumerate() {
            causes.extend(container_causes(&format!("{path}.{list}[{index}]"), spec, container));
            let name = &container["name"];
            if containers[..index].iter().any(|other| other["name"] == *name) {
                let text = format!("Duplicate value: {name}");
                causes.push(Cause::new("FieldValueDuplicate", format!("{path}.{list}[{index}].name"), text));
            }
        }
    }
    causes
}

fn container_causes(path: &str, spec: &Value, container: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    for field in ["name", "image"] {
        if container[field].as_str().unwrap_or_default().is_empty() {
            causes.push(Cause::required(format!("{path}.{field}"), ""));
        }
    }
    let volumes: Vec<&Value> = spec["volumes"].as_array().into_iter().flatten().map(|volume| &volume["name"]).collect();
    for (index, mount) in container["volumeMounts"].as_array().into_iter().flatten().enumerate() {
        if !volumes.contains(&&mount["name"]) {
            let text = format!("Not found: {}", mount["name"]);
            causes.push(Cause::new("FieldValueNotFound", format!("{path}.volumeMounts[{index}].name"), text));
        }
    }
    for (index, variable) in container["env"].as_array().into_iter().flatten().enumerate() {
        if variable["name"].as_str().unwrap_or_default().is_empty() {
            causes.push(Cause::required(format!("{path}.env[{index}].name"), ""));
        }
    }
    causes
}

fn definition_causes(object: &Value) -> Vec<Cause> {
    let spec = &object["spec"];
    let wanted = format!("{}.{}", spec["names"]["plural"].as_str().unwrap_or_default(), spec["group"].as_str().unwrap_or_default());
    let mut causes = Vec::new();
    if meta::text(object, "name") != wanted {
        let detail = "must be spec.names.plural+\".\"+spec.group";
        causes.push(Cause::invalid("metadata.name", &object["metadata"]["name"], detail));
    }
    if spec["versions"].as_array().is_none_or(Vec::is_empty) {
        causes.push(Cause::required("spec.versions", "must have at least one version"));
    }
    causes
}
