//! The text of a resource: folds, sides, counts.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::page::{Looks, Page, Row, Shape};
use super::script::{LIGHT, Script, Size, is_light};
use crate::plan::diff::{self, Difference, NoRules, Sides};

fn object(data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": data})
}

fn difference(before: Value, after: Value) -> Difference {
    diff::compare(&Sides { live: Some(&object(before)), after: Some(&object(after)) }, &NoRules)
}

fn many(changed: usize) -> Value {
    (0..40).map(|at| (format!("key-{at:02}"), json!(if at == changed { "new".to_owned() } else { at.to_string() }))).collect()
}

fn page(difference: &Difference, shape: Shape) -> Page {
    wrapped(difference, Looks { shape, wrap: None })
}

fn wrapped(difference: &Difference, looks: Looks) -> Page {
    let mut page = Page::new(Arc::new(Script::new(difference)));
    page.lay(looks);
    page
}

#[test]
fn what_is_removed_stands_beside_what_is_added_right_after_it() {
    let page = page(&difference(json!({"a": "1", "b": "2", "d": "4"}), json!({"a": "3", "b": "2", "c": "5", "d": "4"})), Shape::Sides);
    let text = |line: Option<usize>| line.map_or("", |line| page.script.texts[line].text.trim());
    let pairs = page.rows.iter().filter_map(|row| match *row {
        Row::Pair(left, right) => Some((text(left), text(right))),
        Row::Text(_) | Row::Fold(_) | Row::Note(_) => None,
    });
    let changed: Vec<_> = pairs.filter(|(left, right)| left != right).collect();
    assert_eq!(changed.len(), 2, "{changed:?}");
    assert!(changed[0].0.starts_with("a:") && changed[0].1.starts_with("a:"), "{changed:?}");
    assert!(changed[1].0.is_empty() && changed[1].1.starts_with("c:"), "{changed:?}");
}

#[test]
fn both_shapes_hide_the_same_lines_and_all_open_nothing_is_hidden() {
    let difference = difference(many(99), many(20));
    let (one, both) = (page(&difference, Shape::Unified), page(&difference, Shape::Sides));
    let folds = |page: &Page| page.rows.iter().filter(|row| matches!(row, Row::Fold(_))).copied().collect::<Vec<_>>();
    assert_eq!(folds(&one), folds(&both));
    assert_eq!(folds(&one).len(), 2);
    assert_eq!(one.script.size, Size { added: 1, removed: 1 });
    for shape in [Shape::Unified, Shape::Sides] {
        let mut page = page(&difference, shape);
        assert!(page.turn_all());
        page.lay(Looks { shape, wrap: None });
        assert!(folds(&page).is_empty());
        let lines = page.script.texts.len() - usize::from(shape == Shape::Sides);
        assert_eq!(page.rows.len(), lines, "{shape:?}");
        assert!(!page.turn_all());
    }
}

#[test]
fn a_fold_says_where_one_is_behind_it() {
    let page = page(&difference(many(99), many(20)), Shape::Unified);
    assert_eq!(page.script.folds[0].trail, "data");
}

#[test]
fn every_line_has_a_row_or_a_fold_over_it() {
    let page = page(&difference(many(99), many(20)), Shape::Unified);
    for line in 0..page.script.texts.len() {
        assert!(page.row_of(line).is_some(), "{line}");
    }
}

#[test]
fn what_is_heavy_is_known_before_it_is_written() {
    let large = |last: &str| -> Value { (0..3_000).map(|at| (format!("k{at}"), json!(if at == 0 { last } else { "x" }))).collect() };
    let light = |difference: &Difference| is_light(difference, &mut { LIGHT });
    assert!(!light(&difference(large("a"), large("b"))));
    assert!(!light(&difference(json!({"a": "x".repeat(300_000)}), json!({"a": "y"}))));
    let small = difference(json!({"a": "x"}), json!({"a": "y"}));
    assert!(light(&small));
    assert_eq!(Size::of(&small), Size { added: 1, removed: 1 });
    let mut left = 16;
    assert!(is_light(&small, &mut left) && !is_light(&small, &mut left), "what one takes the next one cannot have");
}

fn data() -> impl Strategy<Value = Value> {
    let text = prop_oneof!["[ab ]{0,60}", "[a世é ]{0,40}", "([a世]{0,9}\n){0,6}"];
    prop::collection::vec(("[a-e]", text), 1..30).prop_map(|fields| fields.into_iter().map(|(name, text)| (name, json!(text))).collect())
}

proptest! {
    #[test]
    fn wrapped_rows_show_every_line_whole_and_each_row_is_found(
        before in data(), after in data(), width in 1_usize..40, opens in any::<bool>(), sides in any::<bool>(),
    ) {
        let shape = if sides { Shape::Sides } else { Shape::Unified };
        let looks = Looks { shape, wrap: Some(width) };
        let mut page = wrapped(&difference(before, after), looks);
        if opens {
            page.open_all();
            page.lay(looks);
        }
        let seen: Vec<_> = page.seen(0..page.height()).collect();
        prop_assert_eq!(seen.len(), page.height());
        prop_assert_eq!(page.seen(0..page.height() + 9).count(), page.height());
        for (row, (what, part)) in seen.iter().enumerate() {
            prop_assert_eq!(page.at(row).map(|(at, part)| (page.rows[at], part)), Some((*what, *part)));
            prop_assert_eq!(page.seen(row..row + 1).next(), Some((*what, *part)));
            if let Row::Text(_) = what {
                prop_assert_eq!(page.row_at(page.anchor(row)), row);
            }
        }
        for (line, text) in page.script.texts.iter().enumerate() {
            let Some(first) = page.row_of(line) else { prop_assert!(false, "{line} has no row"); continue };
            if let (Row::Text(_) | Row::Pair(..), 0) = seen[first] {
                let parts: String = (0..).map_while(|part| page.part(line, part)).map(|part| &text.text[part.bytes]).collect();
                prop_assert_eq!(&parts, &text.text);
            }
        }
    }
}
