//! The diff screen: what a person sees at the sizes of the design, and what the keys do.

mod large;
mod search;
mod viewer;
mod wrapping;

use std::sync::Arc;

use insta::assert_snapshot;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::play::{self, Play};
use crate::engine::session::{Action, Answer, Ask, FailureKind, Planned};
use crate::model::OperationPhase;
use crate::operation::Request;
use crate::plan::diff::{self, Difference, NoRules, Sides};
use crate::plan::impact::Impact;
use crate::plan::impact::sentence::{Cause, Roll};
use crate::tui::app::Effect;

fn difference(live: Option<&Value>, after: Option<&Value>) -> Arc<Difference> {
    Arc::new(diff::compare(&Sides { live, after }, &NoRules))
}

fn owned_by(manager: &str, fields: &Value) -> Value {
    json!({"manager": manager, "operation": "Update", "time": "2026-02-26T09:00:00Z", "apiVersion": "apps/v1", "fieldsType": "FieldsV1", "fieldsV1": fields})
}

fn deployment(image: &str, sum: &str, channel: &str) -> Value {
    let settings: Vec<Value> = (0..14).map(|at| json!({"name": format!("SETTING_{at:02}"), "value": format!("value {at}")})).collect();
    let mut env = vec![json!({"name": "ORDER_CHANNEL", "value": channel})];
    env.extend(settings);
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "orders-api", "namespace": "shop", "labels": {"app": "orders-api"}},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"app": "orders-api"}},
            "template": {
                "metadata": {"annotations": {"checksum/config": sum}, "labels": {"app": "orders-api"}},
                "spec": {"containers": [{"name": "app", "image": image, "env": env, "ports": [{"containerPort": 8080, "protocol": "TCP"}]}]},
            },
        },
    })
}

/// The Deployment of the design's pictures; somebody has scaled it by hand.
fn rollout() -> Arc<Difference> {
    let mut live = deployment("registry/orders-api:2.13.4", "5b1e0c77", "store");
    live["spec"]["replicas"] = json!(5);
    live["metadata"]["managedFields"] = json!([owned_by("kubectl-edit", &json!({"f:spec": {"f:replicas": {}}}))]);
    let mut after = deployment("registry/orders-api:2.14.0", "90a4f2d1", "web");
    let ours = json!({"f:spec": {"f:replicas": {}, "f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"app\"}": {".": {}, "f:name": {}, "f:image": {}}}}}}});
    let ours = json!({"manager": "syncwave", "operation": "Apply", "apiVersion": "apps/v1", "fieldsType": "FieldsV1", "fieldsV1": ours});
    after["metadata"]["managedFields"] = json!([ours]);
    difference(Some(&live), Some(&after))
}

fn config(text: &str, extra: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "orders-config", "namespace": "shop"}, "data": {"app.yaml": text, "extra": extra}})
}

fn secret(password: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "orders-env", "namespace": "shop"}, "data": {"password": password, "user": "b3JkZXJz"}})
}

fn plain(kind: &str, name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": "shop"}, "spec": {"schedule": "0 3 * * *", "suspend": false}})
}

