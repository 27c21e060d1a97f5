//! What an apply asks, what it says, and how it behaves when the server does not.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::*;
use crate::cluster::{Outbox, fake, locked};
use crate::model::annotation::OPERATION_LABEL;
use crate::model::{Options, Propagation};
use crate::operation::Event;

const USUAL: Mode = Mode { verb: Verb::Apply, force: false, idle_force: false, validate: true, migrate: true };

fn config() -> Object {
    Object::new(
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "managedFields": [{}], "creationTimestamp": null}, "data": {"k": "v"}}),
    )
}

fn resource() -> Resource {
    Resource::core("ConfigMap", "configmaps")
}

fn stored(version: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "uid": "u", "resourceVersion": version}, "data": {"k": version}})
}

#[tokio::test(start_paused = true)]
async fn decision_18_the_word_is_created_configured_or_unchanged() {
    let resource = resource();
    let spot = Spot { resource: &resource, namespace: "shop", name: "a" };
    let live = Before::Present(Snapshot::of(&stored("7")));
    for (before, code, version, message) in [
        (Before::Absent, 201, "1", "configmap/a created"),
        (live.clone(), 200, "8", "configmap/a configured"),
        (live.clone(), 200, "7", "configmap/a unchanged"),
        (live, 201, "9", "configmap/a created"),
        (Before::Absent, 200, "9", "configmap/a configured"),
    ] {
        let cluster = fake::cluster(move |_| fake::json_answer(code, &stored(version)));
        let applied =
            cluster.apply(Writing { spot, target: &config(), mode: USUAL, reporter: &Reporter::default() }, &before).await.unwrap();
        assert_eq!(applied.message(), message);
    }
}

#[tokio::test(start_paused = true)]
async fn decision_6_an_apply_is_forced_strict_and_ours() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    let cluster = fake::cluster(move |asked| {
        locked(&log).push(asked.clone());
        fake::json_answer(201, &stored("1"))
    });
    let resource = resource();
    let spot = Spot { resource: &resource, namespace: "shop", name: "a" };
    cluster.apply(Writing { spot, target: &config(), mode: USUAL, reporter: &Reporter::default() }, &Before::Absent).await.unwrap();
    let asked = locked(&seen).pop().unwrap();
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("PATCH", "/api/v1/namespaces/shop/configmaps/a"));
    assert_eq!(asked.query, "fieldManager=syncwave&force=true&fieldValidation=Strict");
    assert_eq!(asked.body["metadata"], json!({"name": "a"}), "what only the server may write is left out");
}

#[tokio::test(start_paused = true)]
async fn decision_23_a_busy_server_and_a_conflict_are_tried_again_visibly_and_once() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = calls.clone();
    let cluster = fake::cluster(move |_| match counter.fetch_add(1, Ordering::SeqCst) {
        0 => fake::status(429, "TooManyRequests", "too many requests"),
        1 => fake::status(409, "Conflict", "the object has been modified"),
        _ => fake::json_answer(201, &stored("1")),
    });
    let resource = resource();
    let spot = Spot { resource: &resource, namespace: "shop", name: "a" };
    let outbox = Arc::new(Outbox::default());
    let reporter = Reporter::new(&outbox, None);
    cluster.apply(Writing { spot, target: &config(), mode: USUAL, reporter: &reporter }, &Before::Absent).await.unwrap();
    assert_eq!(calls.load(Ordering::SeqCst), 3);
    let text = "applying ConfigMap shop/a: too many requests; trying again".to_owned();
    assert_eq!(outbox.drain(), [Event::Warned { task: None, text }]);
}

#[tokio::test(start_paused = true)]
async fn decision_23_a_hook_whose_creation_got_no_answer_is_looked_for_and_not_sent_again() {
    let hook = config().with(|value| value["metadata"]["labels"] = json!({OPERATION_LABEL: "op-1"}));
    let created = hook.with(|value| value["metadata"]["uid"] = json!("u"));
    let patches = Arc::new(AtomicUsize::new(0));
    let counter = patches.clone();
    let cluster = fake::cluster(move |asked| {
        if asked.method == "GET" {
            return fake::json_answer(200, created.wire());
        }
        counter.fetch_add(1, Ordering::SeqCst);
        fake::status(504, "Timeout", "request timed out")
    });
    let resource = resource();
    let spot = Spot { resource: &resource, namespace: "shop", name: "a" };
    let applied =
        cluster.apply(Writing { spot, target: &hook, mode: USUAL, reporter: &Reporter::default() }, &Before::Absent).await.unwrap();
    assert_eq!((applied.message().as_str(), patches.load(Ordering::SeqCst)), ("configmap/a created", 1));
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_its_turn_is_not_sent_after_a_terminate() {
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = sent.clone();
    let client = fake::client_async(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        async {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            fake::json_answer(201, &stored("1"))
        }
    });
    let clock = crate::clock::Clock::starting_at(fake::epoch(), 1.0);
    let stop = tokio_util::sync::CancellationToken::new();
    let cluster = Cluster::new(client, clock, fake::judge()).with_stop(stop.clone());
    let (resource, target, reporter) = (resource(), config(), Reporter::default());
    let spot = Spot { resource: &resource, namespace: "shop", name: "a" };
    let applies = (0..50).map(|_| cluster.apply(Writing { spot, target: &target, mode: USUAL, reporter: &reporter }, &Before::Absent));
    let terminate = async {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        stop.cancel();
    };
    let (results, ()) = futures::future::join(futures::future::join_all(applies), terminate).await;
    let done = results.iter().filter(|result| result.is_ok()).count();
    assert_eq!((done, sent.load(Ordering::SeqCst)), (16, 16), "what was sent comes to its end");
    let error = results.into_iter().find_map(Result::err).unwrap();
    assert_eq!(error.to_string(), "not sent: the operation was terminated");
    assert!(cluster.delete(spot, "u", Propagation::Foreground, &reporter).await.is_err() && sent.load(Ordering::SeqCst) == 16);
}

