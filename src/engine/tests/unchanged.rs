//! What the last sync made and nobody has changed is not sent again (performance.md 2.5, point 8); whatever has changed is. The embedded
//! cluster refuses every write here, so that a result says whether anything was sent.

use std::time::Duration;

use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use kube::discovery::ApiResource;
use serde_json::{Value, json};

use super::stage::Stage;
use crate::engine::session::{Action, Answer, Ask, Waiting};
use crate::model::{Options, ResultCode};
use crate::operation::{Event, Request};
use crate::sim::Outcome;

const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: v}\n---\n";
const SECRET: &str = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: hunter2}\n---\n";
const HOOK: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: h, annotations: {argocd.argoproj.io/hook: Sync}}\n---\n";

fn both() -> String {
    format!("{CONFIG}{SECRET}")
}

/// A stage on which the manifests have been synced once.
async fn synced(manifests: &str) -> Stage {
    let mut stage = Stage::new("", manifests);
    stage.sync(Request::default()).await;
    assert!(stage.results().iter().all(|(_, code, _, message)| *code == ResultCode::Synced && message.ends_with(" created")));
    stage
}

/// From now on every write of a ConfigMap or a Secret is refused.
fn refuse_writes(stage: &Stage) {
    for resource in ["configmaps", "secrets"] {
        for verb in ["patch", "update", "create"] {
            stage.fault(verb, resource, Outcome::Status { code: 403, reason: "Forbidden", message: "it was sent".into() });
        }
    }
}

async fn messages(stage: &mut Stage, request: Request) -> Vec<String> {
    stage.sync(request).await;
    stage.results().into_iter().map(|(_, _, _, message)| message).collect()
}

fn config_maps(stage: &Stage) -> Api<DynamicObject> {
    let kind = ApiResource {
        group: String::new(),
        version: "v1".into(),
        api_version: "v1".into(),
        kind: "ConfigMap".into(),
        plural: "configmaps".into(),
    };
    Api::namespaced_with(stage.sim.client(), "shop", &kind)
}

