//! What is written, and what is said about it.

use serde_json::{Value, json};

use crate::support::{ObjectExt, Space, config_map, deployment, job, secret};

/// Decision 18: the words of an apply, read from what the server did.
#[test]
fn decision_18_created_configured_and_unchanged_are_what_the_server_did() {
    let Some(space) = Space::open("words") else { return };
    let message = |objects: &[Value]| {
        let outcome = space.sync(&space.write("words", objects)).run();
        outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
        outcome.results().iter().map(|text| text.split(": ").nth(1).unwrap().to_owned()).collect::<Vec<_>>()
    };
    let web = || deployment("web", "touch /tmp/ready; exec sleep 600");
    assert_eq!(message(&[config_map("a", "1"), web()]), ["configmap/a created", "deployment.apps/web created"]);
    let version = |what: &str| space.get(what).unwrap()["metadata"]["generation"].clone();
    let before = version("deployment/web");
    assert_eq!(message(&[config_map("a", "1"), web()]), ["configmap/a unchanged", "deployment.apps/web unchanged"]);
    assert_eq!(version("deployment/web"), before);
    assert_eq!(
        message(&[config_map("a", "2"), web().with("/spec/replicas", 2)]),
        ["configmap/a configured", "deployment.apps/web configured"]
    );
}

/// R709 [R]: a binding whose role changes becomes a new one, as `kubectl auth reconcile` does it; with server-side apply the API
/// server's refusal stands, confirmed.
#[test]
fn r709_a_binding_whose_role_changes_is_made_anew() {
    let Some(space) = Space::open("binding") else { return };
    let rbac = |kind: &str, name: &str| json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"name": name}});
    let binding = |role: &str| {
        let group = "rbac.authorization.k8s.io";
        let who = json!([{"kind": "ServiceAccount", "name": "default", "namespace": space.namespace}]);
        rbac("RoleBinding", "b").with("/subjects", who).with("/roleRef", json!({"apiGroup": group, "kind": "Role", "name": role}))
    };
    let write = |role| space.write(role, &[rbac("Role", "one"), rbac("Role", "two"), binding(role)]);
    space.sync(&write("one")).run().assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    let uid = || space.get("rolebinding/b").unwrap()["metadata"]["uid"].clone();
    let first = uid();
    let refused = space.sync(&write("two")).args(&["--server-side"]).run();
    assert_eq!((refused.code, uid()), (Some(1), first.clone()));
    let outcome = space.sync(&write("two")).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    assert!(outcome.results().iter().any(|text| text.contains("rolebinding.rbac.authorization.k8s.io/b configured")));
    assert_eq!(space.get("rolebinding/b").unwrap()["roleRef"]["name"], "two");
    assert_ne!(uid(), first);
}

/// Decision 6: a field that somebody else owns is taken, and the task says from whom.
#[test]
fn decision_6_fields_taken_from_another_manager_are_reported() {
    let Some(space) = Space::open("conflict") else { return };
    let file = space.write("theirs", &[config_map("a", "theirs")]);
    space.kubectl(&["apply", "--server-side", "--field-manager=somebody", "-f", file.to_str().unwrap()]);
    let outcome = space.sync(&space.write("ours", &[config_map("a", "ours")])).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    assert_eq!(space.get("configmap/a").unwrap()["data"]["value"], "ours");
    let warnings = outcome.events("warning");
    let taken = |line: &&&Value| {
        let text = line["message"].as_str().unwrap();
        text.contains("somebody") && text.contains("data.value") && line["task"]["name"] == "a"
    };
    assert!(warnings.iter().any(|line| taken(&line)), "{warnings:?}");
}

/// An object that `kubectl apply` made before: it is taken over without a fight, again and again.
#[test]
fn decision_6_what_kubectl_apply_made_is_taken_over() {
    let Some(space) = Space::open("takeover") else { return };
    let file = space.write("theirs", &[config_map("a", "1"), deployment("web", "touch /tmp/ready; exec sleep 600")]);
    space.kubectl(&["apply", "-f", file.to_str().unwrap()]);
    for value in ["2", "3"] {
        let target = space.write("ours", &[config_map("a", value), deployment("web", "touch /tmp/ready; exec sleep 600")]);
        space.sync(&target).run().assert_end(0, "Succeeded", "successfully synced (all tasks run)");
        assert_eq!(space.get("configmap/a").unwrap()["data"]["value"], value);
    }
}

/// Decision 11: no value of a Secret is printed, whatever happens to it.
#[test]
fn decision_11_no_value_of_a_secret_is_printed() {
    let Some(space) = Space::open("secret") else { return };
    let target = space.write("secret", &[secret("good", "password"), secret("bad", "not/a/key")]);
    let outcome = space.sync(&target).run();
    assert_eq!(outcome.code, Some(1), "a key with slashes is refused");
    let text = format!("{:?} {}", outcome.lines, outcome.errors);
    assert!(!text.contains("hidden") && !text.contains("aGlkZGVu"), "{text}");
}

