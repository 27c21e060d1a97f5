use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::model::{Container, ContainerState, Phase, PodView, ResourceKey, Role};
use crate::operation::LogContent;
use crate::tui::clean;

const T0: &str = "2026-03-01T09:00:00Z";

fn at(seconds: i64) -> Timestamp {
    T0.parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

fn task(name: &str) -> TaskId {
    TaskId { phase: Phase::PreSync, key: ResourceKey::new("batch", "Job", "shop", name), role: Role::Hook }
}

fn piece(name: &str, pod: &str, text: &[u8], continued: bool) -> LogLine {
    LogLine {
        operation: "op".into(),
        task: task(name),
        pod: pod.into(),
        container: "main".into(),
        attempt: 1,
        pod_attempt: 1,
        at: at(1),
        log_time: Some(at(0)),
        content: LogContent::Line { text: text.into(), continued },
    }
}

fn line(name: &str, text: &str) -> LogLine {
    piece(name, "pod-a", text.as_bytes(), false)
}

fn dropped(name: &str, lines: u64) -> LogLine {
    LogLine { content: LogContent::Dropped(lines), ..line(name, "") }
}

fn fact(seconds: i64, event: Event) -> Record {
    Record { operation: "op".into(), seq: 1, at: at(seconds), event }
}

fn opened(uid: &str) -> Event {
    Event::LogOpened { task: task("migrate"), pod: "pod-a".into(), uid: uid.into(), container: "main".into(), pod_attempt: 1 }
}

fn closed(uid: &str) -> Event {
    Event::LogClosed { task: task("migrate"), pod: "pod-a".into(), uid: uid.into(), container: "main".into() }
}

fn store(lines: impl IntoIterator<Item = LogLine>) -> LogStore {
    let mut store = LogStore::default();
    lines.into_iter().for_each(|line| store.push(line));
    store
}

fn log<'a>(store: &'a LogStore, name: &str) -> &'a TaskLog {
    store.log("op", &task(name)).unwrap()
}

fn rows(log: &TaskLog) -> Vec<String> {
    log.window(0, usize::MAX).map(describe).collect()
}

fn describe(row: &StoredLine) -> String {
    match &row.content {
        Content::Text(text) => format!("{}{}{}", if text.continues { "…" } else { "" }, text.text, if text.open { "…" } else { "" }),
        Content::Cut { bytes } => format!("-- {bytes} bytes"),
        Content::Gap { lines } => format!("-- {lines} lines"),
        Content::Reopened { after } => format!("-- reopened {after:#}"),
    }
}