/// What a sync of the orders app changes.
fn planned(play: &Play) -> Planned {
    let mut planned = Planned::new(play.place.clone(), play.plan.clone(), Vec::new());
    for task in &play.plan.tasks {
        let (id, name) = (task.id.clone(), task.id.key.short());
        let (action, difference) = match &*name {
            _ if task.is_prune() => (Action::Prune, Some(difference(Some(&plain("ConfigMap", "orders-flags")), None))),
            "Deployment/orders-api" => (Action::Configure, Some(rollout())),
            "ConfigMap/orders-config" => {
                let (live, after) =
                    (config("port: 80\nhost: a\nlevel: info\n", "same"), config("port: 80\nhost: b\nlevel: info\n", "same"));
                (Action::Configure, Some(difference(Some(&live), Some(&after))))
            }
            "Secret/orders-env" => (Action::Configure, Some(difference(Some(&secret("b2xk")), Some(&secret("bmV3"))))),
            "CronJob/orders-cleanup" => (Action::Create, Some(difference(None, Some(&plain("CronJob", "orders-cleanup"))))),
            "Ingress/orders" => {
                (Action::Refused("admission webhook \"ingress.example\" denied the request: host is taken".to_owned()), None)
            }
            "Job/db-migrate" => {
                let (live, after) = (
                    plain("Job", "db-migrate"),
                    json!({"apiVersion": "v1", "kind": "Job", "metadata": {"name": "db-migrate", "namespace": "shop"}, "spec": {"schedule": "0 4 * * *", "suspend": false}}),
                );
                (Action::Run, Some(difference(Some(&live), Some(&after))))
            }
            _ if task.is_hook() => (Action::Run, None),
            _ => (Action::Unchanged, Some(difference(Some(&plain("X", "x")), Some(&plain("X", "x"))))),
        };
        planned.differences.extend(difference.map(|difference| (id.clone(), difference)));
        planned.actions.insert(id, action);
    }
    planned
}

impl Play {
    fn compared(&mut self) -> &mut Self {
        let planned = planned(self);
        self.tell(Answer::Compared(Ok(Arc::new(planned))));
        self.settle();
        self
    }
}

fn orders() -> Play {
    Play::open(&play::orders(), &["orders-flags"])
}

/// The diff screen with its answer.
fn open() -> Play {
    let mut play = orders();
    play.press("D").compared();
    play
}

fn diffs(play: &Play) -> Vec<&Request> {
    play.asks.iter().filter_map(|ask| if let Ask::Diff { request } = ask { Some(request) } else { None }).collect()
}

fn syncs(play: &Play) -> Vec<&Request> {
    play.asks.iter().filter_map(|ask| if let Ask::Sync { request } = ask { Some(request) } else { None }).collect()
}

fn copied(play: &Play) -> String {
    let last = play.others.iter().rev().find_map(|effect| if let Effect::Copy(text) = effect { Some(text.clone()) } else { None });
    last.expect("something was copied")
}

/// Goes to a resource by its name in the title.
fn go_to(play: &mut Play, name: &str) {
    for key in [">", "<"] {
        for _ in 0..20 {
            if shows_resource(play, name) {
                return;
            }
            play.press(key);
        }
    }
    panic!("no {name}:\n{}", play.screen());
}

#[test]
fn a_diff_at_all_sizes() {
    let mut play = open();
    go_to(&mut play, "Deployment/orders-api");
    for (width, height) in [(20, 5), (40, 12), (80, 24), (120, 35), (200, 50)] {
        assert_snapshot!(format!("diff_{width}x{height}"), play.at(width, height));
    }
}

#[test]
fn both_sides_without_a_list_on_a_screen_that_is_not_wide() {
    let mut play = open();
    go_to(&mut play, "Deployment/orders-api");
    play.resize(120, 35).press("u");
    assert_snapshot!(play.screen());
}

#[test]
fn what_cannot_be_done_comes_first_with_its_reason() {
    let mut play = open();
    assert_snapshot!(play.at(80, 24));
}

#[test]
fn the_diff_in_ascii() {
    let mut play = open();
    play.app.model.theme = crate::tui::theme::Theme::new(crate::tui::theme::Look { ascii: true, monochrome: true });
    go_to_ascii(&mut play);
    let screen = play.at(120, 35);
    assert!(screen.is_ascii(), "{screen}");
    assert_snapshot!(screen);
}

fn go_to_ascii(play: &mut Play) {
    play.press("> >");
}

#[test]
fn while_it_is_waited_for_the_screen_says_since_when_and_for_how_many() {
    let mut play = orders();
    play.press("D").after(3.0);
    let screen = play.at(80, 24);
    assert!(screen.contains("comparing 15 objects with kind-dev"), "{screen}");
    assert!(screen.contains("asked at 12:03:46, 3.0s ago"), "{screen}");
    assert_eq!(diffs(&play).len(), 1);
    let next = play.app.wake_at(play.now).expect("the seconds are counted");
    assert_eq!(next.duration_since(play.now).as_millis(), 1000);
    play.compared();
    assert_eq!(play.app.wake_at(play.now), None, "an answer that is there needs no clock");
}

