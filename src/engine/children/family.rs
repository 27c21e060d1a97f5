//! Who belongs to whom, from owner references. An object goes when all of its owners go; it belongs to the first of them. Pure.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

use super::kinds::Place;
use super::reason;
use crate::cluster::{CallError, Listed};
use crate::model::{Object, ResourceKey};
use crate::plan::impact::Family;
use crate::plan::kin::{Below, below};

/// One object that may belong to another one.
#[derive(Debug)]
struct Child {
    uid: String,
    kind: String,
    namespace: String,
    name: String,
    owners: Vec<String>,
}

impl Child {
    fn of(kind: &str, object: &Object) -> Self {
        let owners = object.wire().pointer("/metadata/ownerReferences").and_then(Value::as_array);
        let uid = |owner: &Value| owner.get("uid").and_then(Value::as_str).map(str::to_owned);
        Self {
            uid: object.text(&["metadata", "uid"]).to_owned(),
            kind: kind.to_owned(),
            namespace: object.namespace().to_owned(),
            name: object.name().to_owned(),
            owners: owners.into_iter().flatten().filter_map(uid).collect(),
        }
    }
}

/// Everything that was listed.
#[derive(Debug, Default)]
pub(crate) struct Forest {
    children: Vec<Child>,
    /// Their uids: what was listed in a namespace and everywhere is one object.
    known: HashSet<String>,
    /// Lists that were cut off, and such that could not be had, by kind and namespace.
    cut: Vec<(String, String)>,
    missed: BTreeMap<(String, String), String>,
}

impl Forest {
    /// Takes what a list has shown.
    pub(crate) fn take(&mut self, (resource, namespace): Place, listed: &Listed) {
        let new = listed.objects.iter().filter(|object| self.known.insert(object.text(&["metadata", "uid"]).to_owned()));
        self.children.extend(new.map(|object| Child::of(&resource.gvk.kind, object)));
        if !listed.is_whole {
            self.cut.push((resource.gvk.kind.to_string(), namespace.to_string()));
        }
    }

    pub(super) fn miss(&mut self, (resource, namespace): Place, error: &CallError) {
        self.missed.insert((resource.gvk.kind.to_string(), namespace.to_string()), reason(&resource, error));
    }

    /// Returns the families of objects that go together, by their keys and uids; `None` for those that have none.
    pub(crate) fn families<'a>(&self, roots: impl Iterator<Item = (&'a ResourceKey, &'a str)> + Clone) -> Vec<Option<Family>> {
        let heirs = self.heirs(roots.clone().map(|(_, uid)| uid));
        let mut counts: HashMap<usize, BTreeMap<String, u64>> = HashMap::new();
        let own: HashSet<&str> = roots.clone().map(|(_, uid)| uid).collect();
        for child in &self.children {
            if let Some(root) = heirs.get(child.uid.as_str()).filter(|_| !own.contains(child.uid.as_str())) {
                *counts.entry(*root).or_default().entry(child.kind.clone()).or_default() += 1;
            }
        }
        let family = |(at, (key, _)): (usize, (&ResourceKey, &str))| {
            let kinds = below(key);
            let is_looked_for = |kind: &str, namespace: &str| {
                namespace == &*key.namespace
                    && match kinds {
                        Below::Nothing => false,
                        Below::These(kinds) => kinds.contains(&kind),
                        Below::Anything | Below::Everywhere => true,
                    }
            };
            let unclear = self.missed.iter().find(|((kind, namespace), _)| is_looked_for(kind, namespace));
            (kinds != Below::Nothing).then(|| Family {
                counts: counts.get(&at).cloned().unwrap_or_default(),
                more: self.cut.iter().any(|(kind, namespace)| is_looked_for(kind, namespace)),
                claims: 0,
                unclear: unclear.map(|(_, why)| why.clone()),
            })
        };
        roots.enumerate().map(family).collect()
    }

    /// Returns which root each object goes with, by uid.
    fn heirs<'a>(&'a self, roots: impl Iterator<Item = &'a str>) -> HashMap<&'a str, usize> {
        let mut heirs: HashMap<&str, usize> = roots.enumerate().filter(|(_, uid)| !uid.is_empty()).map(|(at, uid)| (uid, at)).collect();
        loop {
            let before = heirs.len();
            for child in &self.children {
                let is_heir = !child.uid.is_empty() && child.owners.iter().all(|owner| heirs.contains_key(owner.as_str()));
                let root = child.owners.first().and_then(|owner| heirs.get(owner.as_str()).copied());
                if let Some(root) = root.filter(|_| is_heir) {
                    heirs.entry(&child.uid).or_insert(root);
                }
            }
            if heirs.len() == before {
                return heirs;
            }
        }
    }

    /// Counts the claims that a StatefulSet has made and that nobody owns: they stay.
    pub(super) fn claims(&self, key: &ResourceKey, live: &Value) -> u64 {
        let templates = live.pointer("/spec/volumeClaimTemplates").and_then(Value::as_array).into_iter().flatten();
        let starts: Vec<String> = templates
            .filter_map(|template| template.pointer("/metadata/name").and_then(Value::as_str))
            .map(|template| format!("{template}-{}-", key.name))
            .collect();
        if starts.is_empty() {
            return 0;
        }
        let is_its = |child: &&Child| {
            let number = starts.iter().find_map(|start| child.name.strip_prefix(start.as_str()));
            let is_number = number.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|letter| letter.is_ascii_digit()));
            child.kind == "PersistentVolumeClaim" && child.namespace == *key.namespace && child.owners.is_empty() && is_number
        };
        self.children.iter().filter(is_its).count() as u64
    }
}
