//! Topics 1 to 4: annotations, delete policies, names, completion of hooks.

use std::time::Duration;

use serde_json::json;

use crate::support::{Object, ObjectExt, SOON, Space, config_map, deployment, eventually, job, pod};

/// R110 [D], first half confirmed: what only the manifest skips is neither written nor pruned. Second half confirmed: what only the
/// live object skips is written. Applying does not take the annotation off, which belongs to who wrote it.
#[test]
fn r110_skip_of_the_manifest_decides_and_skip_of_the_live_object_does_not() {
    let Some(space) = Space::open("skip") else { return };
    space.create(&config_map("in-manifest", "old"));
    space.create(&config_map("on-live", "old").hook("Skip"));
    let target = space.write("skip", &[config_map("in-manifest", "new").hook("Skip"), config_map("on-live", "new")]);
    let outcome = space.sync(&target).arg("--prune").run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    assert_eq!(outcome.results(), ["Sync ConfigMap/on-live Synced Running: configmap/on-live configured"]);
    assert_eq!(outcome.not_run(), ["ConfigMap/in-manifest: skip"]);
    let value = |name: &str| space.get(&format!("configmap/{name}")).unwrap()["data"]["value"].clone();
    assert_eq!((value("in-manifest"), value("on-live")), (json!("old"), json!("new")));
    let live = space.get("configmap/on-live").unwrap();
    assert_eq!(live["metadata"]["annotations"]["argocd.argoproj.io/hook"], "Skip");
}

/// R123 [D], corrected: the comparison goes by the manifest, so the plan names the object; applied over the live one, as recorded.
#[test]
fn r123_a_hook_that_becomes_an_ordinary_resource_is_applied_over_the_hook() {
    let Some(space) = Space::open("unhooked") else { return };
    let hook = space.write("hook", &[config_map("a", "1").hook("PreSync")]);
    space.sync(&hook).run().assert_end(0, "Succeeded", "successfully synced (no more tasks)");
    let uid = space.uid("configmap/a");
    let ordinary = space.write("ordinary", &[config_map("a", "1")]);
    assert_eq!(space.plan(&ordinary, &[])["tasks"][0]["action"], "configure");
    let outcome = space.sync(&ordinary).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    assert_eq!(outcome.results(), ["Sync ConfigMap/a Synced Running: configmap/a configured"]);
    assert_eq!(space.uid("configmap/a"), uid);
    assert_eq!(space.get("configmap/a").unwrap()["metadata"]["annotations"].get("argocd.argoproj.io/hook"), None);
}

/// R124 [D], confirmed: with prune on, the hook's own policy removes the old object first, and nothing is pruned.
#[test]
fn r124_a_resource_that_becomes_a_hook_is_made_anew_and_not_pruned() {
    let Some(space) = Space::open("hooked") else { return };
    let keep = || config_map("keep", "1");
    space.sync(&space.write("one", &[config_map("a", "1"), keep()])).run().assert_end(
        0,
        "Succeeded",
        "successfully synced (all tasks run)",
    );
    let uid = space.uid("configmap/a");
    let outcome = space.sync(&space.write("two", &[config_map("a", "1").hook("PreSync"), keep()])).arg("--prune").run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    let results = outcome.results();
    assert_eq!(results[0], "PreSync ConfigMap/a Synced Succeeded: a created");
    assert!(results.iter().all(|text| !text.contains(" Pruned ")), "{results:?}");
    assert_ne!(space.uid("configmap/a"), uid);
}

/// T197 [D], confirmed: a Helm test is never created, and one that is there is never pruned (R112, R118).
#[test]
fn t197_a_helm_test_is_never_created_and_never_pruned() {
    let Some(space) = Space::open("helm-test") else { return };
    let test = |name: &str| pod(name, "true").annotated("helm.sh/hook", "test");
    let tracking = format!("app:/Pod:{}/left", space.namespace);
    space.create(&test("left").annotated("syncwave.dev/tracking-id", &tracking));
    let outcome = space.sync(&space.write("chart", &[test("new"), config_map("keep", "1")])).arg("--prune").run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    assert_eq!(outcome.results(), ["Sync ConfigMap/keep Synced Running: configmap/keep created"]);
    assert_eq!(outcome.not_run(), ["Pod/new: unknownHook"]);
    assert_eq!(space.names("pods"), ["left"]);
}

