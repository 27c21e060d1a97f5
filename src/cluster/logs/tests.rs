use std::sync::Mutex;

use bytes::Bytes;
use serde_json::{Value, json};

use super::*;
use crate::cluster::fake::{self, Asked, FakeResponse};
use crate::cluster::locked;

#[derive(Default)]
struct Collected(Vec<String>);

impl LogSink for Collected {
    async fn take(&mut self, piece: Piece) {
        let end = if piece.continued { "…" } else { "" };
        self.0.push(format!("{}{end}", String::from_utf8_lossy(&piece.text)));
    }

    fn warn(&mut self, text: String) {
        self.0.push(text);
    }
}

fn target() -> LogTarget {
    LogTarget { namespace: "shop".into(), pod: "p".into(), uid: "u".into(), container: "c".into() }
}

fn pod(phase: &str, restarts: u32, state: &Value) -> FakeResponse {
    fake::json_answer(
        200,
        &json!({"metadata": {"name": "p", "uid": "u"}, "spec": {"restartPolicy": if restarts > 0 { "OnFailure" } else { "Never" }},
        "status": {"phase": phase, "containerStatuses": [{"name": "c", "restartCount": restarts, "state": state}]}}),
    )
}

fn running() -> FakeResponse {
    pod("Running", 0, &json!({"running": {}}))
}

fn ended() -> FakeResponse {
    pod("Succeeded", 0, &json!({"terminated": {"exitCode": 0}}))
}

fn lines(range: std::ops::Range<u32>) -> Bytes {
    range.map(|number| format!("2026-03-01T09:00:{:02}.{number:03}Z line {number}\n", number / 10)).collect::<String>().into()
}

fn expected(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|number| format!("line {number}")).collect()
}

