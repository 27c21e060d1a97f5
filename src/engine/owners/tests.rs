use serde_json::{Value, json};

use super::*;
use crate::cluster::fake::{self, Asked, FakeResponse};
use crate::model::Origin;
use crate::plan::{Manifest, PlanInput, Shape};

const TRACKED: &str = "web:/ConfigMap:shop/a";

/// A cluster with Argo CD and one Application.
fn serve(asked: &Asked, config_map: &Value) -> FakeResponse {
    let kind = |name: &str, kind: &str| json!({"name": name, "kind": kind, "namespaced": true, "verbs": ["get", "list"]});
    match asked.path.as_str() {
        "/apis/argoproj.io/v1alpha1" => fake::json_answer(200, &json!({"resources": [kind("applications", "Application")]})),
        "/api/v1" => fake::json_answer(200, &json!({"resources": [kind("configmaps", "ConfigMap")]})),
        "/apis/argoproj.io/v1alpha1/applications" => fake::json_answer(
            200,
            &json!({"items": [{"metadata": {"namespace": "argocd", "name": "web"}}, {"metadata": {"namespace": "team", "name": "api"}}]}),
        ),
        "/api/v1/namespaces/shop/configmaps" => fake::json_answer(200, &json!({"items": [config_map]})),
        other => panic!("asked for {other}"),
    }
}

fn config_map(annotations: &Value, labels: &Value) -> Value {
    json!({"metadata": {"namespace": "shop", "name": "a", "annotations": annotations, "labels": labels}})
}

async fn look_at(serve: impl Fn(Asked) -> FakeResponse + Send + Sync + 'static) -> Owners {
    let cluster = fake::cluster(serve);
    let object = Object::new(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}));
    let manifests = [Manifest { object, origin: Origin { file: "app.yaml".into(), line: 1 } }];
    let kinds = cluster.discover(&BTreeSet::from([Gvk::new("v1", "ConfigMap")])).await;
    let plan = Plan::build(&PlanInput {
        app: "shop",
        namespace: "shop",
        revision: "r",
        operation: "op",
        started_at: fake::epoch(),
        manifests: &manifests,
        kinds: &kinds,
        candidates: &[],
        selection: None,
        shape: &Shape::default(),
    });
    look(&cluster, &plan).await
}

async fn refusal_of(annotations: Value, labels: Value) -> Option<String> {
    let owners = look_at(move |asked| serve(&asked, &config_map(&annotations, &labels))).await;
    assert!(owners.notes.is_empty(), "{:?}", owners.notes);
    owners.refusal()
}

#[tokio::test(start_paused = true)]
async fn decision_7_an_object_that_an_application_tracks_is_left_alone() {
    let expected = "ConfigMap shop/a belongs to the Argo CD Application argocd/web; sync there instead (`argocd app sync web`), or take the objects over with --take-over";
    assert_eq!(refusal_of(json!({ARGO_TRACKING_ID: TRACKED}), json!({})).await.as_deref(), Some(expected));
    assert_eq!(refusal_of(json!({}), json!({APPLICATION_LABEL: "web"})).await.as_deref(), Some(expected));
    let other = refusal_of(json!({ARGO_TRACKING_ID: "team_api:/ConfigMap:shop/a"}), json!({})).await.unwrap();
    assert!(other.starts_with("ConfigMap shop/a belongs to the Argo CD Application team/api; "), "{other}");
}

/// R1202 R1207 R1208: what is not tracked, tracked by nobody who exists, or only copied, may be adopted.
#[tokio::test(start_paused = true)]
async fn r1207_r1208_what_no_application_owns_may_be_adopted() {
    let ours = json!({TRACKING_ID: "shop:/ConfigMap:shop/a"});
    for (annotations, labels) in [
        (json!({}), json!({})),
        (json!({ARGO_TRACKING_ID: "gone:/ConfigMap:shop/a"}), json!({})),
        (json!({ARGO_TRACKING_ID: "web:/ConfigMap:shop/other"}), json!({})),
        (json!({ARGO_TRACKING_ID: "web"}), json!({APPLICATION_LABEL: "web"})),
        (json!({}), json!({APPLICATION_LABEL: "a-chart"})),
        // The label that came with our own sync is the chart's.
        (ours, json!({APPLICATION_LABEL: "web"})),
    ] {
        assert_eq!(refusal_of(annotations.clone(), labels.clone()).await, None, "{annotations} {labels}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_argo_cd_it_is_one_request_and_without_the_right_to_look_a_sentence() {
    let core = |asked: &Asked| asked.path == "/api/v1";
    let kinds = json!({"resources": [{"name": "configmaps", "kind": "ConfigMap", "namespaced": true, "verbs": ["get", "list"]}]});
    let (asked_for, answer) = (std::sync::Arc::new(std::sync::Mutex::new(Vec::new())), kinds.clone());
    let seen = asked_for.clone();
    let owners = look_at(move |asked| {
        crate::cluster::locked(&seen).push(asked.path.clone());
        if core(&asked) { fake::json_answer(200, &answer) } else { fake::status(404, "NotFound", "not found") }
    });
    assert_eq!(owners.await, Owners::default());
    assert_eq!(*crate::cluster::locked(&asked_for), ["/api/v1", "/apis/argoproj.io/v1alpha1"]);
    let owners = look_at(move |asked| match asked.path.as_str() {
        "/api/v1" => fake::json_answer(200, &kinds),
        "/apis/argoproj.io/v1alpha1/applications" => fake::status(403, "Forbidden", "no applications for you"),
        _ => serve(&asked, &Value::Null),
    });
    let owners = owners.await;
    assert_eq!(owners.refusal(), None);
    let expected =
        "Argo CD's Applications cannot be listed, so it is not known whether one of them owns what is synced here: no applications for you";
    assert_eq!(owners.notes, [expected]);
}
