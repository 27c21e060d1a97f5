//! Counting against a server that is played: what is asked for, what is counted, and what is said when it cannot be.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::*;
use crate::cluster::fake::{self, Asked, FakeResponse};
use crate::cluster::locked;
use crate::engine::session::Place;
use crate::model::{Kinds, Live, Options, ResourceKey};
use crate::plan::{Candidate, Plan, PlanInput, Shape};

/// A plan that prunes these, each with the uid `uid-NAME`.
fn pruning(objects: &[(&str, &str, &str)]) -> Planned {
    let live = |name: &str| {
        let options = if name == "kept" { json!({"argocd.argoproj.io/sync-options": "Prune=false"}) } else { json!({}) };
        Live::still(&format!("uid-{name}"), &Object::new(json!({"metadata": {"annotations": options}})))
    };
    let candidate = |(group, kind, name): &(&str, &str, &str)| {
        let namespace = if ["Namespace", "Tenant"].contains(kind) { "" } else { "shop" };
        Candidate { key: ResourceKey::new(group, kind, namespace, name), version: "v1".into(), live: live(name) }
    };
    let candidates: Vec<Candidate> = objects.iter().map(candidate).collect();
    let plan = Plan::build(&PlanInput {
        app: "web",
        namespace: "shop",
        revision: "r",
        operation: "op",
        started_at: fake::epoch(),
        manifests: &[],
        kinds: &Kinds::default(),
        candidates: &candidates,
        selection: None,
        shape: &Shape::default(),
    });
    let actions = plan.tasks.iter().map(|task| (task.id.clone(), Action::Prune)).collect();
    let place = Place {
        app: "web".into(),
        context: "c".into(),
        cluster: "s".into(),
        namespace: "shop".into(),
        source: "deploy/".into(),
        revision: "r".into(),
        read_only: None,
        protected: false,
    };
    Planned { actions, ..Planned::new(place, Arc::new(plan), Vec::new()) }
}

fn child(name: &str, owners: &[&str]) -> Value {
    let owners: Vec<Value> = owners.iter().map(|uid| json!({"kind": "X", "name": "x", "uid": uid})).collect();
    json!({"metadata": {"name": name, "namespace": "shop", "uid": name, "ownerReferences": owners}})
}

fn items(items: &[Value]) -> FakeResponse {
    fake::json_answer(200, &json!({"metadata": {}, "items": items}))
}

/// Counts; returns the facts by name, and the paths that were asked for.
async fn counted(
    planned: &Planned,
    serve: impl Fn(&Asked) -> FakeResponse + Send + Sync + 'static,
) -> (BTreeMap<String, Facts>, Vec<String>) {
    let log = Arc::new(Mutex::new(Vec::new()));
    let seen = log.clone();
    let cluster = fake::cluster(move |asked: Asked| {
        locked(&seen).push(asked.path.clone());
        serve(&asked)
    });
    let mut facts = BTreeMap::new();
    let terms = Terms { options: &Options::default(), prunes: true, approved: &[] };
    count(&cluster, planned, terms, &mut facts).await;
    let facts = facts.into_iter().map(|(id, facts)| (id.key.name.to_string(), facts)).collect();
    let mut asked = locked(&log).clone();
    asked.sort();
    (facts, asked)
}

fn told(facts: &BTreeMap<String, Facts>, name: &str) -> String {
    facts[name].family.as_ref().map(ToString::to_string).unwrap_or_default()
}

const SETS: &str = "/apis/apps/v1/namespaces/shop/replicasets";
const PODS: &str = "/api/v1/namespaces/shop/pods";

