//! Logs of hooks: every container of every pod, from the first byte to the last, once. Containers that print much live a second longer: the
//! runtime loses the end of what one prints in the moment of its end, and kubectl does not see it either.

use base64::Engine as _;
use serde_json::json;

use crate::support::{ObjectExt, Space, job};

/// S2-11, R1506: three pods of one Job, all of their lines, in order, none twice.
#[test]
fn three_pods_of_a_job_with_backoff_limit_two_are_all_shown_in_full() {
    let Some(space) = Space::open("backoff") else { return };
    let script = "for n in $(seq 1 300); do echo \"line $n of 300\"; done; sleep 1; exit 1";
    let target = space.write("backoff", &[job("migrate", script).hook("PreSync").policy("HookFailed").with("/spec/backoffLimit", 2)]);
    let outcome = space.sync(&target).run();
    outcome.assert_end(1, "Failed", "one or more synchronization tasks completed unsuccessfully");
    let expected: Vec<(u64, String)> = (1..=3).flat_map(|pod| (1..=300).map(move |n| (pod, format!("line {n} of 300")))).collect();
    let seen: Vec<(u64, String)> = outcome.log("migrate").into_iter().map(|(pod, line)| (pod, line.to_owned())).collect();
    assert_eq!(seen, expected);
    let mut pods: Vec<&str> = outcome.events("log").iter().map(|line| line["pod"].as_str().unwrap()).collect();
    pods.dedup();
    assert_eq!(pods.len(), 3, "{pods:?}");
}

/// Init containers and containers side by side.
#[test]
fn every_container_of_a_hook_is_followed_from_its_first_line() {
    let Some(space) = Space::open("containers") else { return };
    let container = |name: &str, script: &str| json!({"name": name, "image": "busybox", "imagePullPolicy": "IfNotPresent", "command": ["sh", "-c", script]});
    let hook = job("many", "true")
        .hook("PreSync")
        .policy("HookSucceeded")
        .with(
            "/spec/template/spec/initContainers",
            json!([container("first", "echo one"), container("second", "echo two; sleep 1; echo three")]),
        )
        .with(
            "/spec/template/spec/containers",
            json!([container("left", "echo four; sleep 1; echo five"), container("right", "printf six")]),
        );
    let outcome = space.sync(&space.write("containers", &[hook])).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (no more tasks)");
    let lines = outcome.events("log");
    let of = |name: &str| -> Vec<&str> {
        lines.iter().filter(|line| line["container"] == name).map(|line| line["line"].as_str().unwrap()).collect()
    };
    assert_eq!((of("first"), of("second")), (vec!["one"], vec!["two", "three"]));
    assert_eq!((of("left"), of("right")), (vec!["four", "five"], vec!["six"]), "a last line without its end counts too");
}

/// Text from a container is data: control sequences arrive as JSON escapes, and invalid UTF-8 as it was.
#[test]
fn escape_sequences_and_invalid_utf8_arrive_as_data() {
    let Some(space) = Space::open("bytes") else { return };
    let script = r"printf '\033[31mred\033[0m\n'; printf '\033]0;title\007bell\n'; printf 'bad \377\376 bytes\n'; printf 'caf\303\251\n'; printf 'a\tb\r\n'";
    let outcome = space.sync(&space.write("bytes", &[job("bytes", script).hook("PreSync")])).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (no more tasks)");
    let lines: Vec<&str> = outcome.log("bytes").into_iter().map(|(_, line)| line).collect();
    assert_eq!(lines[..2], ["\u{1b}[31mred\u{1b}[0m", "\u{1b}]0;title\u{7}bell"]);
    assert_eq!(lines[2..4], ["bad \u{fffd}\u{fffd} bytes", "café"]);
    assert!(lines[4] == "a\tb\r" || lines[4] == "a\tb", "{:?}", lines[4]);
    let logs = outcome.events("log");
    let raw = base64::engine::general_purpose::STANDARD.decode(logs[2]["raw"].as_str().unwrap()).unwrap();
    assert_eq!(raw, b"bad \xff\xfe bytes");
    assert!(logs[0].get("raw").is_none() && logs[3].get("raw").is_none(), "only where it is needed");
}

