//! What is sent to replace, what is said of it, and that nothing is created twice.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::*;
use crate::cluster::fake::{self, Asked, FakeResponse};
use crate::cluster::ownership::Snapshot;
use crate::cluster::{Reporter, Resource, locked};
use crate::model::annotation::TRACKING_ID;
use crate::model::{Gvk, Options, Verb};

fn config() -> Object {
    let metadata = json!({"name": "a", "annotations": {TRACKING_ID: "app:/ConfigMap:shop/a"}});
    Object::new(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"k": "v"}}))
}

fn stored(version: &str) -> Value {
    let live = config().with(|value| {
        value["metadata"]["uid"] = json!("u1");
        value["metadata"]["resourceVersion"] = json!(version);
    });
    live.wire().clone()
}

fn present() -> Before {
    Before::Present(Snapshot::of(&stored("7")))
}

fn mode(force: bool) -> Mode {
    let mode = Mode::of(&Options::new(["Replace=true".to_owned()]), force, &[], &[]);
    assert_eq!(mode.verb, Verb::Replace);
    mode
}

/// What was said in the end, and each request as `PUT a 7` (with the version in its body).
struct Played {
    said: Result<String, String>,
    asked: Vec<String>,
}

async fn play(
    resource: &Resource,
    target: &Object,
    before: &Before,
    mode: Mode,
    serve: impl Fn(&Asked, usize) -> FakeResponse + Send + Sync + 'static,
) -> Played {
    let log = Arc::new(Mutex::new(Vec::new()));
    let (seen, count) = (log.clone(), AtomicUsize::new(0));
    let cluster = fake::cluster(move |asked| {
        let last = asked.path.rsplit('/').next().unwrap_or_default();
        let version = asked.body.pointer("/metadata/resourceVersion").and_then(Value::as_str).unwrap_or("-");
        locked(&seen).push(format!("{} {last} {version}", asked.method));
        serve(&asked, count.fetch_add(1, Ordering::SeqCst))
    });
    let spot = Spot { resource, namespace: "shop", name: target.name() };
    let applied = cluster.apply(Writing { spot, target, mode, reporter: &Reporter::default() }, before).await;
    let asked = locked(&log).clone();
    Played { said: applied.map(|applied| applied.message()).map_err(|error| error.to_string()), asked }
}

fn configs() -> Resource {
    Resource::core("ConfigMap", "configmaps")
}

fn good(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}

fn bad(text: &str) -> Result<String, String> {
    Err(text.to_owned())
}

#[tokio::test(start_paused = true)]
async fn t79_r711_replace_puts_what_is_live_and_creates_what_is_not() {
    let played = play(&configs(), &config(), &present(), mode(false), |asked, _| {
        assert_eq!(asked.query, "fieldManager=syncwave&fieldValidation=Warn");
        fake::json_answer(200, &stored("7"))
    })
    .await;
    assert_eq!((played.said, &played.asked[..]), (good("configmap/a replaced"), &["PUT a 7".to_owned()][..]));
    let played = play(&configs(), &config(), &Before::Absent, mode(false), |asked, _| {
        assert_eq!(asked.query, "fieldManager=syncwave&fieldValidation=Strict");
        fake::json_answer(201, &stored("1"))
    })
    .await;
    assert_eq!((played.said, &played.asked[..]), (good("configmap/a created"), &["POST configmaps -".to_owned()][..]));
}