#[test]
fn lines_of_a_task_stay_in_the_order_of_their_arrival() {
    let store =
        store([line("migrate", "one"), piece("migrate", "pod-b", b"two", false), line("other", "elsewhere"), line("migrate", "three")]);
    assert_eq!(rows(log(&store, "migrate")), ["one", "two", "three"]);
    assert_eq!(log(&store, "migrate").sources().iter().map(|source| source.lines).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(log(&store, "migrate").window(1, 1).map(describe).collect::<Vec<_>>(), ["two"]);
    assert_eq!(log(&store, "migrate").tail(2).map(describe).collect::<Vec<_>>(), ["two", "three"]);
    assert!(store.log("another", &task("migrate")).is_none());
}

#[test]
fn pieces_of_a_line_are_joined() {
    let mut store = store([piece("migrate", "pod-a", b"half a \xe4\xb8", true)]);
    assert_eq!(rows(log(&store, "migrate")), ["half a …"]);
    assert_eq!(log(&store, "migrate").settled(), 0);
    store.push(piece("migrate", "pod-a", b"\x96 line", false));
    assert_eq!(rows(log(&store, "migrate")), ["half a 世 line"]);
    assert_eq!(log(&store, "migrate").settled(), 1);
    assert_eq!(log(&store, "migrate").received(), 1);
}

#[test]
fn a_line_that_is_interrupted_by_another_container_says_that_it_goes_on() {
    let store = store([
        piece("migrate", "pod-a", b"half a ", true),
        piece("migrate", "pod-b", b"other", false),
        piece("migrate", "pod-a", b"line", false),
    ]);
    assert_eq!(rows(log(&store, "migrate")), ["half a …", "other", "…line"]);
    assert_eq!(log(&store, "migrate").received(), 2);
}

#[test]
fn a_line_of_five_megabytes_keeps_its_start_and_counts_the_rest() {
    let mut store = LogStore::default();
    let megabyte = vec![b'x'; 1024 * 1024];
    for number in 0..5 {
        store.push(piece("migrate", "pod-a", &megabyte, number < 4));
    }
    store.push(line("migrate", "next"));
    let log = log(&store, "migrate");
    let rest = 5 * 1024 * 1024 - LINE_LIMIT;
    assert_eq!(log.line(0).and_then(StoredLine::text).unwrap().text.len(), LINE_LIMIT);
    assert_eq!(rows(log)[1..], [format!("-- {rest} bytes"), "next".to_owned()]);
    assert_eq!(log.received(), 2);
}

#[test]
fn lines_that_are_missing_are_a_row_of_their_own() {
    let store = store([line("migrate", "one"), dropped("migrate", 3), dropped("migrate", 4), line("migrate", "nine")]);
    assert_eq!(rows(log(&store, "migrate")), ["one", "-- 7 lines", "nine"]);
    assert_eq!(log(&store, "migrate").missing(), 7);
}

#[test]
fn a_talkative_task_does_not_push_out_a_quiet_one() {
    let mut store = LogStore::new(64 * 1024);
    store.push(line("quiet", "the only line"));
    (0..5000).for_each(|number| store.push(line("loud", &format!("line {number}"))));
    assert_eq!(rows(log(&store, "quiet")), ["the only line"]);
    let loud = log(&store, "loud");
    assert_eq!(loud.numbers().end, 5000);
    assert_eq!(loud.dropped(), loud.numbers().start);
    assert_eq!(rows(loud).last().map(String::as_str), Some("line 4999"));
}

#[test]
fn why_shows_the_newest_errors_or_else_the_newest_lines() {
    let mut store =
        store([line("migrate", "INFO start"), line("migrate", "ERROR one"), line("migrate", "ERROR two"), line("migrate", "INFO end")]);
    let why = |store: &LogStore| log(store, "migrate").why(1).into_iter().map(describe).collect::<Vec<_>>();
    assert_eq!(why(&store), ["ERROR two"]);
    store.push(line("calm", "a"));
    store.push(line("calm", "b"));
    assert_eq!(log(&store, "calm").why(5).into_iter().map(describe).collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn a_stream_that_is_opened_again_leaves_a_mark() {
    let mut store = LogStore::default();
    store.observe(&fact(0, opened("u1")));
    store.push(line("migrate", "one"));
    assert!(log(&store, "migrate").is_live());
    store.observe(&fact(1, closed("u1")));
    assert!(!log(&store, "migrate").is_live());
    store.observe(&fact(3, opened("u1")));
    store.push(line("migrate", "two"));
    assert_eq!(rows(log(&store, "migrate")), ["one", "-- reopened 2s", "two"]);
    assert_eq!(log(&store, "migrate").sources().len(), 1);
}

#[test]
fn a_pod_of_the_same_name_in_the_next_attempt_is_another_source() {
    let mut store = LogStore::default();
    store.observe(&fact(0, opened("u1")));
    store.push(line("migrate", "one"));
    store.observe(&fact(5, opened("u2")));
    store.push(LogLine { attempt: 2, ..line("migrate", "two") });
    let attempts: Vec<_> = log(&store, "migrate").sources().iter().map(|source| (source.uid.clone().unwrap(), source.attempt)).collect();
    assert_eq!(attempts, [("u1".into(), Some(1)), ("u2".into(), Some(2))]);
}

#[test]
fn a_source_knows_how_its_container_ended_and_that_its_pod_is_gone() {
    let mut store = LogStore::default();
    store.observe(&fact(0, opened("u1")));
    let state = ContainerState::Terminated { exit_code: 3, reason: "Error".into(), at: Some(at(2)) };
    let container = Container { name: "main".into(), init: false, state, ready: false, restarts: 0 };
    let pod = PodView {
        namespace: "shop".into(),
        name: "pod-a".into(),
        uid: "u1".into(),
        owner: task("migrate").key,
        phase: "Failed".into(),
        created: None,
        deleting: false,
        unscheduled: None,
        containers: vec![container],
    };
    let shape = log(&store, "migrate").shape();
    store.observe(&fact(2, Event::PodObserved { pod }));
    store.observe(&fact(3, Event::PodGone { namespace: "shop".into(), name: "pod-a".into(), uid: "u1".into() }));
    let source = &log(&store, "migrate").sources()[0];
    assert_eq!(source.exit, Some(Exit { code: 3, reason: "Error".into(), at: Some(at(2)) }));
    assert!(source.pod_gone);
    assert_ne!(log(&store, "migrate").shape(), shape);
}

#[test]
fn the_rate_counts_what_arrived_in_the_last_seconds() {
    let mut store = LogStore::default();
    for second in 0..20 {
        for _ in 0..3 {
            store.push(LogLine { at: at(second), ..line("migrate", "x") });
        }
    }
    assert!((log(&store, "migrate").rate(at(19)) - 3.6).abs() < 0.1);
    assert!(log(&store, "migrate").rate(at(60)) < 0.1);
}

#[derive(Clone, Debug)]
enum Input {
    Piece { task: bool, pod: bool, length: usize, continued: bool },
    Missing(u64),
}

fn input() -> impl Strategy<Value = Input> {
    prop_oneof![
        8 => (any::<bool>(), any::<bool>(), 0_usize..200, prop::bool::weighted(0.2)).prop_map(|(task, pod, length, continued)| Input::Piece { task, pod, length, continued }),
        1 => (1_u64..9).prop_map(Input::Missing),
    ]
}

fn name(first: bool) -> &'static str {
    if first { "migrate" } else { "smoke" }
}

proptest! {
    #[test]
    fn nothing_is_lost_without_being_counted_and_the_budget_holds(inputs in prop::collection::vec(input(), 0..120), budget in 0_usize..20_000) {
        let mut store = LogStore::new(budget);
        let (mut begun, mut missing) = (0, 0);
        let mut unfinished = HashMap::new();
        for input in inputs {
            match input {
                Input::Piece { task, pod, length, continued } => {
                    let before = unfinished.insert((task, pod), continued).unwrap_or(false);
                    begun += u64::from(!before);
                    store.push(piece(name(task), if pod { "pod-a" } else { "pod-b" }, &vec![b'x'; length], continued));
                }
                Input::Missing(lines) => {
                    missing += lines;
                    store.push(dropped("migrate", lines));
                }
            }
            prop_assert!(store.bytes() <= budget);
        }
        let logs: Vec<_> = [true, false].into_iter().filter_map(|first| store.log("op", &task(name(first)))).collect();
        let kept: u64 = logs.iter().flat_map(|log| log.window(0, usize::MAX)).filter(|row| row.text().is_some_and(|text| !text.continues)).count() as u64;
        prop_assert_eq!(logs.iter().map(|log| log.received()).sum::<u64>(), begun);
        prop_assert_eq!(kept + logs.iter().map(|log| log.dropped()).sum::<u64>(), begun);
        prop_assert_eq!(logs.iter().map(|log| log.missing()).sum::<u64>(), missing);
        let cost: usize = logs.iter().flat_map(|log| log.window(0, usize::MAX)).map(StoredLine::cost).sum();
        prop_assert_eq!(cost, store.bytes());
        for log in logs {
            prop_assert_eq!(log.numbers().end - log.numbers().start, log.window(0, usize::MAX).count() as u64);
            prop_assert!(log.faults.iter().all(|number| log.numbers().contains(number)));
        }
    }

    #[test]
    fn a_joined_line_reads_as_if_it_had_come_whole(bytes in prop::collection::vec(any::<u8>(), 0..300), cut in any::<prop::sample::Index>()) {
        let cut = cut.index(bytes.len() + 1);
        let store = store([piece("migrate", "pod-a", &bytes[..cut], true), piece("migrate", "pod-a", &bytes[cut..], false)]);
        let cleaned = clean::line(&bytes);
        let row = log(&store, "migrate").line(0).and_then(StoredLine::text).unwrap();
        prop_assert_eq!((&row.text, row.lossy), (&cleaned.text, cleaned.lossy));
        prop_assert_eq!(row.columns, clean::columns(&cleaned.text));
    }
}
