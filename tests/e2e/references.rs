//! What an object needs and will not have: the plan says it, and the sync proves it.

use serde_json::{Value, json};

use crate::support::{ObjectExt, SOON, Space, config_map, deployment, eventually, job, secret};

/// The messages of a plan's warnings, with the object that they are about.
fn warnings(plan: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    plan["warnings"].as_array().unwrap().iter().map(|warning| (text(&warning["object"]["name"]), text(&warning["message"]))).collect()
}

/// Why the only container of the only pod waits.
fn reason(space: &Space) -> String {
    space.kubectl(&["get", "pods", "-o", "jsonpath={.items[*].status.containerStatuses[0].state.waiting.reason}"])
}

/// users.md A13, P-66.
#[test]
fn a13_a_hook_that_needs_what_comes_later_is_warned_of_and_really_hangs() {
    let Some(space) = Space::open("needs-later") else { return };
    let needy =
        || job("pre", "echo $value").with("/spec/template/spec/containers/0/envFrom", json!([{"configMapRef": {"name": "settings"}}]));
    let target = space.write("later", &[config_map("settings", "1"), needy().hook("PreSync")]);
    let plan = space.plan(&target, &[]);
    let message = format!(
        "needs ConfigMap {}/settings, which comes only in phase Sync, so it cannot start: \
         make ConfigMap/settings a PreSync hook with a wave of at most 0, or make Job/pre a Sync hook with a wave of at least 0, \
         or give Job/pre a copy of ConfigMap/settings under another name as a PreSync hook (spec.template.spec.containers[0].envFrom[0].configMapRef)",
        space.namespace
    );
    assert_eq!(warnings(&plan), [("pre".to_owned(), message.clone())]);
    let warning = &plan["warnings"][0];
    assert!(warning["file"].as_str().unwrap().contains("later") && warning["line"].as_u64().unwrap() > 1, "{warning}");

    let running = space.sync(&target).start();
    eventually("the pod waits for its ConfigMap", SOON, || (reason(&space) == "CreateContainerConfigError").then_some(()));
    let line = running.wait_for("why it hangs", |line| line["podProblem"]["reason"] == "CreateContainerConfigError");
    let problem = &line["podProblem"];
    let sentence = format!(
        "pod {}/{}: main: CreateContainerConfigError: configmap \"settings\" not found",
        space.namespace,
        problem["pod"].as_str().unwrap()
    );
    assert_eq!((line["task"]["name"].as_str(), problem["message"].as_str()), (Some("pre"), Some(sentence.as_str())));
    running.signal("INT");
    let outcome = running.finish();
    outcome.assert_end(3, "Failed", "Operation terminated");
    assert!(outcome.events("warning")[0]["message"].as_str().unwrap().ends_with(&message), "{:?}", outcome.events("warning"));
    space.assert_no_finalizer();

    // The deletion of the hook is not waited for, and a plan would name it.
    eventually("the hook is gone", SOON, || space.names("jobs").is_empty().then_some(()));

    // Each way out that the sentence names is one.
    for (name, objects) in [
        ("hook", [config_map("settings", "1").hook("PreSync"), needy().hook("PreSync")]),
        ("later-hook", [config_map("settings", "1"), needy().hook("Sync")]),
    ] {
        space.try_kubectl(&["delete", "configmaps", "settings", "--ignore-not-found"]).unwrap();
        let target = space.write(name, &objects);
        assert_eq!(warnings(&space.plan(&target, &[])), [], "{name}");
        space.sync(&target).run().assert_end(0, "Succeeded", "successfully synced (no more tasks)");
    }
}

/// What is nowhere, what is optional, and what somebody else has made.
#[test]
fn what_is_nowhere_is_warned_of_until_somebody_makes_it() {
    let Some(space) = Space::open("needs-nowhere") else { return };
    let web = |optional: bool| {
        let from = json!([{"secretRef": {"name": "made", "optional": optional}}]);
        deployment("web", "touch /tmp/ready; exec sleep 600").with("/spec/template/spec/containers/0/envFrom", from)
    };
    let target = space.write("nowhere", &[web(false)]);
    let said = warnings(&space.plan(&target, &[]));
    assert!(matches!(&said[..], [(about, message)] if about == "web" && message.contains("which is neither in the manifests")), "{said:?}");
    assert_eq!(warnings(&space.plan(&space.write("optional", &[web(true)]), &[])), []);
    space.create(&secret("made", "value"));
    assert_eq!(warnings(&space.plan(&target, &[])), []);
}

/// A deletion: the account of the PostDelete hook goes with the app, so its pod is refused for ever.
#[test]
fn r1108_what_a_post_delete_hook_needs_and_the_app_takes_along_is_warned_of() {
    let Some(space) = Space::open("needs-deleted") else { return };
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "cleaner"}});
    let bye = job("bye", "echo bye").hook("PostDelete").with("/spec/template/spec/serviceAccountName", "cleaner");
    let target = space.write("deleted", &[account, bye]);
    space.sync(&target).run().assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    let running = space.delete(&target).start();
    running.wait_for("the warning", |line| {
        line["event"] == "warning" && line["message"].as_str().unwrap().contains("which is deleted with the app before the hook runs")
    });
    eventually("the Job's pod is refused", SOON, || {
        space
            .kubectl(&["get", "events", "-o", "jsonpath={.items[*].message}"])
            .contains("serviceaccount \"cleaner\" not found")
            .then_some(())
    });
    running.signal("INT");
    assert_eq!(running.finish().code, Some(3));
}
