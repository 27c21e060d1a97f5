//! Everything live that an app owns, for its deletion (spec R1109): what the inventory knows, what the manifests name, and what carries the
//! app's tracking id, hooks included. What belongs to a controller or to somebody else is not among it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::StreamExt as _;

use super::candidates::{AT_ONCE, NAMED, Place, Search, few, has_owner};
use super::doubles::reduce;
use super::inventory::Owned;
use crate::cluster::{CallError, Patience, Resource};
use crate::model::annotation::{OPERATION_LABEL, TRACKING_ID};
use crate::model::{Gvk, Live, Object, Phase, ResourceKey, Traits};
use crate::plan::Candidate;

/// What an app owns.
#[derive(Debug, Default)]
pub(super) struct Belongings {
    pub(super) owned: Vec<Candidate>,
    /// Names in the inventory and in the manifests of what is not live, or is owned under another name.
    pub(super) gone: BTreeSet<ResourceKey>,
    /// Objects with the name of a hook of the deletion that are not the app's.
    pub(super) strangers: BTreeSet<ResourceKey>,
    /// Sentences about what stays.
    pub(super) notes: Vec<String>,
    /// What could not be looked at although it may be the app's, each with a sentence: without it nothing may be deleted.
    pub(super) unreadable: BTreeMap<ResourceKey, (Gvk, String)>,
    /// Kinds that nobody names and that cannot be listed; asking again is in vain.
    pub(super) refused: BTreeSet<Resource>,
}