#[tokio::test(start_paused = true)]
async fn what_the_server_refuses_is_its_own_sentence_at_once() {
    let cluster = fake::cluster(|_| fake::status(404, "NotFound", "namespaces \"shop\" not found"));
    let resource = resource();
    let spot = Spot { resource: &resource, namespace: "shop", name: "a" };
    let error =
        cluster.apply(Writing { spot, target: &config(), mode: USUAL, reporter: &Reporter::default() }, &Before::Absent).await.unwrap_err();
    assert_eq!(error.to_string(), "namespaces \"shop\" not found");
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_compares_content_with_what_is_live() {
    let cluster = fake::cluster(|asked| {
        if asked.method == "GET" {
            return fake::json_answer(200, &stored("7"));
        }
        assert!(asked.query.ends_with("dryRun=All"), "{}", asked.query);
        let mut merged = stored("7");
        merged["data"]["k"] = json!("new");
        fake::json_answer(200, &merged)
    });
    let resource = resource();
    let spot = Spot { resource: &resource, namespace: "shop", name: "a" };
    assert_eq!(cluster.try_apply(spot, &config(), &Before::Present(Snapshot::of(&stored("7"))), USUAL).await.unwrap(), Word::Configured);
}

#[tokio::test(start_paused = true)]
async fn decision_6_with_validate_false_unknown_fields_are_left_out_visibly() {
    let cluster = fake::cluster(|asked| {
        if asked.body.get("dataz").is_some() {
            return fake::status(
                500,
                "",
                "failed to create typed patch object (shop/a; /v1, Kind=ConfigMap): .dataz: field not declared in schema",
            );
        }
        assert!(asked.query.ends_with("fieldValidation=Ignore"), "{}", asked.query);
        fake::json_answer(201, &stored("1"))
    });
    let resource = resource();
    let spot = Spot { resource: &resource, namespace: "shop", name: "a" };
    let strict = config().with(|value| value["dataz"] = json!(1));
    let error =
        cluster.apply(Writing { spot, target: &strict, mode: USUAL, reporter: &Reporter::default() }, &Before::Absent).await.unwrap_err();
    assert!(error.to_string().contains(".dataz"), "{error}");
    let lenient = Mode { validate: false, ..USUAL };
    let outbox = Arc::new(Outbox::default());
    cluster
        .apply(Writing { spot, target: &strict, mode: lenient, reporter: &Reporter::new(&outbox, None) }, &Before::Absent)
        .await
        .unwrap();
    let text = "left out .dataz, which the API server does not know (Validate=false)".to_owned();
    assert_eq!(outbox.drain(), [Event::Warned { task: None, text }]);
}

#[test]
fn messages_name_kind_and_group_as_recorded() {
    for (version, kind, text) in [
        ("v1", "ConfigMap", "configmap/x created"),
        ("apps/v1", "Deployment", "deployment.apps/x created"),
        ("rbac.authorization.k8s.io/v1", "Role", "role.rbac.authorization.k8s.io/x created"),
    ] {
        let object = Object::new(json!({"apiVersion": version, "kind": kind, "metadata": {"name": "x"}}));
        assert_eq!(Applied { object, word: Word::Created }.message(), text);
    }
}

#[tokio::test(start_paused = true)]
async fn r714_server_side_apply_has_a_word_of_its_own_also_when_nothing_changed() {
    let resource = resource();
    let spot = Spot { resource: &resource, namespace: "shop", name: "a" };
    let mode = Mode { verb: Verb::ServerSideApply, ..USUAL };
    for (before, code) in [(Before::Absent, 201), (Before::Present(Snapshot::of(&stored("7"))), 200)] {
        let cluster = fake::cluster(move |_| fake::json_answer(code, &stored("7")));
        let applied = cluster.apply(Writing { spot, target: &config(), mode, reporter: &Reporter::default() }, &before).await.unwrap();
        assert_eq!(applied.message(), "configmap/a serverside-applied");
    }
}

/// Seen with Argo CD 3.6.1: it does not get to kubectl's refusal.
#[tokio::test(start_paused = true)]
async fn r713_force_beside_server_side_apply_is_told_and_does_nothing() {
    let immutable = "Job.batch \"a\" is invalid: spec.template: field is immutable";
    let cluster = fake::cluster(move |asked| match asked.method.as_str() {
        "PATCH" => fake::status(422, "Invalid", immutable),
        _ => panic!("{asked:?}"),
    });
    let resource = resource();
    let spot = Spot { resource: &resource, namespace: "shop", name: "a" };
    let mode = Mode::of(&Options::new(["ServerSideApply=true".to_owned()]), true, &[], &[]);
    let outbox = Arc::new(Outbox::default());
    let error = cluster
        .apply(Writing { spot, target: &config(), mode, reporter: &Reporter::new(&outbox, None) }, &Before::Absent)
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), immutable);
    let text = "force has no effect beside ServerSideApply=true; with Replace=true it has".to_owned();
    assert_eq!(outbox.drain(), [Event::Warned { task: None, text }]);
}
