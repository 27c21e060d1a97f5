//! The deletion of an app: asked for with everything that goes and stays, shown as what it is, and never mixed with syncs.

use std::sync::Arc;

use insta::assert_snapshot;
use serde_json::json;

use super::play::{self, Play};
use crate::engine::session::{Ask, Place};
use crate::model::{Kinds, Live, Object, OperationPhase, Phase, ResourceKey, ResultCode, TaskState, Traits};
use crate::operation::{Event, Request, Retry};
use crate::plan::impact::{Family, Impact};
use crate::plan::{Candidate, Deletion, Manifest, Plan, PlanInput, Shape};
use crate::tui::app::{App, Begin};
use crate::tui::theme::Look;

/// An object that the app owns, with its wave and an option.
fn owned(kind: &str, name: &str, wave: i64, option: &str) -> Candidate {
    let group = if kind == "Deployment" { "apps" } else { "" };
    let annotations = json!({"argocd.argoproj.io/sync-wave": wave.to_string(), "argocd.argoproj.io/sync-options": option});
    let object = Object::new(json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "annotations": annotations}}));
    let live =
        Live { traits: Traits::of(&object), uid: format!("uid-{name}").into(), ..play::live(7, crate::model::HealthStatus::Healthy, "") };
    Candidate { key: ResourceKey::new(group, kind, "shop", name), version: "v1".into(), live }
}

fn plan(manifests: &[Manifest], candidates: &[Candidate]) -> Arc<Plan> {
    let input = PlanInput {
        app: "orders-api",
        namespace: "shop",
        revision: "9f31c2d0aa97f3e5",
        operation: "op",
        started_at: play::START.parse().unwrap(),
        manifests,
        kinds: &Kinds::default(),
        candidates,
        selection: None,
        shape: &Shape::default(),
    };
    Arc::new(Plan::of_deletion(&input, &Deletion::default()))
}

fn usual() -> Arc<Plan> {
    let hooks = [play::object("Job", "backup", 0, "PreDelete"), play::object("Job", "farewell", 0, "PostDelete")];
    let owned = [
        owned("ConfigMap", "orders-config", 0, ""),
        owned("Secret", "orders-env", 0, ""),
        owned("Deployment", "orders-api", 1, ""),
        owned("Service", "orders-api", 1, "Delete=confirm"),
        owned("PersistentVolumeClaim", "orders-data", 0, "Delete=false"),
    ];
    plan(&hooks, &owned)
}

fn asked() -> Play {
    let mut play = play::succeeded();
    play.plan = usual();
    play.press("ctrl-d").answer_plan();
    play
}

fn deletes(play: &Play) -> usize {
    play.asks.iter().filter(|ask| matches!(ask, Ask::Delete { .. })).count()
}

/// The deletion runs: its hook is done, one wave is going.
fn running() -> Play {
    let mut play = asked();
    play.operation("op-2");
    let request = Request { by: "alice".to_owned(), ..Request::deletion() };
    play.start_with(request).after(0.2).wave(Phase::PreDelete, 0).apply("Job/backup", "job.batch/backup created").after(4.0);
    play.change("Job/backup", TaskState::Succeeded, "").wave_done(Phase::PreDelete, 0).phase_done(Phase::PreDelete, TaskState::Succeeded);
    play.wave(Phase::Delete, 1);
    let gone = play.task("Deployment/orders-api");
    play.fact(Event::TaskChanged { task: gone, code: ResultCode::Pruned, state: TaskState::Succeeded, message: "pruned".to_owned() });
    let on = vec![play.task("Deployment/orders-api")];
    play.fact(Event::Waiting { message: "waiting for deletion of apps/Deployment/orders-api".to_owned(), on }).after(3.0);
    play
}

#[test]
fn the_delete_dialog_names_what_goes_what_stays_and_which_hooks_run() {
    let mut play = play::succeeded();
    play.plan = usual();
    play.press("ctrl-d");
    assert!(matches!(play.asks.last(), Some(Ask::PlanDeletion { request }) if request.retry == Retry { limit: None, ..Retry::default() }));
    assert!(play.at(80, 24).contains("planning…"), "{}", play.screen());
    play.answer_plan();
    for (width, height) in [(60, 20), (80, 24), (120, 35)] {
        assert_snapshot!(format!("delete_dialog_{width}x{height}"), play.at(width, height));
    }
}

#[test]
fn the_delete_dialog_says_how_much_goes_along() {
    let mut play = play::succeeded();
    play.plan = usual();
    let counts = [("ReplicaSet".to_owned(), 1), ("Pod".to_owned(), 6)].into();
    play.effects = vec![("orders-config", Impact::Deletes { family: Family { counts, ..Family::default() }, is_off: false })];
    play.press("ctrl-d").answer_plan();
    assert!(play.at(80, 24).contains("5 objects with 7 children, the highest wave first:"), "{}", play.screen());
}