/// R210 [D], confirmed: when the operation fails, a hook that was left over and whose turn never came is deleted by HookFailed.
#[test]
fn r210_hooks_that_were_left_over_are_deleted_by_the_policy_of_the_end() {
    let Some(space) = Space::open("left") else { return };
    let left = |name: &str, policy: &str| config_map(name, "1").hook("PostSync").policy(policy);
    space.create(&left("failed", "HookFailed"));
    space.create(&left("succeeded", "HookSucceeded"));
    let objects = [job("pre", "exit 1").hook("PreSync"), left("failed", "HookFailed"), left("succeeded", "HookSucceeded")];
    let outcome = space.sync(&space.write("left", &objects)).run();
    outcome.assert_end(1, "Failed", "one or more synchronization tasks completed unsuccessfully");
    eventually("only the other policy is left", SOON, || (space.names("configmaps") == ["succeeded"]).then_some(()));
}

/// R212 [D] and T126 [D], confirmed: a hook that cannot be deleted at the end of a success has an Error; the operation has none.
#[test]
fn r212_a_hook_that_cannot_be_deleted_at_the_end_has_an_error_and_the_operation_succeeds() {
    let Some(space) = Space::open("no-delete") else { return };
    let kubeconfig = space.account(&["get", "list", "watch", "create", "update", "patch"]);
    let target = space.write("no-delete", &[job("pre", "echo ran").hook("PreSync").policy("HookSucceeded"), config_map("plain", "1")]);
    let outcome = space.sync(&target).kubeconfig(&kubeconfig).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    let results = outcome.results();
    let message = "PreSync Job/pre Synced Error: failed to delete resource: jobs.batch \"pre\" is forbidden: ";
    assert!(results[0].starts_with(message), "{results:?}");
    assert_eq!(space.names("jobs"), ["pre"]);
    space.assert_no_finalizer();
}

