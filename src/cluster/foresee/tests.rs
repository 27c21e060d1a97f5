//! The answers that a server gives to a dry run, and what each of them means.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::json;

use super::*;
use crate::cluster::fake::{self, Asked, FakeResponse};
use crate::cluster::{Resource, locked};
use crate::model::Options;

fn object(version: &str, data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "shop", "uid": "u", "resourceVersion": version}, "data": data})
}

fn target() -> Object {
    Object::new(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "new"}}))
}

/// What a fake server answers, by method; `POST` tries an object beside the old one.
#[derive(Clone)]
struct Server {
    get: fn() -> FakeResponse,
    patch: fn() -> FakeResponse,
    post: fn() -> FakeResponse,
    may_create: bool,
}

const MAKING: Mode = Mode { verb: Verb::Apply, force: false, idle_force: false, validate: true, migrate: false };

const LIVE: fn() -> FakeResponse = || fake::json_answer(200, &object("7", &json!({"k": "old"})));
const ABSENT: fn() -> FakeResponse = || fake::status(404, "NotFound", "configmaps \"a\" not found");
const NEVER: fn() -> FakeResponse = || panic!("not asked for");

async fn foresee_with(server: Server, options: &[&str], force: bool) -> (Foreseen, Vec<String>) {
    let log = Arc::new(Mutex::new(Vec::new()));
    let seen = log.clone();
    let cluster = fake::cluster(move |asked: Asked| {
        if let Some(answer) = fake::review(&asked, server.may_create) {
            return answer;
        }
        assert!(asked.method == "GET" || asked.query.ends_with("dryRun=All"), "a real write: {asked:?}");
        locked(&seen).push(asked.method.clone());
        match asked.method.as_str() {
            "GET" => (server.get)(),
            "POST" => (server.post)(),
            _ => (server.patch)(),
        }
    });
    let resource = Resource::core("ConfigMap", "configmaps");
    let spot = Spot { resource: &resource, namespace: "shop", name: "a" };
    let options = Options::new(options.iter().map(|option| (*option).to_owned()));
    let foreseen = cluster.foresee(spot, &target(), Glimpse::Unseen, |live| Mode::of(&options, force, &[], live)).await;
    let asked = locked(&log).clone();
    (foreseen, asked)
}

async fn foresee(get: fn() -> FakeResponse, patch: fn() -> FakeResponse) -> Foreseen {
    foresee_with(Server { get, patch, post: NEVER, may_create: true }, &[], false).await.0
}

