//! The text of a resource: folds, sides, counts.

use serde_json::{Value, json};

use super::page::{Page, Row, Shape, Size};
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
    let mut page = Page::new(difference);
    page.lay(shape, 0);
    page
}

#[test]
fn what_is_removed_stands_beside_what_is_added_right_after_it() {
    let page = page(&difference(json!({"a": "1", "b": "2", "d": "4"}), json!({"a": "3", "b": "2", "c": "5", "d": "4"})), Shape::Sides);
    let text = |line: Option<usize>| line.map_or("", |line| page.texts[line].text.trim());
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
    assert_eq!(one.size, Size { added: 1, removed: 1 });
    for shape in [Shape::Unified, Shape::Sides] {
        let mut page = page(&difference, shape);
        assert!(page.turn_all());
        page.lay(shape, 0);
        assert!(folds(&page).is_empty());
        let lines = page.texts.len() - usize::from(shape == Shape::Sides);
        assert_eq!(page.rows.len(), lines, "{shape:?}");
        assert!(!page.turn_all());
    }
}

#[test]
fn a_fold_says_where_one_is_behind_it() {
    let page = page(&difference(many(99), many(20)), Shape::Unified);
    assert_eq!(page.folds[0].trail, "data");
}

#[test]
fn every_line_has_a_row_or_a_fold_over_it() {
    let page = page(&difference(many(99), many(20)), Shape::Unified);
    for line in 0..page.texts.len() {
        assert!(page.row_of(line).is_some(), "{line}");
    }
}

#[test]
fn the_lines_of_a_huge_object_are_not_counted_for_the_list() {
    let large = |last: &str| -> Value { (0..3_000).map(|at| (format!("k{at}"), json!(if at == 0 { last } else { "x" }))).collect() };
    assert_eq!(Size::of(&difference(large("a"), large("b"))), None);
    assert_eq!(Size::of(&difference(json!({"a": "x".repeat(300_000)}), json!({"a": "y"}))), None);
    assert_eq!(Size::of(&difference(json!({"a": "x"}), json!({"a": "y"}))), Some(Size { added: 1, removed: 1 }));
}