impl Search<'_> {
    /// Looks for everything that the app owns; `avoided`: kinds that were refused before and are not asked for again.
    pub(super) async fn belongings(&self, inventory: &[Owned], avoided: &BTreeSet<Resource>) -> Belongings {
        let mut found = Belongings::default();
        let (named, hooks) = self.named();
        let known = inventory.iter().map(|owned| (owned.key.clone(), owned.gvk()));
        let mut wanted: BTreeMap<ResourceKey, Gvk> = named.iter().map(|(key, gvk)| (key.clone(), gvk.clone())).chain(known).collect();
        let also = hook_kinds().into_iter().chain(inventory.iter().map(Owned::gvk)).collect();
        let named_places = self.places(&also);
        let others = self.everything(&named_places, avoided, &mut found.notes).await;
        self.add_tracked((named_places, others), &mut wanted, &mut found).await;
        let looks: Vec<_> = wanted
            .into_iter()
            .map(|(key, gvk)| async move {
                let (object, live) = self.look_at(&key, &gvk).await;
                (key, gvk, object, live)
            })
            .collect();
        let mut looks = futures::stream::iter(looks).buffered(AT_ONCE);
        let mut foreign = BTreeMap::new();
        while let Some((key, gvk, object, live)) = looks.next().await {
            match (object, live) {
                (Ok(Some(object)), Some(live)) => found.owned.push(Candidate { key, version: object.gvk().version, live }),
                (Ok(Some(_)), None) if hooks.contains(&key) => _ = found.strangers.insert(key),
                (Ok(Some(object)), None) => foreign.extend([(key, object.text(&["metadata", "uid"]).to_owned())]),
                (Ok(None), _) => _ = found.gone.insert(key),
                (Err(error), _) => {
                    let sentence = format!("{key} may belong to the app but cannot be read: {error}");
                    found.unreadable.insert(key, (gvk, sentence));
                }
            }
        }
        found.gone.extend(reduce(&mut found.owned, |key| named.contains_key(key)));
        // What is owned under another name is told of there.
        foreign.retain(|_, uid| !found.owned.iter().any(|owned| *owned.live.uid == **uid));
        let named = few(&foreign.into_keys().collect());
        found.notes.extend(named.map(|named| {
            format!("not deleted, because it does not carry the tracking id of this app, or belongs to a controller: {named}")
        }));
        found
    }

    /// Reads an object, and judges it if the app owns it: here, so that slow rules run beside each other.
    async fn look_at(&self, key: &ResourceKey, gvk: &Gvk) -> (Result<Option<Object>, CallError>, Option<Live>) {
        let object = self.read(key, gvk).await;
        let live = match &object {
            Ok(Some(object)) if self.is_owned(key, object) => Some(self.cluster.judge().live_among_many(object).await),
            Ok(_) | Err(_) => None,
        };
        (object, live)
    }

    /// Objects that the manifests name, and which of them are hooks of a deletion.
    fn named(&self) -> (BTreeMap<ResourceKey, Gvk>, BTreeSet<ResourceKey>) {
        let (mut named, mut hooks) = (BTreeMap::new(), BTreeSet::new());
        for object in self.manifests.iter().map(|manifest| &manifest.object).filter(|object| !object.name().is_empty()) {
            let (key, traits) = (self.key_of(object), Traits::of(object));
            if traits.runs_in(Phase::PreDelete) || traits.runs_in(Phase::PostDelete) {
                hooks.insert(key.clone());
            }
            named.insert(key, object.gvk());
        }
        (named, hooks)
    }

    /// Adds what carries the tracking id; outside of the destination only what is known otherwise, because the id names no destination.
    async fn add_tracked(
        &self,
        (named, others): (BTreeSet<Place>, BTreeSet<Place>),
        wanted: &mut BTreeMap<ResourceKey, Gvk>,
        found: &mut Belongings,
    ) {
        let (mut elsewhere, mut refused) = (BTreeSet::new(), Vec::new());
        let lists = futures::join!(self.lists(named.clone(), Patience::Usual), self.lists(others, Patience::Little));
        for (resource, namespace, listed) in lists.0.into_iter().chain(lists.1) {
            for object in listed.as_deref().unwrap_or_default() {
                let key = ResourceKey::new(&resource.gvk.group, &resource.gvk.kind, object.namespace(), object.name());
                if !self.is_owned(&key, object) || wanted.contains_key(&key) {
                    continue;
                }
                if *key.namespace == *self.namespace {
                    wanted.insert(key, resource.gvk.clone());
                } else {
                    elsewhere.insert(key);
                }
            }
            refused.extend(listed.err().map(|error| ((resource, namespace), error)));
        }
        let is_lasting = |place: &Place, error: &CallError| !named.contains(place) && is_lasting(error);
        found.refused.extend(refused.iter().filter(|(place, error)| is_lasting(place, error)).map(|((resource, _), _)| resource.clone()));
        found.notes.extend(self.notes_of_refusals(refused, &named));
        if let Some(named) = few(&elsewhere) {
            found.notes.push(format!(
                "not deleted, because they are outside of namespace {} and neither a manifest nor an inventory names them: {named}",
                self.namespace
            ));
        }
    }

    /// What cannot be listed. One sentence is enough for all kinds that nobody has named.
    fn notes_of_refusals(&self, refused: Vec<(Place, CallError)>, named: &BTreeSet<Place>) -> Vec<String> {
        let (mut notes, mut others) = (Vec::new(), Vec::new());
        for ((resource, namespace), error) in refused {
            let kind = resource.plural.clone();
            if named.contains(&(resource, namespace.clone())) {
                let place = if namespace.is_empty() { String::new() } else { format!(" in {namespace}") };
                notes.push(format!("{kind}{place} cannot be listed, so only those that are known by name are deleted: {error}"));
            } else if !error.is_not_found() {
                // A kind whose definition has just gone has no objects.
                others.push(kind);
            }
        }
        let (first, rest) = others.split_at(others.len().min(NAMED));
        let more = if rest.is_empty() { String::new() } else { format!(" and {} more kinds", rest.len()) };
        let stays = "so what the app may have left of them stays: no manifest and no inventory names any";
        let kinds = first.join(", ");
        notes.extend((!first.is_empty()).then(|| format!("{kinds}{more} cannot be listed in {}, {stays}", self.namespace)));
        notes
    }

    /// The other kinds that may have objects in the destination: what an earlier version of the app has left, hooks above all, may be of a
    /// kind that no manifest and no inventory names (spec R1109, R1208). Events come and go by themselves, and there are thousands of them.
    async fn everything(&self, named: &BTreeSet<Place>, avoided: &BTreeSet<Resource>, notes: &mut Vec<String>) -> BTreeSet<Place> {
        let kinds = self.cluster.deletable().await.unwrap_or_else(|error| {
            notes.push(format!("only kinds of the manifests and of the inventory are looked at; the others cannot be found out: {error}"));
            Vec::new()
        });
        let kind = |resource: &Resource| (resource.gvk.group.clone(), resource.gvk.kind.clone());
        let known: BTreeSet<_> = named.iter().map(|(resource, _)| resource).chain(avoided).map(kind).collect();
        let is_other = |resource: &Resource| resource.is_namespaced && *resource.gvk.kind != *"Event" && !known.contains(&kind(resource));
        let places = kinds.into_iter().filter(is_other).map(|resource| (resource, self.namespace.into()));
        places.filter(|_| !self.namespace.is_empty()).collect()
    }

    /// The app's own, by its tracking id; what has an owner goes with it (spec R1109).
    pub(super) fn is_owned(&self, key: &ResourceKey, object: &Object) -> bool {
        let id = object.annotation(TRACKING_ID);
        !has_owner(object) && (self.is_tracked(key, id) || self.is_generated_hook(key, object))
    }

    /// The tracking id of a hook with a generated name was written before it had one (spec R310).
    pub(super) fn is_generated_hook(&self, key: &ResourceKey, object: &Object) -> bool {
        let nameless = ResourceKey { name: Arc::from(""), ..key.clone() };
        let is_ours = !object.text(&["metadata", "labels", OPERATION_LABEL]).is_empty();
        is_ours && Traits::of(object).is_hook() && self.is_tracked(&nameless, object.annotation(TRACKING_ID))
    }
}