#[tokio::test(start_paused = true)]
async fn t80_r711_definitions_and_namespaces_are_updated_also_by_force() {
    let definition = Gvk::new("apiextensions.k8s.io/v1", "CustomResourceDefinition");
    for (gvk, force, said) in [
        (Gvk::new("v1", "Namespace"), false, "Namespace/a updated"),
        (Gvk::new("v1", "Namespace"), true, "Namespace/a updated"),
        (Gvk::new("example.com/v1", "Namespace"), false, "Namespace/a updated"),
        (definition, false, "CustomResourceDefinition/a updated"),
        (Gvk::new("example.com/v1", "CustomResourceDefinition"), false, "customresourcedefinition.example.com/a replaced"),
    ] {
        let resource = Resource { gvk: gvk.clone(), is_namespaced: false, ..configs() };
        let target = config().with(|value| {
            value["apiVersion"] = gvk.api_version().into();
            value["kind"] = (*gvk.kind).into();
        });
        let answer = target.clone();
        let played = play(&resource, &target, &present(), mode(force), move |_, _| fake::json_answer(200, answer.wire())).await;
        assert_eq!((played.said, &played.asked[..]), (good(said), &["PUT a 7".to_owned()][..]));
    }
}

#[tokio::test(start_paused = true)]
async fn r711_a_conflict_reads_the_version_again_and_a_refusal_is_the_servers_sentence() {
    let played = play(&configs(), &config(), &present(), mode(false), |asked, at| match (asked.method.as_str(), at) {
        ("PUT", 0) => fake::status(409, "Conflict", "the object has been modified"),
        ("GET", _) => fake::json_answer(200, &stored("9")),
        _ => fake::json_answer(200, &stored("10")),
    })
    .await;
    assert_eq!((played.said, &played.asked[..]), (good("configmap/a replaced"), &["PUT a 7", "GET a -", "PUT a 9"].map(str::to_owned)[..]));
    let refused = |_: &Asked, _| fake::status(422, "Invalid", "ConfigMap \"a\" is invalid");
    assert_eq!(play(&configs(), &config(), &present(), mode(false), refused).await.said, bad("ConfigMap \"a\" is invalid"));
    let late = |asked: &Asked, _| match asked.method.as_str() {
        "POST" => fake::status(409, "AlreadyExists", "configmaps \"a\" already exists"),
        other => panic!("{other}"),
    };
    let played = play(&configs(), &config(), &Before::Absent, mode(false), late).await;
    assert_eq!(played.said, bad("configmaps \"a\" already exists"), "the view was late");
}

#[tokio::test(start_paused = true)]
async fn t82_r713_replace_by_force_deletes_waits_and_creates() {
    let played = play(&configs(), &config(), &present(), mode(true), |asked, at| match (asked.method.as_str(), at) {
        ("POST", 0) => {
            assert_eq!(asked.body["metadata"]["name"], "a-again");
            assert_eq!(asked.query, "fieldManager=syncwave&fieldValidation=Strict&dryRun=All");
            fake::json_answer(201, &stored("0"))
        }
        ("DELETE", 1) => {
            assert_eq!(asked.body["preconditions"], json!({"uid": "u1"}));
            fake::json_answer(200, &stored("8"))
        }
        ("GET", 2) => fake::json_answer(200, &stored("8")),
        ("GET", 3) => fake::status(404, "NotFound", "configmaps \"a\" not found"),
        ("POST", 4) => fake::json_answer(201, &stored("9")),
        _ => panic!("{at}: {asked:?}"),
    })
    .await;
    assert_eq!(played.said, good("configmap \"a\" deleted\nconfigmap/a replaced"));
}

#[tokio::test(start_paused = true)]
async fn r713_replace_by_force_gives_no_object_away_for_one_that_the_server_refuses() {
    let refused = |_: &Asked, _| fake::status(422, "Invalid", "ConfigMap \"a-again\" is invalid: data[a b]: Invalid value");
    let played = play(&configs(), &config(), &present(), mode(true), refused).await;
    assert_eq!(
        (played.said, &played.asked[..]),
        (bad("ConfigMap \"a\" is invalid: data[a b]: Invalid value"), &["POST configmaps -".to_owned()][..])
    );
    // What speaks against a second object only does not speak against the first one.
    let played = play(&configs(), &config(), &present(), mode(true), |asked, at| match (asked.method.as_str(), at) {
        ("POST", 0) => fake::status(403, "Forbidden", "exceeded quota: configmaps"),
        ("POST", 1) => fake::review(asked, true).unwrap(),
        ("DELETE", 2) => fake::json_answer(200, &stored("8")),
        ("GET", 3) => fake::status(404, "NotFound", "configmaps \"a\" not found"),
        ("POST", 4) => fake::json_answer(201, &stored("9")),
        _ => panic!("{at}: {asked:?}"),
    })
    .await;
    assert!(played.said.is_ok(), "{:?}", played.said);
}

