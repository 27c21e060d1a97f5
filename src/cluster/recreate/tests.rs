//! When an object is deleted for its successor, and when it is better left alone.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::cluster::fake::{self, Asked, FakeResponse};
use crate::cluster::ownership::Snapshot;
use crate::cluster::{Outbox, Resource, locked};
use crate::model::annotation::OPERATION_LABEL;
use crate::model::{Gvk, Options};
use crate::operation::Event;

const IMMUTABLE: &str = "Deployment.apps \"web\" is invalid: spec.selector: Invalid value: field is immutable";

fn live(uid: &str, finalizers: &[&str]) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "uid": uid, "resourceVersion": "7", "finalizers": finalizers}})
}

fn target() -> Object {
    Object::new(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": {}}))
}

fn invalid(message: &str, field: &str) -> FakeResponse {
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 422, "reason": "Invalid", "message": message,
        "details": {"causes": [{"reason": "FieldValueInvalid", "message": "m", "field": field}]}});
    fake::json_answer(422, &status)
}

fn force() -> Mode {
    Mode::of(&Options::default(), true, &[], &[])
}

fn usual() -> Mode {
    Mode::of(&Options::default(), false, &[], &[])
}

fn pods() -> Resource {
    Resource::core("Pod", "pods")
}

struct Played {
    result: Result<String, CallError>,
    asked: Vec<String>,
    told: Vec<String>,
}

/// Applies; notes the method of each request, `TRY` for a creation that is not meant.
async fn play(target: &Object, mode: Mode, serve: impl Fn(&Asked, &str, usize) -> FakeResponse + Send + Sync + 'static) -> Played {
    play_until(target, &pods(), mode, CancellationToken::new(), serve).await
}

async fn play_until(
    target: &Object,
    resource: &Resource,
    mode: Mode,
    stop: CancellationToken,
    serve: impl Fn(&Asked, &str, usize) -> FakeResponse + Send + Sync + 'static,
) -> Played {
    let log = Arc::new(Mutex::new(Vec::new()));
    let (seen, count) = (log.clone(), AtomicUsize::new(0));
    let cluster = fake::cluster(move |asked| {
        if let Some(answer) = fake::review(&asked, true) {
            return answer;
        }
        let what = if asked.query.contains("dryRun=All") { "TRY" } else { asked.method.as_str() };
        locked(&seen).push(what.to_owned());
        serve(&asked, what, count.fetch_add(1, Ordering::SeqCst))
    });
    let spot = Spot { resource, namespace: "shop", name: "web" };
    let outbox = Arc::new(Outbox::default());
    let reporter = Reporter::new(&outbox, None);
    let before = Before::Present(Snapshot::of(&live("u1", &[])));
    let applied = cluster.with_stop(stop).apply(Writing { spot, target, mode, reporter: &reporter }, &before).await;
    let told = outbox.drain().into_iter().filter_map(|event| if let Event::Warned { text, .. } = event { Some(text) } else { None });
    let asked = locked(&log).clone();
    Played { result: applied.map(|applied| applied.message()), asked, told: told.collect() }
}

#[tokio::test(start_paused = true)]
async fn r713_what_cannot_be_changed_is_deleted_waited_for_and_created_and_the_message_is_configured_all_the_same() {
    let played = play(&target(), force(), |asked, what, at| match (what, at) {
        ("PATCH", 0) => invalid(IMMUTABLE, "spec.selector"),
        ("GET", 1) => fake::json_answer(200, &live("u1", &[])),
        ("TRY", 2) => {
            assert_eq!((asked.method.as_str(), &asked.body["metadata"]["name"]), ("POST", &json!("web-again")));
            fake::json_answer(201, &live("u0", &[]))
        }
        ("DELETE", 3) => {
            let policy = &asked.body["propagationPolicy"];
            assert_eq!((&asked.body["preconditions"], policy), (&json!({"uid": "u1"}), &json!("Foreground")));
            fake::json_answer(200, &live("u1", &["foregroundDeletion"]))
        }
        ("GET", 4) => fake::json_answer(200, &live("u1", &["foregroundDeletion"])),
        ("GET", 5) => fake::status(404, "NotFound", "pods \"web\" not found"),
        ("PATCH", 6) => fake::json_answer(201, &live("u2", &[])),
        _ => panic!("{at}: {asked:?}"),
    })
    .await;
    assert_eq!(played.result.unwrap(), "pod/web configured");
    assert_eq!(played.told, [format!("{IMMUTABLE}; deleting it and creating it again (force)")]);
}

#[tokio::test(start_paused = true)]
async fn r713_without_force_a_refusal_stays_one() {
    let played = play(&target(), usual(), |_, _, _| invalid(IMMUTABLE, "spec.selector")).await;
    assert_eq!((played.result.unwrap_err().to_string().as_str(), &played.asked[..]), (IMMUTABLE, &["PATCH".to_owned()][..]));
}