#[test]
fn the_resource_under_the_cursor_is_shown_first() {
    let mut play = orders();
    play.press("2 j j j").press("D").compared();
    let screen = play.at(80, 24);
    assert!(screen.contains("─ ~ ConfigMap/orders-config"), "{screen}");
}

#[test]
fn a_read_only_context_may_be_compared_and_not_synced() {
    let place = crate::engine::session::Place { read_only: Some("--read-only".into()), ..play::place() };
    let app = crate::tui::app::App::new(crate::tui::theme::Look { ascii: false, monochrome: true });
    let mut play = Play::with(app, &play::orders(), &[], place);
    play.press("D").compared();
    assert!(play.at(80, 24).contains("refused"));
    play.press("s");
    assert!(play.screen().contains("read-only: --read-only"), "{}", play.screen());
}

#[test]
fn marked_resources_are_synced_alone_and_the_sync_is_watched() {
    let mut play = open();
    go_to(&mut play, "Secret/orders-env");
    play.press("space");
    go_to(&mut play, "Deployment/orders-api");
    play.press("space");
    assert!(play.at(120, 35).contains("2 marked, s syncs only these, without hooks"), "{}", play.screen());
    play.press("s").answer_plan();
    assert!(play.at(80, 24).contains("Selective sync, without hooks"), "{}", play.screen());
    play.press("y");
    let [request] = syncs(&play)[..] else { panic!("{:?}", play.asks) };
    let mut names: Vec<&str> = request.selection.as_ref().unwrap().iter().map(|selector| &*selector.name).collect();
    names.sort_unstable();
    assert_eq!(names, ["orders-api", "orders-env"]);
    assert!(play.at(80, 24).contains("STARTING"), "the sync screen is back:\n{}", play.screen());
}

#[test]
fn a_hook_cannot_be_marked() {
    let mut play = open();
    go_to(&mut play, "Job/db-migrate");
    play.press("space");
    assert!(play.screen().contains("a hook cannot be synced alone"), "{}", play.screen());
    play.press("S");
    assert!(play.screen().contains("mark resources with space first"), "{}", play.screen());
    assert!(!play.asks.iter().any(|ask| matches!(ask, Ask::Sync { .. })));
}

#[test]
fn the_sync_dialog_shows_what_it_changes_and_comes_back_as_it_was() {
    let mut play = orders();
    play.press("s").answer_plan();
    // Prune is the second switch.
    play.press("tab tab tab space");
    let before = play.at(80, 24);
    play.press("d").compared();
    let [request] = diffs(&play)[..] else { panic!("{:?}", play.asks) };
    let turned = request.clone();
    assert_ne!(turned, play.app.model.request, "{before}");
    assert!(play.at(80, 24).contains("─ ! Ingress/orders"), "{}", play.screen());
    play.press("esc");
    assert_eq!(play.at(80, 24), before);
    play.press("d").compared();
    play.press("s");
    assert_eq!(play.at(80, 24), before, "with nothing marked `s` goes back to the question");
    play.press("y");
    assert_eq!(syncs(&play), [&turned]);
}

#[test]
fn a_dialog_that_waits_hears_of_its_plan() {
    let mut play = orders();
    play.press("s d");
    play.answer_plan();
    play.compared();
    play.press("esc y");
    assert_eq!(syncs(&play).len(), 1, "{}", play.screen());
}

