//! The defaults of the API: what an object says although its writer did not. Only plain constants and values from
//! the same object; whatever needs the cluster is in `prepare`.

use serde_json::{Map, Value, json};

use super::registry::Resource;

/// Fills in what the server fills in for this kind. Idempotent.
pub(super) fn fill(resource: &Resource, object: &mut Value) {
    let spec_is_object = object["spec"].is_object();
    match (&*resource.gr.group, &*resource.gr.plural) {
        ("", "pods") if spec_is_object => pod(&mut object["spec"]),
        ("", "services") => service(object),
        ("", "secrets") => set(object, "type", || "Opaque".into()),
        ("", "persistentvolumeclaims") if spec_is_object => set(&mut object["spec"], "volumeMode", || "Filesystem".into()),
        ("apps", "deployments") if spec_is_object => deployment(&mut object["spec"]),
        ("apps", "replicasets") if spec_is_object => replica_set(&mut object["spec"]),
        ("apps", "statefulsets") if spec_is_object => stateful_set(&mut object["spec"]),
        ("apps", "daemonsets") if spec_is_object => daemon_set(&mut object["spec"]),
        ("batch", "jobs") if spec_is_object => job(&mut object["spec"]),
        ("batch", "cronjobs") if spec_is_object => cron_job(&mut object["spec"]),
        ("autoscaling", "horizontalpodautoscalers") if spec_is_object => autoscaler(&mut object["spec"]),
        ("networking.k8s.io", "networkpolicies") if spec_is_object => network_policy(&mut object["spec"]),
        ("rbac.authorization.k8s.io", "rolebindings" | "clusterrolebindings") => binding(object),
        ("storage.k8s.io", "storageclasses") => {
            set(object, "reclaimPolicy", || "Delete".into());
            set(object, "volumeBindingMode", || "Immediate".into());
        }
        _ if resource.is_custom() => resource.schema.fill_defaults(object),
        _ => {}
    }
}

/// Keeps values that the server once gave and that a writer who leaves them out does not mean to remove.
pub(super) fn fill_from_old(resource: &Resource, old: &Value, new: &mut Value) {
    let keep: &[&str] = match (&*resource.gr.group, &*resource.gr.plural) {
        ("", "services") if new["spec"]["type"] != "ExternalName" => &["clusterIP", "clusterIPs"],
        ("", "pods") => &["nodeName"],
        ("", "persistentvolumeclaims") => &["volumeName"],
        _ => &[],
    };
    for field in keep {
        if new["spec"].is_object() && new["spec"][field].is_null() && !old["spec"][field].is_null() {
            new["spec"][*field] = old["spec"][field].clone();
        }
    }
    if (&*resource.gr.group, &*resource.gr.plural) == ("", "services") {
        keep_node_ports(old, new);
    }
    if (&*resource.gr.group, &*resource.gr.plural) == ("", "namespaces") {
        let name = new["metadata"]["name"].clone();
        new["metadata"]["labels"]["kubernetes.io/metadata.name"] = name;
    }
}

fn keep_node_ports(old: &Value, new: &mut Value) {
    let before: Vec<Value> = old["spec"]["ports"].as_array().cloned().unwrap_or_default();
    if !matches!(new["spec"]["type"].as_str(), Some("NodePort" | "LoadBalancer")) {
        return;
    }
    for port in new["spec"]["ports"].as_array_mut().into_iter().flatten() {
        let same = before.iter().find(|old| old["port"] == port["port"] && old["protocol"] == port["protocol"]);
        if let Some(old) = same.filter(|old| port["nodePort"].is_null() && !old["nodePort"].is_null()) {
            port["nodePort"] = old["nodePort"].clone();
        }
    }
}

fn set(target: &mut Value, field: &str, value: impl FnOnce() -> Value) {
    if let Some(fields) = target.as_object_mut()
        && fields.get(field).is_none_or(Value::is_null)
    {
        fields.insert(field.to_owned(), value());
    }
}

fn service(object: &mut Value) {
    let spec = &mut object["spec"];
    if !spec.is_object() {
        return;
    }
    set(spec, "type", || "ClusterIP".into());
    set(spec, "sessionAffinity", || "None".into());
    if spec["type"] != "ExternalName" {
        set(spec, "internalTrafficPolicy", || "Cluster".into());
        set(spec, "ipFamilies", || json!(["IPv4"]));
        set(spec, "ipFamilyPolicy", || "SingleStack".into());
    }
    if matches!(spec["type"].as_str(), Some("NodePort" | "LoadBalancer")) {
        set(spec, "externalTrafficPolicy", || "Cluster".into());
    }
    if spec["type"] == "LoadBalancer" {
        set(spec, "allocateLoadBalancerNodePorts", || true.into());
    }
    for port in spec["ports"].as_array_mut().into_iter().flatten() {
        let number = port["port"].clone();
        set(port, "protocol", || "TCP".into());
        set(port, "targetPort", || number);
    }
}

