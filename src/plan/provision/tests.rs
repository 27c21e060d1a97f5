//! What plans lack, what is said of it, and what is none of anybody's business. The cluster has nothing unless a case says otherwise.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::model::{Kinds, Live, Object, Origin, annotation};
use crate::plan::{Candidate, Deletion, Manifest, NewNamespace, PlanInput, Selector, Shape};

/// A case: manifests, and what is owned without one.
#[derive(Default)]
struct Case {
    objects: Vec<Value>,
    owned: Vec<Value>,
    live: Vec<&'static str>,
    selection: Option<&'static str>,
    shape: Shape,
    prunes: bool,
    hooks_go_early: bool,
    is_deletion: bool,
    /// Whether the Namespace of the destination is missing.
    is_homeless: bool,
}

fn case(objects: impl IntoIterator<Item = Value>) -> Case {
    Case { objects: objects.into_iter().collect(), ..Case::default() }
}

impl Case {
    fn plan(&self) -> Plan {
        let origin = |line| Origin { file: "app.yaml".into(), line };
        let manifests: Vec<Manifest> = self
            .objects
            .iter()
            .enumerate()
            .map(|(at, value)| Manifest { object: Object::new(value.clone()), origin: origin(at + 1) })
            .collect();
        let candidates: Vec<Candidate> = self.owned.iter().map(|value| candidate(&Object::new(value.clone()))).collect();
        let selection: Option<Vec<Selector>> = self.selection.map(|text| vec![Selector::parse(text).unwrap()]);
        let input = PlanInput {
            app: "shop",
            namespace: "prod",
            revision: "foobarbaz",
            operation: "op-1",
            started_at: Timestamp::from_second(1_700_000_000).unwrap(),
            manifests: &manifests,
            kinds: &Kinds::default(),
            candidates: &candidates,
            selection: selection.as_deref(),
            shape: &self.shape,
        };
        if self.is_deletion { Plan::of_deletion(&input, &Deletion::default()) } else { Plan::build(&input) }
    }

    /// What is said, as `Job/a: needs …`, and which objects the cluster was asked for.
    fn look(&self) -> (Vec<String>, Vec<String>) {
        let plan = self.plan();
        let circumstances = Circumstances { prunes: self.prunes, hooks_go_early: self.hooks_go_early, options: &self.shape.options };
        let findings = Findings::of(&plan, circumstances);
        let unsure: Vec<&ResourceKey> = findings.unsure().into_iter().collect();
        let is_absent =
            |key: &&&ResourceKey| !self.live.contains(&key.short().as_str()) && (self.is_homeless || key.short() != "Namespace/prod");
        let absent = unsure.iter().filter(is_absent).map(|key| (*key).clone()).collect();
        let said = findings.warnings(&absent).into_iter().map(|warning| format!("{}: {}", warning.about.unwrap().short(), warning.message));
        (said.collect(), unsure.iter().map(|key| key.short()).filter(|name| name != "Namespace/prod").collect())
    }

    /// How many objects the cluster is asked for, the destination's Namespace among them.
    fn requests(&self) -> usize {
        let plan = self.plan();
        let circumstances = Circumstances { prunes: false, hooks_go_early: false, options: &self.shape.options };
        Findings::of(&plan, circumstances).unsure().len()
    }

    fn said(&self) -> Vec<String> {
        self.look().0
    }
}

fn candidate(object: &Object) -> Candidate {
    let live = Live::still("u", object);
    let key = object.key();
    let namespace = if *key.kind == *"Namespace" { "" } else { "prod" };
    Candidate { key: ResourceKey { namespace: namespace.into(), ..key }, version: "v1".into(), live }
}

