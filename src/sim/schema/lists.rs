//! How the lists and maps of built-in types are merged by apply and by strategic merge patches: a small table of
//! facts about the API that `k8s_openapi` does not carry. Whatever is not in it is atomic (lists) or granular.

use serde_json::Value;

use super::{Key, ListMerge, Merge, Node};

/// Type, field, keys of its items; `=` means that the values themselves are the keys.
const LISTS: &[(&str, &str, &str)] = &[
    ("APIServiceStatus", "conditions", "type"),
    ("CSINodeSpec", "drivers", "name"),
    ("Container", "env", "name"),
    ("Container", "ports", "containerPort,protocol"),
    ("Container", "volumeDevices", "devicePath"),
    ("Container", "volumeMounts", "mountPath"),
    ("CustomResourceDefinitionStatus", "conditions", "type"),
    ("DaemonSetStatus", "conditions", "type"),
    ("DeploymentStatus", "conditions", "type"),
    ("EphemeralContainer", "env", "name"),
    ("EphemeralContainer", "ports", "containerPort,protocol"),
    ("EphemeralContainer", "volumeDevices", "devicePath"),
    ("EphemeralContainer", "volumeMounts", "mountPath"),
    ("HorizontalPodAutoscalerStatus", "conditions", "type"),
    ("MutatingWebhook", "matchConditions", "name"),
    ("MutatingWebhookConfiguration", "webhooks", "name"),
    ("NamespaceStatus", "conditions", "type"),
    ("NodeSpec", "podCIDRs", "="),
    ("NodeStatus", "addresses", "type"),
    ("NodeStatus", "conditions", "type"),
    ("ObjectMeta", "finalizers", "="),
    ("ObjectMeta", "ownerReferences", "uid"),
    ("PersistentVolumeClaimStatus", "conditions", "type"),
    ("PodDisruptionBudgetStatus", "conditions", "type"),
    ("PodSpec", "containers", "name"),
    ("PodSpec", "ephemeralContainers", "name"),
    ("PodSpec", "hostAliases", "ip"),
    ("PodSpec", "imagePullSecrets", "name"),
    ("PodSpec", "initContainers", "name"),
    ("PodSpec", "resourceClaims", "name"),
    ("PodSpec", "schedulingGates", "name"),
    ("PodSpec", "topologySpreadConstraints", "topologyKey,whenUnsatisfiable"),
    ("PodSpec", "volumes", "name"),
    ("PodStatus", "conditions", "type"),
    ("PodStatus", "podIPs", "ip"),
    ("PodStatus", "resourceClaimStatuses", "name"),
    ("ReplicaSetStatus", "conditions", "type"),
    ("ReplicationControllerStatus", "conditions", "type"),
    ("ResourceRequirements", "claims", "name"),
    ("ServiceAccount", "secrets", "name"),
    ("ServiceSpec", "ports", "port,protocol"),
    ("ServiceStatus", "conditions", "type"),
    ("StatefulSetStatus", "conditions", "type"),
    ("UncountedTerminatedPods", "failed", "="),
    ("UncountedTerminatedPods", "succeeded", "="),
    ("ValidatingWebhook", "matchConditions", "name"),
    ("ValidatingWebhookConfiguration", "webhooks", "name"),
];

/// Fields that hold one map as a whole.
const ATOMIC_MAPS: &[(&str, &str)] = &[("PodSpec", "nodeSelector"), ("ReplicationControllerSpec", "selector"), ("ServiceSpec", "selector")];

/// Types that are written as a whole.
const ATOMIC_STRUCTS: &[&str] = &[
    "ConfigMapKeySelector",
    "EndpointAddress",
    "EndpointPort",
    "FileKeySelector",
    "LabelSelector",
    "LocalObjectReference",
    "NodeSelector",
    "NodeSelectorTerm",
    "ObjectFieldSelector",
    "ObjectReference",
    "OwnerReference",
    "ParamRef",
    "ResourceFieldSelector",
    "RoleRef",
    "ScopeSelector",
    "ScopedResourceSelectorRequirement",
    "SecretKeySelector",
    "SecretReference",
    "Subject",
    "TopologySelectorTerm",
    "TypedLocalObjectReference",
];

/// Gives the type of a field its way of merging.
pub(super) fn with_merge(owner: &str, field: &str, node: Node) -> Node {
    match node {
        Node::List(item, _) => Node::List(item, list_merge(owner, field)),
        Node::Map(value, _) if ATOMIC_MAPS.contains(&(owner, field)) => Node::Map(value, Merge::Atomic),
        other => other,
    }
}

pub(super) fn struct_merge(name: &str) -> Merge {
    if ATOMIC_STRUCTS.contains(&name) { Merge::Atomic } else { Merge::Granular }
}

fn list_merge(owner: &str, field: &str) -> ListMerge {
    match LISTS.iter().find(|row| (row.0, row.1) == (owner, field)) {
        None => ListMerge::Atomic,
        Some((_, _, "=")) => ListMerge::Set,
        Some((_, _, keys)) => ListMerge::Keyed(keys.split(',').map(key).collect()),
    }
}

/// The protocol of a port is the one key that may be left out.
fn key(name: &str) -> Key {
    let default = (name == "protocol").then(|| Value::from("TCP"));
    Key { name: name.to_owned(), default }
}
