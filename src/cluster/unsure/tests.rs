//! What is sent, and how often, when nobody knows whether a hook was created. Each request is noted as its method.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::cluster::apply::{Before, Writing};
use crate::cluster::fake::{self, Asked, FakeResponse};
use crate::cluster::{Outbox, Resource, Snapshot, locked};
use crate::model::annotation::{ARGO_HOOK_FINALIZER, HOOK_FINALIZER};
use crate::model::{Mode, Options};
use crate::operation::Event;

const UNKNOWN: &str = "it is not known whether ConfigMap shop/bye was created and has run: request timed out; it is not sent again, because \
    it could run twice: look for what it has done, then start the operation again";

/// A hook of a deletion, as it is sent.
fn hook() -> Object {
    let metadata = json!({"name": "bye", "labels": {OPERATION_LABEL: "op-1"}, "annotations": {TRACKING_ID: "app:/ConfigMap:shop/bye"}});
    Object::new(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}))
}

fn held(finalizer: &str) -> Object {
    hook().with(|value| value["metadata"]["finalizers"] = json!(["example.com/other", finalizer]))
}

fn with_uid(object: &Object) -> Value {
    object.with(|value| value["metadata"]["uid"] = json!("u1")).wire().clone()
}

fn mode(options: &[&str]) -> Mode {
    Mode::of(&Options::new(options.iter().map(|option| (*option).to_owned())), false, &[], &[])
}

fn not_found() -> FakeResponse {
    fake::status(404, "NotFound", "configmaps \"bye\" not found")
}

fn timed_out() -> FakeResponse {
    fake::status(504, "Timeout", "request timed out")
}

struct Played {
    said: Result<String, String>,
    asked: Vec<String>,
    warned: Vec<String>,
    /// Milliseconds.
    took: i128,
}

impl Played {
    fn writes(&self) -> usize {
        self.asked.iter().filter(|method| *method != "GET").count()
    }
}

async fn play(
    (target, before, mode): (&Object, &Before, Mode),
    hurry: Option<CancellationToken>,
    serve: impl Fn(&Asked, usize) -> FakeResponse + Send + Sync + 'static,
) -> Played {
    let log = Arc::new(Mutex::new(Vec::new()));
    let (seen, count) = (log.clone(), AtomicUsize::new(0));
    let cluster = fake::cluster(move |asked| {
        locked(&seen).push(asked.method.clone());
        serve(&asked, count.fetch_add(1, Ordering::SeqCst))
    });
    let cluster = cluster.with_hurry(hurry.unwrap_or_default());
    let resource = Resource::core("ConfigMap", "configmaps");
    let spot = Spot { resource: &resource, namespace: "shop", name: "bye" };
    let outbox = Arc::new(Outbox::default());
    let began = cluster.clock().now();
    let applied = cluster.apply(Writing { spot, target, mode, reporter: &Reporter::new(&outbox, None) }, before).await;
    let took = cluster.clock().now().duration_since(began).as_millis();
    let warning = |event: Event| match event {
        Event::Warned { text, .. } => text,
        other => panic!("{other:?}"),
    };
    let asked = locked(&log).clone();
    Played {
        said: applied.map(|applied| applied.message()).map_err(|error| error.to_string()),
        asked,
        warned: outbox.drain().into_iter().map(warning).collect(),
        took,
    }
}

/// Each way to create it, with what is said of it.
const WAYS: [(&[&str], &str); 3] = [
    (&[], "configmap/bye created"),
    (&["ServerSideApply=true"], "configmap/bye serverside-applied"),
    (&["Replace=true"], "configmap/bye created"),
];

