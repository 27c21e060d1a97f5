//! What a person does with an operation beside starting and ending it: choices before a sync, pauses, attempts, stalls, limits, dry runs.

use std::time::Duration;

use insta::assert_snapshot;
use jiff::SignedDuration;

use super::play::{self, Play};
use crate::engine::session::{Ask, Place};
use crate::model::{ContainerState, OperationPhase, Options, Phase, ResultCode, TaskState, Wave};
use crate::operation::{Breakpoint, Event, Limits, Request, Retry};
use crate::plan::Hooks;

fn at_sizes(name: &str, play: &mut Play) {
    for (width, height) in [(60, 20), (80, 24), (120, 35)] {
        assert_snapshot!(format!("{name}_{width}x{height}"), play.at(width, height));
    }
}

fn request() -> Request {
    Request { by: "alice".to_owned(), ..Request::default() }
}

fn synced(play: &Play) -> Option<&Request> {
    play.asks.iter().rev().find_map(|ask| if let Ask::Sync { request } = ask { Some(request) } else { None })
}

fn plans(play: &Play) -> usize {
    play.asks.iter().filter(|ask| matches!(ask, Ask::Plan { .. })).count()
}

/// Opens the dialog of everything, with its plan.
fn dialog() -> Play {
    let mut play = Play::open(&play::orders(), &["orders-flags"]);
    play.press("s").answer_plan();
    play
}

/// Opens it and goes to the switch with this label.
fn at_switch(tabs: usize) -> Play {
    let mut play = dialog();
    for _ in 0..tabs {
        play.press("tab");
    }
    play
}

/// From the button to a switch: Sync, Cancel, then the switches in order.
const HOOKS: usize = 2;
const PRUNE: usize = 3;
const DRY_RUN: usize = 4;
const FORCE: usize = 5;
const REPLACE: usize = 6;
const SERVER_SIDE: usize = 7;
const NAMESPACE: usize = 8;

#[test]
fn every_switch_of_the_sync_dialog_does_what_its_name_says() {
    for (tabs, expected, plans_anew) in [
        (HOOKS, Request { hooks: Hooks::Never, ..request() }, true),
        (PRUNE, Request { prune: true, ..request() }, false),
        (DRY_RUN, Request { dry_run: true, ..request() }, false),
        (SERVER_SIDE, Request { options: Options::new(["ServerSideApply=true".to_owned()]), ..request() }, true),
        (NAMESPACE, Request { options: Options::new(["CreateNamespace=true".to_owned()]), ..request() }, true),
    ] {
        let mut play = at_switch(tabs);
        let before = plans(&play);
        play.press("space");
        assert_eq!(plans(&play) > before, plans_anew, "{expected:?}");
        if plans_anew {
            play.press("y");
            assert_eq!(synced(&play), None, "what is confirmed is what was shown");
            play.answer_plan();
        }
        play.press("y");
        assert_eq!(synced(&play), Some(&expected));
    }
}

#[test]
fn force_and_replace_are_confirmed_a_second_time_and_a_held_key_does_not_do_it() {
    for (tabs, expected) in [
        (FORCE, Request { force: true, ..request() }),
        (REPLACE, Request { options: Options::new(["Replace=true".to_owned()]), ..request() }),
    ] {
        let mut play = at_switch(tabs);
        play.press("space").answer_plan();
        play.press("y y y y enter y enter y");
        assert_eq!(synced(&play), None);
        let screen = play.screen();
        assert!(screen.contains("Really?") && screen.contains("[›Back‹]"), "{screen}");
        play.press("right enter");
        assert_eq!(synced(&play), Some(&expected));
    }
}

#[test]
fn a_dry_run_with_force_needs_no_second_yes() {
    let mut play = at_switch(DRY_RUN);
    play.press("space tab space").answer_plan();
    assert!(play.screen().contains("[ Dry run ]"), "{}", play.screen());
    play.press("y");
    assert!(synced(&play).is_some_and(|request| request.dry_run && request.force));
}

