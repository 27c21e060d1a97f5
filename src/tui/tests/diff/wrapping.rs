//! Long lines: cut and scrolled to the side, or wrapped.

use std::sync::Arc;

use insta::assert_snapshot;

use super::{config, difference, go_to, orders, planned};
use crate::engine::session::Answer;
use crate::tui::clean::cells::count;
use crate::tui::tests::play::Play;

/// Names of hosts in one line.
fn hosts(end: &str) -> String {
    (0..40).map(|at| format!("host-{at:02}.example.org,")).chain([end.to_owned()]).collect()
}

/// A ConfigMap with one long line on both sides.
fn long_line(live: &str, target: &str) -> Play {
    let mut play = orders();
    play.press("D");
    let mut planned = planned(&play);
    let id = play.task("ConfigMap/orders-config");
    let (live, after) = (config("port: 80\n", live), config("port: 80\n", target));
    planned.differences.insert(id, difference(Some(&live), Some(&after)));
    play.tell(Answer::Compared(Ok(Arc::new(planned))));
    go_to(&mut play, "ConfigMap/orders-config");
    play
}

#[test]
fn a_wrapped_line_is_read_to_its_end_and_says_where_it_goes_on() {
    let mut play = long_line(&hosts("last"), &hosts("世界"));
    assert!(!play.at(80, 24).contains("host-39"), "{}", play.screen());
    play.press("w");
    assert_snapshot!("diff_wrapped_80x24", play.at(80, 24));
    play.press("G");
    assert!(play.at(80, 24).contains("世 界"), "{}", play.screen());
    play.press("g");
    assert_snapshot!("diff_wrapped_200x50", play.at(200, 50));
    play.press("w");
    assert!(!play.at(80, 24).contains("host-39"), "{}", play.screen());
}

#[test]
fn what_stands_at_the_top_stays_there_when_wrapped_lines_get_another_width() {
    let letters: String = (0..600).filter_map(|at| char::from_u32(0x4e00 + at)).collect();
    let mut play = long_line(&letters, &letters[3..]);
    play.press("w");
    play.at(80, 9);
    play.press("j j j j j j j j");
    let top = play.at(80, 9).lines().nth(2).and_then(|line| line.chars().find(|letter| letters.contains(*letter))).unwrap();
    for width in [60, 41, 30, 60, 120, 80] {
        let screen = play.at(width, 9);
        assert!(screen.contains(top), "{top}\n{screen}");
    }
}

#[test]
fn a_search_in_a_wrapped_line_goes_to_the_row_that_has_it() {
    let mut play = long_line(&hosts("last"), &hosts(" needle"));
    play.at(40, 10);
    play.press("w / 'needle enter");
    assert!(play.at(40, 10).contains("needle"), "{}", play.screen());
}

#[test]
fn scrolling_to_the_side_ends_where_the_widest_line_ends_and_starts_anew_for_the_next_resource() {
    let mut play = long_line(&hosts("last"), &hosts("fin"));
    for _ in 0..80 {
        play.press("right");
    }
    let screen = play.at(80, 24);
    assert!(screen.contains("fin") && screen.contains("‹"), "{screen}");
    play.press("> <");
    assert!(play.at(80, 24).contains("host-00"), "{}", play.screen());
    play.press("right w w");
    assert!(play.at(80, 24).contains("host-00"), "wrapping begins and ends at the left edge:\n{}", play.screen());
}

#[test]
fn the_key_to_the_side_goes_to_the_change_however_far_away_it_is() {
    let text = |end: &str| format!("{}{end}{}", "same ".repeat(30_000), " and so on".repeat(400));
    let mut play = long_line(&text("before"), &text("after"));
    play.at(80, 24);
    play.press("right");
    assert!(play.at(80, 24).contains("before") && play.screen().contains("after"), "{}", play.screen());
    play.press("right");
    assert!(play.at(80, 24).contains("and so on"), "{}", play.screen());
    for _ in 0..6 {
        play.press("left");
    }
    assert!(play.at(80, 24).contains("extra: same same"), "{}", play.screen());
}

/// What a frame may look at: some screens full.
const FRAME: u64 = 100_000;

#[test]
fn no_frame_walks_through_a_megabyte_of_wide_letters_to_wrap_it() {
    let letters = "世界".repeat(180_000);
    let mut play = long_line(&letters, &format!("{letters} needle"));
    play.at(80, 24);
    play.is_slow = true;
    let looked = count::during(|| {
        play.press("w");
        play.at(80, 24);
        play.at(60, 24);
    });
    assert!(looked < FRAME, "{looked}");
    let screen = play.screen();
    assert!(screen.contains("● wrapping very long lines") && !screen.contains('↪') && screen.contains("世 界"), "{screen}");
    play.work();
    let looked = count::during(|| drop(play.at(60, 24)));
    assert!(looked < FRAME, "{looked}");
    assert!(play.screen().contains('↪') && !play.screen().contains("wrapping"), "{}", play.screen());
    play.is_slow = false;
    play.press("/ 'needle enter");
    assert!(play.at(60, 24).contains("needle"), "{}", play.screen());
    let row = |play: &mut Play| play.at(60, 24).lines().position(|line| line.contains("needle"));
    let before = row(&mut play);
    play.at(80, 24);
    assert!(before.is_some() && row(&mut play).is_some(), "{}", play.screen());
    play.press("w");
    assert!(!play.at(80, 24).contains('↪'), "{}", play.screen());
}

#[test]
fn a_search_goes_to_the_row_in_a_line_that_is_still_to_be_wrapped() {
    let letters = "世界".repeat(180_000);
    let mut play = long_line(&letters, &format!("{letters} needle"));
    play.press("w <");
    play.press("/ 'needle enter");
    assert!(play.at(80, 24).contains("needle") && play.screen().contains('↪'), "{}", play.screen());
}
