//! What happens when the API server refuses: accounts that may not watch, may not write, may not write elsewhere.

use serde_json::{Value, json};

use crate::support::{ObjectExt, Space, config_map, deployment, job};

/// Decision 4: what may not be watched is polled, and a warning says so; nothing else changes.
#[test]
fn without_permission_to_watch_kinds_are_polled_and_the_sync_succeeds() {
    let Some(space) = Space::open("no-watch") else { return };
    let kubeconfig = space.account(&["get", "list", "create", "update", "patch", "delete"]);
    let target = space.write(
        "no-watch",
        &[
            job("pre", "echo one; sleep 1; echo two").hook("PreSync").policy("HookSucceeded"),
            deployment("web", "sleep 1; touch /tmp/ready; exec sleep 600"),
            job("post", "echo three").hook("PostSync"),
        ],
    );
    let outcome = space.sync(&target).kubeconfig(&kubeconfig).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (no more tasks)");
    assert_eq!(outcome.started(), ["PreSync Job/pre", "Sync Deployment/web", "PostSync Job/post"]);
    assert_eq!((outcome.log("pre"), outcome.log("post")), (vec![(1, "one"), (1, "two")], vec![(1, "three")]));
    let warnings = outcome.events("warning");
    assert!(warnings.iter().any(|line| line["message"].as_str().unwrap().contains("watch")), "{warnings:?}");
    space.assert_no_finalizer();
}

/// cli.md: a 403 on one object is that task's SyncFailed, exit 1. R626.
#[test]
fn without_permission_to_write_the_task_fails_with_the_servers_sentence() {
    let Some(space) = Space::open("no-patch") else { return };
    let kubeconfig = space.account(&["get", "list", "watch"]);
    let outcome = space.sync(&space.write("no-patch", &[config_map("plain", "1")])).kubeconfig(&kubeconfig).run();
    let message = format!(
        "configmaps \"plain\" is forbidden: User \"system:serviceaccount:{0}:limited\" cannot patch resource \"configmaps\" in API group \"\" in the namespace \"{0}\"",
        space.namespace
    );
    outcome.assert_end(1, "Failed", &format!("one or more objects failed to apply, reason: {message}"));
    assert_eq!(outcome.results(), [format!("Sync ConfigMap/plain SyncFailed Failed: {message}")]);
    assert!(space.names("configmaps").is_empty());
}

/// R713: by force, nothing is deleted whose successor the account may not create; a plan says it before.
#[test]
fn r713_force_gives_no_object_away_that_the_account_may_not_create_again() {
    let Some(space) = Space::open("no-create") else { return };
    let forced = |object: Value, options: &str| object.annotated("argocd.argoproj.io/sync-options", options);
    let web = |tier: &str| {
        let web = deployment("web", "touch /tmp/ready; exec sleep 600");
        let web = web.with("/spec/selector/matchLabels/tier", tier).with("/spec/template/metadata/labels/tier", tier);
        forced(web, "Force=true")
    };
    let config = |value: &str| forced(config_map("a", value), "Replace=true,Force=true");
    space.sync(&space.write("before", &[config("1"), web("one")])).run().assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    let uids = || (space.uid("configmap/a"), space.uid("deployment/web"));
    let before = uids();
    let kubeconfig = space.account(&["get", "list", "watch", "patch", "update", "delete"]);
    let target = space.write("after", &[config("2"), web("two")]);
    let outcome = space.sync(&target).kubeconfig(&kubeconfig).run();
    assert_eq!(outcome.code, Some(1));
    let results = outcome.results();
    assert!(results.len() == 2 && results.iter().all(|result| result.contains("cannot create resource")), "{results:?}");
    assert_eq!(uids(), before);
    let plan = space.plan_output(&target, &["--kubeconfig", &kubeconfig.to_string_lossy()]);
    let text = String::from_utf8_lossy(&plan.stdout);
    assert_eq!((plan.status.code(), text.matches("refused    ").count()), (Some(1), 2), "{text}");
}

/// A3 (c): a hook in a namespace where the account has no rights.
#[test]
fn a3_a_hook_in_a_namespace_without_rights_fails_alone() {
    let Some(space) = Space::open("a3-denied") else { return };
    let other = space.another_namespace("a3-denied-other");
    let kubeconfig = space.account(&["*"]);
    let target = space.write(
        "denied",
        &[config_map("plain", "1"), job("post", "echo never").hook("PostSync").with("/metadata/namespace", other.clone())],
    );
    let outcome = space.sync(&target).kubeconfig(&kubeconfig).run();
    assert_eq!((outcome.code, outcome.last()["phase"].as_str()), (Some(1), Some("Failed")));
    let results = outcome.results();
    assert_eq!(results[0], "Sync ConfigMap/plain Synced Succeeded: configmap/plain created");
    assert!(results[1].starts_with("PostSync Job/post SyncFailed Failed: jobs.batch \"post\" is forbidden: "), "{results:?}");
    let plan = space.plan_output(&target, &["--kubeconfig", &kubeconfig.to_string_lossy()]);
    let text = String::from_utf8_lossy(&plan.stdout);
    assert!(text.contains("/post: whether the API server takes this hook is not known: "), "{text}");
}

/// As `kubectl create token … > FILE` and an editor leave it, and as it is written by hand.
#[test]
fn a_token_file_may_end_with_its_line_and_a_server_needs_no_scheme() {
    let Some(space) = Space::open("token-file") else { return };
    let good = space.account(&["*"]);
    let mut config: Value = serde_json::from_str(&std::fs::read_to_string(good).unwrap()).unwrap();
    let token = config["users"][0]["user"]["token"].as_str().unwrap().to_owned();
    config["users"][0]["user"] = json!({"tokenFile": space.write_text("token", &format!("{token}\n"))});
    let server = config["clusters"][0]["cluster"]["server"].as_str().unwrap().replace("https://", "");
    config["clusters"][0]["cluster"]["server"] = json!(server);
    let kubeconfig = space.write_text("by-file", &config.to_string());
    let outcome = space.sync(&space.write("plain", &[config_map("plain", "1")])).kubeconfig(&kubeconfig).run();
    assert_eq!((outcome.code, space.names("configmaps")), (Some(0), vec!["plain".to_owned()]), "{}", outcome.errors);
}

/// Exit 4: refused before the operation began.
#[test]
fn a_wrong_token_ends_with_exit_code_four_and_prints_no_json() {
    let Some(space) = Space::open("token") else { return };
    let good = space.account(&["*"]);
    let mut config: Value = serde_json::from_str(&std::fs::read_to_string(good).unwrap()).unwrap();
    config["users"][0]["user"]["token"] = json!("wrong");
    let bad = space.write_text("bad", &config.to_string());
    let outcome = space.sync(&space.write("plain", &[config_map("plain", "1")])).kubeconfig(&bad).run();
    assert_eq!((outcome.code, outcome.lines.len()), (Some(4), 0), "{}", outcome.errors);
    assert!(outcome.errors.contains("Unauthorized"), "{}", outcome.errors);
    assert!(space.names("configmaps").is_empty());
}
