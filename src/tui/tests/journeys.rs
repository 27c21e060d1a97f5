//! Keys in, wishes out: what a person does, without a terminal.

use super::play::{self, Play};
use crate::engine::session::{Answer, Ask, FailureKind, Waiting};
use crate::model::{HealthStatus, OperationPhase, ResultCode, TaskState};
use crate::operation::Event;
use crate::tui::app::{App, Begin, Effect, Msg};
use crate::tui::theme::Look;
use crate::tui::views::Leaving;

fn syncs(play: &Play) -> Vec<&crate::operation::Request> {
    play.asks.iter().filter_map(|ask| if let Ask::Sync { request } = ask { Some(request) } else { None }).collect()
}

fn terminates(play: &Play) -> usize {
    play.asks.iter().filter(|ask| matches!(ask, Ask::Terminate { .. })).count()
}

#[test]
fn opening_a_target_asks_for_a_plan_and_starts_nothing() {
    let mut play = Play::open(&play::orders(), &[]);
    assert!(matches!(play.asks[..], [Ask::Plan { .. }]));
    let screen = play.screen();
    assert!(screen.contains("PLANNED") && screen.contains("press s to sync"), "{screen}");
}

#[test]
fn no_single_key_changes_a_cluster() {
    let letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    for mut play in [Play::open(&play::orders(), &["extra"]), play::blocked_by_hook(), play::failed(), super::control::paused()] {
        for letter in letters.chars().map(String::from).chain(["enter", "space", "tab", "ctrl-k", "ctrl-z", "ctrl-d"].map(str::to_owned)) {
            play.press(&letter);
            let is_change = |ask: &Ask| {
                matches!(ask, Ask::Sync { .. } | Ask::Terminate { .. } | Ask::Approve { .. } | Ask::Resume { .. } | Ask::Delete { .. })
            };
            assert!(!play.asks.iter().any(is_change), "{letter}: {:?}", play.asks);
            play.press("esc esc esc esc");
        }
    }
}

#[test]
fn s_then_enter_syncs_with_what_was_shown() {
    let mut play = Play::open(&play::orders(), &["orders-flags"]);
    play.press("s enter");
    assert!(syncs(&play).is_empty(), "the plan is not there yet");
    play.answer_plan();
    play.press("space backtab backtab backtab backtab backtab backtab space y");
    let [request] = syncs(&play)[..] else { panic!("{:?}", play.asks) };
    assert!(request.prune && request.selection.is_none());
    assert_eq!(request.by, "alice");
    assert!(play.screen().contains("STARTING"));
}

/// Silence is worse than failure: since when is counted, also before there is a plan.
#[test]
fn what_takes_longer_than_expected_says_for_how_long() {
    let mut play = Play::open(&play::orders(), &[]);
    play.press(": 'plan enter");
    assert!(!play.screen().contains("PLANNING"), "it is mostly there at once");
    assert!(play.after(3.0).screen().contains("PLANNING  the plan is being made anew for 3.0s"), "{}", play.screen());
    let next = play.app.wake_at(play.now).expect("the seconds are counted");
    assert_eq!(next.duration_since(play.now).as_millis(), 1000);
    play.answer_plan();
    assert!(play.screen().contains("PLANNED"), "{}", play.screen());
    assert_eq!(play.app.wake_at(play.now), None);
    play.press("s").answer_plan();
    play.press("y");
    assert!(play.after(12.0).screen().contains("STARTING  the plan is being made for 12s"), "{}", play.screen());
    let waiting = Waiting { what: "the API server https://one".to_owned(), since: play.now };
    play.app.update(Msg::Answer(Answer::Waiting(Some(waiting))));
    assert!(play.after(7.0).screen().contains("STARTING  waiting 7.0s for the API server https://one"), "{}", play.screen());
}