#[tokio::test(start_paused = true)]
async fn decision_23_r214_a_hook_that_nothing_holds_is_sent_once_and_found_however_late_it_comes() {
    for (options, said) in WAYS {
        for looks in 1..=LOOKS as usize {
            let serve = move |asked: &Asked, at| match asked.method.as_str() {
                "GET" if at == looks => fake::json_answer(200, &with_uid(&hook())),
                "GET" => not_found(),
                _ => timed_out(),
            };
            let played = play((&hook(), &Before::Absent, mode(options)), None, serve).await;
            assert_eq!((played.said.as_deref(), played.writes(), played.asked.len()), (Ok(said), 1, looks + 1), "{options:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn decision_23_r214_a_hook_that_may_have_run_and_gone_is_not_sent_again_and_that_is_said() {
    let old = Before::Present(Snapshot::of(&json!({"metadata": {"uid": "u0", "resourceVersion": "7"}})));
    for (options, _) in WAYS {
        for before in [&Before::Absent, &Before::Unknown, &old] {
            // Putting something in the place of an object does not run it.
            if *before == old && options == ["Replace=true"] {
                continue;
            }
            let serve = |asked: &Asked, _| if asked.method == "GET" { not_found() } else { timed_out() };
            let played = play((&hook(), before, mode(options)), None, serve).await;
            assert_eq!((&played.said, played.writes()), (&Err(UNKNOWN.to_owned()), 1), "{options:?}");
            assert_eq!(played.warned, ["creating ConfigMap shop/bye: request timed out; looking whether it is there"]);
            assert_eq!(played.took, 250 + 500 + 1000 + 2000 + 4000);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn decision_23_an_object_of_the_same_name_that_is_not_ours_proves_nothing() {
    let serve = |asked: &Asked, _| match asked.method.as_str() {
        "GET" => fake::json_answer(200, &with_uid(&hook().with(|value| value["metadata"]["labels"] = json!({OPERATION_LABEL: "op-0"})))),
        _ => timed_out(),
    };
    let played = play((&hook(), &Before::Absent, mode(&[])), None, serve).await;
    assert_eq!((&played.said, played.writes()), (&Err(UNKNOWN.to_owned()), 1));
}

#[tokio::test(start_paused = true)]
async fn decision_23_a_search_without_an_answer_proves_nothing_and_ends() {
    let played = play((&hook(), &Before::Absent, mode(&[])), None, |_, _| timed_out()).await;
    assert_eq!((played.said.as_ref(), played.writes()), (Err(&UNKNOWN.to_owned()), 1));
    assert!(played.took <= 60_000, "{} ms", played.took);
}

#[tokio::test(start_paused = true)]
async fn decision_23_r214_a_hook_that_its_finalizer_holds_is_sent_again_when_it_is_not_there() {
    for finalizer in [HOOK_FINALIZER, ARGO_HOOK_FINALIZER] {
        for (options, said) in WAYS {
            let target = held(finalizer);
            let answer = with_uid(&target);
            let serve = move |asked: &Asked, at| match (asked.method.as_str(), at) {
                ("GET", _) => not_found(),
                (_, 0) => timed_out(),
                _ => fake::json_answer(201, &answer),
            };
            let played = play((&target, &Before::Absent, mode(options)), None, serve).await;
            assert_eq!((played.said.as_deref(), played.asked.len()), (Ok(said), 3), "{options:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn decision_23_what_surely_was_not_done_is_tried_again() {
    let refusals = [
        (429, "TooManyRequests", "busy"),
        // Spec R707: webhooks are asked before anything is stored.
        (500, "InternalError", "Internal error occurred: failed calling webhook \"w.example.com\": context deadline exceeded"),
    ];
    for (code, reason, message) in refusals {
        for (options, said) in WAYS {
            let serve = move |asked: &Asked, at| {
                assert_ne!(asked.method, "GET", "nothing is in doubt");
                if at < 2 { fake::status(code, reason, message) } else { fake::json_answer(201, &with_uid(&hook())) }
            };
            let played = play((&hook(), &Before::Absent, mode(options)), None, serve).await;
            assert_eq!((played.said.as_deref(), played.writes()), (Ok(said), 3), "{options:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn decision_23_after_a_terminate_there_is_one_last_look() {
    let hurry = CancellationToken::new();
    let cancel = hurry.clone();
    let serve = move |asked: &Asked, _| {
        cancel.cancel();
        if asked.method == "GET" { not_found() } else { timed_out() }
    };
    let played = play((&hook(), &Before::Absent, mode(&[])), Some(hurry), serve).await;
    assert_eq!((played.said, played.asked, played.took), (Err(UNKNOWN.to_owned()), vec!["PATCH".to_owned(), "GET".to_owned()], 0));
}

#[tokio::test(start_paused = true)]
async fn decision_23_a_job_that_its_time_to_live_takes_away_is_not_sent_again_either() {
    let job = |spec: Value| {
        let metadata = json!({"name": "bye", "annotations": {TRACKING_ID: "app:batch/Job:shop/bye"}});
        Object::new(json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}))
    };
    let old = Before::Present(Snapshot::of(&json!({"metadata": {"uid": "u0", "resourceVersion": "7"}})));
    for (spec, before, writes) in [
        (json!({"ttlSecondsAfterFinished": 5}), &Before::Absent, 1),
        (json!({"ttlSecondsAfterFinished": 5}), &old, 2),
        (json!({"ttlSecondsAfterFinished": null}), &Before::Absent, 2),
        (json!({}), &Before::Absent, 2),
    ] {
        let target = job(spec.clone());
        let answer = with_uid(&target);
        let serve = move |asked: &Asked, at| match (asked.method.as_str(), at) {
            ("GET", _) => not_found(),
            (_, 0) => timed_out(),
            _ => fake::json_answer(201, &answer),
        };
        let played = play((&target, before, mode(&[])), None, serve).await;
        assert_eq!((played.writes(), played.said.is_err()), (writes, writes == 1), "{spec} {before:?}");
    }
}