#[test]
fn a_dangerous_request_opens_with_the_harmless_button() {
    let mut play = Play::open(&play::orders(), &[]);
    play.app.model.request.force = true;
    play.press("s").answer_plan();
    let screen = play.screen();
    assert!(screen.contains("[›Cancel‹]") && screen.contains("[ Sync with force ]"), "{screen}");
    play.press("enter");
    assert_eq!(synced(&play), None);
}

#[test]
fn everything_is_deleted_only_after_a_second_yes() {
    let mut play = Play::open(&[], &["a", "b"]);
    play.press("s").answer_plan();
    play.press("tab tab tab space y");
    assert_eq!(synced(&play), None);
    let screen = play.screen();
    assert!(screen.contains("EVERYTHING of the app is deleted: 2 objects"), "{screen}");
    play.press("tab enter");
    assert!(synced(&play).is_some_and(|request| request.prune));
}

#[test]
fn the_sync_dialog_with_everything_in_force() {
    let mut play = Play::open(&play::orders(), &["orders-flags"]);
    play.app.model.request = Request {
        retry: Retry { limit: Some(3), ..Retry::default() },
        limits: Limits { hook: Some(Duration::from_secs(120)), operation: Some(Duration::from_secs(3600)), phase: None },
        pause_before: vec![Breakpoint::parse("PostSync").unwrap()],
        options: Options::new(["PruneLast=true".to_owned(), "Replace=true".to_owned()]),
        wave_delay: Duration::from_secs(2),
        ..request()
    };
    play.press("s").answer_plan();
    at_sizes("sync_dialog_full", &mut play);
    play.press("backtab backtab backtab backtab backtab");
    assert!(play.at(60, 20).contains("[ ] write NOTHING"), "the chosen field stays in sight: {}", play.screen());
    play.press("backtab backtab backtab backtab backtab backtab backtab enter");
    assert_snapshot!("sync_dialog_second_question", play.at(80, 24));
}

#[test]
fn the_hooks_of_a_selective_sync_can_be_switched_on() {
    let mut play = Play::open(&play::orders(), &[]);
    play.press("2 j space space S").answer_plan();
    assert!(play.screen().contains("Selective sync, without hooks"), "{}", play.screen());
    play.press("tab tab tab space").answer_plan();
    assert!(play.screen().contains("Selective sync, with hooks"), "{}", play.screen());
    play.press("y");
    assert!(synced(&play).is_some_and(|request| request.hooks == Hooks::Always && request.selection.is_some()));
}

#[test]
fn a_closed_window_is_said_in_the_dialog_and_nothing_is_asked_for() {
    let mut play = Play::open(&play::orders(), &[]);
    let window = "the deny window `0 8 * * *` for 2h is active; syncs are possible from 2026-03-01 10:00 UTC";
    play.blocked = Some(format!("cannot sync: blocked by sync window: {window}"));
    play.press("s").answer_plan();
    for (width, height) in [(80, 24), (120, 35)] {
        let screen = play.at(width, height);
        assert!(
            screen.contains("NOT NOW") && screen.contains("syncs are possible from 2026-03-01 10:00"),
            "when it opens is said: {screen}"
        );
    }
    play.press("enter");
    assert_eq!(synced(&play), None);
    assert!(play.screen().contains("cannot sync: blocked by sync window"), "{}", play.screen());
}

/// It has stopped before PostSync.
pub(super) fn paused() -> Play {
    let mut play = play::blocked_by_hook();
    play.change("Job/db-migrate", TaskState::Succeeded, "").wave_done(Phase::PreSync, 0).phase_done(Phase::PreSync, TaskState::Succeeded);
    play.fact(Event::Waiting { message: String::new(), on: Vec::new() });
    play.fact(Event::Paused { phase: Phase::Sync, wave: Wave(-1) }).after(12.0);
    play
}

#[test]
fn a_pause_is_asked_for_at_once_and_the_same_key_takes_the_wish_back() {
    let mut play = play::blocked_by_hook();
    play.press("z");
    assert!(matches!(play.asks.last(), Some(Ask::Pause { by }) if by == "alice"));
    play.fact(Event::PauseRequested { by: "alice".to_owned() });
    assert!(play.screen().contains("pause, then Sync wave -1") && play.screen().contains("takes that back"), "{}", play.screen());
    play.press("z");
    assert!(matches!(play.asks.last(), Some(Ask::DropPause { .. })), "never a resume: the pause may have come meanwhile");
}

