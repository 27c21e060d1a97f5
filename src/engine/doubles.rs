//! One object, several names: the server may serve it in two groups (Ingress once was in `extensions`), and a name that was written down
//! before its kind was known may have a namespace too many. Whatever the name, what the plan applies is never deleted (spec R1209).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::candidates::{Found, Managed, Search};
use super::inventory::Owned;
use crate::model::{Gvk, Kinds, ResourceKey, Scope};
use crate::plan::Candidate;

/// Gives the objects of an inventory the keys that they have in the cluster, as far as it is known now.
pub(super) fn rekeyed(owned: Vec<Owned>, kinds: &Kinds) -> Vec<Owned> {
    let rekey = |mut owned: Owned| {
        if kinds.told_scope(&owned.gvk()) == Some(Scope::Cluster) {
            owned.key.namespace = "".into();
        }
        (owned.key.clone(), owned)
    };
    owned.into_iter().map(rekey).collect::<BTreeMap<_, _>>().into_values().collect()
}

/// Keys by what all names of one object have in common, so that each candidate is compared with its namesakes alone: an app may have ten
/// thousand objects of one kind, and drop as many.
struct Namesakes<'a>(HashMap<(&'a str, &'a str), Vec<(&'a ResourceKey, &'a Gvk)>>);

impl<'a> Namesakes<'a> {
    fn of(kinds: &'a BTreeMap<ResourceKey, Gvk>) -> Self {
        let mut names: HashMap<_, Vec<_>> = HashMap::with_capacity(kinds.len());
        for (key, gvk) in kinds {
            names.entry((&*key.kind, &*key.name)).or_default().push((key, gvk));
        }
        Self(names)
    }

    fn of_key<'s>(&'s self, key: &'s ResourceKey) -> &'s [(&'s ResourceKey, &'s Gvk)] {
        self.0.get(&(&*key.kind, &*key.name)).map(Vec::as_slice).unwrap_or_default()
    }
}

/// Returns whether two keys of one kind and name may be names of one object: with one group and one namespace each, they are two objects.
fn may_be_one(one: &ResourceKey, other: &ResourceKey) -> bool {
    let is_unclear = one.group != other.group || one.namespace.is_empty() || other.namespace.is_empty();
    one != other && is_unclear
}

/// Of several names of one object one is kept, of those that are wanted if there are any; the other names are returned.
pub(super) fn reduce(candidates: &mut Vec<Candidate>, is_wanted: impl Fn(&ResourceKey) -> bool) -> BTreeSet<ResourceKey> {
    let wanted: BTreeSet<Arc<str>> =
        candidates.iter().filter(|candidate| is_wanted(&candidate.key)).map(|candidate| candidate.live.uid.clone()).collect();
    let (mut seen, mut dropped) = (BTreeSet::new(), BTreeSet::new());
    candidates.retain(|Candidate { key, live, .. }| {
        let is_other_name = wanted.contains(&live.uid) && !is_wanted(key);
        // Without a uid nothing is known of its identity.
        let is_kept = live.uid.is_empty() || (!is_other_name && seen.insert(live.uid.clone()));
        if !is_kept {
            dropped.insert(key.clone());
        }
        is_kept
    });
    dropped
}

