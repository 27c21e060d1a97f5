//! Which live objects an app owns although no manifest asks for them any more: those of the inventory, or, without one, those that carry
//! the app's tracking id (decision 24). Hooks never are, and copies that controllers make of annotations never count. The id alone names
//! no destination, so without an inventory nothing outside of the destination namespace is ever taken for the app's own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::StreamExt as _;

use super::inventory::Owned;
use crate::cluster::apply::Spot;
use crate::cluster::{CallError, Cluster, Patience, Reporter, Resource};
use crate::model::annotation::{HOOK_FINALIZER, TRACKING_ID};
use crate::model::{Gvk, KindFact, Kinds, Object, Part, ResourceKey, Tracking, Traits};
use crate::plan::{Candidate, Manifest};

pub(super) const AT_ONCE: usize = 16;
/// How many things a note names.
pub(super) const NAMED: usize = 5;

/// A kind and a namespace, empty for kinds that have none.
pub(super) type Place = (Resource, Arc<str>);

/// Where to look.
pub(super) struct Search<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) app: &'a str,
    pub(super) namespace: &'a str,
    pub(super) manifests: &'a [Manifest],
    pub(super) kinds: &'a Kinds,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) candidates: Vec<Candidate>,
    /// Sentences about what could not be looked at.
    pub(super) notes: Vec<String>,
    /// Names in the inventory of what is not live any more, or is kept under another name.
    pub(super) gone: BTreeSet<ResourceKey>,
}

/// Objects that manifests ask for.
#[derive(Debug, Default)]
pub(super) struct Managed {
    pub(super) kinds: BTreeMap<ResourceKey, Gvk>,
    /// By group, kind and name those of kinds whose scope is not known, so that their namespace may be another one.
    somewhere: BTreeSet<(Arc<str>, Arc<str>, Arc<str>)>,
}

impl Managed {
    fn has(&self, key: &ResourceKey) -> bool {
        self.kinds.contains_key(key) || self.somewhere.contains(&(key.group.clone(), key.kind.clone(), key.name.clone()))
    }
}