#[test]
fn a_paused_operation_says_so_and_goes_on_only_after_a_dialog() {
    let mut play = paused();
    at_sizes("paused", &mut play);
    play.press("z");
    at_sizes("resume_dialog", &mut play);
    play.press("enter");
    assert!(!play.asks.iter().any(|ask| matches!(ask, Ask::Resume { .. })), "the harmless button is chosen");
    play.press("z tab enter");
    assert!(matches!(play.asks.last(), Some(Ask::Resume { by }) if by == "alice"));
}

#[test]
fn what_was_said_about_a_pause_goes_when_the_pause_has_come() {
    let mut play = play::blocked_by_hook();
    play.press("z").fact(Event::PauseRequested { by: "alice".to_owned() });
    assert!(play.screen().contains("takes that back"), "{}", play.screen());
    play.fact(Event::Paused { phase: Phase::Sync, wave: Wave(-1) });
    assert!(!play.screen().contains("takes that back"), "{}", play.screen());
}

#[test]
fn the_resume_dialog_closes_when_the_operation_goes_on_by_itself() {
    let mut play = paused();
    play.press("z").fact(Event::Resumed { by: "SIGUSR1".to_owned() });
    let screen = play.screen();
    assert!(screen.contains("not paused there any more") && !screen.contains("Stay paused"), "{screen}");
}

#[test]
fn going_on_in_a_protected_context_wants_the_name_of_the_app() {
    let mut play = paused();
    play.app.model.place = Some(Place { protected: true, ..play::place() });
    play.press("z tab enter");
    assert!(!play.asks.iter().any(|ask| matches!(ask, Ask::Resume { .. })));
    play.press("tab 'orders-api enter");
    assert!(matches!(play.asks.last(), Some(Ask::Resume { .. })), "{}", play.screen());
}

#[test]
fn there_is_no_pause_where_nothing_is_left_to_pause_before() {
    let mut play = Play::open(&play::orders(), &[]);
    play.press("z");
    assert!(play.screen().contains("nothing is running"), "{}", play.screen());
    let mut play = play::succeeded();
    play.press("z");
    assert!(play.screen().contains("nothing is running"), "{}", play.screen());
    let mut play = play::blocked_by_hook();
    play.fact(Event::TerminateRequested { by: "alice".to_owned() }).press("z");
    assert!(play.screen().contains("is ending"), "{}", play.screen());
    assert!(!play.asks.iter().any(|ask| matches!(ask, Ask::Pause { .. })));
}

#[test]
fn a_paused_operation_is_not_left_alone() {
    for mut play in [paused(), {
        let mut play = Play::open(&play::orders(), &[]);
        play.start_with(Request { pause_before: vec![Breakpoint::parse("PostSync").unwrap()], ..request() });
        play
    }] {
        play.press("ctrl-c tab enter");
        assert!(play.others.is_empty());
        assert!(play.screen().contains("nobody would be there"), "{}", play.screen());
        play.press("tab enter");
        assert!(!play.others.is_empty(), "terminating is possible");
    }
}

/// The first attempt has failed; the second begins in a moment.
fn retrying() -> Play {
    let mut play = Play::open(&play::orders(), &[]);
    play.start_with(Request { retry: Retry { limit: Some(3), ..Retry::default() }, ..request() });
    play.after(0.1).wave(Phase::PreSync, -1).done("ServiceAccount/migrator", "serviceaccount/migrator created");
    play.after(0.3).wave_done(Phase::PreSync, -1).wave(Phase::PreSync, 0).apply("Job/db-migrate", "job.batch/db-migrate created");
    play.open_log("Job/db-migrate", "db-migrate-9kq2p", 1).print("Job/db-migrate", "db-migrate-9kq2p", 1, &["FATAL no database"]);
    let exit = ContainerState::Terminated { exit_code: 1, reason: "Error".to_owned(), at: None };
    play.pod("Job/db-migrate", "db-migrate-9kq2p", "Failed", exit).after(7.6);
    play.change("Job/db-migrate", TaskState::Failed, "Job has reached the specified backoff limit");
    play.wave_done(Phase::PreSync, 0).phase_done(Phase::PreSync, TaskState::Failed);
    let message = "one or more synchronization tasks completed unsuccessfully";
    play.fact(Event::Concluded { phase: OperationPhase::Failed, message: message.to_owned(), cleanup: None });
    let at = play.now + SignedDuration::from_secs(37);
    play.fact(Event::RetryScheduled { attempt: 2, at, message: format!("{message}. Retrying attempt #1 at 12:04PM.") });
    play
}