#[tokio::test(start_paused = true)]
async fn r713_replace_by_force_gives_no_object_away_for_one_that_the_user_may_not_create() {
    let denied = "configmaps is forbidden: User \"ann\" cannot create resource \"configmaps\" in API group \"\" in the namespace \"shop\"";
    let played = play(&configs(), &config(), &present(), mode(true), |asked, at| match at {
        0 => fake::status(403, "Forbidden", denied),
        1 => {
            let attributes =
                json!({"verb": "create", "group": "", "resource": "configmaps", "subresource": "", "namespace": "shop", "name": ""});
            assert_eq!(asked.body["spec"]["resourceAttributes"], attributes);
            fake::review(asked, false).unwrap()
        }
        _ => panic!("{at}: {asked:?}"),
    })
    .await;
    assert_eq!(played.said, bad(denied));
}

#[tokio::test(start_paused = true)]
async fn r307_an_object_without_a_name_is_created_anew_but_not_sent_again_when_nobody_knows_what_became_of_it() {
    let unnamed = config().with(|value| value["metadata"] = json!({"generateName": "a-"}));
    let created = |asked: &Asked, _| {
        assert_eq!((asked.path.as_str(), &asked.body["metadata"]["generateName"]), ("/api/v1/namespaces/shop/configmaps", &json!("a-")));
        let mut answer = stored("1");
        answer["metadata"]["name"] = json!("a-x7x7x");
        fake::json_answer(201, &answer)
    };
    let played = play(&configs(), &unnamed, &Before::Absent, mode(false), created).await;
    assert_eq!(played.said, good("configmap/a-x7x7x created"));
    let lost = |_: &Asked, _| fake::status(504, "Timeout", "request timed out");
    let job = Object::new(
        json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"generateName": "a-"}, "spec": {"ttlSecondsAfterFinished": 0}}),
    );
    for target in [&unnamed, &job] {
        let played = play(&configs(), target, &Before::Absent, mode(false), lost).await;
        assert_eq!((played.said, played.asked.len()), (bad("request timed out"), 1), "nobody can look for it");
    }
    let busy = |_: &Asked, at| match at {
        0 => fake::status(429, "TooManyRequests", "busy"),
        _ => fake::json_answer(201, &stored("1")),
    };
    let played = play(&configs(), &unnamed, &Before::Absent, mode(false), busy).await;
    assert_eq!(played.asked.len(), 2, "what was surely not done is sent again");
}

#[tokio::test(start_paused = true)]
async fn decision_23_a_creation_without_an_answer_is_looked_for_before_it_is_sent_again() {
    let serve = |asked: &Asked, at| match (asked.method.as_str(), at) {
        ("POST", 0) => fake::status(504, "Timeout", "request timed out"),
        ("GET", 1) => fake::json_answer(200, &stored("1")),
        _ => panic!("{at}: {asked:?}"),
    };
    assert_eq!(play(&configs(), &config(), &Before::Absent, mode(false), serve).await.said, good("configmap/a created"));
    let of_another = |asked: &Asked, at| match (asked.method.as_str(), at) {
        ("POST", 0) => fake::status(504, "Timeout", "request timed out"),
        ("GET", _) => {
            let mut other = stored("1");
            other["metadata"]["annotations"] = json!({});
            fake::json_answer(200, &other)
        }
        _ => fake::status(409, "AlreadyExists", "configmaps \"a\" already exists"),
    };
    let played = play(&configs(), &config(), &Before::Absent, mode(false), of_another).await;
    assert_eq!(played.said, bad("configmaps \"a\" already exists"));
}
