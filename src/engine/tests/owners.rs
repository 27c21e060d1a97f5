//! Objects of Argo CD's Applications, and of other apps of ours (decision 7, spec topic 12).

use serde_json::json;

use super::stage::Stage;
use crate::engine::session::{Answer, Ask};
use crate::model::OperationPhase;
use crate::operation::Request;

const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: v}\n";

/// A cluster with Argo CD's kind, one Application, and an object that it tracks.
fn with_application(change: impl FnOnce(&mut crate::engine::session::Opening)) -> Stage {
    let stage = Stage::with("", CONFIG, change);
    let store = stage.sim.store();
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    let version = json!({"name": "v1alpha1", "served": true, "storage": true, "schema": schema});
    let names = json!({"plural": "applications", "singular": "application", "kind": "Application", "listKind": "ApplicationList"});
    let spec = json!({"group": "argoproj.io", "scope": "Namespaced", "names": names, "versions": [version]});
    let definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "applications.argoproj.io"}, "spec": spec});
    store.create("test", definition).unwrap();
    let application =
        json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "guestbook", "namespace": "shop"}});
    store.create("test", application).unwrap();
    let annotations = json!({"argocd.argoproj.io/tracking-id": "guestbook:/ConfigMap:shop/a"});
    let tracked = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "shop", "annotations": annotations}, "data": {"k": "argo"}});
    store.create("argocd-controller", tracked).unwrap();
    stage
}

fn value(stage: &Stage) -> String {
    stage.sim.store().get("", "configmaps", "shop", "a").unwrap()["data"]["k"].as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn decision_7_a_sync_of_what_an_application_owns_is_refused_before_anything_is_written() {
    let mut stage = with_application(|_| {});
    stage.ask(Ask::Plan { request: Request::default() }).await;
    let Answer::Planned(planned) = stage.answer().await else { panic!("no plan") };
    let expected = "ConfigMap shop/a belongs to the Argo CD Application shop/guestbook; sync there instead (`argocd app sync guestbook`), or take the objects over with --take-over";
    assert_eq!(planned.notes, [expected]);
    stage.ask(Ask::Sync { request: Request::default() }).await;
    assert!(matches!(stage.answer().await, Answer::Refused { reason } if reason == expected));
    assert_eq!(value(&stage), "argo");
    assert!(!stage.folder.path().join("state/inventory").exists(), "nothing is written down either");
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn decision_7_take_over_needs_a_person_and_then_syncs() {
    let request = || Request { take_over: true, ..Request::default() };
    let mut stage = with_application(|opening| opening.unattended = true);
    stage.ask(Ask::Sync { request: request() }).await;
    assert!(matches!(stage.answer().await, Answer::Refused { reason } if reason.contains("add --yes")));
    assert_eq!(value(&stage), "argo");
    stage.close().await;
    let mut stage = with_application(|_| {});
    assert_eq!(stage.sync(request()).await.phase(), OperationPhase::Succeeded);
    assert_eq!(
        (value(&stage), stage.told()),
        ("v".to_owned(), vec!["taken over: ConfigMap shop/a belongs to the Argo CD Application shop/guestbook"])
    );
    stage.close().await;
}

/// T154 R725 R1212 with two apps of ours.
#[tokio::test(start_paused = true)]
async fn t154_r1212_two_apps_that_share_an_object_are_told_of_it() {
    let mut stage = Stage::new("", CONFIG);
    stage.sync(Request::default()).await;
    stage.opening.app = "api".to_owned();
    stage.restart("api").await;
    let options = crate::model::Options::new(["FailOnSharedResource=true".to_owned()]);
    let operation = stage.sync(Request { options, ..Request::default() }).await;
    let said = "ConfigMap/a is part of applications api and web";
    assert_eq!((operation.phase(), operation.message()), (OperationPhase::Failed, &*format!("Shared resource found: {said}")));
    assert!(operation.results().is_empty());
    let operation = stage.sync(Request::default()).await;
    assert_eq!(operation.phase(), OperationPhase::Succeeded);
    assert_eq!(operation.warnings().iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>(), [said]);
    stage.close().await;
}
