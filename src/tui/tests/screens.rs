//! What a person sees, at the sizes of the design.

use insta::assert_snapshot;

use super::play::{self, Play};
use crate::model::{OperationPhase, Phase, TaskState};
use crate::plan::impact::sentence::{Cause, Roll};
use crate::plan::impact::{Family, Impact};

fn at_all_sizes(name: &str, play: &mut Play) {
    for (width, height) in [(60, 20), (80, 24), (120, 35), (200, 50)] {
        assert_snapshot!(format!("{name}_{width}x{height}"), play.at(width, height));
    }
}

#[test]
fn a_deployment_holds_the_sync_up() {
    at_all_sizes("deployment", &mut play::blocked_by_deployment());
}

#[test]
fn a_hook_holds_the_sync_up() {
    at_all_sizes("hook", &mut play::blocked_by_hook());
}

#[test]
fn a_failed_sync_says_why_and_what_next() {
    at_all_sizes("failed", &mut play::failed());
}

#[test]
fn a_succeeded_sync() {
    at_all_sizes("succeeded", &mut play::succeeded());
}

#[test]
fn a_terminated_sync() {
    at_all_sizes("terminated", &mut play::terminated());
}

#[test]
fn a_plan_before_anything_runs() {
    at_all_sizes("plan", &mut Play::open(&play::orders(), &["orders-flags"]));
}

#[test]
fn an_empty_plan() {
    assert_snapshot!(Play::open(&[], &[]).at(80, 24));
}

#[test]
fn slivers_and_lines() {
    let mut play = play::blocked_by_deployment();
    assert_snapshot!("sliver_40x12", play.at(40, 12));
    assert_snapshot!("line_80x5", play.at(80, 5));
    assert_snapshot!("line_20x5", play.at(20, 5));
}

#[test]
fn only_ascii() {
    let mut play = play::blocked_by_deployment();
    play.app.model.theme = crate::tui::theme::Theme::new(crate::tui::theme::Look { ascii: true, monochrome: true });
    let screen = play.at(80, 24);
    assert!(screen.is_ascii(), "{screen}");
    assert_snapshot!(screen);
}

#[test]
fn the_sync_dialog() {
    let mut play = Play::open(&play::orders(), &["orders-flags"]);
    play.press("s");
    assert_snapshot!("sync_dialog_planning", play.at(80, 24));
    play.answer_plan();
    assert_snapshot!("sync_dialog", play.at(80, 24));
}

/// What goes along is said where the person says yes, and how much of it depends on the switches.
#[test]
fn the_sync_dialog_says_what_happens_beyond_the_objects() {
    let mut play = Play::open(&play::orders(), &["orders-flags"]);
    let family = |pods| Family { counts: [("Pod".to_owned(), pods)].into(), ..Family::default() };
    play.effects = vec![
        ("orders-api", Impact::Rolls { cause: Cause::Image, pods: Some(3), how: Roll::Rolling { surge: 1, down: 0 } }),
        ("orders-flags", Impact::Deletes { family: family(7), is_off: true }),
    ];
    play.press("s");
    play.answer_plan();
    let line = |play: &mut Play| {
        let screen = play.at(80, 24);
        screen.lines().find_map(|line| Some(line.split_once("effects")?.1.split('│').next()?.trim().to_owned()))
    };
    assert_eq!(line(&mut play).as_deref(), Some("3 pods roll"));
    play.press("tab tab tab space");
    assert_eq!(line(&mut play).as_deref(), Some("3 pods roll, 1 object is deleted with 7 children"));
    assert_snapshot!("sync_dialog_effects", play.at(80, 24));
    play.press("tab space");
    assert_eq!(line(&mut play), None, "a dry run does nothing");
}

#[test]
fn the_dialog_of_a_selective_sync() {
    let mut play = Play::open(&play::orders(), &[]);
    play.press("2 j j space space S");
    play.answer_plan();
    assert_snapshot!(play.at(80, 24));
}

#[test]
fn the_terminate_dialog_over_a_waiting_deployment() {
    let mut play = play::blocked_by_deployment();
    play.press("ctrl-k");
    assert_snapshot!(play.at(80, 24));
}

#[test]
fn the_terminate_dialog_over_a_running_hook() {
    let mut play = play::blocked_by_hook();
    play.press("t");
    assert_snapshot!(play.at(80, 24));
}

#[test]
fn the_dialog_before_leaving_a_running_sync() {
    let mut play = play::blocked_by_hook();
    play.press("ctrl-c");
    assert_snapshot!(play.at(80, 24));
}

#[test]
fn the_help_of_the_sync_screen() {
    let mut play = play::blocked_by_hook();
    play.press("?");
    at_all_sizes("help", &mut play);
}

#[test]
fn the_details_of_a_hook() {
    let mut play = play::failed();
    play.press("d");
    assert_snapshot!(play.at(80, 24));
}

#[test]
fn the_operations_since_the_start() {
    let mut play = play::failed();
    play.again("op-2").press("H");
    assert_snapshot!(play.at(80, 24));
}

#[test]
fn the_log_of_a_hook_on_the_whole_screen() {
    let mut play = play::failed();
    play.press("l");
    assert_snapshot!(play.at(80, 24));
}

#[test]
fn the_gallery() {
    let mut app = play::gallery();
    let (area, now) = (ratatui::layout::Rect::new(0, 0, 80, 24), jiff::Timestamp::UNIX_EPOCH);
    app.settle(now, area.as_size());
    let mut buffer = ratatui::buffer::Buffer::empty(area);
    app.draw(area, &mut buffer);
    assert_snapshot!(play::text(&buffer));
}

