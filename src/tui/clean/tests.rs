//! What is printable, and how wide it is.

use proptest::prelude::*;

use super::*;

fn shown(bytes: &[u8]) -> String {
    line(bytes).text
}

#[test]
fn colour_goes_and_every_other_sequence_is_shown() {
    assert_eq!(shown(b"\x1b[1;31merror\x1b[0m: no \x1b[38:2:1:2:3mroute"), "error: no route");
    assert_eq!(shown(b"\x1b[2J\x1b[Hgone"), "␛[2J␛[Hgone");
    assert_eq!(shown(b"\x1b]0;owned\x07x\x1bP1q\x1b\\"), "␛]0;owned␇x␛P1q␛\\");
    assert_eq!(shown(b"\x1b[>4;2mx"), "␛[>4;2mx");
    assert_eq!(shown("\u{9b}31mred\u{9b}2J\u{85}".as_bytes()), "red<U+009B>2J<U+0085>");
    assert_eq!(shown(b"\x1b[31"), "␛[31");
    assert_eq!(shown(b"\x1b"), "␛");
}

#[test]
fn control_characters_become_pictures_of_themselves() {
    assert_eq!(shown(b"10%\r20%\x08\x00\x7f\n"), "10%␍20%␈␀␡␊");
    assert_eq!(shown(b"a Windows line\r"), "a Windows line");
}

#[test]
fn what_cannot_be_seen_is_spelt_out() {
    assert_eq!(shown("a\u{202e}b\u{200b}c\u{feff}\u{2066}".as_bytes()), "a<U+202E>b<U+200B>c<U+FEFF><U+2066>");
    assert_eq!(shown("⚠\u{fe0f} ok".as_bytes()), "⚠ ok");
    assert_eq!(shown("👍🏽".as_bytes()), "👍<U+1F3FD>");
    assert_eq!(shown("\u{17d8}".as_bytes()), "<U+17D8>");
}

#[test]
fn bytes_that_are_not_utf8_are_marked() {
    assert_eq!(line(b"caf\xe9 \xff\xfe"), Cleaned { text: "caf\u{fffd} \u{fffd}\u{fffd}".into(), lossy: true });
    assert_eq!(line(b"cut \xe4\xb8"), Cleaned { text: "cut \u{fffd}".into(), lossy: true });
    assert_eq!(line("café".as_bytes()), Cleaned { text: "café".into(), lossy: false });
}

#[test]
fn tabs_reach_the_next_eighth_column() {
    assert_eq!(shown(b"a\tb\t\tc"), "a       b               c");
    assert_eq!(shown("世界\tx".as_bytes()), "世界    x");
}

#[test]
fn marks_do_not_pile_up_and_never_stand_on_nothing() {
    assert_eq!(shown("\u{301}e\u{301}".as_bytes()), "\u{25cc}\u{301}e\u{301}");
    let pile = format!("e{}", "\u{301}".repeat(20));
    assert_eq!(columns(&shown(pile.as_bytes())), 3);
}

#[test]
fn a_clean_name_is_not_copied() {
    assert!(matches!(text("orders-api"), Cow::Borrowed("orders-api")));
    assert_eq!(text("two\nlines\u{1b}"), "two␊lines␛");
}

#[test]
fn a_text_that_does_not_fit_ends_with_an_ellipsis() {
    assert_eq!(fit("orders-api", 10), "orders-api");
    assert_eq!(fit("orders-api", 7), "orders…");
    assert_eq!(fit("世界世界", 6), "世界…");
    assert_eq!(fit("世界世界", 8), "世界世界");
    assert_eq!(fit("x", 0), "");
    assert_eq!(fit("xy", 1), "…");
}

#[test]
fn a_wide_character_at_the_edge_is_not_torn() {
    assert_eq!(tail("a世b", 2), ("b", 1));
    assert_eq!(tail("a世b", 1), ("世b", 0));
    assert_eq!(tail("abc", 9), ("", 0));
    assert_eq!(wrapped("a世界b", 3).collect::<Vec<_>>(), ["a世", "界b"]);
    assert_eq!(wrapped("世界", 1).collect::<Vec<_>>(), ["世", "界"]);
}