#[test]
fn an_answer_is_old_after_a_sync() {
    let mut play = open();
    assert!(!play.at(80, 24).contains("taken at"));
    play.after(10.0).start();
    let screen = play.at(80, 24);
    assert!(screen.contains("! taken at 12:03:46, before the sync of 12:03:56 · r compares again"), "{screen}");
    play.after(1.0).press("r").compared();
    assert!(play.at(80, 24).contains("! taken at 12:03:57, while the sync ran"), "{}", play.screen());
    play.after(1.0).finish(OperationPhase::Succeeded, "").after(1.0).press("r").compared();
    assert!(!play.at(80, 24).contains("taken at"), "{}", play.screen());
    assert_eq!(diffs(&play).len(), 3);
}

#[test]
fn a_failure_says_the_way_out_and_leaves_what_was_there() {
    let mut play = orders();
    play.press("D").tell(Answer::Compared(Err((FailureKind::Cluster, "cannot reach \u{1b}[31mkind-dev\n  connection refused".to_owned()))));
    let screen = play.at(80, 24);
    assert!(screen.contains("there is no diff") && screen.contains("connection refused") && screen.contains("r asks again"), "{screen}");
    play.press("r").compared();
    assert!(play.at(80, 24).contains("Ingress/orders"));
    play.press("r").tell(Answer::Compared(Err((FailureKind::Cluster, "cannot reach kind-dev".to_owned()))));
    let screen = play.at(80, 24);
    assert!(screen.contains("! not compared again: cannot reach kind-dev · this is of 12:03:46"), "{screen}");
    assert!(screen.contains("Ingress/orders"), "{screen}");
}

#[test]
fn a_question_waits_for_the_answer_before_it() {
    let mut play = orders();
    play.press("D esc s").answer_plan();
    play.press("tab tab tab tab tab space d");
    assert_eq!(diffs(&play).len(), 1, "the first answer is not there yet");
    play.compared();
    assert_eq!(diffs(&play).len(), 2);
    assert!(play.at(80, 24).contains("comparing"), "the answer of another question is not shown:\n{}", play.screen());
    play.compared();
    assert!(play.at(80, 24).contains("Ingress/orders"), "{}", play.screen());
    play.press("r r r");
    assert_eq!(diffs(&play).len(), 3, "one question at a time");
}

#[test]
fn nothing_differs() {
    let mut play = orders();
    play.press("D");
    let mut planned = planned(&play);
    for task in &play.plan.tasks {
        let action = if task.is_hook() { Action::Run } else { Action::Unchanged };
        planned.actions.insert(task.id.clone(), action);
    }
    planned.differences.clear();
    play.tell(Answer::Compared(Ok(Arc::new(planned))));
    assert_snapshot!(play.at(80, 24));
    play.press("i");
    let screen = play.at(80, 24);
    assert!(screen.contains("─ = ") && screen.contains("nothing: it is as the manifest says"), "{screen}");
}

#[test]
fn folds_open_one_by_one_and_all_at_once() {
    let mut play = open();
    go_to(&mut play, "Deployment/orders-api");
    let hidden = |play: &mut Play| play.at(80, 50).matches("unchanged lines").count();
    let all = hidden(&mut play);
    assert!(all >= 2, "{}", play.screen());
    play.press("z");
    assert_eq!(hidden(&mut play), all - 1);
    play.press("Z");
    assert_eq!(hidden(&mut play), 0);
    play.press("Z");
    assert_eq!(hidden(&mut play), all);
    play.press("Z < >");
    assert_eq!(hidden(&mut play), 0, "the next resources are unfolded too");
}

fn shows_resource(play: &mut Play, name: &str) -> bool {
    play.at(80, 24).lines().any(|line| line.starts_with('─') && line.contains(name))
}

