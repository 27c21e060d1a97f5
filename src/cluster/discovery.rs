//! Which kinds the cluster serves, asked only for the group versions that a plan names (spec R524, R525). What was found is kept for
//! the session; what was not found is asked for again, because a definition may arrive in this very sync.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use futures::StreamExt;
use serde_json::{Value, json};

use super::retry::Backoff;
use super::wire::{CallError, Resource, api_root};
use super::{Cluster, Reporter, locked};
use crate::model::{Gvk, KindFact, Kinds};

/// How many group versions are asked for at once.
const AT_ONCE: usize = 8;
/// A refused login is asked again, as often as Argo CD does (spec R524).
const LOGINS: u32 = 5;

/// Kinds that were found, by group version and kind.
#[derive(Debug, Default)]
pub(crate) struct Catalog(Mutex<BTreeMap<Gvk, Resource>>);

impl Catalog {
    fn get(&self, gvk: &Gvk) -> Option<Resource> {
        locked(&self.0).get(gvk).cloned()
    }

    fn keep(&self, resources: Vec<Resource>) {
        locked(&self.0).extend(resources.into_iter().map(|resource| (resource.gvk.clone(), resource)));
    }

    fn forget(&self, group: &str) {
        locked(&self.0).retain(|gvk, _| *gvk.group != *group);
    }
}

impl Cluster {
    /// Returns what the cluster knows of these kinds. Each group version is asked for at most once.
    pub(crate) async fn discover(&self, gvks: &BTreeSet<Gvk>) -> Kinds {
        let missing: BTreeSet<Gvk> = gvks.iter().filter(|gvk| self.catalog.get(gvk).is_none()).map(any_of).collect();
        let answers = futures::stream::iter(missing).map(|any| async move {
            let answer = self.ask_group_version(&any).await;
            (any, answer)
        });
        let answers: BTreeMap<Gvk, Result<(), CallError>> = answers.buffer_unordered(AT_ONCE).collect().await;
        let mut kinds = Kinds::default();
        for gvk in gvks {
            let fact = match self.fact(gvk, answers.get(&any_of(gvk))) {
                KindFact::NotFound(text) => self.in_another_version(gvk, text).await,
                fact @ (KindFact::Known { .. } | KindFact::OtherVersion { .. } | KindFact::Failed(_)) => fact,
            };
            kinds.insert(gvk, fact);
        }
        kinds
    }

    /// Returns how to address a kind, asking the cluster if it is not known yet.
    ///
    /// # Errors
    /// The text as a result or an operation message needs it (spec R525).
    pub(crate) async fn resource(&self, gvk: &Gvk) -> Result<Resource, String> {
        if let Some(resource) = self.catalog.get(gvk) {
            return Ok(resource);
        }
        let answer = self.ask_group_version(&any_of(gvk)).await;
        match (self.catalog.get(gvk), answer) {
            (Some(resource), _) => Ok(resource),
            (None, Err(error)) => Err(failure_text(gvk, &error)),
            (None, Ok(())) => Err(no_such_kind(gvk)),
        }
    }

    /// Returns how to address a kind in this version or, if the server does not have that, in another one; `None` if it serves none.
    ///
    /// # Errors
    /// Why the server could not be asked.
    pub(crate) async fn served(&self, gvk: &Gvk) -> Result<Option<Resource>, CallError> {
        if let Some(resource) = self.in_version(gvk).await? {
            return Ok(Some(resource));
        }
        for version in self.versions(&gvk.group).await? {
            if let Some(resource) = self.in_version(&Gvk { version, ..gvk.clone() }).await? {
                return Ok(Some(resource));
            }
        }
        Ok(None)
    }