/// Returns whether a kind that cannot be listed now cannot be listed a moment later either: it is forbidden, or its webhook is down.
fn is_lasting(error: &CallError) -> bool {
    matches!(error, CallError::TimedOut | CallError::Unreadable(_)) || error.code().is_some_and(|code| code != 429)
}

/// Kinds that hooks of syncs usually have: no inventory knows them, and no manifest may name them any more.
pub(super) fn hook_kinds() -> [Gvk; 2] {
    [Gvk::new("batch/v1", "Job"), Gvk::new("v1", "Pod")]
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::cluster::fake::{self, Asked, FakeResponse};
    use crate::model::{Origin, annotation};
    use crate::plan::Manifest;

    fn map(name: &str, metadata: Value) -> Value {
        let mut value = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata});
        value["metadata"]["name"] = json!(name);
        value["metadata"]["namespace"] = json!("shop");
        value["metadata"]["uid"] = json!(format!("uid-{name}"));
        value
    }

    fn tracked(name: &str) -> Value {
        json!({"annotations": {TRACKING_ID: format!("web:/ConfigMap:shop/{name}")}})
    }

    fn objects() -> Vec<Value> {
        let mut child = tracked("child");
        child["ownerReferences"] = json!([{"kind": "Deployment", "name": "web", "uid": "u"}]);
        let generated =
            json!({"labels": {OPERATION_LABEL: "op"}, "annotations": {TRACKING_ID: "web:/ConfigMap:shop/", annotation::HOOK: "PostSync"}});
        vec![
            map("own", tracked("own")),
            map("child", child),
            map("copied", tracked("own")),
            map("plain", json!({})),
            map("bye", json!({})),
            map("hook-x", generated),
        ]
    }

    fn serve(asked: &Asked) -> FakeResponse {
        let kind = json!({"name": "configmaps", "kind": "ConfigMap", "namespaced": true, "verbs": ["get", "list"]});
        match asked.path.strip_prefix("/api/v1") {
            Some("") => fake::json_answer(200, &json!({"resources": [kind]})),
            Some("/namespaces/shop/configmaps") => fake::json_answer(200, &json!({"items": objects(), "metadata": {}})),
            Some("/namespaces/shop/configmaps/locked") => fake::status(403, "Forbidden", "no"),
            Some(path) => objects()
                .into_iter()
                .find(|object| path.ends_with(&format!("/{}", object["metadata"]["name"].as_str().unwrap())))
                .map_or_else(|| fake::status(404, "NotFound", "not found"), |object| fake::json_answer(200, &object)),
            None => fake::status(404, "NotFound", "not found"),
        }
    }

    async fn belongings(manifests: Vec<Value>) -> Belongings {
        let cluster = fake::cluster(|asked| serve(&asked));
        let origin = || Origin { file: "app.yaml".into(), line: 1 };
        let manifests: Vec<Manifest> =
            manifests.into_iter().map(|value| Manifest { object: Object::new(value), origin: origin() }).collect();
        let kinds = cluster.discover(&manifests.iter().map(|manifest| manifest.object.gvk()).collect()).await;
        Search { cluster: &cluster, app: "web", namespace: "shop", manifests: &manifests, kinds: &kinds }
            .belongings(&[], &BTreeSet::new())
            .await
    }

    #[tokio::test(start_paused = true)]
    async fn r1109_an_app_owns_what_carries_its_tracking_id_and_has_no_owner() {
        let hook = map("bye", json!({"annotations": {annotation::HOOK: "PreDelete"}}));
        let found = belongings(vec![map("own", json!({})), map("plain", json!({})), map("new", json!({})), hook]).await;
        let names = |keys: &mut dyn Iterator<Item = &ResourceKey>| keys.map(|key| key.name.to_string()).collect::<Vec<_>>();
        assert_eq!(names(&mut found.owned.iter().map(|owned| &owned.key)), ["hook-x", "own"]);
        assert_eq!(names(&mut found.gone.iter()), ["new"]);
        assert_eq!(names(&mut found.strangers.iter()), ["bye"]);
        assert!(found.notes[0].ends_with("belongs to a controller: ConfigMap shop/plain"), "{:?}", found.notes);
        assert!(found.unreadable.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_be_read_is_not_taken_for_gone() {
        let found = belongings(vec![map("locked", json!({}))]).await;
        let sentences: Vec<&str> = found.unreadable.values().map(|(_, sentence)| sentence.as_str()).collect();
        assert_eq!(sentences, ["ConfigMap shop/locked may belong to the app but cannot be read: no"]);
    }
}