#[test]
fn before_there_is_a_plan_the_screen_says_what_is_waited_for_and_for_how_long() {
    let mut play = Play::unplanned();
    assert!(play.screen().contains("OPENING  reading the manifests and asking the cluster what they would change"), "{}", play.screen());
    assert!(play.after(3.0).screen().contains("OPENING  reading the manifests and asking the cluster for 3.0s"), "{}", play.screen());
    let waiting = Waiting { what: "the credential plugin `log\u{1b}[31min` of context `one`".to_owned(), since: play.now };
    play.app.update(Msg::Answer(Answer::Waiting(Some(waiting))));
    let sentence = "waiting 9.0s for the credential plugin `login` of context `one`";
    assert!(play.after(9.0).screen().contains(sentence), "{}", play.screen());
    play.app.update(Msg::Answer(Answer::Waiting(None)));
    assert!(play.screen().contains("asking the cluster for 12s"), "{}", play.screen());
    play.answer_plan();
    assert!(play.screen().contains("PLANNED"), "{}", play.screen());
}

#[test]
fn esc_and_cancel_leave_everything_as_it_is() {
    let mut play = Play::open(&play::orders(), &[]);
    play.press("s").answer_plan();
    play.press("esc s").answer_plan();
    play.press("tab enter");
    assert!(syncs(&play).is_empty());
    assert!(!play.screen().contains("Cancel"));
}

#[test]
fn marked_rows_are_synced_without_hooks() {
    let mut play = Play::open(&play::orders(), &[]);
    play.press("2 j space space S").answer_plan();
    play.press("enter");
    let [request] = syncs(&play)[..] else { panic!("{:?}", play.asks) };
    let names: Vec<&str> = request.selection.as_ref().unwrap().iter().map(|selector| &*selector.name).collect();
    assert_eq!(names.len(), 2);
    assert!(
        matches!(play.asks.iter().rev().find(|ask| matches!(ask, Ask::Plan { .. })), Some(Ask::Plan { request }) if request.selection.is_some())
    );
}

#[test]
fn a_hook_cannot_be_synced_alone() {
    let mut play = Play::open(&play::orders(), &[]);
    play.press("j S");
    assert!(play.screen().contains("hooks do not run in a selective sync"), "{}", play.screen());
    assert!(!play.asks.iter().any(|ask| matches!(ask, Ask::Sync { .. })));
}

#[test]
fn the_cursor_follows_the_blocker_until_it_is_moved() {
    let mut play = play::blocked_by_deployment();
    let chosen = |play: &mut Play| play.screen().lines().find(|line| line.starts_with('▌')).unwrap().to_owned();
    assert!(chosen(&mut play).contains("orders-api") && chosen(&mut play).contains("Deployment"));
    play.press("j");
    assert!(chosen(&mut play).contains("orders-worker"));
    play.waiting(&["Deployment/orders-worker"]).waiting(&["Deployment/orders-api"]);
    assert!(chosen(&mut play).contains("orders-worker"));
    assert!(play.screen().contains("follow off"));
    play.press("F");
    assert!(chosen(&mut play).contains("orders-api"));
}

#[test]
fn the_log_of_a_blocking_deployment_is_asked_for_once() {
    let mut play = play::blocked_by_deployment();
    play.settle();
    play.settle();
    let follows: Vec<_> = play.asks.iter().filter(|ask| matches!(ask, Ask::Follow { key } if *key.name == *"orders-api")).collect();
    assert_eq!(follows.len(), 1);
}

#[test]
fn terminate_asks_and_its_harmless_button_is_chosen() {
    let mut play = play::blocked_by_hook();
    play.press("t enter");
    assert_eq!(terminates(&play), 0);
    play.press("ctrl-k tab enter");
    assert_eq!(terminates(&play), 1);
    play.press("t y");
    assert_eq!(terminates(&play), 2, "pressing it again is harmless and allowed until the engine says so");
    play.fact(Event::TerminateRequested { by: "alice".to_owned() });
    play.press("t");
    assert!(!play.screen().contains("Keep running"));
}

