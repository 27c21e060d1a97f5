//! Topic 10: when a retry comes, and which hooks it runs again.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::support::{ObjectExt, Outcome, Space, job};

const RETRIED: &str = "one or more synchronization tasks completed unsuccessfully (retried 1 times).";

fn time(line: &Value, key: &str) -> Timestamp {
    line[key].as_str().unwrap().parse().unwrap()
}

/// R1006 [D], corrected (R1522): a retry comes when it was announced, after the first pause of the row, not after the second.
#[test]
fn r1006_r1522_a_retry_begins_when_it_was_announced() {
    let Some(space) = Space::open("announced") else { return };
    let target = space.write("announced", &[job("bad", "exit 1").hook("PreSync")]);
    let outcome = space.sync(&target).args(&["--retry-limit", "2", "--retry-backoff-duration", "3s", "--retry-backoff-factor", "2"]).run();
    outcome.assert_end(1, "Failed", &RETRIED.replace("retried 1", "retried 2"));
    let mut pauses = Vec::new();
    for (at, line) in outcome.lines.iter().enumerate().filter(|(_, line)| line["event"] == "retry.scheduled") {
        let begin = outcome.lines[at..].iter().find(|line| line["event"] == "phase.started").expect("an attempt follows");
        let late = time(begin, "time").duration_since(time(line, "at"));
        assert!((SignedDuration::ZERO..SignedDuration::from_secs(3)).contains(&late), "{late:?} after {line}");
        pauses.push(time(line, "at").duration_since(time(line, "time")).as_millis());
    }
    assert!(pauses.len() == 2 && pauses[0].abs_diff(3000) < 1000 && pauses[1].abs_diff(6000) < 1000, "{pauses:?}");
}

/// Of which attempts a hook's log is.
fn ran_in(outcome: &Outcome, hook: &str) -> Vec<u64> {
    let lines = outcome.events("log").into_iter().filter(|line| line["task"]["name"].as_str().unwrap().starts_with(hook));
    lines.map(|line| line["attempt"].as_u64().unwrap()).collect()
}

fn retried(space: &Space, hooks: &[crate::support::Object]) -> Outcome {
    let outcome = space.sync(&space.write("hooks", hooks)).args(&["--retry-limit", "1", "--retry-backoff-duration", "2s"]).run();
    outcome.assert_end(1, "Failed", RETRIED);
    space.assert_no_finalizer();
    outcome
}

/// R1008 [D], second point, confirmed: without BeforeHookCreation a hook that succeeded in the failed attempt passes at once in the next
/// one, and one that failed fails at once, so that the retry is useless; ours says so (R1507).
#[test]
fn r1008_hooks_that_only_go_with_success_are_not_run_again_by_a_retry() {
    let Some(space) = Space::open("retry-kept") else { return };
    let kept = |name: &str, script: &str| job(name, script).hook("PreSync").policy("HookSucceeded");
    let outcome = retried(&space, &[kept("good", "echo good"), kept("bad", "echo bad; exit 1").wave(1)]);
    for (hook, end) in [("good", "Succeeded"), ("bad", "Failed")] {
        assert_eq!((ran_in(&outcome, hook), space.births("apis/batch/v1", "jobs", hook).len()), (vec![1], 1), "{hook}");
        let result = outcome.results().into_iter().find(|text| text.starts_with(&format!("PreSync Job/{hook} "))).unwrap();
        assert!(result.starts_with(&format!("PreSync Job/{hook} Synced {end}: ")), "{result}");
        let told = outcome
            .events("warning")
            .into_iter()
            .any(|line| line["task"]["name"] == hook && line["message"].as_str().unwrap().starts_with("did not run again: "));
        assert!(told, "{hook}: {:?}", outcome.events("warning"));
    }
}

/// R1008 [D], fourth point, and R1524 [D], confirmed: a generated name is the same in a retry (R303), so that its hook is like a named one:
/// made anew by the default policy, taken as it is without.
#[test]
fn r1008_r1524_hooks_with_generated_names_keep_them_in_a_retry() {
    let Some(space) = Space::open("retry-named") else { return };
    let hook = |name: &str| job(name, "echo ran").hook("PreSync").generated();
    let outcome = retried(
        &space,
        &[
            hook("default"),
            hook("kept").policy("HookSucceeded"),
            job("bad", "echo bad; exit 1").hook("PreSync").policy("HookFailed").wave(1),
        ],
    );
    assert_eq!(["default-", "kept-", "bad"].map(|hook| ran_in(&outcome, hook)), [vec![1, 2], vec![1], vec![1, 2]]);
    assert_eq!(["default-", "kept-", "bad"].map(|hook| space.births("apis/batch/v1", "jobs", hook).len()), [2, 1, 2]);
    assert_eq!(space.names("jobs").iter().filter(|name| *name != "bad").count(), 2, "one name of each: {:?}", space.names("jobs"));
}