impl Search<'_> {
    /// Drops candidates that are live targets of the plan under another name.
    pub(super) async fn drop_doubles(&self, managed: &Managed, found: &mut Found) {
        found.gone.extend(reduce(&mut found.candidates, |_| false));
        let namesakes = Namesakes::of(&managed.kinds);
        for candidate in std::mem::take(&mut found.candidates) {
            match self.target_of(&namesakes, &candidate).await {
                Ok(false) => found.candidates.push(candidate),
                Ok(true) => _ = found.gone.insert(candidate.key),
                Err(note) => found.notes.push(note),
            }
        }
    }

    /// Returns whether a live target is the object of a candidate.
    async fn target_of(&self, namesakes: &Namesakes<'_>, candidate: &Candidate) -> Result<bool, String> {
        let targets = namesakes.of_key(&candidate.key).iter().filter(|(key, _)| may_be_one(key, &candidate.key));
        for (key, gvk) in targets {
            if self.uid_of(key, gvk, candidate).await?.is_some_and(|uid| *uid == *candidate.live.uid) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn uid_of(&self, key: &ResourceKey, gvk: &Gvk, candidate: &Candidate) -> Result<Option<Arc<str>>, String> {
        let name = |key: &ResourceKey| format!("{key} of {}", if key.group.is_empty() { "the core group" } else { &*key.group });
        let (own, other) = (name(&candidate.key), name(key));
        let live = self.read(key, gvk).await;
        let live = live.map_err(|error| format!("{own} may be {other}, which cannot be read, so it is not pruned: {error}"))?;
        Ok(live.map(|object| object.text(&["metadata", "uid"]).into()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::cluster::fake::{self, Asked, FakeResponse};
    use crate::model::annotation::TRACKING_ID;
    use crate::model::{Object, Origin};
    use crate::plan::Manifest;

    const OLD: &str = "extensions/v1beta1";
    const NEW: &str = "networking.k8s.io/v1";

    fn ingress(version: &str) -> Value {
        let id = "web:extensions/Ingress:shop/front";
        let metadata = json!({"name": "front", "namespace": "shop", "uid": "u", "annotations": {TRACKING_ID: id}});
        json!({"apiVersion": version, "kind": "Ingress", "metadata": metadata})
    }

    /// One object, served in two groups.
    fn serve(asked: &Asked, is_locked: bool) -> FakeResponse {
        let kind = json!({"name": "ingresses", "kind": "Ingress", "namespaced": true, "verbs": ["get", "list"]});
        let root = asked.path.strip_prefix("/apis/").unwrap_or_default();
        let version = if root.starts_with(OLD) { OLD } else { NEW };
        match root.strip_prefix(version) {
            Some("") => fake::json_answer(200, &json!({"resources": [kind]})),
            Some(_) if is_locked && version == NEW => fake::status(403, "Forbidden", "no"),
            Some("/namespaces/shop/ingresses") => fake::json_answer(200, &json!({"items": [ingress(version)], "metadata": {}})),
            Some("/namespaces/shop/ingresses/front") => fake::json_answer(200, &ingress(version)),
            _ => fake::status(404, "NotFound", "not found"),
        }
    }

    fn owned(version: &str) -> Owned {
        let key = ResourceKey { namespace: "shop".into(), ..Object::new(ingress(version)).key() };
        let version = version.rsplit('/').next().unwrap().to_owned();
        Owned { key, version, uid: "u".into(), wave: 0, seal: String::new() }
    }

    /// Groups of candidates, names that are given up, notes; then the groups of what a deletion deletes.
    async fn looks(is_locked: bool) -> (Found, Vec<String>) {
        let cluster = fake::cluster(move |asked| serve(&asked, is_locked));
        let origin = Origin { file: "app.yaml".into(), line: 1 };
        let manifests = [Manifest { object: Object::new(ingress(NEW)), origin }];
        let kinds = cluster.discover(&[OLD, NEW].map(|version| Gvk::new(version, "Ingress")).into()).await;
        let search = Search { cluster: &cluster, app: "web", namespace: "shop", manifests: &manifests, kinds: &kinds };
        let inventory = [owned(OLD), owned(NEW)];
        let found = search.run(Some(&inventory)).await;
        let belongings = search.belongings(&inventory, &BTreeSet::new()).await;
        assert!(is_locked || belongings.notes.is_empty(), "{:?}", belongings.notes);
        (found, belongings.owned.iter().map(|owned| owned.key.group.to_string()).collect())
    }

    #[tokio::test(start_paused = true)]
    async fn r1209_a_kind_that_has_moved_to_another_group_is_one_object() {
        let (found, deleted) = looks(false).await;
        let gone: Vec<&str> = found.gone.iter().map(|key| &*key.group).collect();
        assert_eq!((found.candidates.len(), gone, found.notes.len()), (0, vec!["extensions"], 0));
        assert_eq!(deleted, ["extensions"], "once, and by the name that its tracking id has");
    }

    /// Twenty thousand of each would be four hundred million comparisons, if all were compared with all.
    #[test]
    fn r1209_a_candidate_is_compared_with_its_namesakes_alone() {
        let gvk = Gvk::new("v1", "ConfigMap");
        let key = |at: usize, namespace: &str| ResourceKey::new("", "ConfigMap", namespace, &format!("settings-{at}"));
        let mut kinds: BTreeMap<ResourceKey, Gvk> = (0..20_000).map(|at| (key(at, "shop"), gvk.clone())).collect();
        kinds.insert(key(7, "other"), gvk);
        let namesakes = Namesakes::of(&kinds);
        let compared: usize = (0..20_000).map(|at| namesakes.of_key(&key(at + 10_000, "shop")).len()).sum();
        assert_eq!(compared, 10_000, "half of them have a namesake, the others none");
        assert_eq!(namesakes.of_key(&key(7, "")).len(), 2);
        assert!(namesakes.of_key(&ResourceKey::new("", "Secret", "shop", "settings-7")).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn r1209_what_may_be_wanted_under_another_name_is_not_pruned() {
        let (found, _) = looks(true).await;
        assert_eq!((found.candidates.len(), found.gone.len()), (0, 0));
        let note = "Ingress shop/front of extensions may be Ingress shop/front of networking.k8s.io, which cannot be read, so it is not pruned: no";
        assert_eq!(found.notes, [note]);
    }

    #[tokio::test(start_paused = true)]
    async fn r1209_of_two_names_the_wanted_one_is_kept() {
        let live = async |version: &str| {
            let object = Object::new(ingress(version));
            let live = fake::cluster(|asked| serve(&asked, false)).judge().live(&object).await;
            Candidate { key: owned(version).key, version: "v1".into(), live }
        };
        for (wanted, kept) in [(NEW, NEW), (OLD, OLD), ("none/v1", OLD)] {
            let mut both = vec![live(OLD).await, live(NEW).await];
            let dropped = reduce(&mut both, |key| *key.group == *Gvk::new(wanted, "Ingress").group);
            assert_eq!((both.len(), dropped.len(), &*both[0].key.group), (1, 1, &*Gvk::new(kept, "Ingress").group));
        }
    }
}
