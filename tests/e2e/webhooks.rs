//! Admission webhooks that answer: what they change, refuse, or keep from being tried, before a sync and in it.

use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::support::{
    ObjectExt, SOON, Space, Verdict, Webhook, assert_same, changes, config_map, deployment, eventually, field, job, object,
};

const ALL_RUN: &str = "successfully synced (all tasks run)";

/// Stamps everything, gives Deployments one more container, and has images come from somewhere else.
fn stamp(request: &Value) -> Verdict {
    let object = &request["object"];
    let mut labels = object["metadata"]["labels"].as_object().cloned().unwrap_or_default();
    labels.insert("stamped".to_owned(), json!("yes"));
    let mut patch = vec![json!({"op": "add", "path": "/metadata/labels", "value": labels})];
    if object["kind"] == "Deployment" {
        let sidecar = json!({"name": "sidecar", "image": "mirror.test/busybox", "command": ["sleep", "600"]});
        let containers = object["spec"]["template"]["spec"]["containers"].as_array().unwrap();
        if containers.len() == 1 {
            patch.push(json!({"op": "add", "path": "/spec/template/spec/containers/-", "value": sidecar}));
        }
        patch.push(json!({"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "mirror.test/busybox"}));
    }
    Verdict::Patched(json!(patch))
}

/// Waits until the controller has written into the Deployment what it writes there: that is no dry run.
fn is_left_alone(space: &Space) {
    eventually("the controller has seen the Deployment", SOON, || {
        let web = space.get("deployment/web")?;
        let has_revision = web["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "1";
        (has_revision && web["status"]["observedGeneration"] == web["metadata"]["generation"]).then_some(())
    });
}

/// diff.md 4.2, points 3 and 4: what a webhook adds is told as filled in, the sync lets it, and is nothing any more afterwards. Only dry
/// runs are asked for by a look.
#[test]
fn diff_md_what_a_mutating_webhook_changes_is_told_and_is_the_same_after_the_sync() {
    let Some(space) = Space::open("hook-mutates") else { return };
    let Some(webhook) = Webhook::start("hook-mutates", stamp) else { return };
    let old = space.write("old", &[config_map("a", "1"), deployment("web", "sleep 600")]);
    space.sync(&old).run().assert_end(0, "Succeeded", ALL_RUN);
    is_left_alone(&space);
    webhook.register(&space, "Mutating", &["deployments"], &json!({}));

    let target = space.write("new", &[config_map("a", "2"), config_map("b", "1"), deployment("web", "sleep 601")]);
    let (code, diff) = space.diff(&target, &[]);
    assert_eq!((code, &object(&diff, "b")["change"]), (Some(1), &json!("create")));
    let image = "spec.template.spec.containers[name=main].image";
    for (name, path, cause, after) in [
        ("a", "data.value", "ours", json!("2")),
        ("a", "metadata.labels", "defaulted", json!({"stamped": "yes"})),
        ("web", "metadata.labels", "defaulted", json!({"stamped": "yes"})),
        ("web", image, "overruled", json!("mirror.test/busybox")),
    ] {
        let found = field(&diff, name, path);
        assert_eq!((&found["cause"], &found["after"]), (&json!(cause), &after), "{found}");
    }
    let sidecar = field(&diff, "web", "spec.template.spec.containers[name=sidecar]");
    assert_eq!((&sidecar["cause"], &sidecar["after"]["image"]), (&json!("defaulted"), &json!("mirror.test/busybox")));
    let printed = String::from_utf8(space.diff_output(&target, &[]).stdout).unwrap();
    for said in [
        "metadata.labels filled in by the server or a webhook".to_owned(),
        format!("{image} not as the target says: changed by the server or a webhook"),
    ] {
        assert!(printed.contains(&said), "{said}: {printed}");
    }
    let asked = webhook.asked();
    assert!(!asked.is_empty() && asked.iter().all(|request| request["dryRun"] == true), "{asked:#?}");

    space.sync(&target).run().assert_end(0, "Succeeded", ALL_RUN);
    for what in ["configmap/a", "configmap/b", "deployment/web"] {
        assert_eq!(space.get(what).unwrap()["metadata"]["labels"]["stamped"], "yes", "{what}");
    }
    assert_eq!(space.get("deployment/web").unwrap()["spec"]["template"]["spec"]["containers"][1]["name"], "sidecar");
    assert_same(space.diff(&target, &[]));
    let again = space.sync(&target).run().results();
    assert!(again.iter().all(|result| result.ends_with(" unchanged")), "{again:?}");
    assert_same(space.diff(&target, &[]));
}

/// A webhook that has side effects and does not answer for dry runs. Kubernetes has not let anybody register one since 1.22, but keeps
/// those that are there; so it goes straight into the store.
fn register_an_old_one(space: &Space, webhook: &Webhook, kind: &str) {
    let old = webhook.configuration(space, kind, &["deployments"], &json!({"sideEffects": "Some"}));
    let old = old.with("/metadata/uid", "00000000-0000-4000-8000-000000000001").with("/metadata/creationTimestamp", "2019-01-01T00:00:00Z");
    let key = format!("/registry/{}webhookconfigurations/e2e-{}", kind.to_lowercase(), space.suffix);
    let put = json!({"key": BASE64_STANDARD.encode(key), "value": BASE64_STANDARD.encode(old.to_string())}).to_string();
    let output = Command::new("curl").args(["-sSf", "http://127.0.0.1:2379/v3/kv/put", "-d", &put]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    webhook.counts(space);
}

/// diff.md, pitfalls: a webhook that refuses to be tried is no refusal. The comparison is made here, and says so; the sync works.
#[test]
fn diff_md_with_a_webhook_that_cannot_be_tried_the_comparison_is_made_here() {
    let Some(space) = Space::open("hook-untried") else { return };
    let Some(webhook) = Webhook::start("hook-untried", |_| Verdict::Allowed) else { return };
    let old = space.write("old", &[config_map("a", "1"), config_map("same", "1"), deployment("web", "sleep 600")]);
    space.sync(&old).run().assert_end(0, "Succeeded", ALL_RUN);
    is_left_alone(&space);
    register_an_old_one(&space, &webhook, "Validating");

    let web = deployment("web", "sleep 600").with("/spec/replicas", 0);
    let target = space.write("new", &[config_map("a", "2"), config_map("same", "1"), config_map("b", "1"), web]);
    let (code, diff) = space.diff(&target, &[]);
    let mut found = changes(&diff);
    found.sort();
    assert_eq!(code, Some(1));
    assert!(found[1].starts_with("ConfigMap/b create "), "{found:?}");
    assert_eq!([&*found[0], &*found[2]], ["ConfigMap/a configure data.value", "Deployment/web configure spec.replicas"], "{diff:#}");
    let why = "admission webhook \"validating.example.com\" does not support dry run";
    for name in ["a", "b", "web"] {
        assert!(object(&diff, name)["approximate"].as_str().unwrap().contains(why), "{}", object(&diff, name));
    }
    let printed = String::from_utf8(space.diff_output(&target, &[]).stdout).unwrap();
    assert!(printed.contains("approximate") && printed.contains("does not support dry run"), "{printed}");
    let plan = space.plan(&target, &[]);
    let actions: Vec<String> =
        plan["tasks"].as_array().unwrap().iter().map(|task| format!("{} {}", task["name"], task["action"])).collect();
    assert_eq!(actions, [r#""a" "configure""#, r#""b" "create""#, r#""same" "unchanged""#, r#""web" "configure""#], "{plan:#}");
    assert!(webhook.asked().is_empty(), "a look has no side effects");

    space.sync(&target).run().assert_end(0, "Succeeded", ALL_RUN);
    assert_eq!(space.get("configmap/a").unwrap()["data"]["value"], "2");
    assert!(webhook.asked().iter().any(|request| request["name"] == "a" && request["dryRun"] != true));
    assert_same(space.diff(&target, &[]));
}

/// The same webhook, now changing what it is asked about: what the sync came to is what a look finds, although nobody can try it.
#[test]
fn diff_md_a_look_after_a_sync_past_a_changing_webhook_that_cannot_be_tried_is_empty() {
    let Some(space) = Space::open("hook-blind") else { return };
    let Some(webhook) = Webhook::start("hook-blind", stamp) else { return };
    register_an_old_one(&space, &webhook, "Mutating");
    let target = space.write("target", &[config_map("a", "1"), deployment("web", "sleep 600")]);
    let (_, diff) = space.diff(&target, &[]);
    assert_eq!((changes(&diff).len(), object(&diff, "web")["approximate"].is_null()), (2, false), "{diff:#}");
    space.sync(&target).run().assert_end(0, "Succeeded", ALL_RUN);
    let live = space.get("deployment/web").unwrap();
    assert_eq!(live["spec"]["template"]["spec"]["containers"][0]["image"], "mirror.test/busybox");
    assert_same(space.diff(&target, &[]));
    let again = space.sync(&target).run().results();
    assert!(again.iter().all(|result| result.ends_with(" unchanged")), "{again:?}");
}

/// performance.md 2.5, point 8: a webhook that comes after a sync changes nothing of what the sync does not send; a look says so and tells what
/// it would change. Whoever has everything sent sees it as a difference, and it is gone with the next sync.
#[test]
fn a_webhook_that_comes_later_is_a_note_unless_everything_is_sent() {
    let Some(space) = Space::open("hook-late") else { return };
    let Some(webhook) = Webhook::start("hook-late", stamp) else { return };
    let target = space.write("target", &[config_map("a", "1")]);
    space.sync(&target).run().assert_end(0, "Succeeded", ALL_RUN);
    webhook.register(&space, "Mutating", &[], &json!({}));
    let (code, diff) = space.diff(&target, &[]);
    let told = diff["warnings"].to_string();
    assert!(told.contains("would now change metadata.labels") && told.contains("skip_unchanged = false"), "{told}");
    assert_same((code, diff));
    assert_eq!(space.sync(&target).run().results(), ["Sync ConfigMap/a Synced Running: configmap/a unchanged"]);
    assert_same(space.diff(&target, &[]));

    let config = space.write_text("config", "[sync]\nskip_unchanged = false\n");
    let all = ["--config", config.to_str().unwrap()];
    let (code, diff) = space.diff(&target, &all);
    assert_eq!((code, changes(&diff)), (Some(1), vec!["ConfigMap/a configure metadata.labels".to_owned()]));
    assert_eq!(space.sync(&target).args(&all).run().results(), ["Sync ConfigMap/a Synced Running: configmap/a configured"]);
    assert_same(space.diff(&target, &all));
    assert_same(space.diff(&target, &[]));
}

/// R626 and decision 18: what a webhook refuses is said before the sync in its own words, and on the task in it; the rest is applied.
#[test]
fn decision_18_a_webhook_that_refuses_is_quoted_in_the_plan_the_diff_and_on_the_task() {
    let Some(space) = Space::open("hook-refuses") else { return };
    let judge = |request: &Value| {
        if request["object"]["data"]["value"] == "forbidden" {
            Verdict::Denied("values must be polite, see https://wiki.example.com/tone")
        } else {
            Verdict::Allowed
        }
    };
    let Some(webhook) = Webhook::start("hook-refuses", judge) else { return };
    webhook.register(&space, "Validating", &[], &json!({"sideEffects": "NoneOnDryRun"}));
    let target = space.write("target", &[config_map("good", "1"), config_map("bad", "forbidden"), config_map("later", "1").wave(1)]);
    let said = "admission webhook \"validating.example.com\" denied the request: values must be polite, see https://wiki.example.com/tone";
    let (code, diff) = space.diff(&target, &[]);
    assert_eq!((code, &object(&diff, "bad")["change"]), (Some(1), &json!("refused")));
    assert!(object(&diff, "bad")["reason"].as_str().unwrap().contains(said), "{diff:#}");
    let planned = space.plan_output(&target, &[]);
    let printed = String::from_utf8(planned.stdout).unwrap();
    assert!(planned.status.code() == Some(1) && printed.contains(said), "{printed}");
    assert!(space.names("configmaps").is_empty(), "a look writes nothing");

    let outcome = space.sync(&target).run();
    outcome.assert_end(1, "Failed", &format!("one or more synchronization tasks completed unsuccessfully, reason: {said}"));
    let results = outcome.results();
    assert!(
        results.iter().any(|result| result.starts_with("Sync ConfigMap/bad SyncFailed Failed: ") && result.contains(said)),
        "{results:?}"
    );
    assert_eq!((space.names("configmaps"), outcome.not_run()), (vec!["good".to_owned()], vec!["ConfigMap/later: blocked".to_owned()]));
}

/// A webhook that answers nobody: its limit passes, then the change is unknown in a diff, and in a sync the failure of the task. If its
/// failures are to be ignored, it costs time and nothing else.
#[test]
fn diff_md_a_webhook_that_never_answers_is_unknown_in_the_diff_and_fails_the_task() {
    let Some(space) = Space::open("hook-silent") else { return };
    let Some(webhook) = Webhook::start("hook-silent", |_| Verdict::Silent) else { return };
    webhook.register(&space, "Validating", &[], &json!({"timeoutSeconds": 1}));
    let target = space.write("target", &[config_map("a", "1")]);
    let (code, diff) = space.diff(&target, &[]);
    let reason = object(&diff, "a")["reason"].as_str().unwrap_or_default();
    assert_eq!((code, &object(&diff, "a")["change"]), (Some(1), &json!("unknown")), "{diff:#}");
    assert!(
        reason.contains("failed calling webhook \"validating.example.com\"") && reason.contains("context deadline exceeded"),
        "{reason}"
    );
    let outcome = space.sync(&target).run();
    assert_eq!((outcome.code, &outcome.last()["phase"]), (Some(1), &json!("Failed")));
    let results = outcome.results();
    assert!(results[0].contains("failed calling webhook \"validating.example.com\""), "{results:?}");
    assert!(outcome.seconds() < 20.0, "{}", outcome.seconds());

    let patch = r#"[{"op":"replace","path":"/webhooks/0/failurePolicy","value":"Ignore"}]"#;
    space.kubectl(&["patch", "validatingwebhookconfiguration", &format!("e2e-{}", space.suffix), "--type=json", "-p", patch]);
    eventually("its failures are ignored", SOON, || space.try_kubectl(&["create", "configmap", "probe", "--dry-run=server"]).ok());
    assert_eq!(object(&space.diff(&target, &[]).1, "a")["change"], "create");
    space.sync(&target).run().assert_end(0, "Succeeded", ALL_RUN);
    assert_same(space.diff(&target, &[]));
}

/// R218: somebody writes the hook while its finalizer is being taken off. The server refuses with a conflict, the object is read again, and
/// what the other one wrote stays. The webhook makes sure that it happens: it writes in the middle of our request.
#[test]
fn r218_a_conflict_while_a_finalizer_is_taken_off_is_read_again_and_loses_nothing() {
    let Some(space) = Space::open("hook-conflict") else { return };
    let kubeconfig = space.kubeconfig.clone();
    let conflicts = std::sync::Arc::new(AtomicUsize::new(0));
    let (count, writing) = (std::sync::Arc::clone(&conflicts), Mutex::new(()));
    let judge = move |request: &Value| {
        let has_finalizer = |side: &str| request[side]["metadata"]["finalizers"].to_string().contains("syncwave.dev/hook-finalizer");
        let takes_off = request["operation"] == "UPDATE" && has_finalizer("oldObject") && !has_finalizer("object");
        if takes_off && count.load(Ordering::SeqCst) < 2 {
            let _one_at_a_time = writing.lock().unwrap();
            let number = count.fetch_add(1, Ordering::SeqCst);
            let mut command = Command::new("kubectl");
            command.arg("--kubeconfig").arg(&kubeconfig).args(["-n", request["namespace"].as_str().unwrap(), "annotate", "--overwrite"]);
            command.args([&format!("job/{}", request["name"].as_str().unwrap()), &format!("example.com/writes={number}")]);
            assert!(command.output().unwrap().status.success(), "the other one cannot write");
        }
        Verdict::Allowed
    };
    let Some(webhook) = Webhook::start("hook-conflict", judge) else { return };
    webhook.register(&space, "Validating", &["jobs"], &json!({"timeoutSeconds": 10}));
    let target = space.write("hook", &[job("pre", "true").hook("PreSync"), config_map("a", "1")]);
    let outcome = space.sync(&target).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    let live = space.get("job/pre").unwrap();
    assert_eq!(conflicts.load(Ordering::SeqCst), 2, "it came in between");
    assert_eq!(
        (live["metadata"].get("finalizers"), &live["metadata"]["annotations"]["example.com/writes"]),
        (None, &json!("1")),
        "{live:#}"
    );
    let asked = webhook.asked();
    let ours = asked.iter().filter(|request| request["options"]["fieldManager"] == "syncwave" && request["operation"] == "UPDATE");
    assert!(ours.count() > 2, "{asked:#?}");
}
