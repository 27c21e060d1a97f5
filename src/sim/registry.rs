//! Which resources the API serves: a table of the built-in ones and rows made from CustomResourceDefinitions.
//! Owns names, scope and subresources; knows nothing of objects of those resources or of requests.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde_json::Value;

use super::schema::{self, Schema};

/// A resource whatever its version: group and plural name. Versions share the storage.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Gr {
    pub(crate) group: Arc<str>,
    pub(crate) plural: Arc<str>,
}

impl Gr {
    /// Returns the resource `plural` of `group` (`""` for the core group).
    pub(crate) fn new(group: &str, plural: &str) -> Self {
        Self { group: group.into(), plural: plural.into() }
    }
}

/// Where the numbers of `/scale` are in an object.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ScalePaths {
    pub(super) spec: String,
    pub(super) status: String,
    pub(super) selector: Option<String>,
}

/// One row: everything the API must know to serve a resource in one version.
#[derive(Debug)]
pub(super) struct Resource {
    pub(super) gr: Gr,
    pub(super) version: String,
    pub(super) kind: String,
    pub(super) singular: String,
    pub(super) short: Vec<String>,
    pub(super) categories: Vec<String>,
    pub(super) namespaced: bool,
    pub(super) generation: bool,
    pub(super) status: bool,
    pub(super) scale: Option<ScalePaths>,
    /// Subresources beyond `status` and `scale`, for discovery.
    pub(super) others: Vec<String>,
    pub(super) origin: Origin,
    pub(super) schema: LazyLock<Schema, Box<dyn FnOnce() -> Schema + Send>>,
}

/// Where a row comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Builtin,
    /// Only POST makes sense and nothing is stored (access reviews).
    Question,
    Custom,
}

impl Resource {
    /// `apps/v1`, `v1`.
    pub(super) fn api_version(&self) -> String {
        if self.gr.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.gr.group, self.version) }
    }

    /// The group under which it is stored: events of both groups are one thing.
    pub(super) fn storage(&self) -> Gr {
        if &*self.gr.plural == "events" { Gr::new("", "events") } else { self.gr.clone() }
    }

    pub(super) fn is_custom(&self) -> bool {
        self.origin == Origin::Custom
    }

    pub(super) fn verbs(&self) -> &'static [&'static str] {
        match self.origin {
            Origin::Question => &["create"],
            Origin::Builtin | Origin::Custom => &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
        }
    }
}

/// group, version, plural, kind, short names, flags, further subresources.
/// Flags: `n` namespaced, `g` has a generation, `s` status, `S` scale, `a` category "all", `q` only questions.
const TABLE: &[(&str, &str, &str, &str, &str, &str, &str)] = &[
    ("", "v1", "configmaps", "ConfigMap", "cm", "n", ""),
    ("", "v1", "endpoints", "Endpoints", "ep", "n", ""),
    ("", "v1", "events", "Event", "ev", "n", ""),
    ("", "v1", "limitranges", "LimitRange", "limits", "n", ""),
    ("", "v1", "namespaces", "Namespace", "ns", "s", "finalize"),
    ("", "v1", "nodes", "Node", "no", "s", ""),
    ("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", "pvc", "ns", ""),
    ("", "v1", "persistentvolumes", "PersistentVolume", "pv", "s", ""),
    ("", "v1", "pods", "Pod", "po", "ngsa", "binding,eviction,log"),
    ("", "v1", "podtemplates", "PodTemplate", "", "n", ""),
    ("", "v1", "replicationcontrollers", "ReplicationController", "rc", "ngsSa", ""),
    ("", "v1", "resourcequotas", "ResourceQuota", "quota", "ns", ""),
    ("", "v1", "secrets", "Secret", "", "n", ""),
    ("", "v1", "serviceaccounts", "ServiceAccount", "sa", "n", ""),
    ("", "v1", "services", "Service", "svc", "nsa", ""),
    ("admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration", "", "g", ""),
    ("admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration", "", "g", ""),
    ("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", "crd,crds", "gs", ""),
    ("apiregistration.k8s.io", "v1", "apiservices", "APIService", "", "s", ""),
    ("apps", "v1", "controllerrevisions", "ControllerRevision", "", "n", ""),
    ("apps", "v1", "daemonsets", "DaemonSet", "ds", "ngsa", ""),
    ("apps", "v1", "deployments", "Deployment", "deploy", "ngsSa", ""),
    ("apps", "v1", "replicasets", "ReplicaSet", "rs", "ngsSa", ""),
    ("apps", "v1", "statefulsets", "StatefulSet", "sts", "ngsSa", ""),
    ("authentication.k8s.io", "v1", "selfsubjectreviews", "SelfSubjectReview", "", "q", ""),
    ("authentication.k8s.io", "v1", "tokenreviews", "TokenReview", "", "q", ""),
    ("authorization.k8s.io", "v1", "localsubjectaccessreviews", "LocalSubjectAccessReview", "", "nq", ""),
    ("authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", "", "q", ""),
    ("authorization.k8s.io", "v1", "selfsubjectrulesreviews", "SelfSubjectRulesReview", "", "q", ""),
    ("authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview", "", "q", ""),
    ("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", "hpa", "nsa", ""),
    ("batch", "v1", "cronjobs", "CronJob", "cj", "ngsa", ""),
    ("batch", "v1", "jobs", "Job", "", "ngsa", ""),
    ("coordination.k8s.io", "v1", "leases", "Lease", "", "n", ""),
    ("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", "", "n", ""),
    ("events.k8s.io", "v1", "events", "Event", "ev", "n", ""),
    ("networking.k8s.io", "v1", "ingressclasses", "IngressClass", "", "g", ""),
    ("networking.k8s.io", "v1", "ingresses", "Ingress", "ing", "ngs", ""),
    ("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", "netpol", "ng", ""),
    ("node.k8s.io", "v1", "runtimeclasses", "RuntimeClass", "", "", ""),
    ("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", "pdb", "ngs", ""),
    ("rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", "", "", ""),
    ("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", "", "", ""),
    ("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding", "", "n", ""),
    ("rbac.authorization.k8s.io", "v1", "roles", "Role", "", "n", ""),
    ("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", "pc", "g", ""),
    ("storage.k8s.io", "v1", "csidrivers", "CSIDriver", "", "g", ""),
    ("storage.k8s.io", "v1", "csinodes", "CSINode", "", "", ""),
    ("storage.k8s.io", "v1", "storageclasses", "StorageClass", "sc", "", ""),
    ("storage.k8s.io", "v1", "volumeattachments", "VolumeAttachment", "", "s", ""),
];

