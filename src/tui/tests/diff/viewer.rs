//! What a viewer outside of the screens is given.

use std::sync::Arc;

use super::{config, difference, go_to, orders, planned};
use crate::engine::session::Answer;
use crate::tui::app::Effect;
use crate::tui::tests::play::Play;
use crate::tui::viewer::Showing;

fn shown(play: &Play) -> &Showing {
    let last = play.others.iter().rev().find_map(|effect| if let Effect::Show(showing) = effect { Some(&**showing) } else { None });
    last.expect("something was shown")
}

#[test]
fn the_viewer_gets_both_sides_masked_and_harmless() {
    let mut play = orders();
    play.press("D");
    let mut planned = planned(&play);
    let id = play.task("ConfigMap/orders-config");
    let (live, after) = (config("a\u{1b}[2Jb", "x"), config("a\u{7}b", "\u{202e}y"));
    planned.differences.insert(id, difference(Some(&live), Some(&after)));
    play.tell(Answer::Compared(Ok(Arc::new(planned))));
    go_to(&mut play, "ConfigMap/orders-config");
    play.press("E");
    let showing = shown(&play);
    assert_eq!(showing.name, "ConfigMap-orders-config");
    assert!(showing.live.contains("extra: x\n") && !showing.live.contains("202"), "{showing:?}");
    assert!(showing.target.contains("y") && showing.unified.contains("--- live ConfigMap shop/orders-config\n"), "{showing:?}");
    for text in [&showing.live, &showing.target, &showing.unified] {
        assert!(!text.contains(|letter: char| letter != '\n' && letter.is_control() || letter == '\u{202e}'), "{text:?}");
    }
    go_to(&mut play, "Secret/orders-env");
    play.press("E");
    let showing = shown(&play);
    for text in [&showing.live, &showing.target, &showing.unified] {
        assert!(text.contains("++++++++") && !text.contains("b2xk") && !text.contains("bmV3") && !text.contains("b3JkZXJz"), "{text}");
    }
    assert_ne!(showing.live, showing.target, "it is seen that the value changes");
    go_to(&mut play, "CronJob/orders-cleanup");
    play.press("E");
    assert_eq!(shown(&play).live, "", "what there is not yet has no text");
}

#[test]
fn of_what_stays_the_same_the_whole_text_is_shown_and_copied() {
    let mut play = orders();
    play.press("D");
    let planned = planned(&play);
    play.tell(Answer::Compared(Ok(Arc::new(planned))));
    play.press("i");
    go_to(&mut play, "Deployment/orders-worker");
    play.press("E c");
    let unified = &shown(&play).unified;
    assert!(unified.contains("\n   schedule: ") && !unified.contains("@@"), "{unified}");
    let copied = play.others.iter().find_map(|effect| if let Effect::Copy(text) = effect { Some(text) } else { None });
    assert_eq!(copied, Some(unified));
}

#[test]
fn the_viewer_gets_all_that_is_marked_one_after_the_other() {
    let mut play = orders();
    play.press("D");
    let planned = planned(&play);
    play.tell(Answer::Compared(Ok(Arc::new(planned))));
    for name in ["Secret/orders-env", "ConfigMap/orders-config"] {
        go_to(&mut play, name);
        play.press("space");
    }
    play.press("E");
    let showing = shown(&play);
    assert_eq!(showing.name, "2-marked");
    let parts: Vec<&str> = showing.unified.lines().filter(|line| line.starts_with("+++ ")).collect();
    assert_eq!(parts.len(), 2, "{}", showing.unified);
    for title in ["Secret shop/orders-env", "ConfigMap shop/orders-config"] {
        assert!(showing.unified.contains(&format!("+++ target {title}\n")), "{}", showing.unified);
        assert!(showing.live.contains(&format!("---\n# {title}\n")) && showing.target.contains(&format!("---\n# {title}\n")));
    }
    for text in [&showing.live, &showing.target, &showing.unified] {
        assert!(text.contains("++++++++") && !text.contains("b2xk") && !text.contains("bmV3"), "{text}");
    }
}
