//! What goes, what goes with it, and what is refused.

use serde_json::{Value, json};

use super::{Impact, Kind, NoRules, Stage, Tally, Volume, impacts, object, with};
use crate::model::annotation::SYNC_OPTIONS;
use crate::plan::Action;
use crate::plan::impact::{Weight, is_immutable, shortened};

fn web(annotations: &Value) -> Value {
    with(&object("apps/v1/Deployment", json!({"spec": {"replicas": 3}})), "/metadata/annotations", annotations.clone())
}

fn old() -> Stage {
    Stage::pruned(&web(&json!({}))).family(&[("Pod", 6), ("ReplicaSet", 2)])
}

fn option(option: &str) -> Value {
    json!({SYNC_OPTIONS: option})
}

#[test]
fn a_prune_counts_what_goes_with_the_object() {
    assert_eq!(old().told(), ["deletes it with 2 ReplicaSets and 6 Pods"]);
    assert_eq!(old().tally(), "1 object is deleted with 8 children");
    let one = Stage::pruned(&web(&json!({}))).family(&[("Pod", 1)]);
    assert_eq!((one.told(), one.tally()), (vec!["deletes it with 1 Pod".to_owned()], "1 object is deleted with 1 child".to_owned()));
    let many = Stage::pruned(&web(&json!({}))).family(&[("Ingress", 2), ("NetworkPolicy", 2), ("EndpointSlice", 1), ("Pod", 9)]);
    assert_eq!(many.told(), ["deletes it with 1 EndpointSlice, 2 Ingresses, 2 NetworkPolicies and 9 Pods"]);
    let more = old().family_is(|family| family.more = true);
    assert_eq!(
        (more.told()[0].as_str(), more.tally().as_str()),
        ("deletes it with at least 2 ReplicaSets and 6 Pods", "1 object is deleted with at least 8 children")
    );
    // Nothing goes with it, so nothing more is to be said than that it goes.
    assert_eq!(Stage::pruned(&web(&json!({}))).family(&[]).told(), [""; 0]);
    assert_eq!(Stage::pruned(&web(&json!({}))).told(), [""; 0]);
}

#[test]
fn children_that_may_not_be_counted_are_told_of() {
    let forbidden = |family: &mut super::Family| family.unclear = Some("pods cannot be listed: forbidden".to_owned());
    let none = Stage::pruned(&web(&json!({}))).family_is(forbidden);
    assert_eq!(none.told(), ["deletes it and what belongs to it: its children could not be counted, pods cannot be listed: forbidden"]);
    assert_eq!(none.tally(), "1 object is deleted with children that could not be counted");
    assert!(
        old().family_is(forbidden).told()[0].ends_with("and 6 Pods and more that could not be counted: pods cannot be listed: forbidden")
    );
}

#[test]
fn orphans_stay() {
    let stage = old().options(&["PrunePropagationPolicy=orphan"]);
    assert_eq!(stage.told(), ["leaves 2 ReplicaSets and 6 Pods behind (PrunePropagationPolicy=orphan)"]);
    assert_eq!(stage.tally(), "1 object is deleted");
}

#[test]
fn a_prune_that_does_not_happen_or_waits_is_told_of() {
    let mut off = old();
    off.prunes = false;
    assert_eq!(off.told(), ["stays: prune is off, --prune deletes it", "with --prune: deletes it with 2 ReplicaSets and 6 Pods"]);
    assert_eq!(off.tally(), "nothing changes");
    let switched = |prunes| off.play(&NoRules, |scene| Tally::of(scene.actions, &impacts(scene), prunes).consequences());
    assert_eq!((switched(Some(true)).as_str(), switched(Some(false)).as_str()), ("1 object is deleted with 8 children", ""));
    let kept = |annotation: &str| Stage::pruned(&web(&option(annotation))).family(&[("Pod", 6)]);
    assert_eq!(kept("Prune=false").told(), ["stays: Prune=false"]);
    assert_eq!(kept("Prune=false").tally(), "nothing changes");
    let asks = "waits for a confirmation (Prune=confirm, or --approve Deployment/web)";
    assert_eq!(kept("Prune=confirm").told(), [asks, "deletes it with 6 Pods"]);
    let mut approved = kept("Prune=confirm");
    approved.approved = vec![approved.candidates[0].key.clone()];
    assert_eq!(approved.told(), ["deletes it with 6 Pods"]);
    for stage in [kept("PruneLast=true"), kept("").options(&["PruneLast=true"])] {
        assert_eq!(stage.told(), ["goes after everything else is applied (PruneLast=true)", "deletes it with 6 Pods"]);
    }
    let held = kept("").facts(|facts| facts.finalizers = vec!["example.com/backup".to_owned()]);
    assert_eq!(held.told()[1], "is not gone before somebody takes away finalizer example.com/backup");
}