#[test]
fn a_deletion_that_wants_a_person_is_confirmed_in_a_dialog() {
    let mut play = Play::open(&play::orders(), &["old"]);
    play.press("A");
    assert!(play.screen().contains("no deletion waits"));
    let mut plan = (*play.plan).clone();
    for task in plan.tasks.iter_mut().filter(|task| task.is_prune()) {
        task.traits.options = vec!["Prune=confirm".to_owned()];
    }
    play.plan = std::sync::Arc::new(plan);
    play.start().waiting(&["ConfigMap/old"]);
    let screen = play.screen();
    assert!(screen.contains("A confirms: delete ConfigMap/old"), "{screen}");
    play.press("A enter");
    assert!(!play.asks.iter().any(|ask| matches!(ask, Ask::Approve { .. })), "the harmless button is chosen");
    play.press("A tab enter");
    assert!(matches!(play.asks.last(), Some(Ask::Approve { keys, by }) if *keys[0].name == *"old" && by == "alice"));
}

#[test]
fn without_an_operation_terminate_says_so() {
    let mut play = play::succeeded();
    play.press("t");
    assert!(play.screen().contains("nothing is running"));
}

#[test]
fn a_dialog_whose_operation_ends_closes_itself() {
    let mut play = play::blocked_by_hook();
    play.press("t");
    play.finish(OperationPhase::Succeeded, "done");
    let screen = play.screen();
    assert!(screen.contains("the operation has ended by itself") && !screen.contains("Keep running"), "{screen}");
}

#[test]
fn a_protected_context_wants_the_name_of_the_app() {
    let place = crate::engine::session::Place { protected: true, ..play::place() };
    let mut play = Play::with(App::new(Look::default()), &play::orders(), &[], place);
    play.press("s").answer_plan();
    play.press("enter");
    assert!(syncs(&play).is_empty());
    assert!(play.screen().contains("type orders-api"));
    play.press("'orders-api enter");
    assert_eq!(syncs(&play).len(), 1);
}

#[test]
fn read_only_greys_the_actions_out_and_says_why() {
    let place = crate::engine::session::Place { read_only: Some("started with --read-only".into()), ..play::place() };
    let mut play = Play::with(App::new(Look::default()), &play::orders(), &[], place);
    for key in ["s", "S", "t"] {
        play.press(key);
        let screen = play.screen();
        assert!(screen.contains("read-only: started with --read-only") && screen.contains("RO"), "{screen}");
    }
    assert!(syncs(&play).is_empty());
}

#[test]
fn quitting_while_a_sync_runs_asks_what_becomes_of_it() {
    let mut play = play::blocked_by_hook();
    play.press("q enter");
    assert!(play.others.is_empty());
    play.press("ctrl-c tab enter");
    assert!(matches!(play.others[..], [Effect::Leave(Leaving::Detached)]));
    play.press("ctrl-c backtab enter");
    assert!(matches!(play.others[..], [_, Effect::Leave(Leaving::Terminated)]));
}

#[test]
fn quitting_when_nothing_runs_asks_nothing() {
    let mut play = play::succeeded();
    play.press("esc");
    assert!(play.others.is_empty(), "esc alone does not leave the first screen");
    play.press("q");
    assert!(matches!(play.others[..], [Effect::Leave(Leaving::Now)]));
}

#[test]
fn a_filter_narrows_the_table_and_esc_clears_it() {
    let mut play = play::blocked_by_deployment();
    play.press("/ 'ingress enter");
    let screen = play.screen();
    assert!(screen.contains("/ingress") && !screen.contains("orders-worker"), "{screen}");
    play.press("esc");
    assert!(play.screen().contains("orders-worker"));
    play.press("/ '!orders");
    assert!(play.screen().contains("migrator") && !play.screen().contains("orders-worker"));
}