/// cli.md: a line over 64 KiB comes in parts; put together they are the line.
#[test]
fn a_line_of_200_kilobytes_comes_in_parts_and_nothing_is_lost() {
    let Some(space) = Space::open("longline") else { return };
    let script = "seq 1 40000 | tr '\\n' ,  | head -c 200000; echo; echo short; sleep 1";
    let outcome = space.sync(&space.write("longline", &[job("long", script).hook("PreSync")])).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (no more tasks)");
    let mut expected: String = (1..=40000).map(|n| format!("{n},")).collect();
    expected.truncate(200_000);
    let logs = outcome.events("log");
    let (last, parts) = logs.split_last().unwrap();
    assert_eq!(last["line"], "short");
    assert!(last.get("continued").is_none());
    let continued: Vec<bool> = parts.iter().map(|line| line["continued"] == true).collect();
    assert!(parts.len() >= 4 && continued.iter().rev().skip(1).all(|it| *it) && !continued[parts.len() - 1], "{continued:?}");
    assert!(parts.iter().all(|line| line["line"].as_str().unwrap().len() <= 64 * 1024));
    let whole: String = parts.iter().map(|line| line["line"].as_str().unwrap()).collect();
    assert!(whole == expected, "{} bytes instead of {}", whole.len(), expected.len());
}

/// restartPolicy OnFailure: the runs of one container, one after the other in the same pod.
#[test]
fn every_run_of_a_container_that_is_started_again_is_shown() {
    let Some(space) = Space::open("restarts") else { return };
    let script = "n=$(cat /keep/n 2>/dev/null || echo 0); n=$((n + 1)); echo $n >/keep/n; echo \"begin $n\"; sleep 0.2; echo \"end $n\"; test $n -ge 3";
    let hook = job("again", script)
        .hook("PreSync")
        .with("/spec/backoffLimit", 5)
        .with("/spec/template/spec/restartPolicy", "OnFailure")
        .with("/spec/template/spec/volumes", json!([{"name": "keep", "emptyDir": {}}]))
        .with("/spec/template/spec/containers/0/volumeMounts", json!([{"name": "keep", "mountPath": "/keep"}]));
    let outcome = space.sync(&space.write("restarts", &[hook])).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (no more tasks)");
    let lines: Vec<&str> = outcome.log("again").into_iter().map(|(_, line)| line).collect();
    assert_eq!(lines, ["begin 1", "end 1", "begin 2", "end 2", "begin 3", "end 3"]);
}

/// Many pods that print much at once: nothing is dropped while somebody reads.
#[test]
fn ten_pods_that_print_much_at_once_lose_nothing() {
    let Some(space) = Space::open("much") else { return };
    let script = "seq 1 5000 | sed 's/$/ of a line that has some length to it/'; sleep 1";
    let hook = job("much", script).hook("PreSync").with("/spec/parallelism", 10).with("/spec/completions", 10);
    let outcome = space.sync(&space.write("much", &[hook])).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (no more tasks)");
    let log = outcome.log("much");
    for pod in 1..=10 {
        let lines: Vec<&str> = log.iter().filter(|(of, _)| *of == pod).map(|(_, line)| *line).collect();
        let wrong = lines.iter().zip(1..).find(|(line, n)| **line != format!("{n} of a line that has some length to it"));
        assert!(lines.len() == 5000 && wrong.is_none(), "pod {pod}: {} lines, {wrong:?}", lines.len());
    }
}

/// A single line of five megabytes.
#[test]
fn a_line_of_five_megabytes_arrives_whole() {
    let Some(space) = Space::open("huge") else { return };
    let outcome = space
        .sync(&space.write("huge", &[job("huge", "head -c 5000000 /dev/zero | tr '\\0' x; echo; echo after; sleep 1").hook("PreSync")]))
        .run();
    outcome.assert_end(0, "Succeeded", "successfully synced (no more tasks)");
    let log = outcome.log("huge");
    let (last, parts) = log.split_last().unwrap();
    assert_eq!((last.1, parts.iter().map(|(_, part)| part.len()).sum::<usize>()), ("after", 5_000_000));
}