#[test]
fn the_last_lines_in_the_scrollback() {
    for (name, mut play) in
        [("summary_failed", play::failed()), ("summary_succeeded", play::succeeded()), ("summary_terminated", play::terminated())]
    {
        play.settle();
        let lines = crate::tui::summary::lines(&play.app.model);
        assert!((4..=10).contains(&lines.len()), "{lines:?}");
        assert_snapshot!(name, lines.join("\n"));
    }
}

#[test]
fn drawing_twice_gives_the_same_picture() {
    for mut play in [play::blocked_by_deployment(), play::failed(), Play::open(&play::orders(), &[])] {
        assert_eq!(play.buffer(), play.buffer());
    }
}

/// One letter for each cell: what it is for, by colour; capitals are bold, `#` is reversed.
fn colours(buffer: &ratatui::buffer::Buffer) -> String {
    use ratatui::style::{Color, Modifier};
    let letter = |cell: &ratatui::buffer::Cell| {
        let letter = match cell.fg {
            Color::Red => 'r',
            Color::Green => 'g',
            Color::Yellow => 'y',
            Color::Blue => 'b',
            Color::Cyan => 'c',
            Color::Magenta => 'm',
            Color::DarkGray => 'd',
            _ => '.',
        };
        match cell.modifier {
            modifier if modifier.contains(Modifier::REVERSED) => '#',
            _ if cell.symbol() == " " => ' ',
            modifier if modifier.contains(Modifier::BOLD) && letter == '.' => ':',
            modifier if modifier.contains(Modifier::BOLD) => letter.to_ascii_uppercase(),
            _ => letter,
        }
    };
    let width = usize::from(buffer.area.width);
    let rows: Vec<String> =
        buffer.content.chunks(width).map(|row| row.iter().map(letter).collect::<String>().trim_end().to_owned()).collect();
    rows.join("\n")
}

#[test]
fn red_is_only_what_failed_and_green_is_quiet() {
    for (name, mut play) in [("colours_deployment", play::blocked_by_deployment()), ("colours_failed", play::failed())] {
        play.app.model.theme = crate::tui::theme::Theme::new(crate::tui::theme::Look { ascii: false, monochrome: false });
        play.resize(80, 24);
        assert_snapshot!(name, colours(&play.buffer()));
    }
}

#[test]
fn a_mark_and_a_chosen_row_are_seen_without_colour() {
    let mut play = Play::open(&play::orders(), &[]);
    play.press("2 j space");
    let screen = play.at(80, 24);
    assert!(screen.lines().any(|line| line.starts_with(" ○*")), "{screen}");
    assert!(screen.lines().any(|line| line.starts_with('▌')), "{screen}");
    assert!(screen.contains("1 marked"), "{screen}");
}

#[test]
fn an_event_that_repeats_is_shown_once_with_its_count() {
    let mut play = play::blocked_by_deployment();
    play.warning("Deployment/orders-api", "orders-api-7d9f6-x2x1m", "Unhealthy", "Readiness probe failed: 503", 10);
    play.press("e");
    let screen = play.at(120, 35);
    assert!(screen.contains("×10") && !screen.contains("×9"), "{screen}");
}

#[test]
fn the_help_of_the_log_and_of_the_details() {
    for (name, keys) in [("help_logs", "l ?"), ("help_details", "d ?")] {
        let mut play = play::failed();
        play.press(keys);
        assert_snapshot!(name, play.at(120, 35));
    }
}

#[test]
fn an_enormous_sentence_is_short_in_list_and_verdict_and_whole_in_the_details() {
    let mut play = Play::open(&play::orders(), &[]);
    let sentence = format!("admission webhook \"policy.example\" denied the request: {}the last rule", "rule 17 is broken; ".repeat(500));
    play.start().wave(Phase::PreSync, -1).apply("ServiceAccount/migrator", "serviceaccount/migrator created");
    play.change("ServiceAccount/migrator", TaskState::Failed, &sentence).after(1.0);
    play.finish(OperationPhase::Failed, "one or more synchronization tasks completed unsuccessfully").after(1.0);
    for (width, height) in [(60, 20), (80, 24), (120, 35), (200, 50)] {
        let screen = play.at(width, height);
        assert!(screen.contains("admission") && screen.matches("rule 17").count() < 25, "{screen}");
    }
    assert!(play.app.model.operations().next().unwrap().verdict().text.ends_with("the last rule. Nothing in Sync was applied"));
    let lines = crate::tui::summary::lines(&play.app.model);
    assert!(lines.iter().all(|line| line.chars().count() < 600), "{lines:?}");
    play.resize(80, 24).press("b d G");
    assert!(play.at(80, 24).contains("no pods"), "{}", play.screen());
    play.press("g");
    assert!(play.at(80, 24).contains("message       admission webhook"), "{}", play.screen());
    let mut read = String::new();
    for _ in 0..300 {
        read += play.screen().lines().nth(2).unwrap().trim();
        read += " ";
        play.press("j");
    }
    assert!(play.screen().contains("the last rule"), "{}", play.screen());
    assert!(read.matches("broken").count() > 400, "all of it is there");
}

#[test]
fn the_time_of_a_resource_that_nobody_waited_for_stands_still_when_it_is_done() {
    let mut play = play::blocked_by_deployment();
    play.finish(OperationPhase::Succeeded, "successfully synced (all tasks run)");
    let line = |play: &mut Play| play.at(80, 24).lines().find(|line| line.contains("Deployment   orders-api")).unwrap().to_owned();
    assert!(play.at(120, 35).contains("still settling: Deployment/orders-api"), "{}", play.screen());
    play.after(20.0).health("Deployment/orders-api", crate::model::HealthStatus::Healthy, "");
    let before = line(&mut play);
    assert!(before.contains("Healthy") && before.contains("51.0s"), "{before}");
    play.after(300.0).press("k j");
    assert_eq!(line(&mut play), before);
}
