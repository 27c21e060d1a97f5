//! The table of whole operations (spec 16): what is there, what is asked for, what happens in between, and what must come of it. Each row is
//! played twice: over the pure core and its pretended cluster (`core`), and by a whole engine on the embedded cluster
//! (`crate::engine::tests::table`). Rows know neither of them: they say nothing that only one of the two could do, so what needs an answer that
//! is late, or news in a certain order, stays a test of the core.

mod core;
pub(crate) mod deletions;
pub(crate) mod ends;
pub(crate) mod hooks;
mod outcome;
pub(crate) mod plain;
pub(crate) mod policies;
pub(crate) mod prunes;
pub(crate) mod requests;
mod scenario;

pub(crate) use outcome::{Outcome, Played};
pub(crate) use scenario::{Act, Call, Refusal, Rows, Scenario, When, farewell, is_told, options, sync};

pub(crate) const SUCCESS: &str = "successfully synced (no more tasks)";
pub(crate) const ALL_RUN: &str = "successfully synced (all tasks run)";
pub(crate) const UNSUCCESSFUL: &str = "one or more synchronization tasks completed unsuccessfully";

/// Makes a test of each row of the table with the macro `$test`, which takes the file and the name of a row.
macro_rules! each_row {
    ($test:ident) => {
        $test! {
            deletions:
            t170_r1108_r1109_waves_go_from_the_highest_down_between_the_hooks,
            t171_r705_r706_what_stays_is_not_touched,
            t172_r1107_an_app_without_anything_live_is_deleted_at_once,
            t173_r1106_r1111_predelete_hooks_run_before_anything_is_deleted_and_go_with_the_app,
            t174_r1108_a_postdelete_hook_that_fails_runs_again_and_nothing_else_does,
            t175_r1112_r1113_postdelete_hooks_go_by_their_policy_when_all_have_succeeded,
            t176_r1111_a_failed_predelete_hook_holds_the_deletion_and_is_made_again_until_it_succeeds,
            t178_r1110_nothing_is_deleted_before_a_person_has_confirmed;
            ends:
            t129_r903_terminate_without_hooks,
            t130_r603_r905_r906_r909_every_running_hook_is_ended_whatever_its_policy,
            t132_r904_hooks_that_are_over_only_lose_their_finalizers,
            t133_r905_a_finalizer_that_cannot_be_removed_makes_the_end_an_error_and_the_hook_is_not_deleted,
            t136_r907_a_terminated_operation_is_never_retried,
            t137_r911_an_operation_that_lasts_too_long_is_terminated_and_says_why,
            t139_t141_r1004_r1005_nothing_happens_before_the_pause_is_over,
            t140_r1007_an_attempt_begins_without_the_results_of_the_last_one,
            t143_r1010_a_hook_that_always_fails_is_tried_again_as_often_as_asked_for_and_then_it_is_said_how_often;
            hooks:
            t92_r803_r810_without_hooks_neither_new_nor_old_ones_are_touched,
            t93_r604_r616_r622_a_hook_an_object_and_a_syncfail_hook,
            t96_r402_r410_a_presync_hook_that_fails_ends_it_before_anything_else,
            t97_a_sync_hook_that_fails_leaves_the_objects_of_its_group,
            t98_a_postsync_hook_that_fails_ends_it_badly,
            t99_r404_r636_after_an_object_that_fails_no_postsync_hook_runs,
            t100_r216_r403_r605_a_hook_that_succeeds_without_a_message_keeps_the_servers,
            t101_r637_a_sync_hook_does_not_wait_for_a_deployment_of_its_group,
            t103_r628_r1520_reasons_are_distinct_and_sorted_and_only_those_of_refused_objects,
            t104_r407_r621_r627_r629_running_until_every_syncfail_hook_is_over,
            t107_r215_a_hook_that_is_deleted_after_its_end_is_read_first,
            t108_r410_r414_a_hook_without_health_is_over_at_once_and_one_of_any_kind_when_it_is_healthy,
            t109_r410_r415_suspended_is_waited_for_unknown_fails_and_so_does_an_error,
            t111_r408_a_refused_syncfail_hook_does_not_stop_the_other_one,
            t113_r307_an_ordinary_object_without_a_name_fails_it,
            t114_r109_r728_a_skipped_object_has_no_result_whatever_its_options,
            t115_r406_syncfail_hooks_of_all_waves_start_together,
            t116_r520_a_refusal_of_one_kind_stops_none_of_the_next,
            r311_one_named_hook_in_two_phases_is_created_twice_and_has_two_results,
            r401_r402_presync_then_sync_then_postsync_and_syncfail_is_not_needed,
            r405_r625_r627_a_failed_presync_hook_starts_syncfail_and_nothing_else,
            r617_a_running_hook_that_is_gone_is_never_a_silent_success,
            r1504_a_running_hook_that_somebody_deletes_is_waited_for_and_fails_and_its_finalizer_goes;
            plain:
            t26_t62_r604_r1511_one_group_is_one_step_whatever_its_health_and_its_wave,
            t55_r626_two_new_objects_in_one_step,
            t59_r626_r628_a_refused_object_is_the_only_result_and_the_reason,
            t60_r622_nothing_to_sync_has_no_results,
            t61_r601_r616_r618_the_second_wave_comes_when_the_first_is_healthy,
            t63_r630_r636_a_degraded_first_wave_ends_it_and_nothing_is_undone,
            t105_r518_r519_the_pause_follows_groups_that_are_not_the_last_and_never_a_wait,
            t188_r122_r204_r508_r520_r619_a_full_life,
            t189_r625_r628_a_full_life_that_ends_badly,
            t193_r513_r610_the_destination_namespace_of_a_late_wave_is_made_before_everything;
            policies:
            t117_r204_r205_r216_r609_an_old_hook_loses_its_finalizer_and_goes_before_the_new_one_comes,
            t120_r217_while_one_hook_runs_nothing_of_the_others_is_touched,
            t121_r208_r210_r220_r620_at_the_end_finalizers_go_first_and_then_hooks_by_their_policy,
            t123_r209_r210_r211_policies_go_by_the_outcome_of_the_operation,
            t124_r204_a_second_sync_makes_another_object,
            t126_r212_a_policys_deletion_that_is_refused_fails_its_hook_and_not_the_operation,
            t127_r216_a_finalizer_that_cannot_be_removed_fails_its_hook_and_the_operation,
            t128_r214_a_manifest_that_has_the_finalizer_gets_no_second_one,
            t196_r214_r216_r308_an_old_hook_that_is_applied_over_gets_the_finalizer_again_and_loses_it_again;
            prunes:
            t28_r505_waves_of_prunes_go_backwards_and_each_is_gone_before_the_next,
            t30_r506_prune_last_of_the_operation_puts_every_prune_behind_the_last_wave,
            t31_r506_prune_last_of_one_object_leaves_the_others_in_their_order,
            t57_r504_r602_only_prunes_go_in_the_order_of_kinds_and_are_done_at_once,
            t58_r631_without_prune_nothing_is_deleted,
            t67_r633_r635_a_prune_that_is_refused_fails_its_group_before_anything_is_applied,
            t68_r1517_what_is_gone_before_its_prune_counts_as_pruned,
            t69_t70_r632_r704_what_the_live_object_says_of_its_pruning_beats_the_operation,
            t71_t72_r634_a_prune_that_wants_to_be_confirmed_waits_wherever_that_is_said,
            t73_r1518_nobody_is_asked_to_confirm_what_is_not_pruned,
            t74_r1518_an_unconfirmed_prune_does_not_keep_the_rest_from_being_validated,
            t77_r508_r619_what_is_already_going_is_not_deleted_again_and_the_next_group_waits_for_it,
            t83_r730_without_a_comparison_everything_is_applied,
            t84_t85_t87_r730_only_what_is_out_of_sync_is_applied_and_the_rest_is_named,
            t191_r418_r507_a_group_is_waited_for_with_its_prunes;
            requests:
            t18_t19_r302_a_hook_without_a_name_is_named_by_revision_phase_and_start,
            t25_r509_r512_a_definition_comes_before_a_hook_of_its_kind,
            t42_t43_r219_r405_r612_a_dry_pass_that_fails_leaves_everything_alone,
            t44_r612_r707_what_only_the_server_can_refuse_passes_the_dry_pass_and_starts_syncfail,
            t45_r612_a_dry_pass_that_succeeds_leaves_no_results,
            t47_t53_r515_r516_r517_a_missing_namespace_is_made_first_and_alone_and_its_result_stays,
            t48_r610_the_namespace_comes_before_the_dry_pass,
            t49_t50_r515_a_namespace_is_made_only_if_it_is_wanted_and_by_nobody_else,
            t52_r515_a_namespace_that_cannot_be_looked_for_fails_its_task_with_the_servers_sentence,
            t54_r405_r611_a_namespace_that_is_refused_ends_it_and_starts_no_syncfail,
            t146_t147_r801_r803_one_chosen_object_is_applied_and_no_hook_runs,
            t150_r804_what_is_chosen_and_does_not_exist_fails_nothing,
            t152_r813_the_strategy_apply_runs_everything_but_hooks,
            t185_r1210_of_one_identity_the_last_manifest_counts_and_generated_names_are_no_repeats,
            t197_r112_a_charts_test_is_never_created,
            t199_r702_an_option_that_nobody_knows_has_no_effect;
        }
    };
}
pub(crate) use each_row;