impl Search<'_> {
    /// Looks for candidates, in the inventory if there is one.
    pub(super) async fn run(&self, inventory: Option<&[Owned]>) -> Found {
        let managed = self.managed();
        let mut found = Found::default();
        let wanted = match inventory {
            Some(owned) => owned.iter().filter(|owned| !managed.has(&owned.key)).map(|owned| (owned.key.clone(), owned.gvk())).collect(),
            None => self.tracked(&managed, &mut found.notes).await,
        };
        let looks = futures::stream::iter(wanted).map(|(key, gvk)| async move {
            let object = self.look(&key, &gvk).await;
            // Judged here, so that slow rules run beside each other.
            let live = match &object {
                Ok(Some(object)) if self.is_candidate(&key, object) && !has_owner(object) => {
                    Some(self.cluster.judge().live_among_many(object).await)
                }
                Ok(_) | Err(_) => None,
            };
            (key, object, live)
        });
        let mut looks = looks.buffered(AT_ONCE);
        let mut adopted = BTreeSet::new();
        while let Some((key, object, live)) = looks.next().await {
            match (object, live) {
                (Ok(Some(object)), Some(live)) => found.candidates.push(Candidate { key, version: object.gvk().version, live }),
                (Ok(Some(object)), None) if self.is_candidate(&key, &object) => _ = adopted.insert(key),
                (Ok(Some(_)), None) => {}
                (Ok(None), _) => _ = found.gone.insert(key),
                (Err(note), _) => found.notes.push(note),
            }
        }
        found.notes.extend(few(&adopted).map(|named| format!("not pruned, because another object owns them: {named}")));
        self.drop_doubles(&managed, &mut found).await;
        found
    }

    /// Keys of the manifests that are pairs of live objects: everything but hooks (spec R109, R118, R124).
    fn managed(&self) -> Managed {
        let mut managed = Managed::default();
        let objects = self.manifests.iter().map(|manifest| &manifest.object).filter(|object| !Traits::of(object).is_hook());
        for object in objects {
            let key = self.key_of(object);
            if self.kinds.told_scope(&object.gvk()).is_none() {
                managed.somewhere.insert((key.group.clone(), key.kind.clone(), key.name.clone()));
            }
            managed.kinds.insert(key, object.gvk());
        }
        managed
    }

    pub(super) fn key_of(&self, object: &Object) -> ResourceKey {
        self.kinds.key_of(object, self.namespace)
    }

    async fn look(&self, key: &ResourceKey, gvk: &Gvk) -> Result<Option<Object>, String> {
        self.read(key, gvk).await.map_err(|error| format!("{key} belongs to the app but cannot be read, so it cannot be pruned: {error}"))
    }

    pub(super) async fn read(&self, key: &ResourceKey, gvk: &Gvk) -> Result<Option<Object>, CallError> {
        // A kind that is served in no version has no objects.
        let Some(resource) = self.cluster.served(gvk).await? else { return Ok(None) };
        let spot = Spot { resource: &resource, namespace: &key.namespace, name: &key.name };
        self.cluster.get(spot, &Reporter::default()).await
    }

    fn is_candidate(&self, key: &ResourceKey, object: &Object) -> bool {
        self.is_tracked(key, object.annotation(TRACKING_ID)) && Traits::of(object).part == Part::Resource
    }

    /// The id names the object itself: controllers copy annotations, and a copy belongs to its controller.
    pub(super) fn is_tracked(&self, key: &ResourceKey, id: Option<&str>) -> bool {
        let namespace: Arc<str> = if key.namespace.is_empty() { self.namespace.into() } else { key.namespace.clone() };
        let meant = ResourceKey { namespace, ..key.clone() };
        id.and_then(Tracking::parse).is_some_and(|tracking| *tracking.app == *self.app && tracking.key == meant)
    }

    async fn tracked(&self, managed: &Managed, notes: &mut Vec<String>) -> Vec<(ResourceKey, Gvk)> {
        let mut found = BTreeMap::new();
        let (mut elsewhere, mut left) = (BTreeSet::new(), BTreeSet::new());
        for (resource, namespace, listed) in self.lists(self.places(&BTreeSet::new()), Patience::Usual).await {
            match listed {
                Ok(objects) => {
                    for object in objects {
                        let key = ResourceKey::new(&resource.gvk.group, &resource.gvk.kind, object.namespace(), object.name());
                        if self.is_left_hook(&key, &object) {
                            left.insert(key);
                            continue;
                        }
                        if !self.is_tracked(&key, object.annotation(TRACKING_ID)) || managed.has(&key) {
                            continue;
                        }
                        if *key.namespace == *self.namespace {
                            found.insert(key, resource.gvk.clone());
                        } else {
                            elsewhere.insert(key);
                        }
                    }
                }
                Err(error) => {
                    let place = if namespace.is_empty() { String::new() } else { format!(" in {namespace}") };
                    notes.push(format!("{}{place} cannot be listed, so none of them can be pruned: {error}", resource.plural));
                }
            }
        }
        notes.extend(self.note_of(&elsewhere));
        let way_out = format!("if nothing runs them any more, delete them, and take the finalizer {HOOK_FINALIZER} off");
        notes.extend(few(&left).map(|named| format!("hooks of operations that are not known here: {named}; {way_out}")));
        found.into_iter().collect()
    }

    /// Returns whether an object is a hook with our finalizer that this sync does not make anew. Without an inventory nothing is known of its
    /// operation, which another machine may be running (spec R1502).
    fn is_left_hook(&self, key: &ResourceKey, object: &Object) -> bool {
        let finalizers = object.wire().pointer("/metadata/finalizers").and_then(serde_json::Value::as_array);
        let is_locked = finalizers.is_some_and(|names| names.iter().any(|name| name == HOOK_FINALIZER));
        let is_ours = || self.is_tracked(key, object.annotation(TRACKING_ID)) || self.is_generated_hook(key, object);
        let is_made_anew = || self.manifests.iter().any(|manifest| self.key_of(&manifest.object) == *key);
        is_locked && Traits::of(object).is_hook() && *key.namespace == *self.namespace && is_ours() && !is_made_anew()
    }

    /// Lists kinds in namespaces.
    pub(super) async fn lists(
        &self,
        places: BTreeSet<Place>,
        patience: Patience,
    ) -> Vec<(Resource, Arc<str>, Result<Vec<Object>, CallError>)> {
        let lists: Vec<_> = places
            .into_iter()
            .map(|(resource, namespace)| async move {
                let listed = self.cluster.list_metadata(&resource, &namespace, patience).await;
                (resource, namespace, listed)
            })
            .collect();
        futures::stream::iter(lists).buffered(AT_ONCE).collect().await
    }

    /// The id names the app, which another destination may have too; only an inventory says that this one made the object.
    fn note_of(&self, elsewhere: &BTreeSet<ResourceKey>) -> Option<String> {
        let named = few(elsewhere)?;
        Some(format!(
            "not pruned, because they are outside of namespace {} and no inventory says that they were synced from here: {named}; delete them by hand if nothing needs them",
            self.namespace,
        ))
    }

    /// Every kind of the manifests, in every namespace of the manifests.
    pub(super) fn places(&self, also: &BTreeSet<Gvk>) -> BTreeSet<Place> {
        let keys: Vec<(ResourceKey, Gvk)> =
            self.manifests.iter().map(|manifest| (self.key_of(&manifest.object), manifest.object.gvk())).collect();
        let mut namespaces: BTreeSet<Arc<str>> =
            keys.iter().map(|(key, _)| key.namespace.clone()).filter(|name| !name.is_empty()).collect();
        namespaces.insert(self.namespace.into());
        let kinds: BTreeSet<&Gvk> = keys.iter().map(|(_, gvk)| gvk).chain(also).collect();
        let known = kinds.into_iter().filter(|gvk| matches!(self.kinds.get(gvk), Some(KindFact::Known { .. })));
        let resources = known.filter_map(|gvk| self.cluster.known_resource(gvk)).filter(|resource| resource.can_list);
        let place = |resource: Resource| -> Vec<(Resource, Arc<str>)> {
            if resource.is_namespaced {
                namespaces.iter().map(|namespace| (resource.clone(), namespace.clone())).collect()
            } else {
                vec![(resource, "".into())]
            }
        };
        resources.flat_map(place).collect()
    }
}