/// Decision 5: what we write of our own, and that it stays out of ordinary objects where it would change with each sync.
#[test]
fn decision_5_our_marks_are_where_they_belong() {
    let Some(space) = Space::open("marks") else { return };
    let target = space.write("marks", &[config_map("plain", "1"), job("pre", "true").hook("PreSync")]);
    let outcome = space.sync(&target).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    let metadata = |what: &str| space.get(what).unwrap()["metadata"].clone();
    let (plain, pre) = (metadata("configmap/plain"), metadata("job/pre"));
    let id = |kind: &str, name: &str| json!(format!("app:{kind}:{}/{name}", space.namespace));
    assert_eq!(plain["annotations"]["syncwave.dev/tracking-id"], id("/ConfigMap", "plain"));
    assert_eq!(pre["annotations"]["syncwave.dev/tracking-id"], id("batch/Job", "pre"));
    assert_eq!(pre["labels"]["syncwave.dev/operation"], outcome.last()["operation"]);
    assert_eq!((plain.get("labels"), plain.get("finalizers")), (None, None));
}

/// `plan` asks the server what would happen, and changes nothing.
#[test]
fn plan_says_what_would_happen_and_changes_nothing() {
    let Some(space) = Space::open("plan") else { return };
    let first = space.write("first", &[config_map("same", "1"), config_map("old", "1"), config_map("other", "1")]);
    space.sync(&first).run().assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    let before = space.kubectl(&["get", "configmaps,jobs", "-o", "jsonpath={.items[*].metadata.resourceVersion}"]);
    let second = space.write(
        "second",
        &[
            config_map("same", "1"),
            config_map("other", "2"),
            config_map("new", "1"),
            job("pre", "true").hook("PreSync"),
            config_map("odd", "1").hook("Presync"),
        ],
    );
    let plan = space.plan(&second, &["--prune"]);
    let actions: Vec<String> = plan["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| format!("{} {}: {}", task["kind"].as_str().unwrap(), task["name"].as_str().unwrap(), task["action"].as_str().unwrap()))
        .collect();
    assert_eq!(
        actions,
        ["Job pre: create", "ConfigMap new: create", "ConfigMap old: prune", "ConfigMap other: configure", "ConfigMap same: unchanged"]
    );
    assert_eq!(plan["notRun"][0]["code"], "unknownHook");
    assert!(!plan["warnings"].as_array().unwrap().is_empty());
    assert_eq!(space.kubectl(&["get", "configmaps,jobs", "-o", "jsonpath={.items[*].metadata.resourceVersion}"]), before);
}

/// T44 [D], its first half, corrected (decision 19): metadata that cannot be read is found before the operation begins, with its place.
#[test]
fn t44_a_postsync_hook_with_unreadable_metadata_is_refused_before_anything_is_written() {
    let Some(space) = Space::open("unreadable") else { return };
    let hook = "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: post\n  labels: {version: 1}\n  annotations: {argocd.argoproj.io/hook: PostSync}\n";
    let text = format!("{}\n---\n{hook}", config_map("a", "1"));
    let outcome = space.sync(&space.write_text("unreadable", &text)).run();
    assert_eq!((outcome.code, outcome.lines.len()), (Some(2), 0), "{}", outcome.errors);
    assert!(["unreadable.yaml", "labels", "version"].iter().all(|word| outcome.errors.contains(word)), "{}", outcome.errors);
    assert!(space.names("configmaps").is_empty());
}

/// T44, second half, decision 19 and R1547: wrong types are found when their group comes, by the server's own sentence, and a missing namespace too.
#[test]
fn r1547_what_only_the_cluster_can_refuse_fails_in_its_group_with_the_servers_sentence() {
    let Some(space) = Space::open("refused") else { return };
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"ports": [{"port": 99999}]}});
    let lost = config_map("lost", "1").with("/metadata/namespace", "e2e-nowhere");
    let outcome = space.sync(&space.write("refused", &[service, lost, config_map("plain", "1")])).run();
    assert_eq!(outcome.code, Some(1));
    let mut results = outcome.results();
    results.sort();
    assert!(results[0].starts_with("Sync ConfigMap/lost SyncFailed Failed: namespaces \"e2e-nowhere\" not found"), "{results:?}");
    assert!(results[1].starts_with("Sync ConfigMap/plain Synced "), "{results:?}");
    assert!(
        results[2]
            .starts_with("Sync Service/web SyncFailed Failed: Service \"web\" is invalid: [spec.ports[0].port: Invalid value: 99999: "),
        "{results:?}"
    );
}

/// Three hundred objects in three waves.
#[test]
fn three_hundred_objects_are_applied_in_seconds() {
    let Some(space) = Space::open("hundreds") else { return };
    let objects: Vec<Value> = (0..300).map(|n| config_map(&format!("c{n:03}"), "1").wave(n % 3)).collect();
    let target = space.write("hundreds", &objects);
    for word in ["created", "unchanged"] {
        let outcome = space.sync(&target).run();
        outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
        assert!(outcome.results().iter().all(|text| text.ends_with(word)), "{:?}", outcome.results());
        assert!(outcome.seconds() < 20.0, "{} s", outcome.seconds());
    }
    assert_eq!(space.names("configmaps").len(), 300);
}
