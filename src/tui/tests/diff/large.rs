//! What is too large for a frame is done beside the frames, and the screen says so meanwhile.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{difference, go_to, orders, planned};
use crate::engine::session::Answer;
use crate::tui::app::Effect;
use crate::tui::tests::play::Play;

/// A ConfigMap of so many lines, one of which changes.
fn large(lines: usize) -> Play {
    let mut play = orders();
    play.press("D");
    let mut planned = planned(&play);
    let id = play.task("ConfigMap/orders-config");
    let data = |last: &str| -> Value {
        (0..lines).map(|at| (format!("key-{at:06}"), json!(if at + 1 == lines { last } else { "value" }))).collect()
    };
    let config = |last: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "orders-config"}, "data": data(last)});
    planned.differences.insert(id, difference(Some(&config("old")), Some(&config("new"))));
    play.is_slow = true;
    play.tell(Answer::Compared(Ok(Arc::new(planned))));
    play
}

#[test]
fn a_large_resource_is_written_beside_the_frames() {
    let mut play = large(3_000);
    go_to(&mut play, "ConfigMap/orders-config");
    let screen = play.at(80, 24);
    assert!(screen.contains("comparing line by line…") && screen.contains(" change ─"), "{screen}");
    assert_eq!(play.jobs.len(), 1);
    play.press("j z Z w E c / 'new enter n");
    assert!(play.at(80, 24).contains("comparing line by line…"), "{}", play.screen());
    play.work();
    play.work();
    let screen = play.at(80, 24);
    assert!(screen.contains("key-002999: new") && screen.contains("change +1 −1"), "{screen}");
    assert!(screen.contains("/new  1/1 · resource 1 of 1"), "{screen}");
}

#[test]
fn what_comes_too_late_is_not_shown_for_something_else() {
    let mut play = large(3_000);
    go_to(&mut play, "ConfigMap/orders-config");
    play.press("> >");
    let before = play.screen();
    play.work();
    assert_eq!(play.screen(), before);
    play.press("< <");
    assert!(play.screen().contains("comparing line by line…"), "{}", play.screen());
    play.press("r").work();
    play.compared().work();
    assert!(play.screen().contains("port: 80"), "{}", play.screen());
}

#[test]
fn a_list_counts_what_is_large_beside_the_frames() {
    let mut play = large(3_000);
    let line = |play: &mut Play| play.at(120, 35).lines().find(|line| line.contains("ConfigMap/orders-config")).unwrap().to_owned();
    assert!(line(&mut play).contains("0 change"), "{}", play.screen());
    play.work();
    assert!(line(&mut play).contains("+1 −1"), "{}", play.screen());
}

#[test]
fn what_is_marked_and_large_is_written_for_the_viewer_beside_the_frames_and_the_next_key_gives_it_up() {
    let shown = |play: &Play| play.others.iter().filter(|effect| matches!(effect, Effect::Show(_))).count();
    let mut play = large(3_000);
    go_to(&mut play, "ConfigMap/orders-config");
    play.press("space");
    play.work();
    play.press("E");
    assert!(play.at(80, 24).contains("writing what is marked for the viewer; the next key gives it up"), "{}", play.screen());
    assert_eq!((play.jobs.len(), shown(&play)), (1, 0));
    play.press("j").work().settle();
    assert_eq!(shown(&play), 0);
    play.press("E").work().settle();
    assert_eq!(shown(&play), 1);
    let showing = play.others.iter().find_map(|effect| if let Effect::Show(showing) = effect { Some(showing) } else { None }).unwrap();
    assert!(showing.name == "1-marked" && showing.unified.contains("+  key-002999: new"), "{}", showing.unified);
    play.settle();
    assert_eq!(shown(&play), 1, "it is shown once");
}