#[test]
fn problems_only_shows_what_failed() {
    let mut play = play::failed();
    play.press("ctrl-z");
    let screen = play.screen();
    assert!(screen.contains("db-migrate") && !screen.contains("migrator "), "{screen}");
}

#[test]
fn a_command_is_completed_or_corrected() {
    let mut play = play::succeeded();
    play.press(": 'hist tab enter");
    assert!(play.screen().contains("operations since the program started"));
    play.press("esc : 'snyc enter");
    assert!(play.screen().contains("did you mean `:sync`?"), "{}", play.screen());
    play.press(": 'q enter");
    assert!(matches!(play.others[..], [Effect::Leave(Leaving::Now)]));
}

#[test]
fn a_plan_can_be_looked_at_after_an_operation_and_esc_goes_back_to_it() {
    let mut play = play::succeeded();
    play.press(": 'plan enter").answer_plan();
    assert!(play.screen().contains("PLANNED"), "{}", play.screen());
    play.press("esc");
    assert!(play.screen().contains("SUCCEEDED"), "{}", play.screen());
}

#[test]
fn an_operation_of_the_past_is_read_only() {
    let mut play = play::failed();
    play.again("op-2");
    play.press("H j enter");
    let screen = play.screen();
    assert!(screen.contains("FAILED") && screen.contains("problems only"), "{screen}");
    play.press("s");
    assert!(play.screen().contains("an operation of the past"), "{}", play.screen());
    assert!(syncs(&play).is_empty());
}

#[test]
fn yaml_is_asked_for_and_shown_without_control_characters() {
    let mut play = play::blocked_by_deployment();
    play.press("y");
    let Some(Ask::Object { key }) = play.asks.last().cloned() else { panic!("{:?}", play.asks) };
    assert!(play.screen().contains("asking the cluster"));
    play.tell(Answer::Object { key, yaml: Ok("apiVersion: apps/v1\nname: \u{1b}[31mred\n".to_owned()) });
    let screen = play.screen();
    assert!(screen.contains("apiVersion: apps/v1") && !screen.contains('\u{1b}'), "{screen}");
}

#[test]
fn a_plan_that_cannot_be_made_at_the_start_ends_the_program_with_its_report() {
    let mut play = Play::open(&[], &[]);
    let mut app = App::new(Look::default());
    app.open("broken/".to_owned(), Default::default(), Begin::Nothing);
    app.take_effects();
    app.update(crate::tui::app::Msg::Answer(Answer::Failed { kind: FailureKind::Usage, report: "no such folder".to_owned() }));
    assert!(matches!(&app.take_effects()[..], [Effect::Fail { kind: FailureKind::Usage, report }] if report == "no such folder"));
    play.press("s").tell(Answer::Failed { kind: FailureKind::Usage, report: "line 3: broken\n  ^".to_owned() });
    assert!(play.screen().contains("line 3: broken"), "{}", play.screen());
    assert!(play.others.is_empty());
}

#[test]
fn a_typed_sync_starts_by_itself_except_where_it_is_protected() {
    for (protected, count) in [(false, 1), (true, 0)] {
        let place = crate::engine::session::Place { protected, ..play::place() };
        let mut play = Play::with(App::new(Look::default()), &play::orders(), &[], place);
        play.app.open("deploy/".to_owned(), Default::default(), Begin::Sync);
        play.asks.clear();
        play.answer_plan();
        assert_eq!(syncs(&play).len(), count);
    }
}

