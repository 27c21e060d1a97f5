//! Every view at every size: nothing panics, nothing is written outside.

use proptest::prelude::*;

use super::play::{self, Play};

/// Keys that lead to each view and dialog.
const WAYS: [&str; 21] = [
    "",
    "z",
    "p",
    "s tab tab tab tab tab",
    "?",
    "d",
    "y",
    "e",
    "l",
    "H",
    "s",
    "S",
    "t",
    "ctrl-c",
    ": 'h",
    "/ 'x",
    ": 'log enter",
    "x",
    "ctrl-z",
    "tab k k k",
    "ctrl-d",
];

fn draw(play: &mut Play, width: u16, height: u16) {
    let buffer = play.resize(width, height).buffer();
    assert_eq!((buffer.area.width, buffer.area.height), (width, height));
}

#[test]
fn nothing_panics_on_tiny_screens() {
    for way in WAYS {
        let mut play = play::failed();
        play.press(way);
        for width in 1..=20 {
            for height in 1..=5 {
                draw(&mut play, width, height);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn nothing_panics_at_any_size(way in 0..WAYS.len(), which in 0..7_usize, sizes in prop::collection::vec((1_u16..230, 1_u16..70), 1..4)) {
        let mut play = match which {
            0 => play::blocked_by_deployment(),
            1 => play::blocked_by_hook(),
            2 => play::failed(),
            3 => play::succeeded(),
            4 => super::control::paused(),
            5 => super::control::second_attempt(),
            _ => Play::open(&play::orders(), &["extra"]),
        };
        play.press(WAYS[way]);
        for (width, height) in sizes {
            draw(&mut play, width, height);
            play.press("j G pgdn k g right left");
            draw(&mut play, width, height);
        }
    }
}