fn body(chunks: Vec<(u64, Result<Bytes, &'static str>)>) -> FakeResponse {
    http::Response::new(fake::chunks(chunks))
}

/// What a kubelet would send from `sinceTime` on.
fn since(asked: &Asked, range: std::ops::Range<u32>) -> Bytes {
    let from = asked.query.split('&').find_map(|part| part.strip_prefix("sinceTime=")).unwrap_or_default().to_owned();
    let all = String::from_utf8(lines(range).to_vec()).unwrap();
    all.lines().filter(|line| *line >= from.as_str()).map(|line| format!("{line}\n")).collect::<String>().into()
}

/// Serves the pod's states and the log's streams one after the other, the last one for ever.
async fn follow(
    pods: Vec<fn() -> FakeResponse>,
    streams: Vec<fn(&Asked) -> FakeResponse>,
) -> (Result<(), String>, Vec<String>, Vec<String>) {
    let asked_for = std::sync::Arc::new(Mutex::new((0, Vec::new())));
    let log = asked_for.clone();
    let cluster = fake::cluster(move |asked| {
        let mut seen = locked(&log);
        if !asked.path.ends_with("/log") {
            seen.0 += 1;
            return pods[(seen.0 - 1).min(pods.len() - 1)]();
        }
        seen.1.push(asked.query.clone());
        streams[(seen.1.len() - 1).min(streams.len() - 1)](&asked)
    });
    let mut sink = Collected::default();
    let result = tokio::time::timeout(Duration::from_secs(3_600), cluster.follow_log(&target(), &mut sink)).await.unwrap();
    let queries = locked(&asked_for).1.clone();
    (result, sink.0, queries)
}

#[tokio::test(start_paused = true)]
async fn a_log_that_is_cut_neither_loses_nor_repeats_a_line() {
    let cut: fn(&Asked) -> FakeResponse = |asked| {
        let all = since(asked, 0..25);
        body(vec![(10, Ok(all.slice(..all.len() - 7))), (10, Err("connection reset"))])
    };
    let whole: fn(&Asked) -> FakeResponse = |asked| body(vec![(10, Ok(since(asked, 0..60)))]);
    let (result, got, queries) = follow(vec![running, running, ended], vec![cut, whole, whole]).await;
    assert_eq!((result, got), (Ok(()), expected(0..60)));
    assert_eq!(queries[0], "container=c&timestamps=true&follow=true");
    assert_eq!(queries[1], "container=c&timestamps=true&follow=true&sinceTime=2026-03-01T09:00:01Z");
    assert_eq!(queries[2], "container=c&timestamps=true&sinceTime=2026-03-01T09:00:04Z", "the rest is read after the end");
}

#[tokio::test(start_paused = true)]
async fn a_resumed_stream_that_begins_inside_a_line_does_not_bring_its_rest_again() {
    let cut: fn(&Asked) -> FakeResponse = |asked| body(vec![(10, Ok(since(asked, 0..25))), (10, Err("connection reset"))]);
    let inside: fn(&Asked) -> FakeResponse =
        |asked| body(vec![(10, Ok(Bytes::from_static(b"rest of line 0\n"))), (10, Ok(since(asked, 0..40)))]);
    let (result, got, queries) = follow(vec![running, running, ended], vec![cut, inside, inside]).await;
    assert_eq!((result, got), (Ok(()), expected(0..40)), "{queries:?}");
}

#[tokio::test(start_paused = true)]
async fn a_container_that_has_ended_is_read_once_to_its_last_byte() {
    let (result, got, queries) =
        follow(vec![ended], vec![|_| body(vec![(0, Ok(lines(0..3))), (0, Ok(Bytes::from_static(b"no newline")))])]).await;
    assert_eq!((result, queries.len()), (Ok(()), 1));
    assert_eq!(got, ["line 0", "line 1", "line 2", "no newline"]);
}

#[tokio::test(start_paused = true)]
async fn a_container_that_waits_to_start_is_waited_for() {
    let waiting: fn() -> FakeResponse = || pod("Pending", 0, &json!({"waiting": {"reason": "ContainerCreating"}}));
    let refused: fn(&Asked) -> FakeResponse =
        |_| fake::status(400, "BadRequest", "container \"c\" in pod \"p\" is waiting to start: ContainerCreating");
    let (result, got, _) =
        follow(vec![waiting, waiting, running, ended], vec![refused, |asked| body(vec![(0, Ok(since(asked, 0..2)))])]).await;
    assert_eq!((result, got), (Ok(()), expected(0..2)));
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_is_gone_or_was_replaced_is_the_end() {
    let gone: fn() -> FakeResponse = || fake::status(404, "NotFound", "pods \"p\" not found");
    let replaced: fn() -> FakeResponse = || fake::json_answer(200, &json!({"metadata": {"uid": "other"}}));
    for end in [gone, replaced] {
        let (result, got, _) = follow(vec![running, end], vec![|_| body(vec![(0, Ok(lines(0..5)))])]).await;
        assert_eq!((result, got), (Ok(()), expected(0..5)));
    }
}

#[tokio::test(start_paused = true)]
async fn every_run_of_a_restarted_container_is_read() {
    let first: fn() -> FakeResponse = || pod("Running", 1, &json!({"running": {}}));
    let last: fn() -> FakeResponse = || pod("Succeeded", 1, &json!({"terminated": {"exitCode": 0}}));
    let serve: fn(&Asked) -> FakeResponse =
        |asked| body(vec![(0, Ok(if asked.query.contains("previous=true") { lines(0..3) } else { lines(3..6) }))]);
    let (result, got, queries) = follow(vec![first, last], vec![serve]).await;
    assert_eq!((result, got), (Ok(()), expected(0..6)), "{queries:?}");
}

#[tokio::test(start_paused = true)]
async fn a_silent_stream_is_opened_again_and_a_forbidden_log_is_a_sentence() {
    let silent: fn(&Asked) -> FakeResponse = |_| body(vec![(10, Ok(lines(0..2))), (400_000, Ok(lines(2..3)))]);
    let (result, got, queries) = follow(vec![running, running, ended], vec![silent, |asked| body(vec![(0, Ok(since(asked, 0..3)))])]).await;
    assert_eq!((result, got, queries.len()), (Ok(()), expected(0..3), 3));
    let (result, _, _) = follow(vec![running], vec![|_| fake::status(403, "Forbidden", "pods/log is forbidden")]).await;
    assert_eq!(result.unwrap_err(), "the log of pod shop/p (container c) cannot be read: pods/log is forbidden");
}

#[tokio::test(start_paused = true)]
async fn a_server_in_trouble_is_asked_as_long_as_the_pod_is_there_and_that_is_told() {
    let mut streams: Vec<fn(&Asked) -> FakeResponse> = Vec::new();
    for _ in 0..30 {
        streams.push(|_| fake::status(500, "InternalError", "Get \"https://10.0.0.7:10250/containerLogs\": no route to host"));
        streams.push(|_| fake::status(504, "Timeout", "request timed out"));
    }
    streams.push(|asked| body(vec![(0, Ok(since(asked, 0..3)))]));
    let (result, mut got, queries) = follow(vec![ended], streams).await;
    let told = got.remove(0);
    assert_eq!((result, got, queries.len()), (Ok(()), expected(0..3), 61));
    assert_eq!(told, "the log of pod shop/p (container c) cannot be read: request timed out; trying again");
}

#[tokio::test(start_paused = true)]
async fn the_run_before_is_read_until_its_end_has_come() {
    let first: fn() -> FakeResponse = || pod("Running", 0, &json!({"running": {}}));
    let second: fn() -> FakeResponse = || pod("Running", 1, &json!({"running": {}}));
    let last: fn() -> FakeResponse = || pod("Succeeded", 1, &json!({"terminated": {"exitCode": 0}}));
    let cut: fn(&Asked) -> FakeResponse = |asked| body(vec![(10, Ok(since(asked, 0..15))), (10, Err("connection reset"))]);
    let busy: fn(&Asked) -> FakeResponse = |_| fake::status(503, "ServiceUnavailable", "busy");
    let rest: fn(&Asked) -> FakeResponse = |asked| {
        assert!(asked.query.contains("previous=true"), "{}", asked.query);
        body(vec![(10, Ok(since(asked, 0..40)))])
    };
    let next: fn(&Asked) -> FakeResponse = |_| body(vec![(10, Ok(lines(40..45)))]);
    let (result, got, queries) = follow(vec![first, second, second, second, second, last], vec![cut, busy, cut, rest, next]).await;
    assert_eq!((result, got), (Ok(()), expected(0..45)), "{queries:?}");
}

#[tokio::test(start_paused = true)]
async fn runs_that_nobody_keeps_are_told_as_a_gap() {
    let serve: fn(&Asked) -> FakeResponse =
        |asked| body(vec![(0, Ok(if asked.query.contains("previous=true") { lines(3..6) } else { lines(6..9) }))]);
    let late: fn() -> FakeResponse = || pod("Succeeded", 4, &json!({"terminated": {"exitCode": 0}}));
    let (result, mut got, _) = follow(vec![late], vec![serve]).await;
    let told = got.remove(0);
    assert_eq!((result, got), (Ok(()), expected(3..9)));
    assert_eq!(told, "the log of pod shop/p (container c) begins with its start number 4; the kubelet keeps no earlier ones");
    let first: fn() -> FakeResponse = || pod("Running", 0, &json!({"running": {}}));
    let begun: fn(&Asked) -> FakeResponse = |_| body(vec![(0, Ok(lines(0..3))), (0, Err("connection reset"))]);
    let (result, mut got, _) = follow(vec![first, late], vec![begun, serve]).await;
    let told = got.remove(3);
    assert_eq!((result, got), (Ok(()), expected(0..9)));
    assert!(told.contains("has a gap: lines from its start number 1 on, up to number 3, may be missing"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn a_long_line_without_an_end_is_closed() {
    let long: fn(&Asked) -> FakeResponse =
        |_| body(vec![(0, Ok(Bytes::from(format!("2026-03-01T09:00:00Z {}", "x".repeat(70_000))))), (0, Err("connection reset"))]);
    let gone: fn() -> FakeResponse = || fake::status(404, "NotFound", "pods \"p\" not found");
    let (result, got, _) = follow(vec![running, gone], vec![long]).await;
    let ends: Vec<(usize, bool)> = got.iter().map(|text| (text.chars().count(), text.ends_with('…'))).collect();
    assert_eq!((result, ends), (Ok(()), vec![(65_537, true), (0, false)]));
}

fn restarted() -> FakeResponse {
    pod("Running", 1, &json!({"running": {}}))
}

fn restarted_and_ended() -> FakeResponse {
    pod("Succeeded", 1, &json!({"terminated": {"exitCode": 0}}))
}

const GONE: &str = "unable to retrieve container logs for containerd://17ac";

#[tokio::test(start_paused = true)]
async fn lines_of_a_new_run_that_came_before_the_pods_status_are_not_repeated() {
    let one: fn(&Asked) -> FakeResponse = |_| body(vec![(0, Ok(lines(0..3)))]);
    let half: fn(&Asked) -> FakeResponse = |_| body(vec![(0, Ok(lines(3..5))), (10, Err("connection reset"))]);
    let previous: fn(&Asked) -> FakeResponse = |_| body(vec![(0, Ok(Bytes::from_static(GONE.as_bytes())))]);
    let two: fn(&Asked) -> FakeResponse = |asked| body(vec![(0, Ok(since(asked, 3..9)))]);
    let (result, got, queries) =
        follow(vec![running, running, running, restarted, restarted_and_ended], vec![one, half, previous, two, two]).await;
    assert_eq!((result, got), (Ok(()), expected(0..9)), "{queries:?}");
    assert!(queries[2].contains("previous=true"), "{queries:?}");
}

#[tokio::test(start_paused = true)]
async fn a_log_that_the_kubelet_has_lost_is_a_sentence_and_no_line() {
    let gone: fn(&Asked) -> FakeResponse = |_| body(vec![(0, Ok(Bytes::from_static(GONE.as_bytes())))]);
    let (result, got, _) = follow(vec![ended], vec![gone]).await;
    assert_eq!(result.unwrap_err(), format!("the log of pod shop/p (container c) may lack its last lines: {GONE}"));
    assert!(got.is_empty(), "{got:?}");
    let (result, got, _) = follow(vec![running, ended], vec![|_| body(vec![(0, Ok(lines(0..3)))]), gone]).await;
    assert_eq!((result, got), (Ok(()), expected(0..3)), "it had been read to its end");
}

/// The present run was started at this second of 09:00.
fn restarted_at(phase: &str, second: u32, restarts: u32, state: &str) -> FakeResponse {
    let state = json!({state: {"exitCode": 0, "startedAt": format!("2026-03-01T09:00:{second:02}Z")}});
    fake::json_answer(
        200,
        &json!({"metadata": {"name": "p", "uid": "u"}, "spec": {"restartPolicy": "OnFailure"}, "status": {"phase": phase,
        "containerStatuses": [{"name": "c", "restartCount": restarts, "state": state}]}}),
    )
}

/// The kubelet serves the new run as soon as there is one, and the pod's status speaks of it later.
#[tokio::test(start_paused = true)]
async fn the_rest_of_a_run_is_read_although_lines_of_the_next_one_have_come_before() {
    let cut: fn(&Asked) -> FakeResponse = |asked| body(vec![(0, Ok(since(asked, 0..15))), (10, Err("connection reset"))]);
    let next: fn(&Asked) -> FakeResponse = |asked| body(vec![(0, Ok(since(asked, 40..45))), (10, Err("connection reset"))]);
    let previous: fn(&Asked) -> FakeResponse = |asked| {
        assert!(asked.query.contains("previous=true"), "{}", asked.query);
        body(vec![(0, Ok(since(asked, 0..20))), (10, Err("connection reset"))])
    };
    let rest: fn(&Asked) -> FakeResponse = |asked| {
        assert!(asked.query.contains("previous=true"), "{}", asked.query);
        body(vec![(0, Ok(since(asked, 0..25)))])
    };
    let last: fn(&Asked) -> FakeResponse = |asked| body(vec![(0, Ok(since(asked, 40..50)))]);
    let restarted: fn() -> FakeResponse = || restarted_at("Running", 4, 1, "running");
    let over: fn() -> FakeResponse = || restarted_at("Succeeded", 4, 1, "terminated");
    let (result, got, queries) = follow(vec![running, running, restarted, restarted, over], vec![cut, next, previous, rest, last]).await;
    let all: Vec<String> = [0..15, 40..45, 15..25, 45..50].into_iter().flat_map(expected).collect();
    assert_eq!((result, got), (Ok(()), all), "{queries:?}");
    assert!(queries[2].ends_with("sinceTime=2026-03-01T09:00:00Z"), "{queries:?}");
    assert!(queries[3].ends_with("sinceTime=2026-03-01T09:00:00Z"), "{queries:?}");
    assert!(queries[4].ends_with("sinceTime=2026-03-01T09:00:03Z"), "{queries:?}");
}

#[tokio::test(start_paused = true)]
async fn a_rest_that_the_kubelet_has_lost_is_told_although_the_next_run_was_read_to_its_end() {
    let cut: fn(&Asked) -> FakeResponse = |asked| body(vec![(0, Ok(since(asked, 0..15))), (10, Err("connection reset"))]);
    let next: fn(&Asked) -> FakeResponse = |asked| body(vec![(0, Ok(since(asked, 40..45)))]);
    let gone: fn(&Asked) -> FakeResponse = |_| body(vec![(0, Ok(Bytes::from_static(GONE.as_bytes())))]);
    let over: fn() -> FakeResponse = || restarted_at("Succeeded", 4, 1, "terminated");
    let (result, got, queries) = follow(vec![running, running, over], vec![cut, next, gone, next]).await;
    let all: Vec<String> = [0..15, 40..45].into_iter().flat_map(expected).collect();
    assert_eq!(got, all, "{queries:?}");
    assert!(result.is_err_and(|error| error.contains("may lack its last lines")), "{queries:?}");
}

/// The kubelet serves the newest file only, so after its rotation a resumed stream repeats nothing either.
#[tokio::test(start_paused = true)]
async fn a_file_that_was_rotated_between_two_streams_of_a_run_brings_nothing_twice() {
    let cut: fn(&Asked) -> FakeResponse = |asked| body(vec![(0, Ok(since(asked, 0..15))), (10, Err("connection reset"))]);
    let rotated: fn(&Asked) -> FakeResponse = |asked| body(vec![(0, Ok(since(asked, 30..60)))]);
    let previous: fn(&Asked) -> FakeResponse = |asked| {
        assert!(asked.query.contains("previous=true"), "{}", asked.query);
        body(vec![(0, Ok(since(asked, 30..65)))])
    };
    let next: fn(&Asked) -> FakeResponse = |asked| body(vec![(0, Ok(since(asked, 70..75)))]);
    let over: fn() -> FakeResponse = || restarted_at("Succeeded", 7, 1, "terminated");
    let (result, got, queries) = follow(vec![running, running, over], vec![cut, rotated, previous, next]).await;
    let all: Vec<String> = [0..15, 30..65, 70..75].into_iter().flat_map(expected).collect();
    assert_eq!((result, got), (Ok(()), all), "{queries:?}");
    assert!(queries[2].ends_with("sinceTime=2026-03-01T09:00:04Z"), "{queries:?}");
}

/// The pod's status never spoke of the run in the middle, which was shorter than a second.
#[tokio::test(start_paused = true)]
async fn a_short_run_that_was_read_before_the_status_spoke_of_it_is_not_read_again() {
    let first: fn(&Asked) -> FakeResponse = |asked| body(vec![(0, Ok(since(asked, 0..15)))]);
    let short: fn(&Asked) -> FakeResponse = |asked| body(vec![(0, Ok(since(asked, 40..45)))]);
    let last: fn(&Asked) -> FakeResponse = |asked| body(vec![(0, Ok(since(asked, 60..65)))]);
    let over: fn() -> FakeResponse = || restarted_at("Succeeded", 6, 2, "terminated");
    let (result, got, queries) = follow(vec![running, running, running, over], vec![first, short, short, last]).await;
    // The status alone does not say that nothing is missing.
    let lines: Vec<&String> = got.iter().filter(|text| !text.contains("has a gap")).collect();
    let all: Vec<String> = [0..15, 40..45, 60..65].into_iter().flat_map(expected).collect();
    assert_eq!((result, lines), (Ok(()), all.iter().collect()), "{queries:?}");
    assert!(queries[2].contains("previous=true"), "{queries:?}");
}
