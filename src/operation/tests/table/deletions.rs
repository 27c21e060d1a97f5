//! Chapter 16.N: the deletion of an app.

use super::{Act, Scenario, farewell};
use crate::model::annotation;
use crate::operation::tests::spec::{Fate, hook, resource};

const DELETED: &str = "successfully deleted";

pub(crate) fn t170_r1108_r1109_waves_go_from_the_highest_down_between_the_hooks() -> Scenario {
    let hooks = [hook("bye", "PreDelete"), hook("bye2", "PreDelete").wave(1), hook("after", "PostDelete")];
    let owned = [resource("ConfigMap", "a"), resource("Secret", "s").wave(1), resource("ConfigMap", "low").wave(-2)];
    farewell(hooks, owned)
        .succeeds(DELETED)
        .calls([
            "apply Job/bye",
            "apply Job/bye2",
            "prune Secret/s",
            "prune Job/bye2",
            "prune ConfigMap/a",
            "prune Job/bye",
            "prune ConfigMap/low",
            "apply Job/after",
        ])
        .left(["Job/after"])
}

pub(crate) fn t171_r705_r706_what_stays_is_not_touched() -> Scenario {
    let owned = [
        resource("ConfigMap", "gone"),
        resource("ConfigMap", "kept").option("Delete=false"),
        resource("Secret", "helm").annotated(annotation::HELM_RESOURCE_POLICY, "keep"),
    ];
    farewell([], owned).succeeds(DELETED).calls(["prune ConfigMap/gone"]).left(["ConfigMap/kept", "Secret/helm"])
}

pub(crate) fn t172_r1107_an_app_without_anything_live_is_deleted_at_once() -> Scenario {
    farewell([], []).succeeds(DELETED).calls([])
}

/// R1105 too: each stage is through before the next one begins. R214: hooks of a deletion carry no finalizer.
pub(crate) fn t173_r1106_r1111_predelete_hooks_run_before_anything_is_deleted_and_go_with_the_app() -> Scenario {
    farewell([hook("bye", "PreDelete").fate(Fate::Healthy(3))], [resource("ConfigMap", "a")])
        .when("waiting for completion of hook batch/Job/bye")
        .calls(["apply Job/bye"])
        .succeeds(DELETED)
        .calls(["apply Job/bye", "prune ConfigMap/a", "prune Job/bye"])
        .results(["PreDelete Job/bye Synced Succeeded", "Delete ConfigMap/a Pruned Succeeded", "Delete Job/bye Pruned Succeeded"])
        .left([])
}

pub(crate) fn t174_r1108_a_postdelete_hook_that_fails_runs_again_and_nothing_else_does() -> Scenario {
    let after = hook("after", "PostDelete").fate(Fate::Degraded(1)).then(Fate::Degraded(1)).then(Fate::Healthy(1));
    farewell([hook("bye", "PreDelete"), after], [resource("ConfigMap", "a")]).succeeds(DELETED).calls([
        "apply Job/bye",
        "prune ConfigMap/a",
        "prune Job/bye",
        "apply Job/after",
        "delete old Job/after",
        "apply Job/after",
        "delete old Job/after",
        "apply Job/after",
    ])
}

pub(crate) fn t175_r1112_r1113_postdelete_hooks_go_by_their_policy_when_all_have_succeeded() -> Scenario {
    let hooks =
        [hook("one", "PostDelete").policy("HookSucceeded"), hook("two", "PostDelete").policy("HookSucceeded"), hook("kept", "PostDelete")];
    farewell(hooks, [resource("ConfigMap", "a")]).succeeds(DELETED).left(["Job/kept"])
}

pub(crate) fn t176_r1111_a_failed_predelete_hook_holds_the_deletion_and_is_made_again_until_it_succeeds() -> Scenario {
    let bye = hook("bye", "PreDelete").fate(Fate::Degraded(1)).then(Fate::Degraded(1)).then(Fate::Healthy(1));
    farewell([bye, hook("good", "PreDelete")], [resource("ConfigMap", "a")])
        .when("error executing pre-delete hooks: PreDelete hook(s) failed: shop/bye. Retrying attempt #2*")
        .calls(["apply Job/bye", "apply Job/good", "delete old Job/bye", "apply Job/bye"])
        .succeeds(DELETED)
        .left([])
}

pub(crate) fn t178_r1110_nothing_is_deleted_before_a_person_has_confirmed() -> Scenario {
    let owned = [
        resource("ConfigMap", "a").option("Prune=confirm"),
        resource("ConfigMap", "b").wave(1),
        resource("Secret", "s").option("Delete=confirm"),
    ];
    farewell([], owned)
        .when("waiting for deletion confirmation of /Secret/s and 1 more resources")
        .calls([])
        .act(Act::Approve)
        .succeeds(DELETED)
        .left([])
}
