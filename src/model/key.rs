//! Names of kinds and objects. Compares and prints them; asks nobody what is served.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A group, version and kind. `group` is empty for the core group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Gvk {
    pub(crate) group: Arc<str>,
    pub(crate) version: Arc<str>,
    pub(crate) kind: Arc<str>,
}

impl Gvk {
    /// Makes a kind from an `apiVersion` (`v1`, `apps/v1`) and a `kind`.
    pub(crate) fn new(api_version: &str, kind: &str) -> Self {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Self { group: group.into(), version: version.into(), kind: kind.into() }
    }

    /// Returns `apps/v1`, or `v1` for the core group.
    pub(crate) fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_string() } else { format!("{}/{}", self.group, self.version) }
    }
}

impl fmt::Display for Gvk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.api_version(), self.kind)
    }
}

/// API groups of Kubernetes itself whose names look like those of definitions.
const BUILT_IN: [&str; 17] = [
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
    "internal.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
];

/// Returns whether an API group comes with Kubernetes. The group of a definition always has a dot.
pub(crate) fn is_built_in(group: &str) -> bool {
    !group.contains('.') || BUILT_IN.contains(&group)
}

/// Identity of an object in a cluster. `group` is empty for the core group, `namespace` for cluster-scoped kinds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct ResourceKey {
    pub(crate) group: Arc<str>,
    pub(crate) kind: Arc<str>,
    pub(crate) namespace: Arc<str>,
    pub(crate) name: Arc<str>,
}

impl ResourceKey {
    /// Makes a key from its four parts.
    pub(crate) fn new(group: &str, kind: &str, namespace: &str, name: &str) -> Self {
        Self { group: group.into(), kind: kind.into(), namespace: namespace.into(), name: name.into() }
    }

    /// Returns whether objects of the kind may run pods: workloads, and kinds that are not Kubernetes' own.
    pub(crate) fn may_have_pods(&self) -> bool {
        match &*self.group {
            "" => ["Pod", "ReplicationController"].contains(&&*self.kind),
            "apps" | "batch" => true,
            group => group.contains('.') && !group.ends_with(".k8s.io"),
        }
    }

    /// Returns whether it is a CustomResourceDefinition.
    pub(crate) fn is_definition(&self) -> bool {
        (&*self.group, &*self.kind) == ("apiextensions.k8s.io", "CustomResourceDefinition")
    }

    /// Returns `Job/migrate`, the short form for screens.
    pub(crate) fn short(&self) -> String {
        format!("{}/{}", self.kind, self.name)
    }

    /// Returns `batch/Job/migrate`, the form in operation messages (spec R418); the core group leaves a leading slash.
    pub(crate) fn in_message(&self) -> String {
        format!("{}/{}/{}", self.group, self.kind, self.name)
    }
}

/// `Job shop/migrate`, or `Namespace shop` for a cluster-scoped kind: the form in sentences for people.
impl fmt::Display for ResourceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            write!(f, "{} {}", self.kind, self.name)
        } else {
            write!(f, "{} {}/{}", self.kind, self.namespace, self.name)
        }
    }
}