/// The second attempt runs.
pub(super) fn second_attempt() -> Play {
    let mut play = retrying();
    play.after(37.0).fact(Event::AttemptStarted { attempt: 2 }).fact(Event::DryPassFinished);
    play.wave(Phase::PreSync, -1).done("ServiceAccount/migrator", "serviceaccount/migrator unchanged").wave_done(Phase::PreSync, -1);
    play.wave(Phase::PreSync, 0).apply("Job/db-migrate", "job.batch/db-migrate created").waiting(&["Job/db-migrate"]).after(3.0);
    play
}

#[test]
fn a_retry_counts_down_and_terminating_it_says_what_stops() {
    let mut play = retrying();
    at_sizes("retrying", &mut play);
    play.press("t");
    assert_snapshot!("terminate_dialog_retry", play.at(80, 24));
    play.after(10.0);
    assert!(play.screen().contains("the 27s retry: attempt 2 will not start"), "{}", play.screen());
}

#[test]
fn the_present_attempt_is_on_the_screen_and_the_others_are_one_key_away() {
    let mut play = second_attempt();
    at_sizes("second_attempt", &mut play);
    play.press("p");
    at_sizes("attempts", &mut play);
    play.press("tab enter");
    assert!(play.at(80, 24).contains("[›Close‹]"), "the whole message: {}", play.screen());
    play.press("esc g p j j enter");
    assert!(play.screen().contains("no database") || play.screen().contains("migrator"), "{}", play.screen());
    play.press("esc esc d");
    let screen = play.screen();
    assert!(screen.contains("attempt 1") && screen.contains("Failed after 7.6s"), "{screen}");
}

#[test]
fn without_an_earlier_attempt_there_is_none_to_look_at() {
    let mut play = play::blocked_by_hook();
    play.press("p");
    assert!(play.screen().contains("this is the first attempt"), "{}", play.screen());
}

#[test]
fn the_last_lines_tell_of_earlier_attempts() {
    let mut play = second_attempt();
    play.finish(OperationPhase::Succeeded, "successfully synced (all tasks run)").settle();
    let lines = crate::tui::summary::lines(&play.app.model).join("\n");
    assert!(lines.contains("attempt 1 failed after 8.0s: one or more synchronization tasks"), "{lines}");
}

#[test]
fn after_the_last_attempt_the_earlier_ones_are_among_the_next_moves() {
    let mut play = second_attempt();
    play.change("Job/db-migrate", TaskState::Failed, "Job has reached the specified backoff limit");
    play.finish(OperationPhase::Failed, "one or more synchronization tasks completed unsuccessfully (retried 1 times).");
    assert!(play.at(80, 24).contains("p earlier attempts"), "{}", play.screen());
}

#[test]
fn an_earlier_attempt_costs_no_walk_over_its_results() {
    let mut play = second_attempt();
    play.press("p G");
    let last = play.screen();
    assert!(last.contains("db-migrate"), "{last}");
    play.press("g tab");
    let chosen = play.screen().lines().find(|line| line.starts_with('▌')).unwrap().to_owned();
    assert!(chosen.contains("attempt 1/4"), "{chosen}");
}

#[test]
fn a_stall_is_seen_with_what_can_be_done() {
    let mut play = play::blocked_by_hook();
    let since = play.now;
    play.after(300.0).fact(Event::Stalled { since });
    at_sizes("stall", &mut play);
    assert!(play.at(200, 50).contains("no change for 5m"), "{}", play.screen());
    play.pod("Job/db-migrate", "db-migrate-9kq2p", "Succeeded", ContainerState::Running { since: None });
    assert!(!play.at(80, 24).contains("no change for"), "{}", play.screen());
}