fn data(object: Option<&Object>) -> Option<Value> {
    object.map(|object| object.wire()["data"].clone())
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_that_changes_something_or_nothing_or_creates() {
    let changed = foresee(LIVE, || fake::json_answer(200, &object("7", &json!({"k": "new"})))).await;
    assert_eq!((changed.prospect, changed.approximate), (Prospect::Configure, None));
    assert_eq!((data(changed.live.as_ref()), data(changed.after.as_ref())), (Some(json!({"k": "old"})), Some(json!({"k": "new"}))));
    let same = foresee(LIVE, LIVE).await;
    assert_eq!((same.prospect, same.approximate), (Prospect::Unchanged, None));
    let created = foresee(ABSENT, || fake::json_answer(201, &object("", &json!({"k": "new"})))).await;
    assert_eq!((created.prospect, created.live.is_none(), created.after.is_some()), (Prospect::Create, true, true));
}

#[tokio::test(start_paused = true)]
async fn both_sides_are_of_one_moment_and_whoever_writes_without_end_is_named() {
    for (moves, looks, is_restless) in [(0, 1, false), (2, 3, false), (100, 5, true)] {
        let (version, reads) = (Arc::new(AtomicUsize::new(7)), Arc::new(AtomicUsize::new(0)));
        let counter = reads.clone();
        let cluster = fake::cluster(move |asked: Asked| {
            if asked.method == "GET" {
                counter.fetch_add(1, Ordering::SeqCst);
                return fake::json_answer(200, &object(&version.load(Ordering::SeqCst).to_string(), &json!({"k": "old"})));
            }
            if version.load(Ordering::SeqCst) < 7 + moves {
                version.fetch_add(1, Ordering::SeqCst);
            }
            fake::json_answer(200, &object(&version.load(Ordering::SeqCst).to_string(), &json!({"k": "new"})))
        });
        let resource = Resource::core("ConfigMap", "configmaps");
        let spot = Spot { resource: &resource, namespace: "shop", name: "a" };
        let foreseen = cluster.foresee(spot, &target(), Glimpse::Unseen, |_| MAKING).await;
        assert_eq!((reads.load(Ordering::SeqCst), foreseen.prospect), (looks, Prospect::Configure));
        assert_eq!(foreseen.approximate.is_some_and(|why| why.contains("different moments")), is_restless);
    }
}

/// What is asked when a list has shown this, and what comes of it.
async fn foresee_after(glimpse: Glimpse, get: fn() -> FakeResponse, patch: fn() -> FakeResponse) -> (Foreseen, Vec<String>) {
    let log = Arc::new(Mutex::new(Vec::new()));
    let seen = log.clone();
    let cluster = fake::cluster(move |asked: Asked| {
        locked(&seen).push(asked.method.clone());
        if asked.method == "GET" { get() } else { patch() }
    });
    let resource = Resource::core("ConfigMap", "configmaps");
    let spot = Spot { resource: &resource, namespace: "shop", name: "a" };
    let foreseen = cluster.foresee(spot, &target(), glimpse, |_| MAKING).await;
    let asked = locked(&log).clone();
    (foreseen, asked)
}

#[tokio::test(start_paused = true)]
async fn what_a_list_has_shown_counts_only_if_the_server_answers_with_that_very_version() {
    let at = |version: &str| Glimpse::Live(Object::new(object(version, &json!({"k": "old"}))));
    let changed = || fake::json_answer(200, &object("7", &json!({"k": "new"})));
    let created = || fake::json_answer(201, &object("", &json!({"k": "new"})));
    let again = &["PATCH", "GET", "PATCH"][..];
    for (glimpse, get, patch, asked, prospect) in [
        (at("7"), NEVER, changed as fn() -> FakeResponse, &["PATCH"][..], Prospect::Configure),
        (Glimpse::Absent, NEVER, created, &["PATCH"], Prospect::Create),
        (at("6"), LIVE, changed, again, Prospect::Configure),
        (at("6"), ABSENT, created, again, Prospect::Create),
        (Glimpse::Absent, LIVE, changed, again, Prospect::Configure),
    ] {
        let (foreseen, sent) = foresee_after(glimpse.clone(), get, patch).await;
        assert_eq!((sent.iter().map(String::as_str).collect::<Vec<_>>(), foreseen.prospect), (asked.to_vec(), prospect), "{glimpse:?}");
        let version = foreseen.live.map(|live| live.text(&["metadata", "resourceVersion"]).to_owned());
        assert_eq!(version, (foreseen.after.unwrap().text(&["metadata", "resourceVersion"]) == "7").then(|| "7".to_owned()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_what_a_list_has_shown_is_looked_at_again_if_it_is_about_the_object() {
    let glimpse = || Glimpse::Live(Object::new(object("7", &json!({"k": "old"}))));
    let immutable = || fake::status(422, "Invalid", "spec.selector: field is immutable");
    assert_eq!(foresee_after(glimpse(), LIVE, immutable).await.1, ["PATCH", "GET", "PATCH"]);
    let forbidden = || fake::status(403, "Forbidden", "configmaps \"a\" is forbidden: User \"u\" cannot patch");
    assert_eq!(foresee_after(glimpse(), NEVER, forbidden).await.1, ["PATCH"]);
}

#[tokio::test(start_paused = true)]
async fn what_the_server_refuses_is_refused_in_its_words() {
    let immutable = || fake::status(422, "Invalid", "spec.selector: field is immutable");
    let untyped =
        || fake::status(500, "", "failed to create typed patch object (shop/a; /v1, Kind=ConfigMap): .x: field not declared in schema");
    let nowhere = || fake::status(404, "NotFound", "namespaces \"shop\" not found");
    let unserved = || http::Response::builder().status(404).body(fake::full("404 page not found\n")).unwrap();
    let conflict = || fake::status(409, "Conflict", "Apply failed with 1 conflict: conflict with \"x\": .data.k");
    for (get, patch, text) in [
        (LIVE, immutable as fn() -> FakeResponse, "spec.selector: field is immutable"),
        (LIVE, untyped, "field not declared in schema"),
        (ABSENT, nowhere, "namespaces \"shop\" not found"),
        (ABSENT, unserved, "404 page not found"),
        (LIVE, conflict, "conflict with \"x\""),
        (LIVE, || fake::status(403, "Forbidden", "configmaps \"a\" is forbidden: User \"u\" cannot patch"), "cannot patch"),
        (LIVE, || fake::status(400, "BadRequest", "admission webhook \"w\" denied the request: no"), "denied the request"),
    ] {
        let foreseen = foresee(get, patch).await;
        assert!(matches!(&foreseen.prospect, Prospect::Refused(error) if error.to_string().contains(text)), "{foreseen:?}");
        assert!(foreseen.after.is_none() && foreseen.approximate.is_some(), "it can be compared without the server: {foreseen:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_webhook_with_side_effects_is_not_tried_and_not_refused() {
    for text in ["admission webhook \"w.example.com\" does not support dry run", "failed calling webhook \"w\": Webhook SideEffects is nil"]
    {
        let server = Server { get: LIVE, patch: NEVER, post: NEVER, may_create: true };
        let cluster = fake::cluster(move |asked: Asked| match asked.method.as_str() {
            "GET" => (server.get)(),
            _ => fake::status(400, "BadRequest", text),
        });
        let resource = Resource::core("ConfigMap", "configmaps");
        let spot = Spot { resource: &resource, namespace: "shop", name: "a" };
        let foreseen = cluster.foresee(spot, &target(), Glimpse::Unseen, |_| MAKING).await;
        assert_eq!((foreseen.prospect, foreseen.approximate.as_deref(), foreseen.after.is_none()), (Prospect::Untried, Some(text), true));
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_server_cannot_say_is_unknown_with_its_sentence() {
    let conversion = || fake::status(500, "InternalError", "conversion webhook for example.com/v1, Kind=Widget failed: connection refused");
    let pinned = || fake::status(500, "", "failed to create typed live object: .spec.old: field not declared in schema");
    let webhook = || fake::status(500, "InternalError", "failed calling webhook \"w\": connection refused");
    for (get, patch, text) in [
        (conversion as fn() -> FakeResponse, NEVER, "conversion webhook"),
        (LIVE, pinned as fn() -> FakeResponse, "typed live object"),
        (LIVE, webhook, "failed calling webhook"),
        (LIVE, || fake::status(503, "ServiceUnavailable", "busy"), "busy"),
    ] {
        let foreseen = foresee(get, patch).await;
        assert!(matches!(&foreseen.prospect, Prospect::Unknown(why) if why.contains(text)), "{text}: {foreseen:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_may_write_but_not_read_gets_a_creation_or_nothing() {
    let hidden = || fake::status(403, "Forbidden", "User \"u\" cannot get");
    let created = foresee(hidden, || fake::json_answer(201, &object("", &json!({"k": "new"})))).await;
    assert_eq!(created.prospect, Prospect::Create);
    let changed = foresee(hidden, || fake::json_answer(200, &object("7", &json!({"k": "new"})))).await;
    assert!(matches!(&changed.prospect, Prospect::Unknown(why) if why.contains("cannot get")), "{changed:?}");
}

#[tokio::test(start_paused = true)]
async fn r711_r713_what_takes_the_place_of_an_object_is_asked_for() {
    let replaced = || fake::json_answer(200, &object("7", &json!({"k": "new"})));
    let server = Server { get: LIVE, patch: replaced, post: NEVER, may_create: true };
    let (foreseen, asked) = foresee_with(server, &["Replace=true"], false).await;
    assert_eq!(
        (foreseen.prospect, data(foreseen.after.as_ref()), asked),
        (Prospect::Replace, Some(json!({"k": "new"})), vec!["GET".into(), "PUT".into()])
    );

    let anew = || {
        let made = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"k": "new", "self": "a-again", "id": "fresh"},
            "metadata": {"name": "a-again", "namespace": "shop", "uid": "fresh"}});
        fake::json_answer(201, &made)
    };
    let recreated = Server { get: LIVE, patch: NEVER, post: anew, may_create: true };
    let (foreseen, asked) = foresee_with(recreated, &["Replace=true"], true).await;
    assert!(matches!(foreseen.prospect, Prospect::Recreate(_)), "{foreseen:?}");
    assert_eq!(
        data(foreseen.after.as_ref()),
        Some(json!({"k": "new", "self": "a", "id": "u"})),
        "under its own name, with the old identity"
    );
    assert_eq!(asked, ["GET", "POST"]);

    let immutable = || fake::status(422, "Invalid", "spec.selector: field is immutable");
    let (foreseen, _) = foresee_with(Server { get: LIVE, patch: immutable, post: anew, may_create: true }, &[], true).await;
    assert_eq!(foreseen.prospect, Prospect::Recreate("spec.selector: field is immutable".to_owned()));
    let (foreseen, _) =
        foresee_with(Server { get: LIVE, patch: immutable, post: NEVER, may_create: true }, &["ServerSideApply=true"], true).await;
    assert!(matches!(&foreseen.prospect, Prospect::Refused(error) if error.to_string() == "spec.selector: field is immutable"));
}

fn with_leftovers(version: &str, data: &Value, entries: &Value) -> Value {
    let mut value = object(version, data);
    value["metadata"]["managedFields"] = entries.clone();
    value
}

#[tokio::test(start_paused = true)]
async fn r715_what_a_client_side_apply_left_behind_is_foreseen_to_go() {
    let left = json!({"manager": "kubectl-client-side-apply", "operation": "Update", "fieldsV1": {"f:data": {".": {}, "f:k": {}, "f:legacy": {}}}});
    let ours = json!({"manager": "syncwave", "operation": "Apply", "fieldsV1": {"f:data": {"f:k": {}}}});
    for is_asked in [true, false] {
        let (old, entries) = (left.clone(), json!([left.clone(), ours.clone()]));
        let cluster = fake::cluster(move |asked: Asked| {
            if asked.method == "GET" {
                return fake::json_answer(200, &with_leftovers("7", &json!({"k": "old", "legacy": "x"}), &json!([old])));
            }
            if asked.query.contains("force=true") {
                return fake::json_answer(200, &with_leftovers("7", &json!({"k": "new", "legacy": "x"}), &entries));
            }
            assert_eq!(asked.body["data"], json!({"k": "new", "legacy": null}));
            if is_asked {
                return fake::json_answer(200, &object("7", &json!({"k": "new", "filled": "in"})));
            }
            fake::status(403, "Forbidden", "no")
        });
        let resource = Resource::core("ConfigMap", "configmaps");
        let spot = Spot { resource: &resource, namespace: "shop", name: "a" };
        let foreseen = cluster.foresee(spot, &target(), Glimpse::Unseen, |_| Mode { migrate: true, ..MAKING }).await;
        let expected = if is_asked { json!({"k": "new", "filled": "in"}) } else { json!({"k": "new"}) };
        assert_eq!((data(foreseen.after.as_ref()), foreseen.prospect), (Some(expected), Prospect::Configure));
        assert_eq!(foreseen.after.unwrap().wire()["metadata"]["managedFields"], json!([ours]));
        assert_eq!(foreseen.approximate.is_some(), !is_asked);
    }
}

/// Foresees a hook that is made anew over a live object; returns what was asked of the trial, too.
async fn foresee_anew(mode: Mode, serve: fn(&Asked) -> FakeResponse) -> (Foreseen, Vec<String>) {
    let log = Arc::new(Mutex::new(Vec::new()));
    let seen = log.clone();
    let cluster = fake::cluster(move |asked: Asked| {
        if asked.method == "GET" {
            return LIVE();
        }
        if let Some(answer) = fake::review(&asked, true) {
            return answer;
        }
        assert!(asked.query.ends_with("dryRun=All"), "a real write: {asked:?}");
        assert_eq!(asked.body["metadata"]["name"], "a-again");
        locked(&seen).push(asked.method.clone());
        serve(&asked)
    });
    let resource = Resource::core("ConfigMap", "configmaps");
    let spot = Spot { resource: &resource, namespace: "shop", name: "a" };
    let foreseen = cluster.foresee_anew(spot, &target(), "the old one goes first", |_| mode).await;
    let asked = locked(&log).clone();
    (foreseen, asked)
}

fn made_anew() -> FakeResponse {
    let made = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a-again", "uid": "n"}, "data": {"k": "new"}});
    fake::json_answer(201, &made)
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_deleted_and_created_is_compared_with_a_new_one() {
    let replacing = Mode { verb: Verb::Replace, ..MAKING };
    for (mode, verb) in [(MAKING, "PATCH"), (replacing, "POST")] {
        let (foreseen, asked) = foresee_anew(mode, |_| made_anew()).await;
        assert_eq!(
            (data(foreseen.after.as_ref()), foreseen.prospect, asked),
            (Some(json!({"k": "new"})), Prospect::Recreate("the old one goes first".into()), vec![verb.to_owned()])
        );
    }
    let (foreseen, asked) = foresee_anew(MAKING, |_| fake::status(403, "Forbidden", "cannot create")).await;
    assert!(foreseen.after.is_none() && foreseen.approximate.unwrap().contains("cannot create"));
    assert_eq!(asked, ["PATCH", "POST"], "who may patch `a` alone may still create");
    let (foreseen, _) = foresee_anew(MAKING, |_| fake::json_answer(200, &object("9", &json!({"k": "theirs"})))).await;
    assert!(foreseen.after.is_none() && foreseen.approximate.unwrap().contains("in use"), "an object of that name says nothing");
}

#[tokio::test(start_paused = true)]
async fn what_is_applied_anew_is_refused_in_the_words_of_the_apply_and_under_its_own_name() {
    let (foreseen, _) = foresee_anew(MAKING, |_| {
        let message = "failed to create typed patch object (shop/a-again; /v1, Kind=ConfigMap): .dataz: field not declared in schema";
        fake::status(500, "", message)
    })
    .await;
    let expected = "failed to create typed patch object (shop/a; /v1, Kind=ConfigMap): .dataz: field not declared in schema";
    assert!(matches!(&foreseen.prospect, Prospect::Refused(error) if error.to_string() == expected), "{foreseen:?}");
}

#[tokio::test(start_paused = true)]
async fn r713_a_successor_by_force_that_is_refused_is_a_refusal() {
    let post = || fake::status(422, "Invalid", "ConfigMap \"a-again\" is invalid: data[a b]: Invalid value: \"a b\"");
    let (foreseen, _) = foresee_with(Server { get: LIVE, patch: NEVER, post, may_create: true }, &["Replace=true"], true).await;
    let expected = "ConfigMap \"a\" is invalid: data[a b]: Invalid value: \"a b\"";
    assert!(matches!(&foreseen.prospect, Prospect::Refused(error) if error.to_string() == expected), "{foreseen:?}");

    let immutable = || fake::status(422, "Invalid", "spec.selector: field is immutable");
    let (foreseen, _) = foresee_with(Server { get: LIVE, patch: immutable, post, may_create: true }, &[], true).await;
    assert!(matches!(&foreseen.prospect, Prospect::Refused(error) if error.to_string() == expected), "{foreseen:?}");

    let post = || fake::status(403, "Forbidden", "exceeded quota: configmaps \"a-again\"");
    let (foreseen, _) = foresee_with(Server { get: LIVE, patch: NEVER, post, may_create: true }, &["Replace=true"], true).await;
    assert!(matches!(foreseen.prospect, Prospect::Recreate(_)), "{foreseen:?}");
    let why = "the API server does not try it beside the old one: exceeded quota: configmaps \"a\"";
    assert_eq!(foreseen.approximate.as_deref(), Some(why));

    // What the authorizer denies, it denies to the successor too.
    let post = || fake::status(403, "Forbidden", "User \"ann\" cannot create resource \"configmaps\"");
    let denied = Server { get: LIVE, patch: NEVER, post, may_create: false };
    let (foreseen, _) = foresee_with(denied, &["Replace=true"], true).await;
    assert!(matches!(&foreseen.prospect, Prospect::Refused(error) if error.is_forbidden()), "{foreseen:?}");
}

#[tokio::test(start_paused = true)]
async fn r707_what_a_successor_loses_without_validation_is_named() {
    let cluster = fake::cluster(|asked: Asked| {
        if asked.method == "GET" {
            return LIVE();
        }
        assert!(asked.query.contains("fieldValidation=Warn"), "{}", asked.query);
        let mut answer = made_anew();
        answer.headers_mut().insert("warning", "299 - \"unknown field \\\"dataz\\\"\"".parse().unwrap());
        answer
    });
    let resource = Resource::core("ConfigMap", "configmaps");
    let spot = Spot { resource: &resource, namespace: "shop", name: "a" };
    let mode = Mode { verb: Verb::Replace, force: true, idle_force: false, validate: false, migrate: false };
    let foreseen = cluster.foresee(spot, &target(), Glimpse::Unseen, |_| mode).await;
    assert_eq!(foreseen.left_out, ["dataz"]);
}