#[test]
fn a_deletion_needs_its_button_and_no_held_key_presses_it() {
    let mut play = asked();
    play.press("y y enter");
    assert_eq!(deletes(&play), 0);
    play.press("ctrl-d").answer_plan();
    play.press("tab enter");
    assert_eq!(deletes(&play), 1);
    assert!(play.screen().contains("STARTING"), "{}", play.screen());
}

#[test]
fn a_deletion_in_a_protected_context_wants_the_name() {
    let mut play = play::succeeded();
    play.place = Place { protected: true, ..play::place() };
    play.app.model.place = Some(play.place.clone());
    play.plan = usual();
    play.press(": 'delete enter").answer_plan();
    play.press("tab enter");
    assert_eq!(deletes(&play), 0);
    assert!(play.screen().contains("type orders-api first"), "{}", play.screen());
    play.press("tab 'orders-api enter");
    assert_eq!(deletes(&play), 0, "the name alone deletes nothing");
    play.press("enter");
    assert_eq!(deletes(&play), 1);
}

#[test]
fn an_app_without_objects_is_not_deleted() {
    let mut play = play::succeeded();
    play.plan = plan(&[], &[]);
    play.press("ctrl-d").answer_plan();
    play.press("tab enter");
    assert_eq!(deletes(&play), 0);
    assert!(play.screen().contains("the app owns no object"), "{}", play.screen());
}

#[test]
fn nothing_is_deleted_while_a_sync_runs_or_where_nothing_may_be_changed() {
    let mut play = play::blocked_by_hook();
    play.press("ctrl-d");
    assert!(play.screen().contains("a sync is running; ctrl-k terminates it"), "{}", play.screen());
    let place = Place { read_only: Some("started with --read-only".into()), ..play::place() };
    let mut play = Play::with(App::new(Look::default()), &play::orders(), &[], place);
    play.press("ctrl-d");
    assert!(play.screen().contains("read-only"), "{}", play.screen());
    assert!(!play.asks.iter().any(|ask| matches!(ask, Ask::PlanDeletion { .. })));
}

#[test]
fn a_running_deletion_has_a_screen_of_its_own() {
    let mut play = running();
    for (width, height) in [(60, 20), (80, 24), (120, 35), (200, 50)] {
        assert_snapshot!(format!("deletion_{width}x{height}"), play.at(width, height));
    }
    play.press("2");
    assert!(!play.at(80, 24).contains("▾ PreDelete"), "{}", play.screen());
    play.press("0 t");
    assert_snapshot!("terminate_dialog_deletion", play.at(80, 24));
}

#[test]
fn the_history_tells_a_deletion_from_a_sync_and_the_last_syncs_stay_what_they_were() {
    let mut play = running();
    play.finish(OperationPhase::Succeeded, "successfully deleted").after(2.0);
    assert!(play.at(120, 35).contains("last: ✔"), "{}", play.screen());
    assert!(!play.at(80, 24).contains("preflight") && play.at(120, 35).contains("PreDelete"), "{}", play.screen());
    assert!(!play.screen().contains("last: ✔ ✔"), "{}", play.screen());
    play.press("H");
    assert_snapshot!("history_with_a_deletion", play.at(80, 24));
    let lines = crate::tui::summary::lines(&play.app.model).join("\n");
    assert!(lines.contains("1 object deleted in 7.2s"), "{lines}");
}

#[test]
fn a_confirmation_of_a_deletion_says_that_the_app_goes() {
    let mut play = running();
    let task = play.task("Service/orders-api");
    let message = "waiting for deletion confirmation of /Service/orders-api".to_owned();
    play.fact(Event::Waiting { message, on: vec![task] });
    assert!(
        play.screen().lines().any(|line| line.starts_with('▌') && line.contains("Service")),
        "what holds it up is in sight: {}",
        play.screen()
    );
    play.press("esc ctrl-c tab enter");
    assert!(play.others.is_empty() && play.screen().contains("nobody would be there"), "{}", play.screen());
    play.press("esc");
    play.press("A");
    let screen = play.screen();
    assert!(screen.contains("They go with the app") && screen.contains("Service shop/orders-api"), "{screen}");
}

#[test]
fn a_typed_deletion_starts_by_itself_except_where_it_is_protected() {
    for (protected, count) in [(false, 1), (true, 0)] {
        let place = Place { protected, ..play::place() };
        let mut play = Play::with(App::new(Look::default()), &play::orders(), &[], place);
        let request = Request { by: "alice".to_owned(), ..Request::deletion() };
        play.app.open("deploy/".to_owned(), Request::default(), Begin::Deletion(Box::new(request)));
        play.asks.clear();
        play.plan = usual();
        play.answer_plan();
        assert_eq!(deletes(&play), count);
        assert!(play.screen().contains(if protected { "Delete orders-api?" } else { "STARTING" }), "{}", play.screen());
    }
}

#[test]
fn the_rail_of_a_deletion_is_that_of_the_core() {
    let mut play = running();
    play.settle();
    let board = play.app.model.operations().next().unwrap();
    assert_eq!(board.rail(), board.operation().unwrap().rail());
}