#[test]
fn r705_a_deletion_of_the_app_has_words_of_its_own() {
    let deletion = |annotations: &Value| {
        let mut stage = Stage::pruned(&web(annotations)).family(&[("Pod", 6)]);
        stage.kind = Kind::Delete;
        stage.prunes = false;
        stage
    };
    assert_eq!(deletion(&json!({})).told(), ["deletes it with 6 Pods"]);
    assert_eq!(deletion(&option("Delete=false")).told(), ["stays: Delete=false"]);
    assert_eq!(deletion(&json!({"helm.sh/resource-policy": "keep"})).told(), ["stays: helm.sh/resource-policy: keep"]);
    assert_eq!(deletion(&option("Delete=confirm")).told()[0], "waits for a confirmation (Delete=confirm, or --approve Deployment/web)");
}

#[test]
fn what_does_not_come_back_is_told_of() {
    let claim = object("PersistentVolumeClaim", json!({"spec": {"volumeName": "pv-1"}}));
    for (volume, expected, weight) in [
        (Volume::Deleted("pv-1".to_owned()), "PersistentVolume pv-1 goes with its data (reclaim policy Delete)", Weight::Grave),
        (Volume::Retained("pv-1".to_owned()), "PersistentVolume pv-1 stays with its data (reclaim policy Retain)", Weight::Quiet),
        (
            Volume::Unclear("forbidden".to_owned()),
            "its data may go with it: the reclaim policy of its volume cannot be read, forbidden",
            Weight::Grave,
        ),
    ] {
        assert_eq!(Impact::Loses(volume.clone()).weight(), weight);
        assert_eq!(Stage::pruned(&claim).facts(|facts| facts.volume = Some(volume.clone())).told(), [expected]);
    }
    let service =
        json!({"spec": {"type": "LoadBalancer"}, "status": {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}, {"hostname": "a.example"}]}}});
    assert_eq!(Stage::pruned(&object("Service", service)).told(), ["gives up the address 1.2.3.4 and a.example"]);
    let set = Stage::pruned(&object("apps/v1/StatefulSet", json!({}))).family(&[("Pod", 3)]).family_is(|family| family.claims = 3);
    assert_eq!(set.told(), ["deletes it with 3 Pods", "leaves 3 PersistentVolumeClaims with their data"]);
}

#[test]
fn a_namespace_and_a_definition_take_everything_along() {
    let space = Stage::pruned(&object("Namespace", json!({}))).family(&[("Deployment", 2), ("Pod", 6)]);
    assert_eq!(space.told(), ["deletes everything in it: 2 Deployments and 6 Pods"]);
    let definition = object("apiextensions.k8s.io/v1/CustomResourceDefinition", json!({"spec": {"group": "example.com"}}));
    let changed = Stage::new().with(&definition, &definition, Action::Recreate("Replace=true with Force=true".to_owned()));
    assert_eq!(
        changed.family(&[("Widget", 12)]).told(),
        ["deletes it and creates it again", "deletes all of its objects: 12 Widgets, in every namespace"]
    );
}

const SELECTOR: &str =
    r#"Deployment.apps "web" is invalid: spec.selector: Invalid value: {"matchLabels":{"app":"new"}}: field is immutable"#;
const SET: &str = "StatefulSet.apps \"web\" is invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas', \
    'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";

#[test]
fn a_recreation_names_the_fields_and_what_goes_along() {
    let stage = Stage::new().with(&web(&json!({})), &web(&json!({})), Action::Recreate(SELECTOR.to_owned()));
    let stage = stage.family(&[("ReplicaSet", 1), ("Pod", 3)]);
    assert_eq!(stage.told(), ["deletes it and creates it again (spec.selector cannot be changed) with 1 ReplicaSet and 3 Pods"]);
    assert_eq!(stage.tally(), "1 object is deleted and created again with 4 children");
}