#[test]
fn a_limit_of_time_is_counted_down_beside_what_it_limits() {
    let mut play = Play::open(&play::orders(), &[]);
    let limits = Limits { hook: Some(Duration::from_secs(130)), operation: Some(Duration::from_secs(600)), phase: None };
    play.start_with(Request { limits, ..request() }).after(0.1);
    play.wave(Phase::PreSync, -1).done("ServiceAccount/migrator", "serviceaccount/migrator created").wave_done(Phase::PreSync, -1);
    assert!(play.at(80, 24).contains("limit of the operation in 9m59s"), "{}", play.screen());
    play.wave(Phase::PreSync, 0).apply("Job/db-migrate", "job.batch/db-migrate created").waiting(&["Job/db-migrate"]).after(5.0);
    play.change("Job/db-migrate", TaskState::Running, "");
    assert!(play.at(80, 24).contains("limit of the hook in 2m05s"), "{}", play.screen());
    assert!(play.at(200, 50).contains("hook in 2m05s · operation in 9m54s"), "{}", play.screen());
}

/// A dry run that has ended.
fn dry_run() -> Play {
    let mut play = Play::open(&play::orders(), &[]);
    play.start_with(Request { dry_run: true, ..request() }).after(0.2);
    let tasks: Vec<_> = play.plan.tasks.iter().filter(|task| task.id.phase != Phase::SyncFail).map(|task| task.id.clone()).collect();
    for task in tasks {
        let message = format!("{}/{} created (dry run)", task.key.kind.to_lowercase(), task.key.name);
        play.fact(Event::TaskChanged { task, code: ResultCode::Synced, state: TaskState::Succeeded, message });
    }
    play
}

#[test]
fn a_dry_run_is_never_taken_for_a_sync() {
    let mut play = dry_run();
    assert!(play.at(80, 24).contains("DRY RUN"), "{}", play.screen());
    play.finish(OperationPhase::Succeeded, "successfully synced (no more tasks)").after(2.0);
    at_sizes("dry_run", &mut play);
    for (width, height) in [(40, 12), (60, 20), (80, 24), (120, 35), (200, 50)] {
        let screen = play.at(width, height);
        assert!(screen.to_lowercase().contains("dry run"), "{screen}");
    }
    let screen = play.screen();
    assert!(!screen.contains("settling") && !screen.contains("Healthy"), "{screen}");
}

#[test]
fn a_dialog_says_its_sentences_to_their_end_where_there_is_room() {
    let mut play = play::blocked_by_hook();
    let why = "Waiting for the controller of a rather talkative operator to finish what it is doing with the database now";
    play.health("Job/db-migrate", crate::model::HealthStatus::Progressing, why);
    play.fact(Event::ClusterLost { since: play.now });
    play.after(90.0).press("ctrl-k");
    assert!(play.at(80, 24).contains("│           answered for 1m30s "), "{}", play.screen());
    assert!(play.at(40, 12).contains("[›Keep running‹]"), "{}", play.screen());
}

#[test]
fn the_last_line_says_that_the_cluster_is_not_heard_of_and_that_it_is_again() {
    let mut play = play::blocked_by_hook();
    for _ in 0..2 {
        let since = play.now;
        play.after(15.0).fact(Event::ClusterLost { since });
        assert!(play.at(120, 35).contains(" ○ the API server has not answered for 15s "), "{}", play.screen());
        play.after(5.0).fact(Event::ClusterBack { since });
        assert!(play.at(120, 35).contains(" ✔ the API server answers again, after 20s "), "{}", play.screen());
    }
}

#[test]
fn the_name_that_ends_a_protected_operation_is_typed_where_it_is_seen() {
    let mut play = play::blocked_by_hook();
    play.app.model.place = Some(Place { protected: true, ..play::place() });
    play.press("ctrl-k tab tab");
    assert!(play.at(40, 12).contains("type orders-api"), "{}", play.screen());
}