/// Returns whether an object goes with another one, so that it is not the app's own (spec R1109, R1208).
pub(super) fn has_owner(object: &Object) -> bool {
    let owners = object.wire().pointer("/metadata/ownerReferences").and_then(serde_json::Value::as_array);
    owners.is_some_and(|owners| !owners.is_empty())
}

/// Returns the first names and how many there are more; `None` without any.
pub(super) fn few(keys: &BTreeSet<ResourceKey>) -> Option<String> {
    let named: Vec<String> = keys.iter().take(NAMED).map(ToString::to_string).collect();
    let rest = keys.len() - named.len();
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    (!named.is_empty()).then(|| format!("{}{more}", named.join(", ")))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::cluster::fake::{self, Asked, FakeResponse};
    use crate::model::Origin;

    /// Serves two kinds, and one object of each that the app owns.
    fn serve(asked: &Asked) -> FakeResponse {
        let gadget = json!({"name": "gadgets", "kind": "Gadget", "namespaced": false, "verbs": ["get", "list"]});
        match asked.path.as_str() {
            "/apis/example.com/v1" => fake::json_answer(200, &json!({"resources": [gadget]})),
            "/apis/example.com" => fake::json_answer(200, &json!({"versions": [{"groupVersion": "example.com/v1", "version": "v1"}]})),
            "/apis/example.com/v1/gadgets/g" => fake::json_answer(200, &tracked("example.com/v1", "Gadget", "")),
            "/apis/busy.example.com/v1" => fake::status(403, "Forbidden", "no discovery for you"),
            _ => fake::status(404, "NotFound", "not found"),
        }
    }

    fn tracked(version: &str, kind: &str, namespace: &str) -> Value {
        let group = Gvk::new(version, kind).group;
        let place = if namespace.is_empty() { "shop" } else { namespace };
        let id = format!("web:{group}/{kind}:{place}/g");
        let metadata = json!({"name": "g", "namespace": namespace, "uid": "u", "annotations": {TRACKING_ID: id}});
        json!({"apiVersion": version, "kind": kind, "metadata": metadata})
    }

    async fn search(manifests: &[Value], owned: &[(&str, &str)]) -> Found {
        let cluster = fake::cluster(|asked| serve(&asked));
        let origin = || Origin { file: "app.yaml".into(), line: 1 };
        let manifests: Vec<Manifest> =
            manifests.iter().map(|value| Manifest { object: Object::new(value.clone()), origin: origin() }).collect();
        let owned: Vec<Owned> = owned
            .iter()
            .map(|(group, version)| Owned {
                key: ResourceKey::new(group, "Gadget", "", "g"),
                version: (*version).to_owned(),
                uid: String::new(),
                wave: 0,
                seal: String::new(),
            })
            .collect();
        let gvks = manifests.iter().map(|manifest| manifest.object.gvk()).collect();
        let kinds = cluster.discover(&gvks).await;
        let search = Search { cluster: &cluster, app: "web", namespace: "shop", manifests: &manifests, kinds: &kinds };
        search.run(Some(&owned)).await
    }

    #[tokio::test(start_paused = true)]
    async fn t181_t183_r1202_r1207_r1208_an_id_names_the_app_and_the_object_itself() {
        let cluster = fake::cluster(|asked| serve(&asked));
        let search = Search { cluster: &cluster, app: "web", namespace: "shop", manifests: &[], kinds: &Kinds::default() };
        let service = ResourceKey::new("", "Service", "default", "ui");
        let role = ResourceKey::new("rbac.authorization.k8s.io", "ClusterRole", "", "r");
        assert!(search.is_tracked(&service, Some("web:/Service:default/ui")));
        assert!(search.is_tracked(&role, Some("web:rbac.authorization.k8s.io/ClusterRole:shop/r")), "it carries the destination");
        for wrong in [
            None,
            Some(""),
            Some("web"),
            Some("web:/Service"),
            Some("web:Service:default/ui"),
            Some("web:/Service:default"),
            Some("other:/Service:default/ui"),
            Some("web:/Service:default/another"),
            Some("web:/Service:elsewhere/ui"),
            Some("web:/ConfigMap:default/ui"),
        ] {
            assert!(!search.is_tracked(&service, wrong), "{wrong:?}");
        }
    }

    /// R1209: a version that is not served yet says nothing of the scope.
    #[tokio::test(start_paused = true)]
    async fn t186_what_is_applied_in_a_version_that_is_not_served_yet_is_not_pruned() {
        let manifest = json!({"apiVersion": "example.com/v2", "kind": "Gadget", "metadata": {"name": "g"}});
        let found = search(&[manifest], &[("example.com", "v1")]).await;
        assert!(found.candidates.is_empty() && found.gone.is_empty(), "{found:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_object_of_the_inventory_is_found_in_whatever_version_is_served() {
        let found = search(&[], &[("example.com", "v1beta1")]).await;
        let versions: Vec<&str> = found.candidates.iter().map(|candidate| &*candidate.version).collect();
        assert_eq!((versions, found.gone.len(), found.notes.len()), (vec!["v1"], 0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_is_not_found_is_gone_and_any_other_answer_is_told() {
        let found = search(&[], &[("none.example.com", "v1"), ("busy.example.com", "v1")]).await;
        let gone: Vec<String> = found.gone.iter().map(ToString::to_string).collect();
        assert_eq!((gone.len(), &*found.gone.first().unwrap().group), (1, "none.example.com"));
        assert!(matches!(&found.notes[..], [note] if note.ends_with("so it cannot be pruned: no discovery for you")), "{:?}", found.notes);
    }
}