#[test]
fn the_gallery_plays_the_chosen_story_and_esc_goes_back_to_it() {
    let mut app = play::gallery();
    app.settle(jiff::Timestamp::UNIX_EPOCH, ratatui::layout::Size::new(80, 24));
    let enter = crossterm::event::KeyEvent::from(crossterm::event::KeyCode::Enter);
    app.update(crate::tui::app::Msg::Terminal(crossterm::event::Event::Key(enter)));
    assert!(matches!(app.take_effects()[..], [Effect::OpenStory(0)]));
    let mut play = Play::with(app, &play::orders(), &[], play::place());
    play.start();
    play.press("esc");
    assert!(play.screen().contains("Leave?"), "a running story is not left by accident");
    play.press("esc").finish(OperationPhase::Succeeded, "done");
    play.press("esc");
    assert!(matches!(play.others[..], [Effect::CloseSession]));
    assert!(play.screen().contains("choose a story"));
}

#[test]
fn rail_and_numbers_are_those_of_the_core_after_every_fact() {
    for mut play in [play::blocked_by_deployment(), play::failed(), play::succeeded(), play::terminated()] {
        play.settle();
        let board = play.app.model.operations().next().unwrap();
        let operation = board.operation().unwrap();
        assert_eq!(board.rail(), operation.rail());
        assert_eq!(board.counts(), operation.counts());
    }
}

#[test]
fn a_changed_row_is_counted_once() {
    let mut play = play::blocked_by_deployment();
    for (status, state) in [
        (HealthStatus::Degraded, TaskState::Failed),
        (HealthStatus::Progressing, TaskState::Running),
        (HealthStatus::Healthy, TaskState::Succeeded),
    ] {
        play.health("Deployment/orders-api", status, "x");
        let task = play.task("Deployment/orders-api");
        play.fact(Event::TaskChanged { task, code: ResultCode::Synced, state, message: String::new() });
        play.settle();
        let board = play.app.model.operations().next().unwrap();
        assert_eq!(board.rail(), board.operation().unwrap().rail());
        assert_eq!(board.counts(), board.operation().unwrap().counts());
    }
}

#[test]
fn nothing_wakes_the_loop_when_nothing_runs() {
    let mut play = play::succeeded();
    play.settle();
    assert_eq!(play.app.wake_at(play.now), None);
    let mut play = play::blocked_by_hook();
    play.settle();
    let wake = play.app.wake_at(play.now).unwrap();
    assert!(wake > play.now && wake.duration_since(play.now) <= jiff::SignedDuration::from_secs(1));
}

#[test]
fn a_line_of_a_hidden_log_does_not_cause_a_frame() {
    let mut play = play::blocked_by_deployment();
    play.settle();
    let line = |play: &Play, name: &str| crate::operation::LogLine {
        operation: "op-1".into(),
        task: play.task(name),
        pod: "p".into(),
        container: "app".into(),
        attempt: 1,
        pod_attempt: 1,
        at: play.now,
        log_time: None,
        content: crate::operation::LogContent::Line { text: b"x".as_slice().into(), continued: false },
    };
    let hidden = line(&play, "Job/db-migrate");
    assert!(!play.app.update(crate::tui::app::Msg::Lines(&mut vec![hidden])));
    let seen = line(&play, "Deployment/orders-api");
    assert!(play.app.update(crate::tui::app::Msg::Lines(&mut vec![seen])));
}

#[test]
fn text_from_the_cluster_never_controls_the_terminal() {
    let mut play = play::blocked_by_hook();
    play.change("Job/db-migrate", TaskState::Running, "evil \u{1b}]0;owned\u{7} message\u{202e}");
    play.warning("Job/db-migrate", "pod\u{1b}[2J", "Bad\u{9b}", "more \u{1b}[31m", 1);
    play.print("Job/db-migrate", "db-migrate-9kq2p", 1, &["\u{1b}[2Jwiped", "a\u{202e}b"]);
    for keys in ["", "d", "l", "e", "t"] {
        play.press(keys);
        for (width, height) in [(60, 20), (80, 24), (120, 35), (200, 50)] {
            let screen = play.at(width, height);
            assert!(screen.chars().all(|found| found == '\n' || !found.is_control() && found != '\u{202e}'), "{screen}");
        }
        play.press("esc");
    }
}