/// `"Sync"` or `"PreSync -1 HookFailed"`; `"0"` or `"2"` is an ordinary object with its wave.
fn placed(api_version: &str, kind: &str, name: &str, place: &str) -> Value {
    let mut annotations = serde_json::Map::new();
    for word in place.split_whitespace() {
        let annotation = match word {
            _ if word.parse::<i64>().is_ok() => annotation::SYNC_WAVE,
            _ if word.contains('=') => annotation::SYNC_OPTIONS,
            "HookSucceeded" | "HookFailed" | "BeforeHookCreation" => annotation::HOOK_DELETE_POLICY,
            _ => annotation::HOOK,
        };
        annotations.insert(annotation.to_owned(), json!(word));
    }
    json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "annotations": annotations}})
}

fn thing(kind: &str, place: &str) -> Value {
    placed("v1", kind, "x", place)
}

fn secret(place: &str) -> Value {
    thing("Secret", place)
}

fn pod(fields: Value) -> Value {
    let mut pod = json!({"containers": [{"name": "main", "image": "x"}]});
    pod.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    pod
}

fn of_secret() -> Value {
    json!({"containers": [{"name": "main", "envFrom": [{"secretRef": {"name": "x"}}]}]})
}

fn job_with(place: &str, fields: Value) -> Value {
    let mut job = placed("batch/v1", "Job", "j", place);
    job["spec"] = json!({"template": {"spec": pod(fields)}});
    job
}

fn job(place: &str) -> Value {
    job_with(place, of_secret())
}

fn workload(kind: &str, place: &str) -> Value {
    let mut workload = placed("apps/v1", kind, "w", place);
    workload["spec"] = json!({"template": {"spec": pod(of_secret())}});
    workload
}

fn cron(place: &str) -> Value {
    let mut cron = placed("batch/v1", "CronJob", "c", place);
    cron["spec"] = json!({"jobTemplate": {"spec": {"template": {"spec": pod(of_secret())}}}});
    cron
}

const FIELD: &str = " (spec.template.spec.containers[0].envFrom[0].secretRef)";

fn of_field(sentences: &[&str]) -> Vec<String> {
    let full = |sentence: &&str| sentence.split_once(' ').map(|(who, rest)| format!("{who} needs Secret prod/x, {rest}{FIELD}")).unwrap();
    sentences.iter().map(full).collect()
}

/// Users.md P-66 and A13: what comes too late.
#[test]
fn p66_what_comes_later_is_told_with_the_ways_out() {
    for (objects, expected) in [
        (
            vec![job("PreSync -1"), secret("2")],
            "Job/j: which comes only in phase Sync, so it cannot start: make Secret/x a PreSync hook with a wave of at most -1, or make Job/j a Sync hook with a wave of at least 2, or give Job/j a copy of Secret/x under another name as a PreSync hook",
        ),
        (
            vec![job("PreSync"), secret("PostSync")],
            "Job/j: which comes only in phase PostSync, so it cannot start: make Secret/x a PreSync hook with a wave of at most 0, or make Job/j a PostSync hook with a wave of at least 0",
        ),
        (
            vec![job("PreSync"), secret("SyncFail")],
            "Job/j: which comes only if the sync fails, so it cannot start: make Secret/x a PreSync hook with a wave of at most 0",
        ),
        (
            vec![workload("Deployment", "0"), secret("PostSync")],
            "Deployment/w: which comes only in phase PostSync, so it cannot start: let Secret/x be an ordinary object with a wave of at most 0",
        ),
        (
            vec![workload("Deployment", "1"), secret("2")],
            "Deployment/w: which comes only in wave 2, and that wave waits for this one: give Secret/x a wave of at most 1, or Deployment/w one of at least 2",
        ),
        (
            vec![job("PreSync -2"), secret("PreSync -1")],
            "Job/j: which comes only in wave -1, and that wave waits for this one: give Secret/x a wave of at most -2, or Job/j one of at least -1",
        ),
        (
            vec![job("SyncFail"), secret("1"), placed("v1", "ConfigMap", "first", "0")],
            "Job/j: which is not there if the sync fails before Sync wave 1: give Job/j a copy of it under another name as a SyncFail hook, or mark the reference optional",
        ),
    ] {
        let mut case = case(objects);
        assert_eq!(case.look(), (of_field(&[expected]), vec!["Secret/x".to_owned()]));
        case.live = vec!["Secret/x"];
        assert_eq!(case.said(), [""; 0], "what is live is there in time: {expected}");
    }
}

