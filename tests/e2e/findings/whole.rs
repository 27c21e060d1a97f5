//! Whole operations of chapter 16.P, and what a chart's annotations come to beside Argo CD's own.

use serde_json::json;

use crate::support::{Object, ObjectExt, Outcome, SOON, Space, config_map, deployment, eventually, job};

const WEIGHT: &str = "helm.sh/hook-weight";
const HELM_POLICY: &str = "helm.sh/hook-delete-policy";

/// T188's operation over an old life: m has run and still has the finalizer, x is not asked for any more.
fn full_life(space: &Space, web: Object) -> (String, Outcome) {
    let migrate = || job("m", "echo ran; sleep 1").hook("PreSync");
    space.sync(&space.write("old", &[migrate(), config_map("x", "1")])).run().assert_end(
        0,
        "Succeeded",
        "successfully synced (all tasks run)",
    );
    let old = space.uid("job/m");
    space.kubectl(&["patch", "job", "m", "--type=merge", "-p", r#"{"metadata":{"finalizers":["syncwave.dev/hook-finalizer"]}}"#]);
    let smoke = job("s", "echo smoke").hook("PostSync").policy("HookSucceeded");
    let outcome = space.sync(&space.write("new", &[migrate(), config_map("c", "1"), web.wave(1), smoke])).arg("--prune").run();
    space.assert_no_finalizer();
    (old, outcome)
}

fn revision(space: &Space, api: &str, resource: &str, is_it: impl Fn(&crate::support::Change) -> bool) -> u64 {
    let history = space.history(api, resource);
    history.iter().find(|change| is_it(change)).unwrap_or_else(|| panic!("never seen of {resource}")).revision()
}

/// T188 [D], confirmed: the old hook goes first, x is pruned before its own group is applied and gone before the next wave begins, the
/// last hook waits for the Deployment and goes with the success. Ours does not wait for c, which has no health.
#[test]
fn t188_a_full_life() {
    let Some(space) = Space::open("life") else { return };
    let (old, outcome) = full_life(&space, deployment("d", "sleep 2; touch /tmp/ready; exec sleep 600"));
    outcome.assert_end(0, "Succeeded", "successfully synced (no more tasks)");
    assert_eq!(outcome.started(), ["PreSync Job/m", "Sync ConfigMap/x", "Sync ConfigMap/c", "Sync Deployment/d", "PostSync Job/s"]);
    let (batch, apps, core) = ("apis/batch/v1", "apis/apps/v1", "api/v1");
    let born = |api: &str, resource: &str, name: &str| *space.births(api, resource, name).last().unwrap();
    let completed = |change: &crate::support::Change| {
        let conditions = change.object["status"]["conditions"].as_array().cloned().unwrap_or_default();
        change.object["metadata"]["uid"] != old.as_str()
            && conditions.iter().any(|one| one["type"] == "Complete" && one["status"] == "True")
    };
    let leaves = |change: &crate::support::Change| {
        change.name() == "x" && (change.kind == "DELETED" || !change.object["metadata"]["deletionTimestamp"].is_null())
    };
    let order = [
        revision(&space, batch, "jobs", |change| change.kind == "DELETED" && change.object["metadata"]["uid"] == old.as_str()),
        born(batch, "jobs", "m"),
        revision(&space, batch, "jobs", |change| change.name() == "m" && completed(change)),
        revision(&space, core, "configmaps", leaves),
        born(core, "configmaps", "c"),
    ];
    assert!(order.is_sorted(), "{order:?}");
    let order = [
        revision(&space, core, "configmaps", |change| change.name() == "x" && change.kind == "DELETED"),
        born(apps, "deployments", "d"),
        revision(&space, apps, "deployments", |change| change.object["status"]["availableReplicas"] == 1),
        born(batch, "jobs", "s"),
    ];
    assert!(order.is_sorted() && born(core, "configmaps", "c") < order[1], "{order:?}");
    eventually("s goes with the success, m stays", SOON, || (space.names("jobs") == ["m"]).then_some(()));
    assert_eq!(space.names("configmaps"), ["c"]);
}

/// T189 [D], confirmed: Degraded in that life ends it without a reason in the message (R628); s is never created, m stays, and what was
/// pruned and applied stays so.
#[test]
fn t189_a_full_life_that_ends_with_a_degraded_deployment() {
    let Some(space) = Space::open("life-ends") else { return };
    let (old, outcome) = full_life(&space, deployment("d", "exec sleep 600").with("/spec/progressDeadlineSeconds", 1));
    outcome.assert_end(1, "Failed", "one or more synchronization tasks completed unsuccessfully");
    assert_eq!(
        outcome.results(),
        [
            "PreSync Job/m Synced Succeeded: Reached expected number of succeeded pods",
            "Sync ConfigMap/x Pruned Succeeded: pruned",
            "Sync ConfigMap/c Synced Succeeded: configmap/c created",
            "Sync Deployment/d Synced Failed: Deployment \"d\" exceeded its progress deadline",
        ]
    );
    assert_eq!(outcome.not_run(), ["Job/s: blocked"]);
    assert!(space.births("apis/batch/v1", "jobs", "s").is_empty());
    assert_eq!((space.names("jobs"), space.names("configmaps")), (vec!["m".to_owned()], vec!["c".to_owned()]));
    assert_ne!(space.uid("job/m"), old);
}

/// T13 [D], confirmed (R117, R203): Helm's policies are added to Argo CD's: such a hook goes with a success, and is made anew after a
/// failure, which HookSucceeded alone would not do (R308).
#[test]
fn t13_helms_policy_is_added_to_argo_cds() {
    let Some(space) = Space::open("policies") else { return };
    let both =
        || job("both", "test -f /conf/go || exit 1").hook("PreSync").policy("HookSucceeded").annotated(HELM_POLICY, "before-hook-creation");
    let hook = |name: &str, policy: &str| config_map(name, "1").hook("PostSync").policy(policy);
    let helm = config_map("helm", "1").hook("PostSync").annotated(HELM_POLICY, "hook-failed");
    let objects =
        [both(), config_map("none", "1").hook("PostSync"), hook("garbage", "garbage"), hook("two", "HookSucceeded,HookFailed"), helm];
    let target = space.write("policies", &objects);
    let plan = space.plan(&target, &[]);
    let policies = |name: &str| {
        let task = plan["tasks"].as_array().unwrap().iter().find(|task| task["name"] == name).unwrap();
        let mut policies: Vec<&str> = task["deletePolicies"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
        policies.sort_unstable();
        policies.join(" ")
    };
    assert_eq!(
        ["both", "none", "garbage", "two", "helm"].map(policies),
        ["BeforeHookCreation HookSucceeded", "BeforeHookCreation", "BeforeHookCreation", "HookFailed HookSucceeded", "HookFailed"]
    );
    for count in 1..=2 {
        assert_eq!(space.sync(&target).run().code, Some(1));
        assert_eq!(space.births("apis/batch/v1", "jobs", "both").len(), count, "made anew each time");
    }
    let mended = space.write("mended", &[both().with("/spec/template/spec/containers/0/command", json!(["true"]))]);
    space.sync(&mended).run().assert_end(0, "Succeeded", "successfully synced (no more tasks)");
    eventually("it goes with the success", SOON, || space.names("jobs").is_empty().then_some(()));
}

/// T15, its part [D] confirmed (R116, R501): Helm's weight is the wave where Argo CD's is not a number, also of what is no hook.
#[test]
fn t15_helms_weight_is_the_wave_where_argo_cds_is_none() {
    let Some(space) = Space::open("weights") else { return };
    let wave = |name: &str, wave: &str| config_map(name, "1").annotated("argocd.argoproj.io/sync-wave", wave);
    let objects = [
        config_map("none", "1"),
        wave("wrong", "x").annotated(WEIGHT, "-1"),
        wave("wins", "2").annotated(WEIGHT, "-9"),
        config_map("weight", "1").annotated(WEIGHT, "1"),
        config_map("early", "1").annotated(WEIGHT, "-3"),
        wave("plain", "1"),
        wave("odd", "x"),
    ];
    let outcome = space.sync(&space.write("weights", &objects)).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    let waves = outcome.lines[0]["tasks"].as_array().unwrap().iter();
    let waves: Vec<String> = waves.map(|task| format!("{} {}", task["wave"], task["name"].as_str().unwrap())).collect();
    assert_eq!(waves, ["-3 early", "-1 wrong", "0 none", "0 odd", "1 plain", "1 weight", "2 wins"]);
    let births = ["early", "wrong", "none", "weight", "wins"].map(|name| space.births("api/v1", "configmaps", name)[0]);
    assert!(births.is_sorted(), "{births:?}");
}