#[test]
fn whatever_is_chosen_something_is_said_of_it() {
    let mut play = orders();
    play.press("D");
    let mut planned = planned(&play);
    let unwritten = planned.differences.remove(&play.task("ConfigMap/orders-flags"));
    assert!(unwritten.is_some());
    planned.actions.insert(play.task("Service/orders-api"), Action::Unknown("the webhook `x` does not answer".to_owned()));
    planned.differences.remove(&play.task("Service/orders-api"));
    planned.actions.remove(&play.task("Secret/orders-env"));
    planned.differences.remove(&play.task("Secret/orders-env"));
    let mut written = plain("X", "x");
    written["metadata"]["managedFields"] = json!([owned_by("kubectl-edit", &json!({"f:spec": {}}))]);
    planned.differences.insert(play.task("Deployment/orders-worker"), difference(Some(&written), Some(&plain("X", "x"))));
    play.tell(Answer::Compared(Ok(Arc::new(planned))));
    play.press("i");
    let mut bodies = std::collections::BTreeMap::new();
    for _ in 0..15 {
        let screen = play.at(80, 24);
        let title = screen.lines().find(|line| line.starts_with('─')).unwrap().to_owned();
        let body: String = screen.lines().skip(3).take(19).map(|line| format!("{line}\n")).collect();
        bodies.insert(title.split_whitespace().nth(2).unwrap().to_owned(), body);
        play.press(">");
    }
    assert_eq!(bodies.len(), 15);
    assert!(bodies.values().all(|body| !body.trim().is_empty()), "{bodies:#?}");
    for (name, words) in [
        ("ConfigMap/orders-flags", "it is not there any more"),
        ("Service/orders-api", "nobody can say what changes: the webhook `x` does not answer"),
        ("Secret/orders-env", "it has not been compared; r asks again"),
        ("Job/smoke-test", "nothing is left of its last run to compare it with"),
        ("Deployment/orders-worker", "⋯ 8 unchanged lines"),
        ("Deployment/orders-worker", "last written by kubectl-edit"),
    ] {
        assert!(bodies[name].contains(words), "{name}: {words}\n{}", bodies[name]);
    }
    go_to(&mut play, "Deployment/orders-worker");
    play.press("z");
    assert_snapshot!("diff_unchanged_80x24", play.at(80, 24));
}

#[test]
fn why_something_is_created_again_stands_in_the_details_in_full() {
    let mut play = orders();
    play.press("D");
    let mut planned = planned(&play);
    let why = format!("the API server refuses to change it: {}and that is the end of it", "a field is immutable, ".repeat(12));
    planned.actions.insert(play.task("Service/orders-api"), Action::Recreate(why.clone()));
    let planned = Arc::new(planned);
    play.app.model.set_preview(&planned);
    play.tell(Answer::Compared(Ok(planned)));
    go_to(&mut play, "Service/orders-api");
    play.press("d");
    assert!(play.at(400, 50).contains(&format!("recreated     {why}")), "{}", play.screen());
}

#[test]
fn a_secret_shows_that_it_changes_and_not_what() {
    let mut play = open();
    go_to(&mut play, "Secret/orders-env");
    play.press("Z m c");
    let screen = play.at(120, 50);
    let text = copied(&play);
    for shown in [&screen, &text] {
        assert!(shown.contains("++++++++") && !shown.contains("b2xk") && !shown.contains("bmV3") && !shown.contains("b3JkZXJz"), "{shown}");
    }
}

#[test]
fn the_diff_of_a_resource_is_copied_as_text() {
    let mut play = open();
    go_to(&mut play, "Deployment/orders-api");
    play.press("c");
    assert_snapshot!(copied(&play));
}

#[test]
fn m_tells_whose_fields_they_are() {
    let mut play = open();
    go_to(&mut play, "Deployment/orders-api");
    play.press("m G");
    let screen = play.at(80, 50);
    assert!(screen.contains("takes spec.replicas from kubectl-edit (Update, 2026-02-26 09:00)"), "{screen}");
    assert!(screen.contains("spec.replicas: the target says so, and it is taken from kubectl-edit"), "{screen}");
    assert!(screen.contains("status and managedFields are never compared"), "{screen}");
}