#[tokio::test(start_paused = true)]
async fn r713_force_is_for_conflicts_and_invalid_changes_alone() {
    for (code, reason) in [(403, "Forbidden"), (404, "NotFound"), (400, "BadRequest")] {
        let played = play(&target(), force(), move |_, _, _| fake::status(code, reason, "no")).await;
        assert_eq!((played.result.unwrap_err().to_string().as_str(), played.asked.len()), ("no", 1));
    }
    let conflict = play(&target(), force(), |_, what, at| match what {
        "PATCH" if at < 5 => fake::status(409, "Conflict", "the object has been modified"),
        "GET" if at == 5 => fake::json_answer(200, &live("u1", &[])),
        "GET" => fake::status(404, "NotFound", "gone"),
        _ => fake::json_answer(201, &live("u2", &[])),
    })
    .await;
    assert_eq!((conflict.result.unwrap().as_str(), conflict.asked.len()), ("pod/web configured", 10));
}

fn binding(role: &str) -> Value {
    json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "web", "uid": "u1"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role}})
}

/// Binds the role `new` where `old` is bound.
async fn bind(old: &'static str, options: &[&str]) -> Played {
    const REFUSED: &str = "RoleBinding.rbac.authorization.k8s.io \"web\" is invalid: roleRef: cannot change roleRef";
    let bindings =
        Resource { gvk: Gvk::new("rbac.authorization.k8s.io/v1", "RoleBinding"), ..Resource::core("RoleBinding", "rolebindings") };
    let target = Object::new(binding("new")).with(|value| value["metadata"] = json!({"name": "web"}));
    let mode = Mode::of(&Options::new(options.iter().map(|option| (*option).to_owned())), false, &[], &[]);
    play_until(&target, &bindings, mode, CancellationToken::new(), move |_, what, at| match (what, at) {
        ("PATCH", 0) => invalid(REFUSED, "roleRef"),
        ("TRY", _) => fake::json_answer(201, &binding("new")),
        ("GET", 1) | ("DELETE", _) => fake::json_answer(200, &binding(old)),
        ("GET", _) => fake::status(404, "NotFound", "gone"),
        ("PATCH", _) => fake::json_answer(201, &binding("new")),
        (other, _) => panic!("{other}"),
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn r709_a_binding_whose_role_changes_is_made_anew_unless_that_was_not_the_reason_or_it_is_applied_server_side() {
    let played = bind("old", &[]).await;
    assert_eq!(played.result.unwrap(), "rolebinding.rbac.authorization.k8s.io/web configured");
    assert_eq!(played.asked, ["PATCH", "GET", "TRY", "DELETE", "GET", "PATCH"]);
    assert!(played.told[0].ends_with("deleting it and creating it again (the role of a binding cannot be changed)"), "{:?}", played.told);
    let same = bind("new", &[]).await;
    assert_eq!((same.result.is_err(), &same.asked[..]), (true, &["PATCH", "GET"].map(str::to_owned)[..]));
    let server_side = bind("old", &["ServerSideApply=true"]).await;
    assert_eq!((server_side.result.is_err(), server_side.asked.len()), (true, 1));
}

#[tokio::test(start_paused = true)]
async fn r709_a_binding_is_not_given_away_for_one_that_cannot_be_made() {
    let bindings =
        Resource { gvk: Gvk::new("rbac.authorization.k8s.io/v1", "RoleBinding"), ..Resource::core("RoleBinding", "rolebindings") };
    let target = Object::new(binding("new")).with(|value| value["metadata"] = json!({"name": "web"}));
    for refusal in ["roleRef: cannot change roleRef", "denied by the policy `frozen`"] {
        let played = play_until(&target, &bindings, usual(), CancellationToken::new(), move |_, what, _| match what {
            "PATCH" => invalid(refusal, "x"),
            "TRY" => fake::status(403, "Forbidden", "may not create"),
            "GET" => fake::json_answer(200, &binding("old")),
            other => panic!("{other}"),
        })
        .await;
        assert_eq!(played.result.unwrap_err().to_string(), refusal);
    }
}

#[tokio::test(start_paused = true)]
async fn r709_the_group_of_a_role_may_be_left_out() {
    let server_side = bind("old", &["ServerSideApply=true"]).await;
    assert_eq!((server_side.result.is_err(), server_side.asked.len()), (true, 1));
}

#[tokio::test(start_paused = true)]
async fn r713_an_old_object_is_not_given_away_for_one_that_the_server_refuses_too() {
    const WRONG: &str = "Pod \"web\" is invalid: spec.containers[0].image: Required value";
    let played = play(&target(), force(), |_, what, _| match what {
        "GET" => fake::json_answer(200, &live("u1", &[])),
        "TRY" => invalid(
            "Pod \"web-again\" is invalid: [spec.containers[0].image: Required value, metadata.name: too long]",
            "spec.containers[0].image",
        ),
        "PATCH" => invalid(WRONG, "spec.containers[0].image"),
        other => panic!("{other}"),
    })
    .await;
    assert_eq!(
        (played.result.unwrap_err().to_string().as_str(), &played.asked[..]),
        (WRONG, &["PATCH", "GET", "TRY"].map(str::to_owned)[..])
    );
}

#[tokio::test(start_paused = true)]
async fn r713_a_creation_that_fails_after_all_says_what_it_has_cost() {
    let played = play(&target(), force(), |_, what, at| match (what, at) {
        ("PATCH", 0) => invalid(IMMUTABLE, "spec.selector"),
        ("GET", 1) => fake::json_answer(200, &live("u1", &[])),
        ("GET", _) => fake::status(404, "NotFound", "gone"),
        ("PATCH", _) => fake::status(403, "Forbidden", "exceeded quota: pods"),
        _ => fake::json_answer(200, &live("u1", &[])),
    })
    .await;
    let said = "exceeded quota: pods; the object that was there has been deleted for it";
    assert_eq!(played.result.unwrap_err().to_string(), said);
}

#[tokio::test(start_paused = true)]
async fn r1505_the_wait_for_an_old_object_has_a_limit_and_names_what_holds_it() {
    let stuck = |_: &Asked, what: &str, _| match what {
        "PATCH" => invalid(IMMUTABLE, "spec.selector"),
        _ => fake::json_answer(200, &live("u1", &["example.com/guard", "foregroundDeletion"])),
    };
    let played = play(&target(), force(), stuck).await;
    let held = "Pod shop/web is being deleted and not gone yet (finalizers: example.com/guard, foregroundDeletion)";
    let error = played.result.unwrap_err().to_string();
    assert!(error.starts_with(&format!("{held}, 30")) && error.ends_with(" s after its deletion was asked for"), "{error}");
    assert_eq!(played.told[1], held, "said long before the limit");
}

#[tokio::test(start_paused = true)]
async fn a_terminate_ends_the_wait_for_an_old_object() {
    let stop = CancellationToken::new();
    let cancel = stop.clone();
    let stuck = move |_: &Asked, what: &str, at| {
        if at == 20 {
            cancel.cancel();
        }
        match what {
            "PATCH" => invalid(IMMUTABLE, "spec.selector"),
            _ => fake::json_answer(200, &live("u1", &["example.com/guard"])),
        }
    };
    let error = play_until(&target(), &pods(), force(), stop, stuck).await.result.unwrap_err();
    assert!(error.to_string().ends_with("(finalizers: example.com/guard): the operation was terminated"), "{error}");
}

fn hook() -> Object {
    target().with(|value| value["metadata"]["labels"] = json!({OPERATION_LABEL: "op-2"}))
}

const LEAVING: &str = "Job.batch \"web\" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{\"syncwave.dev/hook-finalizer\"}";

#[tokio::test(start_paused = true)]
async fn r309_r1503_the_old_object_of_a_hook_that_somebody_else_deletes_is_waited_for() {
    let serve = |_: &Asked, what: &str, at| match (what, at) {
        ("PATCH", 0) => invalid(LEAVING, "metadata.finalizers"),
        ("GET", 1 | 2) => fake::json_answer(200, &live("u1", &["example.com/guard"])),
        ("GET", _) => fake::status(404, "NotFound", "gone"),
        ("PATCH", _) => fake::json_answer(201, &live("u2", &[])),
        (other, _) => panic!("{other}"),
    };
    assert_eq!(play(&hook(), usual(), serve).await.result.unwrap(), "pod/web created");
    let ordinary = play(&target(), usual(), |_, _, _| invalid(LEAVING, "metadata.finalizers")).await;
    assert_eq!(ordinary.result.unwrap_err().to_string(), LEAVING);
}

#[tokio::test(start_paused = true)]
async fn decision_23_a_hook_of_this_very_operation_is_never_made_again() {
    for (mode, refusal) in [(usual(), LEAVING), (force(), IMMUTABLE)] {
        let own = hook().with(|value| value["metadata"]["uid"] = json!("u1"));
        let serve = move |_: &Asked, what: &str, _| match what {
            "PATCH" => invalid(refusal, "metadata.finalizers"),
            "GET" => fake::json_answer(200, own.wire()),
            other => panic!("{other}"),
        };
        assert_eq!(play(&hook(), mode, serve).await.result.unwrap_err().to_string(), refusal);
    }
}
