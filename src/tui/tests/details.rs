//! The details of an object: what is searched for in them, how far to the side they go, and what they say at any size and length.

use super::play::{self, Play};
use crate::engine::session::Answer;
use crate::model::{Assessment, ContainerState, HealthStatus, ResourceKey};
use crate::operation::Event;
use crate::tui::clean::cells::count;
use crate::tui::theme::Role;
use crate::tui::views::details::unjudged;

/// The details of the Job that failed.
fn details() -> Play {
    let mut play = play::failed();
    play.press("d");
    play
}

fn yaml(text: &str) -> Play {
    let mut play = details();
    play.press("y");
    let key = play.task("Job/db-migrate").key;
    play.tell(Answer::Object { key, yaml: Ok(text.to_owned()) });
    play
}

#[test]
fn a_search_goes_through_the_lines_of_any_tab_and_round() {
    let lines: Vec<String> = (0..60).map(|at| if at % 20 == 5 { format!("port: {at}") } else { format!("line: {at}") }).collect();
    let mut play = yaml(&lines.join("\n"));
    play.at(80, 12);
    play.press("/ 'PORT enter");
    assert!(play.at(80, 12).contains("/PORT  1/3") && play.screen().contains("port: 5"), "{}", play.screen());
    play.press("n n");
    assert!(play.at(80, 12).contains("/PORT  3/3") && play.screen().contains("port: 45"), "{}", play.screen());
    play.press("n");
    assert!(play.at(80, 12).contains("/PORT  1/3") && play.screen().contains("the search went on from the top"), "{}", play.screen());
    play.press("N");
    assert!(play.at(80, 12).contains("/PORT  3/3"), "{}", play.screen());
    play.press("esc n");
    assert!(play.at(80, 12).contains("nothing to find yet"), "{}", play.screen());
    play.press("d e / 'no-such-word enter n");
    assert!(play.at(80, 12).contains("no line has `no-such-word`"), "{}", play.screen());
}

/// The line of a screen that is drawn as the match that was gone to.
fn chosen(play: &mut Play, width: u16, height: u16) -> Vec<String> {
    let buffer = play.resize(width, height).buffer();
    let here = play.app.model.theme.style(Role::Chosen).add_modifier;
    let is_here = |row: &u16| *row > 1 && (0..width).any(|column| buffer.cell((column, *row)).unwrap().modifier == here);
    let text = |row: u16| (0..width).map(|column| buffer.cell((column, row)).unwrap().symbol()).collect::<String>().trim().to_owned();
    (0..height).filter(is_here).map(text).collect()
}

#[test]
fn the_overview_is_searched_too() {
    let mut play = details();
    play.press("/ 'manifest enter");
    assert!(play.at(80, 24).contains("/manifest  1/1"), "{}", play.screen());
}

#[test]
fn the_chosen_match_is_kept_when_lines_break_elsewhere_and_when_others_come() {
    let mut play = play::blocked_by_deployment();
    let long = format!("{}needle at the end", "word ".repeat(60));
    play.health("Deployment/orders-api", HealthStatus::Progressing, &long);
    play.press("d");
    play.at(120, 40);
    play.press("/ 'needle enter");
    for (width, height) in [(120, 40), (60, 40), (200, 40), (40, 24)] {
        let screen = play.at(width, height);
        // There is no room for it beside the tabs on the smallest one.
        assert!(width == 40 || screen.contains("/needle  1/2"), "{screen}");
        let chosen = chosen(&mut play, width, height);
        assert!(chosen.len() == 1 && chosen[0].contains("needle"), "{width}: {chosen:?}\n{screen}");
    }
}

#[test]
fn a_match_far_to_the_right_is_brought_into_sight() {
    let mut play = yaml(&format!("port: 1\nlong: {}port: 2", "x".repeat(3_000)));
    play.at(80, 24);
    play.press("/ 'port enter n");
    assert!(play.at(80, 24).contains("xport: 2"), "{}", play.screen());
    play.press("n");
    assert!(play.at(80, 24).contains("port: 1"), "{}", play.screen());
}

#[test]
fn yaml_is_scrolled_to_the_side_as_far_as_it_goes_and_no_further() {
    let mut play = yaml(&format!("short: 1\nlong: {}end", "x".repeat(300)));
    for _ in 0..40 {
        play.press("right");
    }
    assert!(play.at(80, 24).contains("end"), "{}", play.screen());
    for _ in 0..8 {
        play.press("left");
    }
    assert!(play.at(80, 24).contains("short: 1"), "{}", play.screen());
}

#[test]
fn half_a_page_is_half_a_page() {
    let lines: Vec<String> = (0..60).map(|at| format!("line: {at}.")).collect();
    let mut play = yaml(&lines.join("\n"));
    play.at(80, 23);
    play.press("ctrl-d");
    assert!(play.at(80, 23).contains("11–30 of 60"), "{}", play.screen());
    play.press("ctrl-u");
    assert!(play.at(80, 23).contains("1–20 of 60") && !play.screen().contains("11–30"), "{}", play.screen());
}

#[test]
fn the_tabs_never_run_into_what_stands_beside_them() {
    let mut play = details();
    play.press("d d");
    for (width, names) in [(80, "details ─ yaml ─ events ─ pods"), (40, "details ─ yaml ─ events ─ pods"), (30, "── events ─")]
    {
        let screen = play.at(width, 12);
        let rule = screen.lines().nth(1).unwrap();
        assert!(rule.contains(names) && rule.ends_with('─'), "{width}: {rule}");
    }
}

#[test]
fn of_a_megabyte_that_a_status_says_the_start_is_laid_out_and_the_rest_is_counted() {
    let mut play = play::blocked_by_deployment();
    play.health("Deployment/orders-api", HealthStatus::Progressing, &"世界".repeat(180_000));
    play.press("d");
    let looked = count::during(|| drop(play.at(80, 24)));
    assert!(looked < 200_000, "{looked}");
    play.press("/ 'KiB enter");
    let screen = play.at(80, 24);
    assert!(screen.contains("… and 1039 KiB more: y\n") && screen.contains(" shows it whole\n"), "{screen}");
}

#[test]
fn that_nobody_judges_an_object_is_said_and_what_that_means() {
    let mut play = play::blocked_by_deployment();
    let key = play.task("Deployment/orders-api").key;
    let live = crate::model::Live { assessment: Assessment::NoRule, ..play::live(900, HealthStatus::Healthy, "") };
    play.fact(Event::LiveObserved { key: key.clone(), live: Box::new(live) });
    play.press("d");
    assert!(play.at(120, 35).contains("no rule for this kind: done as soon as it exists"), "{}", play.screen());
    assert_eq!(unjudged(&key), "no rule for this kind: done as soon as it exists");
    let custom = unjudged(&ResourceKey::new("example.com", "Widget", "shop", "w"));
    assert_eq!(custom, "no rule: done as soon as it exists, whatever its status says or its controller still does");
}

#[test]
fn the_pod_that_needs_attention_stands_before_those_that_run() {
    let mut play = play::blocked_by_deployment();
    for at in 0..40 {
        play.pod("Deployment/orders-api", &format!("api-{at:02}"), "Running", ContainerState::Running { since: None });
    }
    let waiting = ContainerState::Waiting { reason: "ErrImagePull".to_owned(), message: String::new() };
    play.pod("Deployment/orders-api", "api-late", "Pending", waiting);
    play.press("d d d d");
    let screen = play.at(80, 12);
    assert!(screen.contains("api-late  Pending") && !screen.contains("api-39"), "{screen}");
}