#[tokio::test(start_paused = true)]
async fn what_belongs_to_an_object_is_counted_at_any_distance_and_each_kind_is_listed_once() {
    let planned = pruning(&[("apps", "Deployment", "web"), ("apps", "Deployment", "api")]);
    let (facts, asked) = counted(&planned, |asked| match asked.path.as_str() {
        SETS => items(&[child("web-1", &["uid-web"]), child("web-2", &["uid-web"]), child("api-1", &["uid-api"]), child("alone", &[])]),
        // A pod goes when all of its owners do.
        PODS => items(&[
            child("a", &["web-2"]),
            child("b", &["web-2"]),
            child("c", &["api-1", "web-1"]),
            child("d", &["web-1", "other"]),
            child("e", &["other"]),
        ]),
        other => panic!("{other}"),
    })
    .await;
    assert_eq!(told(&facts, "web"), "2 ReplicaSets and 2 Pods");
    assert_eq!(told(&facts, "api"), "1 ReplicaSet and 1 Pod");
    assert_eq!(asked, [PODS, SETS]);
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_deletes_nothing_with_children_asks_for_nothing() {
    let planned = pruning(&[("", "ConfigMap", "old"), ("rbac.authorization.k8s.io", "Role", "old"), ("apps", "Deployment", "kept")]);
    let (facts, asked) = counted(&planned, |asked| panic!("{}", asked.path)).await;
    assert!(asked.is_empty() && facts.values().all(|facts| facts.family.is_none()), "{facts:?}");
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_listed_is_said_and_the_rest_is_counted() {
    let planned = pruning(&[("apps", "Deployment", "web"), ("", "Service", "web-service")]);
    let (facts, _) = counted(&planned, |asked| match asked.path.as_str() {
        SETS => items(&[child("web-1", &["uid-web"])]),
        PODS => fake::status(403, "Forbidden", "pods is forbidden: User \"ci\" cannot list resource"),
        "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices" => fake::status(404, "NotFound", "not found"),
        _ => fake::status(404, "NotFound", "not found"),
    })
    .await;
    let family = facts["web"].family.clone().unwrap();
    assert_eq!((family.to_string().as_str(), family.unclear.as_deref()), ("1 ReplicaSet", Some("pods may not be read")));
    assert_eq!(facts["web-service"].family, Some(Family::default()), "what is not asked for there is not missed");
}

#[tokio::test(start_paused = true)]
async fn long_lists_are_cut_and_slow_servers_are_not_waited_for() {
    let planned = pruning(&[("apps", "ReplicaSet", "web")]);
    let (facts, asked) = counted(&planned, |asked| {
        assert_eq!(asked.path, PODS);
        fake::json_answer(
            200,
            &json!({"metadata": {"continue": "more"}, "items": [child(&asked.query, &["uid-web"]), child("other", &[])]}),
        )
    })
    .await;
    assert_eq!(asked.len(), PAGES);
    assert!(told(&facts, "web").starts_with("at least "), "{facts:?}");

    let busy = |_: &Asked| fake::status(429, "TooManyRequests", "too many requests");
    let (facts, _) = counted(&planned, busy).await;
    let unclear = facts["web"].family.clone().unwrap().unclear.unwrap();
    assert!(unclear == "no answer within 5 s" || unclear.contains("too many requests"), "{unclear}");
}

#[tokio::test(start_paused = true)]
async fn claims_of_a_stateful_set_stay_unless_it_owns_them() {
    let mut planned = pruning(&[("apps", "StatefulSet", "db")]);
    let live = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"}, "spec": {"volumeClaimTemplates": [{"metadata": {"name": "data"}}]}});
    let id = planned.plan.tasks[0].id.clone();
    let sides = crate::plan::diff::Sides { live: Some(&live), after: None };
    planned.differences.insert(id, Arc::new(crate::plan::diff::compare(&sides, &crate::plan::diff::NoRules)));
    let (facts, _) = counted(&planned, |asked| match asked.path.as_str() {
        "/api/v1/namespaces/shop/persistentvolumeclaims" => items(&[
            child("data-db-0", &[]),
            child("data-db-1", &[]),
            child("data-db-2", &["uid-db"]),
            child("data-my-db-0", &[]),
            child("data-db-x", &[]),
        ]),
        _ => items(&[]),
    })
    .await;
    let family = facts["db"].family.clone().unwrap();
    assert_eq!((family.to_string().as_str(), family.claims), ("1 PersistentVolumeClaim", 2));
}

#[tokio::test(start_paused = true)]
async fn an_object_of_a_foreign_kind_may_own_anything_and_a_volume_has_a_policy() {
    let planned = pruning(&[("db.example.com", "Cluster", "main")]);
    let (facts, asked) = counted(&planned, |asked| match asked.path.as_str() {
        "/apis/apps/v1/namespaces/shop/statefulsets" => items(&[child("main-db", &["uid-main"])]),
        "/api/v1/namespaces/shop/services" => items(&[child("main-svc", &["uid-main"])]),
        PODS => items(&[child("main-db-0", &["main-db"])]),
        _ => items(&[]),
    })
    .await;
    assert_eq!(told(&facts, "main"), "1 Service, 1 StatefulSet and 1 Pod");
    assert_eq!(asked.len(), 13, "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn what_a_cluster_scoped_object_owns_is_counted_in_every_namespace_and_outside_of_them() {
    let planned = pruning(&[("ops.example.com", "Tenant", "acme"), ("apps", "Deployment", "web")]);
    let set = || child("acme-db", &["uid-acme"]);
    let (facts, asked) = counted(&planned, move |asked| match asked.path.as_str() {
        "/apis/apps/v1/replicasets" | SETS => items(&[child("web-1", &["uid-web"])]),
        "/apis/apps/v1/statefulsets" => items(&[set()]),
        "/apis/rbac.authorization.k8s.io/v1/clusterroles" => items(&[child("acme-role", &["uid-acme"])]),
        "/api/v1/pods" => items(&[child("web-1-a", &["web-1"]), child("acme-db-0", &["acme-db"])]),
        PODS => items(&[child("web-1-a", &["web-1"])]),
        _ => items(&[]),
    })
    .await;
    assert_eq!(told(&facts, "acme"), "1 ClusterRole, 1 StatefulSet and 1 Pod");
    assert_eq!(told(&facts, "web"), "1 ReplicaSet and 1 Pod", "seen twice, counted once");
    assert_eq!(asked.len(), 15 + 2, "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn the_volume_of_a_claim_goes_or_stays_by_its_policy() {
    for (policy, expected) in [("Delete", Volume::Deleted("pv-1".to_owned())), ("Retain", Volume::Retained("pv-1".to_owned()))] {
        let mut planned = pruning(&[("", "PersistentVolumeClaim", "disk")]);
        let live =
            json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "disk"}, "spec": {"volumeName": "pv-1"}});
        let id = planned.plan.tasks[0].id.clone();
        let sides = crate::plan::diff::Sides { live: Some(&live), after: None };
        planned.differences.insert(id, Arc::new(crate::plan::diff::compare(&sides, &crate::plan::diff::NoRules)));
        let (facts, asked) = counted(&planned, move |_| {
            let volume = json!({"apiVersion": "v1", "kind": "PersistentVolume", "spec": {"persistentVolumeReclaimPolicy": policy}});
            fake::json_answer(200, &volume)
        })
        .await;
        assert_eq!(facts["disk"].volume, Some(expected));
        assert_eq!(asked, ["/api/v1/persistentvolumes/pv-1"]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_contents_of_a_namespace_are_counted_by_the_server() {
    let planned = pruning(&[("", "Namespace", "old")]);
    let (facts, _) = counted(&planned, |asked| match asked.path.as_str() {
        "/api/v1" => {
            let kind = |name: &str, kind: &str| json!({"name": name, "kind": kind, "namespaced": true, "verbs": ["list", "delete"]});
            fake::json_answer(200, &json!({"resources": [kind("pods", "Pod"), kind("secrets", "Secret"), kind("events", "Event")]}))
        }
        "/apis" => fake::json_answer(200, &json!({"kind": "APIGroupDiscoveryList", "items": []})),
        "/api/v1/namespaces/old/pods" => {
            assert_eq!(asked.query, "limit=1");
            fake::json_answer(200, &json!({"metadata": {"continue": "x", "remainingItemCount": 41}, "items": [child("a", &[])]}))
        }
        "/api/v1/namespaces/old/secrets" => fake::status(403, "Forbidden", "no"),
        other => panic!("{other}"),
    })
    .await;
    let family = facts["old"].family.clone().unwrap();
    assert_eq!((family.to_string().as_str(), family.unclear.as_deref()), ("42 Pods", Some("secrets may not be read")));
}
