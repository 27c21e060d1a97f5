//! Which object of the plan a live object, a pod or an Event belongs to. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::live::{Pod, Reference};
use crate::model::{Gvk, ResourceKey};

/// An object that the operation is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) key: ResourceKey,
    pub(crate) gvk: Gvk,
    /// Of a hook only what this operation created counts: an old Job of the same name is another story.
    pub(crate) hook: bool,
}

/// Whose something is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Belongs {
    To(ResourceKey),
    /// To a hook, perhaps: its uid is not known yet, or the thing belongs to an earlier object of the same name.
    Unclear,
    Nobody,
}

/// Objects of one kind by name. The namespace is compared last, because a kind's scope may be known only later.
type ByName = BTreeMap<Arc<str>, Vec<Wanted>>;

/// The objects of the plan, found by what the server says of things.
#[derive(Debug, Default)]
pub(super) struct Belonging {
    /// By group and kind.
    wanted: BTreeMap<(Arc<str>, Arc<str>), ByName>,
    /// Uids of the hooks that this operation created.
    created: BTreeMap<ResourceKey, BTreeSet<Arc<str>>>,
}

impl Belonging {
    pub(super) fn new(wanted: impl IntoIterator<Item = Wanted>) -> Self {
        let mut belonging = Self::default();
        wanted.into_iter().for_each(|one| belonging.want(one));
        belonging
    }

    /// Adds an object; what is added twice is found the first time.
    pub(super) fn want(&mut self, one: Wanted) {
        let kind = (one.key.group.clone(), one.key.kind.clone());
        self.wanted.entry(kind).or_default().entry(one.key.name.clone()).or_default().push(one);
    }

    /// Notes that this operation created (or took over) a hook.
    pub(super) fn note_created(&mut self, key: &ResourceKey, uid: &str) {
        self.created.entry(key.clone()).or_default().insert(uid.into());
    }

    /// Returns whether this operation created (or took over) a hook.
    pub(super) fn has_created(&self, key: &ResourceKey, uid: &str) -> bool {
        self.created.get(key).is_some_and(|uids| uids.contains(uid))
    }

    /// Returns the key of a live object, if it is one of the plan. Cluster-scoped objects have no namespace of their own.
    pub(super) fn key(&self, group: &str, kind: &str, namespace: &str, name: &str) -> Option<ResourceKey> {
        self.find(group, kind, namespace, name).map(|wanted| wanted.key.clone())
    }

    fn find(&self, group: &str, kind: &str, namespace: &str, name: &str) -> Option<&Wanted> {
        let of_kind = self.wanted.get(&(group.into(), kind.into()))?;
        let of_name = of_kind.get(name)?;
        let exact = of_name.iter().find(|wanted| *wanted.key.namespace == *namespace);
        exact.or_else(|| of_name.first().filter(|_| namespace.is_empty()))
    }

    /// Returns the names that are wanted of a kind in a namespace; of a kind without namespaces, all.
    pub(super) fn names(&self, gvk: &Gvk, namespace: &str) -> Vec<Arc<str>> {
        let of_kind = self.wanted.get(&(gvk.group.clone(), gvk.kind.clone()));
        let in_namespace = |wanted: &&Wanted| namespace.is_empty() || *wanted.key.namespace == *namespace;
        let names: BTreeSet<Arc<str>> =
            of_kind.into_iter().flat_map(BTreeMap::values).flatten().filter(in_namespace).map(|wanted| wanted.key.name.clone()).collect();
        names.into_iter().collect()
    }

    /// Returns whose pod it is: its own, that of its controller, or that of the Deployment behind its ReplicaSet.
    pub(super) fn of_pod(&self, pod: &Pod) -> Belongs {
        let own = Reference { group: "".into(), kind: "Pod".into(), name: pod.name.clone(), uid: pod.uid.clone() };
        match self.of(&pod.namespace, &own) {
            Belongs::Nobody => pod.controller.as_ref().map_or(Belongs::Nobody, |owner| self.of(&pod.namespace, owner)),
            found => found,
        }
    }