#[test]
fn an_empty_line_takes_one_row() {
    assert_eq!(wrapped("", 5).collect::<Vec<_>>(), [""]);
    assert_eq!(wrapped_rows("", 5), 1);
    assert_eq!(wrapped("abcdef", 3).nth(1), Some("def"));
    assert_eq!(wrapped("abcdef", 3).nth(2), None);
    assert_eq!(wrapped("", 3).next(), Some(""));
}

fn noisy() -> impl Strategy<Value = Vec<u8>> {
    let sequences = prop::sample::select(vec![
        "\x1b[31m",
        "\x1b[",
        "\x1b]8;;x\x07",
        "\u{9b}",
        "\u{202e}",
        "\u{200d}",
        "👩",
        "世",
        "\u{301}",
        "\u{fe0f}",
        "\t",
        "\r",
        "ﾞ",
        "🇩",
        "👍🏽",
        "ش",
        "\u{e0041}",
        "\u{17d8}",
    ]);
    let part = prop_oneof![
        sequences.prop_map(|text| text.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..6),
        "\\PC{0,4}".prop_map(String::into_bytes)
    ];
    prop::collection::vec(part, 0..24).prop_map(|parts| parts.concat())
}

fn harmless(text: &str) -> bool {
    text.chars().all(|found| !found.is_control() && !is_invisible(found))
}

#[test]
fn of_an_enormous_text_only_what_is_seen_is_looked_at() {
    let enormous = "世界e\u{301}".repeat(100_000);
    for look in [
        |text: &str| drop(fit(text, 80)),
        |text: &str| _ = head(text, 80),
        |text: &str| _ = tail(text, 80),
        |text: &str| _ = is_wider(text, 80),
    ] {
        let looked = cells::count::during(|| look(&enormous));
        assert!(looked < 300, "{looked}");
    }
}

proptest! {
    #[test]
    fn nothing_that_controls_a_terminal_survives(bytes in noisy()) {
        let text = shown(&bytes);
        prop_assert!(harmless(&text), "{text:?}");
        prop_assert!(columns(&text) > 0 || text.is_empty());
        prop_assert_eq!(shown(text.as_bytes()), text);
    }

    #[test]
    fn pieces_read_as_the_whole(bytes in noisy(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..4)) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.sort_unstable();
        let (mut cleaner, mut text, mut from) = (Cleaner::default(), String::new(), 0);
        for cut in cuts.into_iter().chain([bytes.len()]) {
            prop_assert_eq!(cleaner.feed(&bytes[from..cut], &mut text, usize::MAX), 0);
            from = cut;
        }
        cleaner.finish(&mut text);
        prop_assert_eq!(text, shown(&bytes));
    }

    #[test]
    fn wrapping_loses_nothing_and_keeps_to_the_width(bytes in noisy(), width in 1_usize..20) {
        let text = shown(&bytes);
        let rows: Vec<&str> = wrapped(&text, width).collect();
        prop_assert_eq!(rows.concat(), text.clone());
        prop_assert_eq!(rows.len() as u64, wrapped_rows(&text, width));
        // A character with marks is never torn; it takes a few columns at most.
        prop_assert!(rows.iter().all(|row| columns(row) <= width.max(5)));
        for (number, row) in rows.iter().enumerate() {
            prop_assert_eq!(wrapped(&text, width).nth(number), Some(*row));
        }
    }

    #[test]
    fn what_fits_is_never_wider(bytes in noisy(), width in 0_usize..20) {
        let text = shown(&bytes);
        prop_assert!(columns(&fit(&text, width)) <= width);
        let (rest, torn) = tail(&text, width);
        prop_assert_eq!(columns(rest) + torn, columns(&text).saturating_sub(width));
    }
}