fn deployment(spec: &mut Value) {
    set(spec, "replicas", || 1.into());
    set(spec, "revisionHistoryLimit", || 10.into());
    set(spec, "progressDeadlineSeconds", || 600.into());
    set(spec, "strategy", || json!({}));
    set(&mut spec["strategy"], "type", || "RollingUpdate".into());
    if spec["strategy"]["type"] == "RollingUpdate" {
        set(&mut spec["strategy"], "rollingUpdate", || json!({}));
        set(&mut spec["strategy"]["rollingUpdate"], "maxUnavailable", || "25%".into());
        set(&mut spec["strategy"]["rollingUpdate"], "maxSurge", || "25%".into());
    }
    template(spec);
}

fn replica_set(spec: &mut Value) {
    set(spec, "replicas", || 1.into());
    template(spec);
}

fn stateful_set(spec: &mut Value) {
    set(spec, "replicas", || 1.into());
    set(spec, "revisionHistoryLimit", || 10.into());
    set(spec, "podManagementPolicy", || "OrderedReady".into());
    set(spec, "updateStrategy", || json!({}));
    set(&mut spec["updateStrategy"], "type", || "RollingUpdate".into());
    if spec["updateStrategy"]["type"] == "RollingUpdate" {
        set(&mut spec["updateStrategy"], "rollingUpdate", || json!({}));
        set(&mut spec["updateStrategy"]["rollingUpdate"], "partition", || 0.into());
    }
    set(spec, "persistentVolumeClaimRetentionPolicy", || json!({"whenDeleted": "Retain", "whenScaled": "Retain"}));
    for claim in spec["volumeClaimTemplates"].as_array_mut().into_iter().flatten() {
        set(claim, "apiVersion", || "v1".into());
        set(claim, "kind", || "PersistentVolumeClaim".into());
        set(&mut claim["spec"], "volumeMode", || "Filesystem".into());
        set(claim, "status", || json!({"phase": "Pending"}));
    }
    template(spec);
}

fn daemon_set(spec: &mut Value) {
    set(spec, "revisionHistoryLimit", || 10.into());
    set(spec, "updateStrategy", || json!({}));
    set(&mut spec["updateStrategy"], "type", || "RollingUpdate".into());
    if spec["updateStrategy"]["type"] == "RollingUpdate" {
        set(&mut spec["updateStrategy"], "rollingUpdate", || json!({}));
        set(&mut spec["updateStrategy"]["rollingUpdate"], "maxSurge", || 0.into());
        set(&mut spec["updateStrategy"]["rollingUpdate"], "maxUnavailable", || 1.into());
    }
    template(spec);
}

fn job(spec: &mut Value) {
    let parallelism_given = !spec["parallelism"].is_null();
    if !parallelism_given {
        set(spec, "completions", || 1.into());
    }
    set(spec, "parallelism", || 1.into());
    set(spec, "completionMode", || "NonIndexed".into());
    set(spec, "suspend", || false.into());
    set(spec, "podReplacementPolicy", || "TerminatingOrFailed".into());
    let per_index = !spec["backoffLimitPerIndex"].is_null();
    set(spec, "backoffLimit", || if per_index { i32::MAX.into() } else { 6.into() });
    // A Job has no default restart policy: leaving it out is an error.
    if spec["template"].is_object() && spec["template"]["spec"].is_object() {
        pod_fields(&mut spec["template"]["spec"]);
        containers(&mut spec["template"]["spec"]);
    }
}

fn cron_job(spec: &mut Value) {
    set(spec, "concurrencyPolicy", || "Allow".into());
    set(spec, "suspend", || false.into());
    set(spec, "successfulJobsHistoryLimit", || 3.into());
    set(spec, "failedJobsHistoryLimit", || 1.into());
    if let Some(inner) = spec.pointer_mut("/jobTemplate/spec/template/spec").filter(|inner| inner.is_object()) {
        pod_fields(inner);
        containers(inner);
    }
}

fn autoscaler(spec: &mut Value) {
    set(spec, "minReplicas", || 1.into());
    let target = json!({"type": "Utilization", "averageUtilization": 80});
    set(spec, "metrics", || json!([{"type": "Resource", "resource": {"name": "cpu", "target": target}}]));
}