    /// Returns to whom belongs what a reference names: the object itself, or the Deployment of a ReplicaSet.
    pub(super) fn of(&self, namespace: &str, reference: &Reference) -> Belongs {
        if let Some(wanted) = self.find(&reference.group, &reference.kind, namespace, &reference.name) {
            return self.checked(wanted, &reference.uid);
        }
        if (&*reference.group, &*reference.kind) != ("apps", "ReplicaSet") {
            return Belongs::Nobody;
        }
        let Some((deployment, _hash)) = reference.name.rsplit_once('-') else { return Belongs::Nobody };
        // The uid of the Deployment is not known here; that of a hook is trusted to be the one of now.
        match self.find("apps", "Deployment", namespace, deployment) {
            Some(wanted) if !wanted.hook || self.created.contains_key(&wanted.key) => Belongs::To(wanted.key.clone()),
            Some(_) => Belongs::Unclear,
            None => Belongs::Nobody,
        }
    }

    fn checked(&self, wanted: &Wanted, uid: &str) -> Belongs {
        let is_created = || uid.is_empty() || self.has_created(&wanted.key, uid);
        if !wanted.hook || is_created() { Belongs::To(wanted.key.clone()) } else { Belongs::Unclear }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(version: &str, kind: &str, name: &str, hook: bool) -> Wanted {
        let gvk = Gvk::new(version, kind);
        Wanted { key: ResourceKey::new(&gvk.group, kind, "shop", name), gvk, hook }
    }

    fn plan() -> Belonging {
        Belonging::new([
            wanted("batch/v1", "Job", "migrate", true),
            wanted("apps/v1", "Deployment", "web", false),
            wanted("apps/v1", "StatefulSet", "db", false),
            wanted("v1", "Pod", "probe", true),
        ])
    }

    fn pod(name: &str, uid: &str, controller: Option<(&str, &str, &str, &str)>) -> Pod {
        let controller = controller.map(|(group, kind, name, uid)| Reference {
            group: group.into(),
            kind: kind.into(),
            name: name.into(),
            uid: uid.into(),
        });
        Pod {
            namespace: "shop".into(),
            name: name.into(),
            uid: uid.into(),
            controller,
            phase: "Running".into(),
            created: None,
            deleting: false,
            unscheduled: None,
            containers: Vec::new(),
        }
    }

    fn to(kind: &str, name: &str) -> Belongs {
        let group = if kind == "Pod" {
            ""
        } else if kind == "Job" {
            "batch"
        } else {
            "apps"
        };
        Belongs::To(ResourceKey::new(group, kind, "shop", name))
    }

    #[test]
    fn a_pod_belongs_to_its_controller_or_to_the_deployment_behind_it() {
        let plan = plan();
        assert_eq!(plan.of_pod(&pod("db-0", "p", Some(("apps", "StatefulSet", "db", "s")))), to("StatefulSet", "db"));
        assert_eq!(plan.of_pod(&pod("web-7d9f-x", "p", Some(("apps", "ReplicaSet", "web-7d9f", "r")))), to("Deployment", "web"));
        assert_eq!(plan.of_pod(&pod("x", "p", Some(("apps", "ReplicaSet", "webshop-7d9f", "r")))), Belongs::Nobody);
        assert_eq!(plan.of_pod(&pod("stray", "p", None)), Belongs::Nobody);
    }

    #[test]
    fn of_a_hook_only_the_object_of_this_operation_counts() {
        let mut plan = plan();
        let job = |uid| pod("migrate-x", "p", Some(("batch", "Job", "migrate", uid)));
        assert_eq!(plan.of_pod(&job("new")), Belongs::Unclear);
        plan.note_created(&ResourceKey::new("batch", "Job", "shop", "migrate"), "new");
        assert_eq!(plan.of_pod(&job("new")), to("Job", "migrate"));
        assert_eq!(plan.of_pod(&job("old")), Belongs::Unclear);
        assert_eq!(plan.of_pod(&pod("probe", "p1", None)), Belongs::Unclear);
        plan.note_created(&ResourceKey::new("", "Pod", "shop", "probe"), "p1");
        assert_eq!(plan.of_pod(&pod("probe", "p1", None)), to("Pod", "probe"));
    }

    #[test]
    fn an_object_without_a_namespace_is_found_by_its_name() {
        let mut role = wanted("rbac.authorization.k8s.io/v1", "ClusterRole", "reader", false);
        role.key.namespace = "shop".into();
        let plan = Belonging::new([role.clone()]);
        assert_eq!(plan.key("rbac.authorization.k8s.io", "ClusterRole", "", "reader"), Some(role.key));
        assert_eq!(plan.names(&role.gvk, ""), ["reader".into()]);
        assert!(plan.names(&role.gvk, "other").is_empty());
    }
}