#[test]
fn what_cannot_be_changed_is_named_with_the_way_out() {
    let refused = |sentence: &str| Stage::new().with(&web(&json!({})), &web(&json!({})), Action::Refused(sentence.to_owned()));
    let force = "`--force`, or the annotation argocd.argoproj.io/sync-options: Force=true on it, deletes it and creates it again";
    let stage = refused(SELECTOR).family(&[("Pod", 3)]);
    assert_eq!(stage.told(), [format!("spec.selector cannot be changed; {force} with 3 Pods")]);
    assert_eq!(stage.tally(), "1 object is refused");
    let asked = refused(SELECTOR).options(&["ServerSideApply=true"]);
    let both = "the annotation argocd.argoproj.io/sync-options: Replace=true,Force=true on it deletes it and creates it again";
    assert_eq!(asked.told(), [format!("spec.selector cannot be changed; {both}")]);
    assert_eq!(refused("ConfigMap \"web\" is invalid: data: Required value: it must not be empty").told(), [""; 0]);
}

#[test]
fn of_a_whole_that_can_be_changed_in_part_the_parts_are_named_that_cannot() {
    let set = |claims: &str, replicas: u64| {
        let spec = json!({"replicas": replicas, "serviceName": claims, "volumeClaimTemplates": [{"metadata": {"name": claims}}]});
        object("apps/v1/StatefulSet", json!({"spec": spec}))
    };
    let told = Stage::new().with(&set("a", 1), &set("b", 2), Action::Refused(SET.to_owned())).told();
    assert!(told[0].starts_with("spec.serviceName and spec.volumeClaimTemplates cannot be changed; "), "{told:?}");
}

#[test]
fn of_a_claim_the_changed_parts_are_named_without_those_that_may_change() {
    let claim = |mode: &str, size: &str, class: &str| {
        let spec = json!({"accessModes": [mode], "resources": {"requests": {"storage": size}}, "volumeAttributesClassName": class});
        object("v1/PersistentVolumeClaim", json!({"spec": spec}))
    };
    let sentence = "PersistentVolumeClaim \"web\" is invalid: spec: Forbidden: spec is immutable after creation except resources.requests and \
                    volumeAttributesClassName for bound claims\n@@ -1,6 +1,6 @@\n {\n  \"AccessModes\": [";
    let (old, new) = (claim("ReadWriteOnce", "1Gi", "a"), claim("ReadWriteMany", "2Gi", "b"));
    let told = Stage::new().with(&old, &new, Action::Refused(sentence.to_owned())).told();
    assert!(told[0].starts_with("spec.accessModes"), "{told:?}");
    assert!(told[0].contains(" cannot be changed; ") && !told[0].contains("spec.resources") && !told[0].contains("Class"), "{told:?}");
}

#[test]
fn the_fields_of_a_refusal_are_those_that_the_server_names() {
    for (sentence, expected) in [
        (
            r#"Job.batch "m" is invalid: spec.template: Invalid value: core.PodTemplateSpec{A:"{", B:{}}: field is immutable"#,
            "spec.template",
        ),
        (
            r#"RoleBinding.rbac.authorization.k8s.io "b" is invalid: roleRef: Invalid value: rbac.RoleRef{Name:"x"}: cannot change roleRef"#,
            "roleRef",
        ),
        (r#"Service "s" is invalid: spec.clusterIPs[0]: Invalid value: ["10.0.0.1"]: may not change once set"#, "spec.clusterIPs[0]"),
        (r#"ConfigMap "c" is invalid: data: Forbidden: field is immutable when `immutable` is set"#, "data"),
        (
            r#"Job.batch "m" is invalid: [spec.completions: Invalid value: 2: field is immutable, spec.selector: Invalid value: null: field is immutable]"#,
            "spec.completions and spec.selector",
        ),
    ] {
        assert!(is_immutable(sentence), "{sentence}");
        let told = Stage::new().with(&web(&json!({})), &web(&json!({})), Action::Refused(sentence.to_owned())).told();
        assert_eq!(told[0].split_once(" cannot be changed").unwrap().0, expected);
    }
}

#[test]
fn the_servers_own_data_is_shortened_for_people() {
    let long = "x".repeat(100);
    for (sentence, expected) in [
        ("short {a}".to_owned(), "short {a}".to_owned()),
        (format!("spec: Invalid value: core.Pod{{A:\"{long}\"}}: no"), "spec: Invalid value: core.Pod{…}: no".to_owned()),
        (format!("a{{B:\"}}{long}\", C:D{{E:1}}}}: b{{F:1}} end"), "a{…}: b{F:1} end".to_owned()),
        (format!("cut {{A:\"\\\"}}{long}"), "cut {…}".to_owned()),
        (format!("{long} without braces"), format!("{long} without braces")),
        (format!("{long} }} odd"), format!("{long} }} odd")),
        (format!("spec: Forbidden: no\n@@ -1,6 +1,6 @@\n {{\n- {long}"), "spec: Forbidden: no".to_owned()),
    ] {
        assert_eq!(shortened(&sentence), expected);
    }
}