fn network_policy(spec: &mut Value) {
    let has_egress = spec["egress"].is_array();
    set(spec, "policyTypes", || if has_egress { json!(["Ingress", "Egress"]) } else { json!(["Ingress"]) });
}

fn binding(object: &mut Value) {
    set(&mut object["roleRef"], "apiGroup", || "rbac.authorization.k8s.io".into());
    for subject in object["subjects"].as_array_mut().into_iter().flatten() {
        if matches!(subject["kind"].as_str(), Some("User" | "Group")) {
            set(subject, "apiGroup", || "rbac.authorization.k8s.io".into());
        }
    }
}

fn template(spec: &mut Value) {
    let inner = &mut spec["template"];
    if inner.is_object() && inner["spec"].is_object() {
        let spec = &mut inner["spec"];
        set(spec, "restartPolicy", || "Always".into());
        pod_fields(spec);
        containers(spec);
    }
}

fn pod(spec: &mut Value) {
    set(spec, "restartPolicy", || "Always".into());
    pod_fields(spec);
    containers(spec);
    set(spec, "serviceAccountName", || "default".into());
    let account = spec["serviceAccountName"].clone();
    set(spec, "serviceAccount", || account);
    set(spec, "enableServiceLinks", || true.into());
    set(spec, "preemptionPolicy", || "PreemptLowerPriority".into());
    set(spec, "priority", || 0.into());
    set(spec, "tolerations", || {
        let toleration = |key: &str| json!({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300});
        json!([toleration("node.kubernetes.io/not-ready"), toleration("node.kubernetes.io/unreachable")])
    });
}

fn pod_fields(spec: &mut Value) {
    set(spec, "dnsPolicy", || "ClusterFirst".into());
    set(spec, "schedulerName", || "default-scheduler".into());
    set(spec, "terminationGracePeriodSeconds", || 30.into());
    set(spec, "securityContext", || Value::Object(Map::new()));
    let account = spec["serviceAccountName"].clone();
    if account.is_string() {
        set(spec, "serviceAccount", || account);
    } else if spec["serviceAccount"].is_string() {
        spec["serviceAccountName"] = spec["serviceAccount"].clone();
    }
    for volume in spec["volumes"].as_array_mut().into_iter().flatten() {
        self::volume(volume);
    }
}

fn volume(volume: &mut Value) {
    for kind in ["configMap", "secret", "projected", "downwardAPI"] {
        if volume[kind].is_object() {
            set(&mut volume[kind], "defaultMode", || 420.into());
        }
    }
    if volume["hostPath"].is_object() {
        set(&mut volume["hostPath"], "type", || "".into());
    }
    let has_source = volume.as_object().is_some_and(|fields| fields.len() > 1);
    if !has_source {
        set(volume, "emptyDir", || Value::Object(Map::new()));
    }
}

fn containers(spec: &mut Value) {
    for list in ["containers", "initContainers"] {
        for container in spec[list].as_array_mut().into_iter().flatten().filter(|container| container.is_object()) {
            self::container(container);
        }
    }
}

fn container(container: &mut Value) {
    let image = container["image"].as_str().unwrap_or_default();
    let pull = if is_latest(image) { "Always" } else { "IfNotPresent" };
    set(container, "imagePullPolicy", || pull.into());
    set(container, "terminationMessagePath", || "/dev/termination-log".into());
    set(container, "terminationMessagePolicy", || "File".into());
    set(container, "resources", || Value::Object(Map::new()));
    for port in container["ports"].as_array_mut().into_iter().flatten() {
        set(port, "protocol", || "TCP".into());
    }
    for variable in container["env"].as_array_mut().into_iter().flatten() {
        if let Some(field) = variable.pointer_mut("/valueFrom/fieldRef") {
            set(field, "apiVersion", || "v1".into());
        }
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if container[probe].is_object() {
            self::probe(&mut container[probe]);
        }
    }
}

fn probe(probe: &mut Value) {
    for (field, value) in [("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)] {
        set(probe, field, || value.into());
    }
    if probe["httpGet"].is_object() {
        set(&mut probe["httpGet"], "path", || "/".into());
        set(&mut probe["httpGet"], "scheme", || "HTTP".into());
    }
}

/// An image without a tag, or with `:latest`, is pulled each time.
fn is_latest(image: &str) -> bool {
    let last = image.rsplit('/').next().unwrap_or(image);
    !image.contains('@') && last.split_once(':').is_none_or(|(_, tag)| tag == "latest")
}