/// An admission policy that lets nobody take a finalizer off a Job of the namespace.
fn keep_finalizers(space: &Space) {
    let name = format!("e2e-keep-{}", space.suffix);
    let admission = |kind: &str, spec: Object| {
        let object = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": name}, "spec": spec});
        space.removes(&kind.to_lowercase(), &name);
        space.create(&object);
    };
    let selector = json!({"matchLabels": {"kubernetes.io/metadata.name": space.namespace}});
    let rule = json!({"apiGroups": ["batch"], "apiVersions": ["v1"], "resources": ["jobs"], "operations": ["UPDATE"]});
    let expression = "!has(oldObject.metadata.finalizers) || (has(object.metadata.finalizers) \
                      && oldObject.metadata.finalizers.all(it, it in object.metadata.finalizers))";
    let policy = json!({
        "failurePolicy": "Fail", "matchConstraints": {"resourceRules": [rule], "namespaceSelector": selector},
        "validations": [{"expression": expression, "message": "finalizers stay"}],
    });
    admission("ValidatingAdmissionPolicy", policy);
    admission("ValidatingAdmissionPolicyBinding", json!({"policyName": name, "validationActions": ["Deny"]}));
    space.create(&job("probe", "true").with("/metadata/finalizers", json!(["syncwave.dev/hook-finalizer"])));
    let let_go = |space: &Space| space.try_kubectl(&["patch", "job", "probe", "--type=merge", "-p", r#"{"metadata":{"finalizers":null}}"#]);
    eventually("the policy is in force", SOON, || {
        let refused = let_go(space).is_err_and(|error| error.contains("finalizers stay"));
        if !refused {
            let again = r#"{"metadata":{"finalizers":["syncwave.dev/hook-finalizer"]}}"#;
            space.kubectl(&["patch", "job", "probe", "--type=merge", "-p", again]);
        }
        refused.then_some(())
    });
}

/// T127 [D], confirmed (R216, second point): the hook did its work, but its finalizer stays: Error, and the operation fails.
#[test]
fn t127_a_finalizer_that_cannot_be_removed_is_an_error_of_its_hook_and_fails_the_operation() {
    let Some(space) = Space::open("kept") else { return };
    keep_finalizers(&space);
    let target = space.write("kept", &[job("pre", "echo ran").hook("PreSync"), config_map("plain", "1")]);
    let outcome = space.sync(&target).run();
    let policy = format!("e2e-keep-{}", space.suffix);
    for kind in ["validatingadmissionpolicybinding", "validatingadmissionpolicy"] {
        space.kubectl(&["delete", kind, &policy]);
    }
    eventually("nothing is held any more", SOON, || {
        let let_go = |name| space.try_kubectl(&["patch", "job", name, "--type=merge", "-p", r#"{"metadata":{"finalizers":null}}"#]).is_ok();
        (let_go("probe") && let_go("pre")).then_some(())
    });
    outcome.assert_end(1, "Failed", "one or more synchronization tasks completed unsuccessfully");
    let results = outcome.results();
    assert!(
        results[0].starts_with("PreSync Job/pre Synced Error: Failed to remove hook finalizer: failed to update resource: "),
        "{results:?}"
    );
    assert_eq!(outcome.log("pre"), [(1, "ran")]);
}

/// T128 [D], confirmed: a hook whose manifest has the finalizer gets no second one, and loses it like the others.
#[test]
fn t128_a_manifest_with_the_finalizer_gets_no_second_one() {
    let Some(space) = Space::open("twice") else { return };
    let hook = job("pre", "sleep 1").hook("PreSync").with("/metadata/finalizers", json!(["syncwave.dev/hook-finalizer"]));
    space.sync(&space.write("twice", &[hook])).run().assert_end(0, "Succeeded", "successfully synced (no more tasks)");
    let history = space.history("apis/batch/v1", "jobs");
    let most = history.iter().map(|change| {
        let finalizers = change.object["metadata"]["finalizers"].as_array();
        finalizers.map_or(0, |all| all.iter().filter(|one| *one == "syncwave.dev/hook-finalizer").count())
    });
    assert_eq!(most.max(), Some(1));
    space.assert_no_finalizer();
}

/// R218 [K], confirmed as to its outcome: whoever else writes the hook all the time, its finalizer goes. Whether a write came between our
/// look and our patch cannot be seen from outside; `r218_a_conflict_reads_again_and_tries_again_five_times` of `src/cluster/delete` has the
/// conflict. Shown here: others wrote until the very end, and nothing of theirs was lost.
#[test]
fn r218_a_hook_that_somebody_writes_all_the_time_loses_its_finalizer() {
    let Some(space) = Space::open("busy") else { return };
    let running = space.sync(&space.write("busy", &[job("pre", "sleep 5").hook("PreSync"), config_map("plain", "1")])).start();
    running.wait_for_task("pre", "Running");
    let over = std::sync::atomic::AtomicBool::new(false);
    let outcome = std::thread::scope(|scope| {
        for writer in 0..2 {
            let (over, kubeconfig, namespace) = (&over, &space.kubeconfig, &space.namespace);
            scope.spawn(move || {
                let mut count = 0;
                while !over.load(std::sync::atomic::Ordering::Relaxed) && count < 500 {
                    count += 1;
                    let annotation = format!("example.com/writer-{writer}={count}");
                    let mut command = std::process::Command::new("kubectl");
                    command.arg("--kubeconfig").arg(kubeconfig).args([
                        "-n",
                        namespace,
                        "annotate",
                        "--overwrite",
                        "job",
                        "pre",
                        &annotation,
                    ]);
                    assert!(command.output().unwrap().status.success());
                }
            });
        }
        let outcome = running.finish();
        over.store(true, std::sync::atomic::Ordering::Relaxed);
        outcome
    });
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    space.assert_no_finalizer();
    let history = space.history("apis/batch/v1", "jobs");
    let (mut before, mut last) = ([0; 2], [0; 2]);
    for change in &history {
        let count = |writer: usize| {
            let text = change.object["metadata"]["annotations"][format!("example.com/writer-{writer}")].as_str();
            text.map_or(0, |text| text.parse::<u32>().unwrap())
        };
        let counts = [count(0), count(1)];
        assert!(counts[0] >= last[0] && counts[1] >= last[1], "lost what others wrote: {last:?} {counts:?}");
        last = counts;
        if !change.object["metadata"]["finalizers"].is_null() {
            before = counts;
        }
    }
    assert!(before[0] > 0 && before[1] > 0, "nobody wrote while the finalizer was there: {before:?}");
}

/// T196 [D], confirmed: a hook without BeforeHookCreation that is applied again gets the finalizer again, and loses it again; it does
/// not run again (R308).
#[test]
fn t196_a_hook_that_is_applied_over_its_old_object_gets_the_finalizer_again_and_loses_it() {
    let Some(space) = Space::open("over") else { return };
    let target = space.write("over", &[job("pre", "echo ran").hook("PreSync").policy("HookFailed")]);
    space.sync(&target).run().assert_end(0, "Succeeded", "successfully synced (no more tasks)");
    let (uid, held) = (space.uid("job/pre"), |space: &Space| {
        let history = space.history("apis/batch/v1", "jobs");
        let states =
            history.iter().map(|change| change.object["metadata"]["finalizers"].to_string().contains("syncwave.dev/hook-finalizer"));
        let mut states: Vec<bool> = states.collect();
        states.dedup();
        states
    });
    assert_eq!(held(&space), [true, false]);
    let outcome = space.sync(&target).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (no more tasks)");
    assert_eq!(outcome.results(), ["PreSync Job/pre Synced Succeeded: Reached expected number of succeeded pods"]);
    assert_eq!((space.uid("job/pre"), held(&space)), (uid, vec![true, false, true, false]));
}

/// R310 [D], confirmed: the tracking id of a generated name has no name in it, so that a hook is never taken for a prune candidate.
#[test]
fn r310_the_tracking_id_of_a_generated_name_has_no_name_in_it() {
    let Some(space) = Space::open("named") else { return };
    let hook = space.write("named", &[config_map("a", "1").hook("PreSync").generated()]);
    space.sync(&hook).run().assert_end(0, "Succeeded", "successfully synced (no more tasks)");
    let names = space.names("configmaps");
    assert!(names.len() == 1 && names[0].starts_with("a-"), "{names:?}");
    let live = space.get(&format!("configmap/{}", names[0])).unwrap();
    assert_eq!(live["metadata"]["annotations"]["syncwave.dev/tracking-id"], format!("app:/ConfigMap:{}/", space.namespace));
}

/// T109 (recorded): a suspended hook is Running and says so. R413 [D], confirmed: a Job that goes on keeps the condition, with the
/// status False. R1541: it is waited for until it is complete, and its log is there.
#[test]
fn r413_r1541_a_job_that_goes_on_keeps_its_suspended_condition_with_the_status_false() {
    let Some(space) = Space::open("suspended") else { return };
    let hook = job("pre", "sleep 2; echo ran").hook("PreSync").with("/spec/suspend", true);
    let running = space.sync(&space.write("suspended", &[hook, config_map("next", "1")])).start();
    running.wait_for("Suspended", |line| {
        line["event"] == "task.changed" && line["hookPhase"] == "Running" && line["message"] == "Job suspended"
    });
    assert!(space.names("configmaps").is_empty());
    space.kubectl(&["patch", "job", "pre", "-p", r#"{"spec":{"suspend":false}}"#]);
    let outcome = running.finish();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    assert_eq!(outcome.log("pre"), [(1, "ran")]);
    eventually("the Job completes", SOON, || (space.get("job/pre")?["status"]["succeeded"] == 1).then_some(()));
    let conditions = space.get("job/pre").unwrap()["status"]["conditions"].as_array().unwrap().clone();
    assert!(conditions.iter().any(|one| one["type"] == "Suspended" && one["status"] == "False"), "{conditions:?}");
}

/// T43 [D], confirmed: a dry pass that fails starts no SyncFail hook (R405).
#[test]
fn t43_a_dry_pass_that_fails_starts_no_syncfail_hook() {
    let Some(space) = Space::open("dry") else { return };
    let target = space.write("dry", &[config_map("a", "1").generated(), config_map("b", "1"), job("fail", "echo never").hook("SyncFail")]);
    let outcome = space.sync(&target).run();
    outcome.assert_end(1, "Failed", "one or more objects failed to apply (dry run)");
    assert_eq!(outcome.results().len(), 1, "{:?}", outcome.results());
    assert!(space.names("configmaps").is_empty() && space.names("jobs").is_empty());
}

/// R636 [D] and R637 [D], confirmed: in an operation of one group with a Sync hook nobody waits for the Deployment, but when it is
/// Degraded while the hook runs, the operation fails.
#[test]
fn r636_a_deployment_that_is_degraded_while_a_hook_of_its_group_runs_fails_the_operation() {
    let Some(space) = Space::open("degraded") else { return };
    let stuck = deployment("stuck", "exec sleep 600").with("/spec/progressDeadlineSeconds", 1);
    let outcome = space.sync(&space.write("degraded", &[stuck, job("during", "sleep 6").hook("Sync")])).run();
    outcome.assert_end(1, "Failed", "one or more synchronization tasks completed unsuccessfully");
    assert_eq!(
        outcome.results(),
        [
            "Sync Deployment/stuck Synced Failed: Deployment \"stuck\" exceeded its progress deadline",
            "Sync Job/during Synced Succeeded: Reached expected number of succeeded pods",
        ]
    );
    assert!(outcome.seconds() > 5.0, "the hook is waited for: {}", outcome.seconds());
}

/// T189 [D], confirmed: Degraded in a wave ends the operation without a reason in its message (R628), and the next wave never begins.
#[test]
fn t189_a_deployment_that_gets_degraded_ends_the_wave() {
    let Some(space) = Space::open("wave-end") else { return };
    let stuck = deployment("stuck", "exec sleep 600").with("/spec/progressDeadlineSeconds", 1);
    let target = space.write("wave-end", &[config_map("before", "1").wave(-1), stuck, config_map("after", "1").wave(1)]);
    let outcome = space.sync(&target).run();
    outcome.assert_end(1, "Failed", "one or more synchronization tasks completed unsuccessfully");
    assert_eq!((space.names("configmaps"), outcome.not_run()), (vec!["before".to_owned()], vec!["ConfigMap/after: blocked".to_owned()]));
    assert!(outcome.seconds() < Duration::from_secs(120).as_secs_f64());
}