    /// Returns how to address a kind in this very version; `None` if it is not served. One request at most.
    ///
    /// # Errors
    /// Why the server could not be asked.
    pub(crate) async fn in_version(&self, gvk: &Gvk) -> Result<Option<Resource>, CallError> {
        if let Some(resource) = self.catalog.get(gvk) {
            return Ok(Some(resource));
        }
        match self.ask_group_version(&any_of(gvk)).await {
            Ok(()) => Ok(self.catalog.get(gvk)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns the versions of a group, the server's favourite first. Kubernetes' core group has one.
    async fn versions(&self, group: &str) -> Result<Vec<Arc<str>>, CallError> {
        if group.is_empty() {
            return Ok(vec!["v1".into()]);
        }
        let reporter = Reporter::default();
        let doing = format!("asking for the versions of {group}");
        let mut backoff = Backoff::new(self, &reporter, &doing);
        loop {
            match self.wire.get(&format!("/apis/{}", super::wire::escape(group))).await {
                Ok(answer) => {
                    let all = answer["versions"].as_array().into_iter().flatten().filter_map(|version| version["version"].as_str());
                    let favourite = answer.pointer("/preferredVersion/version").and_then(Value::as_str);
                    return Ok(favourite.into_iter().chain(all).map(Into::into).collect());
                }
                Err(error) if error.is_not_found() => return Ok(Vec::new()),
                Err(error) => {
                    if !backoff.again(&error).await {
                        return Err(error);
                    }
                }
            }
        }
    }

    /// Returns how to address a kind, if it has been found before.
    pub(crate) fn known_resource(&self, gvk: &Gvk) -> Option<Resource> {
        self.catalog.get(gvk)
    }

    /// Forgets a group whose definitions have changed.
    pub(crate) fn forget_group(&self, group: &str) {
        self.catalog.forget(group);
    }

    /// Returns every kind whose objects can be listed and deleted, each in the version that the server prefers. Two requests to a server
    /// that tells all of its groups in one answer; one for each version of a group to an older one.
    ///
    /// # Errors
    /// Why the server could not be asked.
    pub(crate) async fn deletable(&self) -> Result<Vec<Resource>, CallError> {
        const ALL: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";
        let core = Gvk::new("v1", "");
        let listed = self.ask("asking for the kinds of v1", &api_root(&core)).await?;
        let mut kinds = deletable(&core, &listed);
        let groups = self.ask_as("asking for all kinds", "/apis", ALL).await?;
        if groups["kind"] == "APIGroupDiscoveryList" {
            kinds.extend(told_at_once(&groups));
        } else {
            let lists = futures::stream::iter(versions_of(&groups)).map(|any| async move {
                // A group whose server is down has nothing to show.
                let listed = self.ask("asking for the kinds of a group", &api_root(&any)).await.unwrap_or_default();
                deletable(&any, &listed)
            });
            kinds.extend(lists.buffered(AT_ONCE).collect::<Vec<_>>().await.into_iter().flatten());
        }
        let mut seen = BTreeSet::new();
        kinds.retain(|resource| seen.insert((resource.gvk.group.clone(), resource.gvk.kind.clone())));
        self.catalog.keep(kinds.clone());
        Ok(kinds)
    }

    async fn ask(&self, doing: &str, path: &str) -> Result<Value, CallError> {
        self.ask_as(doing, path, "application/json").await
    }

    /// What is not served is null.
    async fn ask_as(&self, doing: &str, path: &str, accept: &str) -> Result<Value, CallError> {
        let reporter = Reporter::default();
        let mut backoff = Backoff::new(self, &reporter, doing);
        loop {
            match self.wire.get_as(path, accept).await {
                Ok(answer) => return Ok(answer),
                Err(error) if error.is_not_found() => return Ok(Value::Null),
                Err(error) => {
                    if !backoff.again(&error).await {
                        return Err(error);
                    }
                }
            }
        }
    }

    /// Returns the version that the server prefers for a kind of which only the group is known.
    pub(crate) async fn preferred(&self, group: &str, kind: &str) -> Result<Resource, String> {
        if group.is_empty() {
            return self.resource(&Gvk::new("v1", kind)).await;
        }
        let answer = self.wire.get(&format!("/apis/{}", super::wire::escape(group))).await.map_err(|error| error.to_string())?;
        let preferred = answer.pointer("/preferredVersion/groupVersion").and_then(Value::as_str);
        let all = answer["versions"].as_array().into_iter().flatten().filter_map(|version| version["groupVersion"].as_str());
        let mut last = format!("the API server does not serve the group {group}");
        for version in preferred.into_iter().chain(all) {
            match self.resource(&Gvk::new(version, kind)).await {
                Ok(resource) => return Ok(resource),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn fact(&self, gvk: &Gvk, answer: Option<&Result<(), CallError>>) -> KindFact {
        match (self.catalog.get(gvk), answer) {
            (Some(resource), _) => KindFact::Known { plural: resource.plural.clone(), scope: resource.scope() },
            (None, Some(Err(error))) if !error.is_not_found() => KindFact::Failed(failure_text(gvk, error)),
            (None, Some(Err(error))) => KindFact::NotFound(failure_text(gvk, error)),
            (None, Some(Ok(())) | None) => KindFact::NotFound(no_such_kind(gvk)),
        }
    }

    /// A kind that is not there in the version of the manifest may be there in another one, which says what to change (spec R1312).
    async fn in_another_version(&self, gvk: &Gvk, text: String) -> KindFact {
        match self.served(gvk).await {
            Ok(Some(resource)) => KindFact::OtherVersion { text, scope: resource.scope(), served: resource.gvk.version },
            Ok(None) | Err(_) => KindFact::NotFound(text),
        }
    }

    async fn ask_group_version(&self, any: &Gvk) -> Result<(), CallError> {
        let doing = format!("asking for the kinds of {}", any.api_version());
        let reporter = Reporter::default();
        let mut backoff = Backoff::new(self, &reporter, &doing);
        let mut logins = 1;
        loop {
            match self.wire.get(&api_root(any)).await {
                Ok(list) => {
                    self.catalog.keep(resources(any, &list));
                    return Ok(());
                }
                Err(error) if error.code() == Some(401) && logins < LOGINS => logins += 1,
                Err(error) => {
                    if !backoff.again(&error).await {
                        return Err(error);
                    }
                }
            }
        }
    }
}

/// The group version of a kind, with the kind left open.
fn any_of(gvk: &Gvk) -> Gvk {
    Gvk { kind: "".into(), ..gvk.clone() }
}

fn failure_text(gvk: &Gvk, error: &CallError) -> String {
    let what = if error.is_not_found() { "the server could not find the requested resource".to_owned() } else { error.to_string() };
    format!("failed to discover server resources for group version {}: {what}", gvk.api_version())
}

fn no_such_kind(gvk: &Gvk) -> String {
    let kind = if gvk.group.is_empty() { gvk.kind.to_string() } else { format!("{}.{}", gvk.kind, gvk.group) };
    format!("{kind} \"\" not found")
}

fn resources(any: &Gvk, list: &Value) -> Vec<Resource> {
    let items = list["resources"].as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().filter_map(|item| resource(any, item)).collect()
}

fn resource(any: &Gvk, item: &Value) -> Option<Resource> {
    let plural = item["name"].as_str().filter(|name| !name.contains('/'))?;
    let verbs: Vec<&str> = item["verbs"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    Some(Resource {
        gvk: Gvk { kind: item["kind"].as_str()?.into(), ..any.clone() },
        plural: plural.into(),
        is_namespaced: item["namespaced"].as_bool().unwrap_or(true),
        can_list: verbs.contains(&"list"),
        can_watch: verbs.contains(&"watch"),
    })
}

/// The kinds of a group version that can be listed and deleted.
fn deletable(any: &Gvk, list: &Value) -> Vec<Resource> {
    let items = list["resources"].as_array().map(Vec::as_slice).unwrap_or_default();
    let has = |item: &&Value, verb: &str| item["verbs"].as_array().is_some_and(|verbs| verbs.iter().any(|own| own == verb));
    items.iter().filter(|item| has(item, "list") && has(item, "delete")).filter_map(|item| resource(any, item)).collect()
}

/// The same of all groups in one document, whose entries have other names.
fn told_at_once(groups: &Value) -> Vec<Resource> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut kinds = Vec::new();
    for group in list(&groups["items"]) {
        let name = group["metadata"]["name"].as_str().unwrap_or_default();
        for version in list(&group["versions"]) {
            let any = Gvk { group: name.into(), version: version["version"].as_str().unwrap_or_default().into(), kind: "".into() };
            let items = list(&version["resources"]).into_iter().map(|item| {
                let (name, kind) = (&item["resource"], &item["responseKind"]["kind"]);
                json!({"name": name, "kind": kind, "namespaced": item["scope"] == "Namespaced", "verbs": item["verbs"]})
            });
            kinds.extend(deletable(&any, &json!({"resources": items.collect::<Vec<_>>()})));
        }
    }
    kinds
}

/// Every version of every group, those that the server prefers before the others of their group.
fn versions_of(groups: &Value) -> Vec<Gvk> {
    let groups = groups["groups"].as_array().map(Vec::as_slice).unwrap_or_default();
    let of = |group: &Value| -> Vec<Gvk> {
        let all = group["versions"].as_array().into_iter().flatten();
        let names = std::iter::once(&group["preferredVersion"]).chain(all).filter_map(|version| version["groupVersion"].as_str());
        let mut seen = BTreeSet::new();
        names.filter(|name| seen.insert(*name)).map(|name| Gvk::new(name, "")).collect()
    };
    groups.iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::cluster::fake;
    use crate::model::Scope;

    fn core() -> Value {
        json!({"kind": "APIResourceList", "groupVersion": "v1", "resources": [
            {"name": "configmaps", "kind": "ConfigMap", "namespaced": true, "verbs": ["get", "list", "watch"]},
            {"name": "pods/log", "kind": "Pod", "namespaced": true, "verbs": ["get"]},
            {"name": "namespaces", "kind": "Namespace", "namespaced": false, "verbs": ["get", "list"]},
        ]})
    }

    #[tokio::test(start_paused = true)]
    async fn t39_r524_a_refused_login_is_tried_five_times_and_another_refusal_once() {
        for (code, reason, refusals, calls, is_known) in [
            (401, "Unauthorized", 0, 1, true),
            (401, "Unauthorized", 1, 2, true),
            (401, "Unauthorized", 4, 5, true),
            (401, "Unauthorized", 5, 5, false),
            (409, "Conflict", 1, 1, false),
        ] {
            let asked = Arc::new(AtomicUsize::new(0));
            let counter = asked.clone();
            let cluster = fake::cluster(move |_| {
                let is_refused = counter.fetch_add(1, Ordering::SeqCst) < refusals;
                if is_refused { fake::status(code, reason, "no") } else { fake::json_answer(200, &core()) }
            });
            let config = Gvk::new("v1", "ConfigMap");
            let kinds = cluster.discover(&[config.clone()].into()).await;
            assert_eq!(matches!(kinds.get(&config), Some(KindFact::Known { .. })), is_known, "{code} {refusals}");
            assert_eq!(asked.load(Ordering::SeqCst), calls, "{code} {refusals}");
        }
    }

    /// T38: two kinds of one group version, one question.
    #[tokio::test(start_paused = true)]
    async fn r524_each_group_version_is_asked_for_once_in_a_session() {
        let calls = Arc::new(AtomicUsize::new(0));
        let counter = calls.clone();
        let cluster = fake::cluster(move |asked| {
            counter.fetch_add(1, Ordering::SeqCst);
            assert_eq!(asked.path, "/api/v1");
            fake::json_answer(200, &core())
        });
        let (config, namespace) = (Gvk::new("v1", "ConfigMap"), Gvk::new("v1", "Namespace"));
        for _ in 0..2 {
            let kinds = cluster.discover(&[config.clone(), namespace.clone()].into()).await;
            assert_eq!(kinds.get(&config), Some(&KindFact::Known { plural: "configmaps".into(), scope: Scope::Namespaced }));
            assert_eq!(kinds.scope(&namespace), Scope::Cluster);
        }
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        assert!(!cluster.known_resource(&namespace).unwrap().can_watch);
    }

    #[tokio::test(start_paused = true)]
    async fn r525_a_group_that_is_not_served_is_named_as_recorded_and_asked_for_again() {
        let is_there = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let served = is_there.clone();
        let cluster = fake::cluster(move |_| {
            if served.load(Ordering::SeqCst) {
                let item = json!({"name": "gadgets", "kind": "Gadget", "namespaced": true, "verbs": ["list", "watch"]});
                fake::json_answer(200, &json!({"resources": [item]}))
            } else {
                http::Response::builder().status(404).body(fake::full("404 page not found\n")).unwrap()
            }
        });
        let gadget = Gvk::new("none.example.com/v1", "Gadget");
        let text =
            "failed to discover server resources for group version none.example.com/v1: the server could not find the requested resource";
        let kinds = cluster.discover(&[gadget.clone()].into()).await;
        assert_eq!(kinds.get(&gadget), Some(&KindFact::NotFound(text.into())));
        is_there.store(true, Ordering::SeqCst);
        assert_eq!(cluster.resource(&gadget).await.unwrap().collection("shop"), "/apis/none.example.com/v1/namespaces/shop/gadgets");
        cluster.forget_group("none.example.com");
        assert_eq!(cluster.known_resource(&gadget), None);
    }

    #[tokio::test(start_paused = true)]
    async fn r1312_a_kind_that_is_served_in_another_version_says_in_which() {
        let cluster = fake::cluster(|asked| match asked.path.as_str() {
            "/apis/example.com" => {
                let versions = json!([{"version": "v2", "groupVersion": "example.com/v2"}]);
                fake::json_answer(200, &json!({"versions": versions, "preferredVersion": versions[0]}))
            }
            "/apis/example.com/v2" => {
                let item = json!({"name": "gadgets", "kind": "Gadget", "namespaced": true, "verbs": ["list", "watch"]});
                fake::json_answer(200, &json!({"resources": [item]}))
            }
            _ => http::Response::builder().status(404).body(fake::full("404 page not found\n")).unwrap(),
        });
        let (gadget, other) = (Gvk::new("example.com/v1", "Gadget"), Gvk::new("example.com/v1", "Other"));
        let kinds = cluster.discover(&[gadget.clone(), other.clone()].into()).await;
        assert!(matches!(kinds.get(&gadget), Some(KindFact::OtherVersion { served, scope: Scope::Namespaced, .. }) if **served == *"v2"));
        assert!(matches!(kinds.get(&other), Some(KindFact::NotFound(_))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_group_that_cannot_be_asked_for_is_a_failure_not_a_missing_kind() {
        let cluster = fake::cluster(|_| fake::status(503, "ServiceUnavailable", "the server is currently unable to handle the request"));
        let gvk = Gvk::new("metrics.k8s.io/v1", "X");
        let kinds = cluster.discover(&[gvk.clone()].into()).await;
        assert!(matches!(kinds.get(&gvk), Some(KindFact::Failed(text)) if text.ends_with("unable to handle the request")));
    }

    /// A new server tells everything at once, an old one group by group.
    #[tokio::test(start_paused = true)]
    async fn r1109_every_kind_that_can_be_listed_and_deleted_is_found_once() {
        let item = |name: &str, kind: &str, verbs: &[&str]| json!({"name": name, "kind": kind, "namespaced": true, "verbs": verbs});
        let told = |name: &str, kind: &str, verbs: &[&str]| json!({"resource": name, "responseKind": {"kind": kind}, "scope": "Namespaced", "verbs": verbs});
        let both = ["list", "delete"];
        for is_new in [true, false] {
            let cluster = fake::cluster(move |asked| match asked.path.as_str() {
                "/api/v1" => {
                    fake::json_answer(200, &json!({"resources": [item("pods", "Pod", &both), item("bindings", "Binding", &["create"])]}))
                }
                "/apis" if is_new => {
                    let version = |name: &str| json!({"version": name, "resources": [told("jobs", "Job", &both), told("podmetrics", "PodMetrics", &["list"])]});
                    let group = json!({"metadata": {"name": "batch"}, "versions": [version("v2"), version("v1")]});
                    fake::json_answer(200, &json!({"kind": "APIGroupDiscoveryList", "items": [group]}))
                }
                "/apis" => {
                    let versions = json!([{"groupVersion": "batch/v1"}, {"groupVersion": "batch/v2"}]);
                    let group = json!({"name": "batch", "versions": versions, "preferredVersion": {"groupVersion": "batch/v2"}});
                    fake::json_answer(200, &json!({"kind": "APIGroupList", "groups": [group]}))
                }
                _ => fake::json_answer(200, &json!({"resources": [item("jobs", "Job", &both), item("jobs/status", "Job", &both)]})),
            });
            let kinds: Vec<String> = cluster.deletable().await.unwrap().iter().map(|resource| resource.gvk.to_string()).collect();
            assert_eq!(kinds, ["v1/Pod", "batch/v2/Job"]);
        }
    }
}
