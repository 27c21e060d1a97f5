//! The program killed in the middle (SIGKILL), and the next sync of the same app.

use serde_json::{Value, json};

use crate::support::{ObjectExt, SOON, Space, alone, config_map, eventually, job};

/// What a run says of dead operations.
fn told(lines: &[&Value]) -> Vec<String> {
    let text = |line: &&Value| line["message"].as_str().unwrap_or_default().to_owned();
    lines.iter().map(text).filter(|text| text.contains("operation")).collect()
}

/// R903–R905, R1502: one hook has ended and one still runs when the program dies; the next sync, which has neither of them any more,
/// takes the finalizers off and deletes the one that runs.
#[test]
fn r903_r905_r1502_what_a_killed_sync_left_in_presync_is_ended_by_the_next_one() {
    let Some(space) = Space::open("kill-pre") else { return };
    let hooks = [job("done", "echo ran").hook("PreSync"), job("slow", "sleep 600").hook("PreSync"), config_map("next", "1")];
    let running = space.sync(&space.write("before", &hooks)).start();
    running.wait_for_task("slow", "Running");
    let is_complete = |one: &Value| one["type"] == "Complete" && one["status"] == "True";
    eventually("the short hook has ended", SOON, || {
        space.get("job/done")?["status"]["conditions"].as_array()?.iter().any(is_complete).then_some(())
    });
    running.signal("KILL");
    assert_eq!(running.code(), None);
    let outcome = space.sync(&space.write("after", &[config_map("next", "1")])).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    let told = told(&outcome.events("warning"));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains(" was not ended; 2 of its hooks were cleaned up: Job "), "{told:?}");
    eventually("the hook that ran is gone", SOON, || (space.names("jobs") == ["done"]).then_some(()));
    space.assert_no_finalizer();
}

#[test]
fn r303_r1502_what_a_killed_sync_left_in_postsync_under_generated_names_is_found() {
    let Some(space) = Space::open("kill-post") else { return };
    let hooks = [
        // Generated names have the second of the start in them, so the next sync begins in another one.
        job("pre", "sleep 1; echo ran").hook("PreSync").generated(),
        config_map("next", "1"),
        job("post", "sleep 600").hook("PostSync").generated(),
    ];
    let target = space.write("hooks", &hooks);
    let running = space.sync(&target).start();
    running.wait_for("PostSync", |line| {
        line["event"] == "task.changed" && line["task"]["phase"] == "PostSync" && line["hookPhase"] == "Running"
    });
    running.signal("KILL");
    assert_eq!(running.code(), None);
    let left: Vec<String> = space.names("jobs").into_iter().filter(|name| name.starts_with("post-")).collect();
    assert_eq!(left.len(), 1, "{left:?}");
    let running = space.sync(&target).start();
    running.wait_for("the sentence", |line| {
        let text = line["message"].as_str().unwrap_or_default();
        line["event"] == "warning" && text.contains(" was not ended; 1 of its hooks was cleaned up: ") && text.contains(&left[0])
    });
    eventually("the old one is gone", SOON, || (!space.names("jobs").contains(&left[0])).then_some(()));
    running.signal("TERM");
    assert_eq!(running.finish().code, Some(3));
    space.assert_no_finalizer();
}

/// A lock is the process's: two at once are refused, a dead one blocks nobody.
#[test]
fn a_second_sync_of_an_app_is_refused_while_the_first_one_runs() {
    let Some(space) = Space::open("kill-lock") else { return };
    let target = space.write("slow", &[job("slow", "sleep 600").hook("PreSync")]);
    let running = space.sync(&target).start();
    running.wait_for_task("slow", "Running");
    let second = space.sync(&target).run();
    assert_eq!((second.code, second.lines.len()), (Some(2), 0), "{}", second.errors);
    assert!(
        second.errors.contains(" already, by process ") && second.errors.contains("wait for its end, or end it there"),
        "{}",
        second.errors
    );
    running.signal("KILL");
    assert_eq!(running.code(), None);
    let third = space.sync(&space.write("after", &[config_map("next", "1")])).run();
    third.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    space.assert_no_finalizer();
}

/// Decision 7: what an Argo CD Application tracks is left alone, unless it is taken over. The kind is the cluster's, Argo CD is not there;
/// nobody else syncs meanwhile, because every sync looks for Applications.
#[test]
fn decision_7_an_object_of_an_argo_cd_application_is_not_touched_without_being_asked_to() {
    let _alone = alone();
    let Some(space) = Space::open_alone("owned") else { return };
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    let had_kind = space.get("crd/applications.argoproj.io").is_some();
    if !had_kind {
        space.define(&json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "applications.argoproj.io"},
            "spec": {"group": "argoproj.io", "scope": "Namespaced",
                "names": {"plural": "applications", "singular": "application", "kind": "Application"},
                "versions": [{"name": "v1alpha1", "served": true, "storage": true, "schema": schema}]},
        }));
    }
    space.create(&json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "guestbook", "namespace": space.namespace}}));
    let id = format!("guestbook:/ConfigMap:{}/a", space.namespace);
    space.create(
        &config_map("a", "argo").annotated("argocd.argoproj.io/tracking-id", &id).with("/metadata/namespace", space.namespace.as_str()),
    );
    let target = space.write("owned", &[config_map("a", "ours")]);
    let refused = space.sync(&target).run();
    assert_eq!((refused.code, refused.lines.len()), (Some(2), 0), "{}", refused.errors);
    assert!(refused.errors.contains("/guestbook") && refused.errors.contains("--take-over"), "{}", refused.errors);
    let unconfirmed = space.sync(&target).arg("--take-over").run();
    assert!(unconfirmed.code == Some(2) && unconfirmed.errors.contains("add --yes"), "{}", unconfirmed.errors);
    assert_eq!(space.get("cm/a").unwrap()["data"]["value"], "argo");
    let outcome = space.sync(&target).args(&["--take-over", "--yes"]).run();
    assert_eq!(outcome.code, Some(0), "{}", outcome.errors);
    assert_eq!(space.get("cm/a").unwrap()["data"]["value"], "ours");
    if !had_kind {
        space.kubectl(&["delete", "crd", "applications.argoproj.io"]);
    }
}