#[test]
fn effects_stand_below_the_lines_and_are_added_up_beside_the_list() {
    let mut play = orders();
    play.press("D");
    let mut planned = planned(&play);
    let rolls = Impact::Rolls { cause: Cause::Image, pods: Some(3), how: Roll::Rolling { surge: 1, down: 0 } };
    planned.effects.insert(play.task("Deployment/orders-api"), vec![rolls]);
    play.tell(Answer::Compared(Ok(Arc::new(planned))));
    go_to(&mut play, "Deployment/orders-api");
    play.press("G");
    assert_snapshot!("diff_effects_80x24", play.at(80, 24));
    let screen = play.at(120, 40);
    assert!(screen.contains("! 3 pods roll"), "{screen}");
}

#[test]
fn nothing_from_the_cluster_moves_the_cursor_of_the_terminal() {
    let mut play = orders();
    play.press("D");
    let mut planned = planned(&play);
    let id = play.task("ConfigMap/orders-config");
    let (live, after) = (config("a\u{1b}[2Jb", "世界\u{202e}"), config("a\u{7}b", &"世界 long ".repeat(40)));
    planned.differences.insert(id, difference(Some(&live), Some(&after)));
    play.tell(Answer::Compared(Ok(Arc::new(planned))));
    go_to(&mut play, "ConfigMap/orders-config");
    for (width, height) in [(80, 24), (120, 35), (200, 50)] {
        for _ in 0..12 {
            let screen = play.at(width, height);
            assert!(!screen.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{screen:?}");
            play.press("right");
        }
    }
}

#[test]
fn the_keys_of_a_list_move_in_the_list_and_tab_changes_that() {
    let mut play = open();
    play.resize(120, 35);
    let chosen = |play: &mut Play| play.screen().lines().find(|line| line.starts_with('▌')).unwrap().to_owned();
    let first = chosen(&mut play);
    play.press("j");
    assert_ne!(chosen(&mut play), first);
    play.press("tab k");
    assert_ne!(chosen(&mut play), first, "the text scrolls now");
    play.press("<");
    assert_eq!(chosen(&mut play), first);
}

#[test]
fn live_yaml_and_details_open_from_here() {
    let mut play = open();
    go_to(&mut play, "Deployment/orders-api");
    play.press("y");
    assert!(matches!(play.asks.last(), Some(Ask::Object { key }) if *key.name == *"orders-api"), "{:?}", play.asks.last());
    play.press("esc d");
    assert!(play.at(80, 24).contains("phase, wave"), "{}", play.screen());
    play.press("esc esc");
    assert!(play.at(80, 24).contains("PLANNED"), "{}", play.screen());
}

#[test]
fn the_help_names_every_key_of_the_diff() {
    let mut play = open();
    play.press("?");
    assert_snapshot!("help_diff_80x24", play.at(80, 24));
    assert_snapshot!("help_diff_120x35", play.at(120, 35));
}

#[test]
fn the_command_opens_it_too() {
    let mut play = orders();
    play.press(": 'diff enter");
    assert_eq!(diffs(&play).len(), 1);
    play.compared().press(": 'diff enter esc");
    assert!(play.at(80, 24).contains("PLANNED"), "it is not opened twice:\n{}", play.screen());
}

#[test]
fn nothing_panics_on_tiny_screens() {
    for keys in ["", "Z", "m i", "/ 'a enter", "u", "w Z"] {
        let mut play = open();
        play.press(keys);
        for width in 1..=24 {
            for height in 1..=12 {
                play.at(width, height);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn nothing_panics_at_any_size(
        keys in prop::collection::vec(prop::sample::select(vec!["j", "k", "<", ">", "z", "Z", "u", "i", "m", "G", "g", "pgdn", "pgup", "tab", "right", "left", "space", "r", "n", "N", "c", "w", "/ 'a enter"]), 0..12),
        sizes in prop::collection::vec((1_u16..230, 1_u16..70), 1..4),
        answers in 0_usize..3,
    ) {
        let mut play = orders();
        play.press("D");
        for _ in 0..answers {
            play.compared();
        }
        for (width, height) in sizes {
            play.at(width, height);
            for key in &keys {
                play.press(key);
            }
            let (one, other) = (play.buffer(), play.buffer());
            prop_assert_eq!(one, other);
        }
    }
}