#[test]
fn what_comes_in_time_is_nothing_to_speak_of_and_nobody_is_asked() {
    for objects in [
        vec![job("PreSync"), secret("PreSync")],
        vec![job("PreSync"), secret("PreSync -1")],
        vec![job("PreSync"), secret("PreSync -1 HookSucceeded")],
        vec![job("PostSync"), secret("9")],
        vec![job("SyncFail"), secret("SyncFail")],
        vec![job("SyncFail"), secret("0"), workload("Deployment", "0")],
        vec![job("PreSync PostSync"), secret("PreSync")],
        vec![workload("Deployment", "0"), secret("0")],
        vec![workload("Deployment", "0"), secret("Sync -1 BeforeHookCreation")],
        vec![workload("StatefulSet", "5"), secret("-5")],
        vec![cron("0"), secret("3")],
        vec![cron("0"), secret("PostSync")],
    ] {
        assert_eq!(case(objects.clone()).look(), (vec![], vec![]), "{objects:?}");
    }
}

#[test]
fn what_is_nowhere_has_to_be_made() {
    let nowhere = "which is neither in the manifests nor in namespace prod, so";
    let field = "spec.template.spec";
    for (object, expected) in [
        (
            job("PreSync"),
            format!("Job/j: needs Secret prod/x, {nowhere} it cannot start: create it, or mark the reference optional{FIELD}"),
        ),
        (
            workload("Deployment", "0"),
            format!("Deployment/w: needs Secret prod/x, {nowhere} it cannot start: create it, or mark the reference optional{FIELD}"),
        ),
        (
            job_with("Sync", json!({"serviceAccountName": "runner"})),
            format!(
                "Job/j: needs ServiceAccount prod/runner, {nowhere} it cannot start: create it, or correct the name ({field}.serviceAccountName)"
            ),
        ),
        (
            job_with("Sync", json!({"imagePullSecrets": [{"name": "r"}]})),
            format!(
                "Job/j: needs Secret prod/r, {nowhere} its images may not be pulled: create it, or take the reference away ({field}.imagePullSecrets[0])"
            ),
        ),
        (
            job_with("Sync", json!({"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "p"}}]})),
            format!(
                "Job/j: needs PersistentVolumeClaim prod/p, {nowhere} it cannot start: create it, or correct the name ({field}.volumes[0].persistentVolumeClaim)"
            ),
        ),
    ] {
        let case = case([object]);
        assert_eq!(case.said(), [expected]);
    }
}

#[test]
fn what_is_optional_or_comes_by_itself_is_not_looked_for() {
    let env = |from: Value| json!({"containers": [{"name": "main", "envFrom": [from]}]});
    for fields in [
        env(json!({"secretRef": {"name": "x", "optional": true}})),
        env(json!({"configMapRef": {"name": "kube-root-ca.crt"}})),
        json!({"serviceAccountName": "default"}),
    ] {
        assert_eq!(case([job_with("0", fields.clone())]).look(), (vec![], vec![]), "{fields}");
    }
}

#[test]
fn what_a_controller_or_a_job_may_make_is_not_missed() {
    let custom = |api_version: &str, kind: &str, name: &str, spec: Value| json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, "spec": spec});
    let maker = |fields: Value| {
        let mut maker = job_with("PreSync -1", json!({"containers": [fields]}));
        maker["metadata"]["name"] = json!("maker");
        maker
    };
    for provider in [
        custom("external-secrets.io/v1", "ExternalSecret", "x", json!({})),
        custom("external-secrets.io/v1", "ExternalSecret", "other", json!({"target": {"name": "x"}})),
        custom("bitnami.com/v1alpha1", "SealedSecret", "x", json!({})),
        custom("cert-manager.io/v1", "Certificate", "tls", json!({"secretName": "x"})),
        maker(json!({"command": ["sh", "-c", "kubectl create secret generic x"]})),
        maker(json!({"args": ["--secret-name=x"]})),
        maker(json!({"env": [{"name": "TARGET", "value": "x"}]})),
    ] {
        assert_eq!(case([workload("Deployment", "0"), provider.clone()]).said(), [""; 0], "{provider}");
    }
    let database = custom("postgresql.cnpg.io/v1", "Cluster", "orders", json!({}));
    let of = |name: &str| job_with("0", json!({"containers": [{"envFrom": [{"secretRef": {"name": name}}]}]}));
    assert_eq!(case([of("orders-app"), database.clone()]).said(), [""; 0]);
    assert_eq!(case([of("reorders"), database]).said().len(), 1);
    let own = job_with("0", json!({"containers": [{"command": ["use", "x"], "envFrom": [{"secretRef": {"name": "x"}}]}]}));
    assert_eq!(case([own]).said().len(), 1, "it cannot make what it needs to start");
    let mut late = maker(json!({"command": ["kubectl create secret generic x"]}));
    late["metadata"]["annotations"][annotation::HOOK] = json!("PostSync");
    assert_eq!(case([workload("Deployment", "0"), late]).said().len(), 1, "nor can one that waits for it");
    let ingress = custom("networking.k8s.io/v1", "Ingress", "x", json!({"tls": [{"secretName": "x"}]}));
    assert_eq!(case([job("0"), ingress]).said().len(), 1, "an Ingress makes no Secret");
}

#[test]
fn a_certificate_that_an_annotation_asks_for_is_not_missed() {
    let asking = |api_version: &str, kind: &str, (name, value): (&str, &str), spec: Value| {
        let metadata = json!({"name": "front", "annotations": {name: value}});
        json!({"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec})
    };
    let ingress = |annotation| asking("networking.k8s.io/v1", "Ingress", annotation, json!({"tls": [{"secretName": "x"}]}));
    let listeners = json!({"listeners": [{"tls": {"certificateRefs": [{"name": "x"}]}}]});
    let service = |annotation| asking("v1", "Service", annotation, json!({"ports": [{"port": 80}]}));
    for provider in [
        ingress(("cert-manager.io/cluster-issuer", "letsencrypt")),
        ingress(("cert-manager.io/issuer", "own")),
        ingress(("kubernetes.io/tls-acme", "true")),
        asking("gateway.networking.k8s.io/v1", "Gateway", ("cert-manager.io/issuer", "own"), listeners),
        service(("service.beta.openshift.io/serving-cert-secret-name", "x")),
        service(("service.alpha.openshift.io/serving-cert-secret-name", "x")),
    ] {
        assert_eq!(case([workload("Deployment", "0"), provider.clone()]).said(), [""; 0], "{provider}");
    }
    for other in [
        ingress(("kubernetes.io/tls-acme", "false")),
        ingress(("example.com/issuer", "x")),
        service(("service.beta.openshift.io/serving-cert-secret-name", "y")),
    ] {
        assert_eq!(case([workload("Deployment", "0"), other.clone()]).said().len(), 1, "{other}");
    }
}

#[test]
fn a_value_that_a_volume_takes_is_missed_if_the_manifest_does_not_have_it() {
    let mount = |optional: bool| {
        let volume = json!({"name": "v", "configMap": {"name": "x", "optional": optional, "items": [{"key": "a"}, {"key": "b"}]}});
        job_with("0", json!({"containers": [{"volumeMounts": [{"name": "v"}]}], "volumes": [volume]}))
    };
    let config = |data: Value| {
        let mut config = thing("ConfigMap", "0");
        config["data"] = data;
        config
    };
    let said = case([mount(false), config(json!({"a": "1"}))]).said();
    let expected = "Job/j: needs the key `b` of ConfigMap prod/x, which its manifest does not have, so it cannot start: add the key, or mark the \
                    reference optional (spec.template.spec.volumes[0].configMap.items[1])";
    assert_eq!(said, [expected]);
    for fine in [json!({"a": "1", "b": "2"}), Value::Null] {
        assert_eq!(case([mount(false), config(fine.clone())]).said(), [""; 0], "{fine}");
    }
    assert_eq!(case([mount(true), config(json!({"a": "1"}))]).said(), [""; 0]);
}

#[test]
fn what_a_sync_leaves_out_has_to_be_there_already() {
    let select = |objects: Vec<Value>, selection: &'static str| Case { selection: Some(selection), ..case(objects) };
    let wont = "which is not there and does not come with this sync";
    for (case, expected) in [
        (
            case([job("PreSync"), secret("Skip")]),
            format!("Job/j: {wont} (its hook annotation is Skip), so it cannot start: create it first, or do not skip it"),
        ),
        (
            select(vec![workload("Deployment", "0"), secret("0")], "Deployment:w"),
            format!("Deployment/w: {wont} (not selected), so it cannot start: add --resource :Secret:prod/x, or create it first"),
        ),
        (
            select(vec![workload("Deployment", "0"), secret("PreSync")], "Deployment:w"),
            format!("Deployment/w: {wont} (hooks do not run in a selective sync), so it cannot start: create it first, or sync everything"),
        ),
        (
            self::case([job("PreSync"), secret("Presync")]),
            format!(
                "Job/j: {wont} (a hook without a type that a sync knows: it is never applied), so it cannot start: correct its hook annotation, or create it first"
            ),
        ),
        (
            self::case([job("PreSync"), secret("PostDelete")]),
            format!(
                "Job/j: {wont} (a PostDelete hook runs only when the app is deleted), so it cannot start: give the object that needs it a copy of its own"
            ),
        ),
    ] {
        assert_eq!(case.said(), of_field(&[&expected]));
        assert_eq!(Case { live: vec!["Secret/x"], ..case }.said(), [""; 0], "{expected}");
    }
}

#[test]
fn what_is_as_it_should_be_is_there() {
    let mut case = case([workload("Deployment", "0"), secret("3")]);
    case.shape.unmodified = BTreeSet::from([ResourceKey::new("", "Secret", "prod", "x")]);
    assert_eq!(case.look(), (vec![], vec![]));
}

#[test]
fn what_the_sync_prunes_is_missed_unless_it_has_done_its_duty_by_then() {
    let with = |object: Value, options: &str, prunes: bool| Case { owned: vec![secret(options)], prunes, ..case([object]) };
    let expected =
        "which this sync prunes: put it back into the manifests, or annotate it with argocd.argoproj.io/sync-options: Prune=false";
    assert_eq!(with(workload("Deployment", "0"), "", true).said(), of_field(&[&format!("Deployment/w: {expected}")]));
    assert_eq!(with(job("PostSync"), "", true).said(), of_field(&[&format!("Job/j: {expected}")]));
    for fine in [
        with(workload("Deployment", "0"), "", false),
        with(workload("Deployment", "0"), "Prune=false", true),
        with(job("PreSync"), "", true),
        with(job("-1"), "PruneLast=true", true),
    ] {
        assert_eq!(fine.look(), (vec![], vec![]));
    }
}

#[test]
fn a_hook_that_its_policy_deletes_is_no_provision_for_what_comes_after() {
    let later = case([workload("Deployment", "0"), secret("PreSync HookSucceeded")]);
    let way_out = |policy: &str| format!("take {policy} away from Secret/x, or let it be an ordinary object");
    let after = format!(
        "Deployment/w: a hook that HookSucceeded deletes after the sync, so that pods which start later lack it: {}",
        way_out("HookSucceeded")
    );
    assert_eq!(later.said(), of_field(&[&after]));
    let mut early = case([job("PreSync"), secret("PreSync -1 HookSucceeded")]);
    early.hooks_go_early = true;
    let at_once = format!("Job/j: a hook that HookSucceeded deletes as soon as it has succeeded: {}", way_out("HookSucceeded"));
    assert_eq!(early.said(), of_field(&[&at_once]));
    let failing = case([job("SyncFail"), secret("PreSync HookFailed")]);
    let before = format!("Job/j: a hook that HookFailed deletes before the SyncFail hooks run: {}", way_out("HookFailed"));
    assert_eq!(failing.said(), of_field(&[&before]));
    let both = case([job("SyncFail"), secret("PreSync,SyncFail HookFailed")]);
    assert_eq!(both.said(), [""; 0], "it is made anew in time");
}

#[test]
fn a_namespace_is_asked_for_unless_an_ordinary_object_in_it_tells() {
    let there = |mut object: Value, namespace: &str| {
        object["metadata"]["namespace"] = json!(namespace);
        object
    };
    let config = || placed("v1", "ConfigMap", "c", "0");
    for quiet in [case([config()]), case([config(), placed("v1", "ConfigMap", "d", "PreSync"), job("PostSync"), secret("0")])] {
        assert_eq!(quiet.requests(), 0, "the sync itself tells");
    }
    let mut hook = case([placed("v1", "ConfigMap", "c", "PreSync")]);
    hook.is_homeless = true;
    let nowhere = "which is neither in the manifests nor in the cluster, so it cannot be created: create it, or add it to the manifests";
    assert_eq!(
        hook.said(),
        [format!("ConfigMap/c: needs Namespace prod, {nowhere}, or sync with CreateNamespace=true (metadata.namespace)")]
    );
    let two = case([there(config(), "other"), there(placed("v1", "ConfigMap", "d", "0"), "other")]);
    assert_eq!(two.said(), [format!("ConfigMap/c: needs Namespace other, {nowhere} (metadata.namespace)")], "once for all that is in it");
    for fine in [there(config(), "kube-system"), there(config(), "default")] {
        assert_eq!(case([fine]).look(), (vec![], vec![]));
    }
    let provided = case([there(config(), "other"), placed("v1", "Namespace", "other", "5")]);
    assert_eq!(provided.look(), (vec![], vec![]), "it is pulled forward (spec R510)");
    let mut made = case([placed("v1", "ConfigMap", "c", "PreSync")]);
    made.shape.new_namespace = NewNamespace::Yes;
    assert_eq!(made.look(), (vec![], vec![]));
    made.shape.new_namespace = NewNamespace::Unclear("no".to_owned());
    assert_eq!(made.look(), (vec![], vec![]));
    let pruned = Case { owned: vec![placed("v1", "Namespace", "other", "")], prunes: true, ..case([there(config(), "other")]) };
    assert!(pruned.said()[0].contains("which this sync prunes"), "{:?}", pruned.said());
}

#[test]
fn one_object_and_what_it_lacks_are_one_sentence() {
    let twice = json!({"containers": [
        {"envFrom": [{"secretRef": {"name": "x"}}]}, {"envFrom": [{"secretRef": {"name": "x"}}, {"configMapRef": {"name": "y"}}]},
    ]});
    let mut generated = job_with("PreSync,PostSync", twice);
    generated["metadata"] = json!({"generateName": "j-", "annotations": generated["metadata"]["annotations"]});
    let case = case([generated]);
    assert_eq!(case.said().len(), 2, "{:?}", case.said());
}

#[test]
fn a_key_that_the_manifest_does_not_have_is_missed_unless_somebody_else_may_add_it() {
    let field = "spec.template.spec.containers[0].env";
    let variable = |key: &str| json!({"name": key, "valueFrom": {"secretKeyRef": {"name": "x", "key": key}}});
    let needy = job_with("PreSync", json!({"containers": [{"name": "main", "env": [variable("user"), variable("password")]}]}));
    let with = |data: Value| {
        let mut secret = secret("PreSync");
        secret["stringData"] = data;
        vec![needy.clone(), secret]
    };
    let mut wrong = case(with(json!({"user": "u", "pasword": "p"})));
    let expected = format!(
        "Job/j: needs the key `password` of Secret prod/x, which its manifest does not have, so it cannot start: add the key, or mark the reference optional ({field}[1].valueFrom.secretKeyRef)"
    );
    assert_eq!(wrong.look(), (vec![expected], vec!["Secret/x".to_owned()]));
    wrong.live = vec!["Secret/x"];
    assert_eq!(wrong.said(), [""; 0]);
    for fine in [json!({"user": "u", "password": "p"}), json!({}), Value::Null] {
        assert_eq!(case(with(fine.clone())).look(), (vec![], vec![]), "{fine}");
    }
}

#[test]
fn what_starts_no_pods_can_wait() {
    let idle = |field: &str, value: Value| {
        let mut object = workload("Deployment", "0");
        object["spec"][field] = value;
        object
    };
    assert_eq!(case([idle("replicas", json!(0)), secret("1")]).look(), (vec![], vec![]));
    assert_eq!(case([idle("replicas", json!(1)), secret("1")]).said().len(), 1);
    assert_eq!(case([cron("0")]).said().len(), 1, "but not without end");
    assert_eq!(case([cron("0"), secret("SyncFail")]).said().len(), 1);
}

#[test]
fn r1106_r1108_hooks_of_a_deletion_need_what_is_live_and_what_stays() {
    let deletion = |objects: Vec<Value>, owned: Vec<Value>| Case { owned, is_deletion: true, ..case(objects) };
    for (case, expected) in [
        (
            deletion(vec![job("PreDelete")], vec![]),
            "Job/j: which is not in namespace prod, so it cannot start: create it, or mark the reference optional",
        ),
        (
            deletion(vec![job("PreDelete"), secret("PostDelete")], vec![]),
            "Job/j: which comes only in phase PostDelete, so it cannot start: make Secret/x a PreDelete hook too, or Job/j a PostDelete hook",
        ),
        (
            deletion(vec![job("PostDelete"), secret("0")], vec![secret("0")]),
            "Job/j: which is deleted with the app before the hook runs: annotate it with argocd.argoproj.io/sync-options: Delete=false, or give Job/j a copy of it under another name as a PostDelete hook",
        ),
        (
            deletion(vec![job("PostDelete"), secret("PreDelete")], vec![]),
            "Job/j: which is deleted with the app before the hook runs: annotate it with argocd.argoproj.io/sync-options: Delete=false, or give Job/j a copy of it under another name as a PostDelete hook",
        ),
    ] {
        assert_eq!(case.said(), of_field(&[expected]));
    }
    for fine in [
        deletion(vec![job("PreDelete"), secret("0")], vec![secret("0")]),
        deletion(vec![job("PreDelete"), secret("PreDelete 5")], vec![]),
        deletion(vec![job("PostDelete"), secret("PostDelete")], vec![]),
        deletion(vec![job("PostDelete")], vec![secret("Delete=false")]),
        deletion(vec![job("PostDelete")], vec![placed("v1", "Namespace", "prod", "")]).with_live("Secret/x"),
        deletion(vec![workload("Deployment", "0")], vec![]),
    ] {
        assert_eq!(fine.said(), [""; 0]);
    }
}

impl Case {
    fn with_live(mut self, name: &'static str) -> Self {
        self.live.push(name);
        self
    }
}

/// Users.md A13: a finding, and nothing on the twin that is right.
#[test]
fn a13_the_zoo_is_told_and_its_twin_is_not() {
    let wrong = case([job("PreSync"), secret("0"), workload("Deployment", "0")]);
    let warning = wrong.plan();
    let findings = Findings::of(&warning, Circumstances { prunes: false, hooks_go_early: false, options: &wrong.shape.options });
    let absent = BTreeSet::from([ResourceKey::new("", "Secret", "prod", "x")]);
    let [only] = &findings.warnings(&absent)[..] else { panic!("{:?}", findings.warnings(&absent)) };
    assert_eq!(only.origin, Some(Origin { file: "app.yaml".into(), line: 1 }));
    assert_eq!(only.about, Some(ResourceKey::new("batch", "Job", "prod", "j")));
    assert_eq!(case([job("Sync 1"), secret("0"), workload("Deployment", "0")]).said(), [""; 0]);
    let copy = placed("v1", "Secret", "x", "PreSync -1");
    assert_eq!(case([job("PreSync"), copy]).said(), [""; 0]);
}