async fn change(stage: &Stage, patch: Value) {
    config_maps(stage).patch("a", &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_the_last_sync_made_is_unchanged_without_a_request_secrets_too() {
    let mut stage = synced(&both()).await;
    refuse_writes(&stage);
    for _ in 0..2 {
        let messages = messages(&mut stage, Request::default()).await;
        assert_eq!(messages, ["secret/s unchanged", "configmap/a unchanged"], "{:#?}", stage.tail());
    }
    stage.close().await;
}

/// It tells what the sync would do, and that is to send nothing.
#[tokio::test(start_paused = true)]
async fn a_dry_run_does_not_try_what_the_sync_would_not_send() {
    let mut stage = synced(&both()).await;
    refuse_writes(&stage);
    let dry = || Request { dry_run: true, ..Request::default() };
    let server_side = || Request { options: Options::new(["ServerSideApply=true".to_owned()]), ..Request::default() };
    assert_eq!(
        messages(&mut stage, dry()).await,
        ["secret/s unchanged (dry run)", "configmap/a unchanged (dry run)"],
        "{:#?}",
        stage.tail()
    );
    stage.sim.faults().clear();
    stage.sync(server_side()).await;
    refuse_writes(&stage);
    let dry_server_side = Request { dry_run: true, ..server_side() };
    let said = messages(&mut stage, dry_server_side).await;
    assert_eq!(said, ["secret/s unchanged (dry run)", "configmap/a unchanged (dry run)"], "R714: never in the words of server-side apply");
    stage.write(&format!("{}{SECRET}", CONFIG.replace("k: v", "k: changed")));
    stage.records.clear();
    assert_eq!(messages(&mut stage, dry()).await, ["secret/s unchanged (dry run)", "configmap/a configured (dry run)"]);
    let tried = |event: &Event| matches!(event, Event::Warned { text, .. } if text == "the API server would refuse it: it was sent");
    assert!(stage.records.iter().any(|record| tried(&record.event)), "{:#?}", stage.tail());
    stage.close().await;
}

async fn actions(stage: &mut Stage, ask: Ask) -> Vec<Action> {
    stage.ask(ask).await;
    match stage.answer().await {
        Answer::Planned(planned) | Answer::Compared(Ok(planned)) => planned.actions.values().cloned().collect(),
        other => panic!("{other:?}"),
    }
}

fn many() -> String {
    (0..20).map(|number| CONFIG.replace("name: a", &format!("name: a{number}"))).collect()
}

#[tokio::test(start_paused = true)]
async fn a_plan_says_what_the_sync_would_not_send_without_trying_it_and_a_diff_tries_it() {
    for manifests in [both(), many()] {
        let mut stage = synced(&manifests).await;
        refuse_writes(&stage);
        let request = Request::default();
        let planned = actions(&mut stage, Ask::Plan { request: request.clone() }).await;
        assert!(planned.iter().all(|action| *action == Action::Unchanged), "{planned:?}");
        let refused = Action::Refused("it was sent".to_owned());
        stage.ask(Ask::Diff { request: request.clone() }).await;
        let Answer::Compared(Ok(compared)) = stage.answer().await else { panic!("not compared") };
        assert!(compared.actions.values().all(|action| *action == Action::Unchanged), "{:?}", compared.actions);
        let [note] = &compared.notes[..] else { panic!("one note for all: {:?}", compared.notes) };
        assert!(note.contains("would now refuse what it has taken: it was sent"), "{note}");
        assert_eq!(note.contains(" and 17 more: "), compared.actions.len() == 20, "{note}");
        let name = if manifests.contains("a19") { "a19" } else { "a" };
        stage.sim.store().update("somebody", "", "configmaps", "shop", name, |object| object["data"]["k"] = json!("other")).unwrap();
        let planned = actions(&mut stage, Ask::Plan { request }).await;
        assert_eq!(planned.iter().filter(|action| **action == refused).count(), 1, "{planned:?}");
        stage.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn without_seals_a_plan_tries_everything() {
    let mut stage = Stage::with("", &many(), |opening| opening.skip_unchanged = false);
    stage.sync(Request::default()).await;
    refuse_writes(&stage);
    let planned = actions(&mut stage, Ask::Plan { request: Request::default() }).await;
    assert!(planned.iter().all(|action| *action == Action::Refused("it was sent".to_owned())), "{planned:?}");
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn objects_of_which_there_are_many_are_read_by_one_list_or_else_one_by_one() {
    for verb in ["get", "list"] {
        let mut stage = synced(&many()).await;
        stage.fault(verb, "configmaps", Outcome::Status { code: 403, reason: "Forbidden", message: "not for you".into() });
        let compared = actions(&mut stage, Ask::Diff { request: Request::default() }).await;
        assert!(compared.len() == 20 && compared.iter().all(|action| *action == Action::Unchanged), "without {verb}: {compared:?}");
        stage.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_inventory_holds_no_value_of_a_secret() {
    let stage = synced(&both()).await;
    let file = stage.folder.path().join("state/inventory/embedded/shop/web.json");
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains("sealKey") && text.matches("\"seal\"").count() == 2, "{text}");
    assert!(!text.contains("hunter2") && !text.contains("aHVudGVyMg"), "{text}");
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn what_somebody_has_changed_is_sent_and_set_right() {
    for patch in [
        json!({"data": {"k": "w"}}),
        json!({"metadata": {"annotations": {"syncwave.dev/tracking-id": "other"}}}),
        json!({"metadata": {"labels": {"a": "b"}}}),
        json!({"metadata": {"finalizers": ["example.com/x"]}}),
    ] {
        let mut stage = synced(&both()).await;
        change(&stage, patch.clone()).await;
        stage.sync(Request::default()).await;
        assert_eq!(config_maps(&stage).get("a").await.unwrap().data["data"]["k"], "v", "{patch}");
        stage.close().await;
        let mut stage = synced(&both()).await;
        change(&stage, patch.clone()).await;
        refuse_writes(&stage);
        assert_eq!(messages(&mut stage, Request::default()).await, ["secret/s unchanged", "it was sent"], "{patch}");
        stage.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_changed_manifest_is_sent() {
    let mut stage = synced(&both()).await;
    stage.write(&both().replace("k: v", "k: w"));
    refuse_writes(&stage);
    assert_eq!(messages(&mut stage, Request::default()).await, ["secret/s unchanged", "it was sent"]);
    stage.sim.faults().clear();
    assert_eq!(messages(&mut stage, Request::default()).await, ["secret/s unchanged", "configmap/a configured"]);
    refuse_writes(&stage);
    assert_eq!(messages(&mut stage, Request::default()).await, ["secret/s unchanged", "configmap/a unchanged"]);
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn without_its_inventory_everything_is_sent() {
    let mut stage = synced(&both()).await;
    std::fs::remove_dir_all(stage.folder.path().join("state")).unwrap();
    refuse_writes(&stage);
    assert_eq!(messages(&mut stage, Request::default()).await, ["it was sent", "it was sent"]);
    stage.close().await;
}

/// The embedded cluster gives the same uids to the same story, so an object that was made again stands for the one in another cluster.
#[tokio::test(start_paused = true)]
async fn the_inventory_of_another_cluster_whose_context_has_the_same_name_saves_nothing() {
    let mut stage = synced(&both()).await;
    let mut copy = config_maps(&stage).get("a").await.unwrap();
    config_maps(&stage).delete("a", &DeleteParams::default()).await.unwrap();
    let old = copy.metadata.uid.take();
    copy.metadata.resource_version = None;
    let made = config_maps(&stage).create(&PostParams::default(), &copy).await.unwrap();
    assert!(old != made.metadata.uid && copy.data == made.data);
    refuse_writes(&stage);
    assert_eq!(messages(&mut stage, Request::default()).await, ["secret/s unchanged", "it was sent"]);
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn hooks_and_what_is_forced_are_always_sent_and_the_switch_sends_all() {
    let mut stage = synced(&format!("{CONFIG}{HOOK}")).await;
    refuse_writes(&stage);
    let told = messages(&mut stage, Request::default()).await;
    assert!(told.contains(&"it was sent".to_owned()) && told.contains(&"configmap/a unchanged".to_owned()), "{told:?}");
    stage.close().await;

    let mut stage = synced(CONFIG).await;
    refuse_writes(&stage);
    assert_eq!(messages(&mut stage, Request { force: true, ..Request::default() }).await, ["it was sent"]);
    stage.close().await;

    let mut stage = Stage::with("", CONFIG, |opening| opening.skip_unchanged = false);
    stage.sync(Request::default()).await;
    refuse_writes(&stage);
    assert_eq!(messages(&mut stage, Request::default()).await, ["it was sent"]);
    stage.close().await;
}

/// Lists save requests and are worth no wait: what they have not shown by then is read by its name.
#[tokio::test(start_paused = true)]
async fn a_plan_does_not_wait_for_a_slow_list_of_what_it_can_read_one_by_one() {
    let many: String = (0..8).map(|number| CONFIG.replace("name: a", &format!("name: a{number}"))).collect();
    let mut stage = Stage::new("", &many);
    let took = async |stage: &mut Stage| {
        let began = stage.opening.clock.now();
        stage.ask(Ask::Plan { request: Request::default() }).await;
        let Answer::Planned(planned) = stage.answer().await else { panic!("no plan") };
        assert!(planned.actions.values().all(|action| *action == Action::Create), "{:?}", planned.actions);
        stage.opening.clock.now().duration_since(began).as_secs()
    };
    assert_eq!(took(&mut stage).await, 0);
    stage.fault("list", "configmaps", Outcome::Latency(Duration::from_secs(25)));
    // What the app owns already is looked for in the same list before.
    let asked = stage.opening.clock.now();
    assert_eq!(took(&mut stage).await, 25 + 10);
    let whom = |since| Some(Waiting { what: "the API server in process".to_owned(), since });
    let tried = asked + Duration::from_secs(25);
    assert_eq!(stage.waits, [whom(asked), None, whom(tried), None], "who waits is told for whom and since when");
    stage.close().await;
}
