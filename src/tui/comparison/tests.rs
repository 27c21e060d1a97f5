//! Questions and answers of the comparison, without a screen.

use super::*;
use crate::engine::session::Place;
use crate::model::Kinds;
use crate::plan::{Plan, PlanInput, Shape};

fn place() -> Place {
    let text = |text: &str| text.into();
    Place {
        app: text("a"),
        context: text("c"),
        cluster: text("u"),
        namespace: text("n"),
        source: text("s"),
        revision: text("r"),
        read_only: None,
        protected: false,
    }
}

fn empty() -> Arc<Planned> {
    let input = PlanInput {
        app: "a",
        namespace: "n",
        revision: "r",
        operation: "op",
        started_at: Timestamp::UNIX_EPOCH,
        manifests: &[],
        kinds: &Kinds::default(),
        candidates: &[],
        selection: None,
        shape: &Shape::default(),
    };
    Arc::new(Planned::new(place(), Arc::new(Plan::build(&input)), Vec::new()))
}

fn force() -> Request {
    Request { force: true, ..Request::default() }
}

#[test]
fn one_question_at_a_time_and_the_last_wish_counts() {
    let mut comparison = Comparison::default();
    assert!(comparison.want(Request::default()).is_some());
    assert!(comparison.want(Request::default()).is_none());
    assert!(comparison.want(force()).is_none());
    assert!(matches!(comparison.take(Ok(empty())), Some(Ask::Diff { request }) if request.force));
    assert!(comparison.found().is_none(), "nobody wants that answer any more");
    assert!(comparison.take(Ok(empty())).is_none());
    assert!(comparison.found().is_some_and(|found| found.request.force));
}

#[test]
fn a_wish_that_is_taken_back_is_not_asked() {
    let mut comparison = Comparison::default();
    comparison.want(Request::default());
    comparison.want(force());
    comparison.want(Request::default());
    assert!(comparison.take(Ok(empty())).is_none());
    assert!(comparison.found().is_some_and(|found| !found.request.force));
}

#[test]
fn another_request_makes_the_old_answer_worthless_and_the_same_one_keeps_it() {
    let mut comparison = Comparison::default();
    comparison.want(Request::default());
    comparison.take(Ok(empty()));
    comparison.want(Request::default());
    assert!(comparison.found().is_some());
    comparison.take(Err("no\u{1b}pe\nsecond".to_owned()));
    assert_eq!(comparison.trouble(), ["no␛pe", "second"]);
    assert!(comparison.found().is_some());
    comparison.want(force());
    assert!(comparison.found().is_none() && comparison.trouble().is_empty());
}

#[test]
fn every_sort_has_a_sign_and_a_word() {
    for sort in SORTS {
        assert!(!sort.glyph().is_empty() && !sort.word().is_empty());
    }
    assert!(SORTS.is_sorted());
}

#[test]
fn the_summary_counts_objects_and_hooks_apart() {
    let entry = |sort: Sort, wave: Option<i64>| Entry {
        task: TaskId { phase: Phase::Sync, key: crate::model::ResourceKey::new("", "X", "n", "x"), role: crate::model::Role::Apply },
        sort,
        kind: "X".to_owned(),
        name: "x".to_owned(),
        namespace: "n".to_owned(),
        wave: wave.map(Wave),
    };
    let entries = [
        entry(Sort::Change, Some(0)),
        entry(Sort::Same, Some(0)),
        entry(Sort::Create, Some(1)),
        entry(Sort::Run, Some(1)),
        entry(Sort::Prune, None),
    ];
    let off = Request::default();
    let on = Request { prune: true, ..Request::default() };
    assert_eq!(summary(&entries, &off), "1 change, 1 create, 1 prune (OFF), 1 same · 1 hook");
    assert_eq!(summary(&entries[4..], &on), "1 prune");
    assert_eq!(summary(&[], &off), "the plan is empty");
    let group = |name: &str, words: &str| (name.to_owned(), words.to_owned());
    assert_eq!(
        groups(&entries, &off),
        [group("Sync 0", "1 change, 1 same"), group("Sync 1", "1 create, 1 hook"), group("prune", "1 prune (OFF)")]
    );
}
