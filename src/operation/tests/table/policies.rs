//! Chapter 16.H: delete policies and finalizers.

use super::{ALL_RUN, Call, SUCCESS, Scenario, UNSUCCESSFUL, sync};
use crate::model::annotation;
use crate::operation::tests::spec::{Fate, Spec, hook, pod_hook, resource};

/// One hook of each policy.
pub(super) fn three(fate: &Fate) -> Vec<Spec> {
    let policies = ["BeforeHookCreation", "HookSucceeded", "HookFailed"];
    let hooks = policies.iter().enumerate();
    hooks.map(|(at, policy)| pod_hook(&format!("hook-{}", at + 1), "Sync").policy(policy).fate(fate.clone())).collect()
}

pub(crate) fn t117_r204_r205_r216_r609_an_old_hook_loses_its_finalizer_and_goes_before_the_new_one_comes() -> Scenario {
    let spec = pod_hook("my-pod", "PreSync").policy("BeforeHookCreation").fate(Fate::Never);
    sync([spec.clone()])
        .leftovers([spec])
        .held("Pod/my-pod", annotation::HOOK_FINALIZER)
        .when("waiting for deletion of hook /Pod/my-pod")
        .calls(["unlock old Pod/my-pod", "delete old Pod/my-pod"])
        .results([])
        .when("waiting for completion of hook /Pod/my-pod")
        .calls(["unlock old Pod/my-pod", "delete old Pod/my-pod", "apply Pod/my-pod"])
        .results(["PreSync Pod/my-pod Synced Running"])
}

pub(crate) fn t120_r217_while_one_hook_runs_nothing_of_the_others_is_touched() -> Scenario {
    let mut hooks = three(&Fate::Healthy(0));
    hooks[0].fate = Fate::Never;
    sync(hooks)
        .after(10)
        .saying("waiting for completion of hook /Pod/hook-1")
        .calls(["apply Pod/hook-1", "apply Pod/hook-2", "apply Pod/hook-3"])
        .results(["Sync Pod/hook-1 Synced Running", "Sync Pod/hook-2 Synced Succeeded", "Sync Pod/hook-3 Synced Succeeded"])
}

pub(crate) fn t121_r208_r210_r220_r620_at_the_end_finalizers_go_first_and_then_hooks_by_their_policy() -> Scenario {
    sync(three(&Fate::Healthy(1)))
        .succeeds(SUCCESS)
        .calls([
            "apply Pod/hook-1",
            "apply Pod/hook-2",
            "apply Pod/hook-3",
            "unlock Pod/hook-1",
            "unlock Pod/hook-2",
            "unlock Pod/hook-3",
            "delete Pod/hook-2",
        ])
        .left(["Pod/hook-1", "Pod/hook-3"])
}

pub(crate) fn t123_r209_r210_r211_policies_go_by_the_outcome_of_the_operation() -> Vec<Scenario> {
    let row = |policy, fate| sync([hook("h", "PreSync").policy(policy).fate(fate), resource("ConfigMap", "c")]);
    let whole =
        [hook("good", "PreSync").policy("HookSucceeded"), resource("ConfigMap", "c"), hook("bad", "PostSync").fate(Fate::Degraded(0))];
    vec![
        row("HookSucceeded", Fate::Healthy(1)).succeeds(ALL_RUN).left(["ConfigMap/c"]),
        row("HookSucceeded", Fate::Degraded(1)).fails(UNSUCCESSFUL).left(["Job/h"]),
        row("HookFailed", Fate::Healthy(1)).succeeds(ALL_RUN).left(["ConfigMap/c", "Job/h"]),
        row("HookFailed", Fate::Degraded(1)).fails(UNSUCCESSFUL).left([]),
        // Its own success does not count.
        sync(whole).fails(UNSUCCESSFUL).left(["ConfigMap/c", "Job/bad", "Job/good"]),
    ]
}

pub(crate) fn t124_r204_a_second_sync_makes_another_object() -> Scenario {
    sync([hook("h", "PreSync"), resource("ConfigMap", "c")])
        .leftovers([hook("h", "PreSync")])
        .succeeds(ALL_RUN)
        .calls(["delete old Job/h", "apply Job/h", "unlock Job/h", "apply ConfigMap/c"])
        .said(["Job/h: Reached expected number of succeeded pods"])
}

pub(crate) fn t126_r212_a_policys_deletion_that_is_refused_fails_its_hook_and_not_the_operation() -> Scenario {
    sync([hook("h", "PreSync").policy("HookSucceeded"), resource("ConfigMap", "c")])
        .refuses(Call::Delete, "Job/h", "no")
        .succeeds(ALL_RUN)
        .results(["PreSync Job/h Synced Error", "Sync ConfigMap/c Synced Running"])
        .said(["Job/h: failed to delete resource: no"])
        .left(["ConfigMap/c", "Job/h"])
}

/// The next group does not wait for the answer (decision 22), the end does.
pub(crate) fn t127_r216_a_finalizer_that_cannot_be_removed_fails_its_hook_and_the_operation() -> Scenario {
    sync([hook("migrate", "PreSync"), resource("ConfigMap", "c")])
        .refuses(Call::Unlock, "Job/migrate", "denied by a webhook")
        .fails(UNSUCCESSFUL)
        .results(["PreSync Job/migrate Synced Error", "Sync ConfigMap/c Synced Succeeded"])
        .said(["Job/migrate: Failed to remove hook finalizer: failed to update resource: denied by a webhook"])
        .locked(["Job/migrate"])
        .left(["ConfigMap/c", "Job/migrate"])
}

pub(crate) fn t128_r214_a_manifest_that_has_the_finalizer_gets_no_second_one() -> Scenario {
    sync([hook("h", "PreSync").locked(), resource("ConfigMap", "c")])
        .when("waiting for completion of hook batch/Job/h")
        .calls(["apply Job/h"])
        .succeeds(ALL_RUN)
        .calls(["apply Job/h", "unlock Job/h", "apply ConfigMap/c"])
}

/// It does not run again: what was there has ended.
pub(crate) fn t196_r214_r216_r308_an_old_hook_that_is_applied_over_gets_the_finalizer_again_and_loses_it_again() -> Scenario {
    let spec = hook("h", "PreSync").policy("HookSucceeded");
    sync([spec.clone(), hook("bad", "PostSync").fate(Fate::Degraded(0))])
        .leftovers([spec])
        .fails(UNSUCCESSFUL)
        .calls(["apply Job/h", "unlock Job/h", "apply Job/bad", "unlock Job/bad"])
        .results(["PreSync Job/h Synced Succeeded", "PostSync Job/bad Synced Failed"])
        .left(["Job/bad", "Job/h"])
}