static BUILTIN: LazyLock<Vec<Arc<Resource>>> = LazyLock::new(|| TABLE.iter().map(|row| Arc::new(builtin(row))).collect());

fn builtin(row: &'static (&str, &str, &str, &str, &str, &str, &str)) -> Resource {
    let (group, version, plural, kind, short, flags, others) = *row;
    let has = |flag: char| flags.contains(flag);
    let list = |text: &str| -> Vec<String> { text.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect() };
    let selector = Some(".status.selector".to_owned());
    Resource {
        gr: Gr::new(group, plural),
        version: version.to_owned(),
        kind: kind.to_owned(),
        singular: kind.to_lowercase(),
        short: list(short),
        categories: if has('a') { vec!["all".to_owned()] } else { Vec::new() },
        namespaced: has('n'),
        generation: has('g'),
        status: has('s'),
        scale: has('S').then(|| ScalePaths { spec: ".spec.replicas".into(), status: ".status.replicas".into(), selector }),
        others: list(others),
        origin: if has('q') { Origin::Question } else { Origin::Builtin },
        schema: LazyLock::new(Box::new(move || schema::builtin(group, kind))),
    }
}

/// The built-in rows and those of the CustomResourceDefinitions that exist now.
#[derive(Clone, Debug, Default)]
pub(super) struct Catalog {
    custom: BTreeMap<String, Vec<Arc<Resource>>>,
}

impl Catalog {
    /// Returns all rows, built-in ones first.
    pub(super) fn rows(&self) -> impl Iterator<Item = &Arc<Resource>> {
        BUILTIN.iter().chain(self.custom.values().flatten())
    }

    /// Returns the row behind a path.
    pub(super) fn by_plural(&self, group: &str, version: &str, plural: &str) -> Option<Arc<Resource>> {
        self.rows().find(|row| &*row.gr.plural == plural && row.version == version && &*row.gr.group == group).cloned()
    }

    /// Returns any row of a resource, whatever its version.
    pub(super) fn by_resource(&self, group: &str, plural: &str) -> Option<Arc<Resource>> {
        self.rows().find(|row| &*row.gr.plural == plural && &*row.gr.group == group).cloned()
    }

    /// Returns the row of an object's `apiVersion` and `kind`.
    pub(super) fn by_kind(&self, api_version: &str, kind: &str) -> Option<Arc<Resource>> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        self.rows().find(|row| row.kind == kind && row.version == version && &*row.gr.group == group).cloned()
    }

    /// Takes the rows of a CustomResourceDefinition in, in place of its former ones.
    pub(super) fn define(&mut self, definition: &Value) {
        let name = definition["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        self.custom.insert(name, custom_rows(definition));
    }

    /// Forgets the rows of a CustomResourceDefinition.
    pub(super) fn undefine(&mut self, name: &str) {
        self.custom.remove(name);
    }
}

fn custom_rows(definition: &Value) -> Vec<Arc<Resource>> {
    let versions = definition["spec"]["versions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let served = versions.iter().filter(|version| version["served"].as_bool().unwrap_or(false));
    served.map(|version| Arc::new(custom_row(&definition["spec"], version))).collect()
}

fn custom_row(spec: &Value, version: &Value) -> Resource {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().into_iter().flatten().map(text).collect::<Vec<String>>();
    let (names, subresources) = (&spec["names"], &version["subresources"]);
    let scale = subresources["scale"].as_object().map(|scale| ScalePaths {
        spec: scale.get("specReplicasPath").map(text).unwrap_or_default(),
        status: scale.get("statusReplicasPath").map(text).unwrap_or_default(),
        selector: scale.get("labelSelectorPath").map(text),
    });
    let tree = version["schema"]["openAPIV3Schema"].clone();
    let kind = text(&names["kind"]);
    let singular = names["singular"].as_str().map_or_else(|| kind.to_lowercase(), str::to_owned);
    Resource {
        gr: Gr::new(&text(&spec["group"]), &text(&names["plural"])),
        version: text(&version["name"]),
        singular,
        short: list(&names["shortNames"]),
        categories: list(&names["categories"]),
        namespaced: spec["scope"] != "Cluster",
        generation: true,
        status: subresources["status"].is_object(),
        scale,
        others: Vec::new(),
        origin: Origin::Custom,
        schema: LazyLock::new(Box::new({
            let kind = kind.clone();
            move || schema::custom(&kind, &tree)
        })),
        kind,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_by_group_and_plural_so_that_discovery_is_too() {
        let keys: Vec<_> = TABLE.iter().map(|row| (row.0, row.2)).collect();
        let mut sorted = keys.clone();
        sorted.sort_unstable();
        assert_eq!(keys, sorted);
    }
}
