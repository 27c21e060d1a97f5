//! The program without a terminal: exit codes, JSON, signals, closed pipes and every kind of bad input.

use std::io::{BufRead as _, BufReader};

use serde_json::Value;

use crate::support::{App, Done};

const CONFIG_MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  colour: green\n";

fn story(name: &str) -> Done {
    App::new(&format!("demo {name} --headless -o json --speed max")).run()
}

fn events(lines: &[Value], event: &str) -> Vec<Value> {
    lines.iter().filter(|line| line["event"] == event).cloned().collect()
}

fn last(lines: &[Value]) -> &Value {
    lines.last().expect("something was printed")
}

#[test]
fn web_shop_runs_through_its_phases_and_exits_0() {
    let done = story("web-shop");
    assert_eq!((done.code, done.err.as_str()), (Some(0), ""), "{}", done.out);
    let lines = done.lines();
    let phases: Vec<String> = events(&lines, "phase.finished").iter().map(|line| format!("{} {}", line["phase"], line["result"])).collect();
    assert_eq!(phases, ["\"PreSync\" \"Succeeded\"", "\"Sync\" \"Succeeded\"", "\"PostSync\" \"Succeeded\""]);
    let end = last(&lines);
    assert_eq!((&end["event"], &end["phase"], &end["terminated"]), (&"operation.finished".into(), &"Succeeded".into(), &false.into()));
    assert_eq!(end["message"], "successfully synced (no more tasks)");
    let log: Vec<String> = events(&lines, "log").iter().map(|line| line["line"].as_str().unwrap().to_owned()).collect();
    assert!(log.iter().any(|line| line.contains("2 migrations applied")), "{log:?}");
}

#[test]
fn every_line_has_time_operation_and_event() {
    let lines = story("web-shop").lines();
    for line in &lines {
        let time = line["time"].as_str().unwrap();
        assert!(time.ends_with('Z') && time.len() == "2026-03-01T09:00:00.000Z".len(), "{time}");
        assert!(line["event"].is_string() && line["operation"] == lines[0]["operation"], "{line}");
    }
}

#[test]
fn the_same_seed_prints_the_same_bytes() {
    assert_eq!(story("web-shop").out, story("web-shop").out);
}

#[test]
fn presync_fail_runs_syncfail_names_what_did_not_run_and_exits_1() {
    let done = story("presync-fail");
    assert_eq!(done.code, Some(1), "{}", done.err);
    let lines = done.lines();
    let end = last(&lines);
    assert_eq!(end["phase"], "Failed");
    let results = end["results"].as_array().unwrap();
    assert!(results.iter().any(|result| result["task"]["phase"] == "SyncFail" && result["hookPhase"] == "Succeeded"), "{end}");
    let left = end["notRun"].as_array().unwrap();
    assert!(left.iter().any(|left| left["task"]["phase"] == "Sync" && left["code"] == "blocked"), "{end}");
}

#[test]
fn every_story_ends_as_it_is_told() {
    for (name, code) in [("blue-green", 0), ("notify", 0), ("flaky", 0), ("endless", 3)] {
        let done = story(name);
        assert_eq!(done.code, Some(code), "{name}: {}\n{}", done.err, done.out.lines().last().unwrap_or_default());
        assert_eq!(last(&done.lines())["terminated"], code == 3, "{name}");
    }
}

#[test]
fn plain_output_ends_with_a_verdict_and_what_did_not_run() {
    let done = App::new("demo presync-fail --headless --speed max").run();
    assert_eq!(done.code, Some(1), "{}", done.err);
    for words in ["FAILED", "Did not run", "FATAL 1 migration failed", "│"] {
        assert!(done.out.contains(words), "{words} is missing in:\n{}", done.out);
    }
    assert!(!done.out.contains('\u{1b}'));
}

#[cfg(unix)]
#[test]
fn the_first_signal_terminates_the_operation_and_exits_3() {
    for signal in ["-INT", "-TERM"] {
        let app = App::new("demo endless --headless -o json --speed 5");
        let mut child = app.start();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut seen = Vec::new();
        while !seen.iter().any(|line: &String| line.contains("\"event\":\"log\"")) {
            seen.push(lines.next().unwrap().unwrap());
        }
        kill(signal, child.id());
        seen.extend(lines.map(Result::unwrap));
        let end: Value = serde_json::from_str(seen.last().unwrap()).unwrap();
        assert_eq!(
            (&end["event"], &end["terminated"], &end["message"]),
            (&"operation.finished".into(), &true.into(), &"Operation terminated".into())
        );
        assert!(seen.iter().any(|line| line.contains("terminate.requested") && line.contains(&signal[1..])), "{seen:?}");
        assert_eq!(child.wait().unwrap().code(), Some(3), "{signal}");
    }
}

/// `timeout` sends its signal to the program and to the program's group.
#[cfg(unix)]
#[test]
fn a_signal_that_comes_twice_at_once_counts_once() {
    for signal in ["INT", "TERM"] {
        let app = App::new("demo endless --headless -o json --speed 5");
        let mut child = app.start();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        while !lines.next().unwrap().unwrap().contains("\"event\":\"log\"") {}
        let twice = format!("kill -{signal} {id}; kill -{signal} {id}", id = child.id());
        assert!(std::process::Command::new("sh").args(["-c", &twice]).status().unwrap().success());
        let end: Value = serde_json::from_str(&lines.map(Result::unwrap).last().unwrap()).unwrap();
        assert_eq!((&end["event"], &end["terminated"]), (&"operation.finished".into(), &true.into()));
        assert_eq!(child.wait().unwrap().code(), Some(3), "{signal}");
    }
}

#[cfg(unix)]
#[test]
fn a_hang_up_does_not_end_the_operation() {
    let app = App::new("demo flaky --headless -o json --speed 20");
    let mut child = app.start();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("operation.started"));
    kill("-HUP", child.id());
    let end = lines.map(Result::unwrap).last().unwrap();
    assert!(end.contains("operation.finished"), "{end}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[cfg(unix)]
#[test]
fn a_signal_before_the_operation_exits_130_or_143() {
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        // Standard input stays open and empty, so the program waits for manifests.
        let app = App::new("sync - --embedded -o json").waiting_input();
        let child = app.start();
        let log = app.path(".local/state/syncwave/syncwave.log");
        while !std::fs::read_to_string(&log).is_ok_and(|text| text.contains("listening for signals")) {
            std::thread::yield_now();
        }
        kill(signal, child.id());
        Done::of(child).refused(code, &[]);
    }
}

#[cfg(unix)]
fn kill(signal: &str, id: u32) {
    let status = std::process::Command::new("kill").args([signal, &id.to_string()]).status().unwrap();
    assert!(status.success());
}

#[test]
fn a_reader_that_goes_away_is_no_panic_and_the_operation_ends() {
    let app = App::new("demo presync-fail --headless -o json --speed max");
    let mut child = app.start();
    drop(child.stdout.take());
    let done = Done::of(child);
    assert_eq!((done.code, done.err.as_str()), (Some(1), ""));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said_and_nothing_that_was_printed_counts_as_whole() {
    let sentence = "standard output cannot be written, so what it has got is not whole: No space left on device (os error 28)";
    for line in [
        "plan d --embedded",
        "plan d --embedded -o json",
        "diff d --embedded",
        "plan d --embedded --rbac",
        "health d",
        "config show",
        "--help",
    ] {
        App::new(line).file("d/a.yaml", CONFIG_MAP).run_into_full_disk().refused(2, &[sentence]);
    }
    for (story, code) in [("web-shop", 0), ("presync-fail", 1)] {
        let done = App::new(&format!("demo {story} --headless -o json --speed max")).run_into_full_disk();
        assert_eq!(done.code, Some(code), "an operation goes on, and its end decides");
        assert_eq!(done.err, format!("{sentence}; give it a place with room; the operation goes on\n"));
    }
}

#[test]
fn a_target_is_synced_on_the_embedded_cluster() {
    let done = App::new("sync deploy --embedded -n shop -o json --speed max").file("deploy/a.yaml", CONFIG_MAP).run();
    assert_eq!((done.code, done.err.as_str()), (Some(0), ""), "{}", done.out);
    let lines = done.lines();
    assert_eq!((&lines[0]["app"], &lines[0]["context"]), (&"deploy".into(), &"embedded".into()));
    let results = last(&lines)["results"].as_array().unwrap().clone();
    assert_eq!(results.len(), 1);
    assert_eq!((&results[0]["status"], &results[0]["message"]), (&"Synced".into(), &"configmap/settings created".into()));
}

const FAILING: &str = "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: migrate\n  annotations: {argocd.argoproj.io/hook: PreSync}\nspec:\n  backoffLimit: 0\n  template: {spec: {restartPolicy: Never, containers: [{name: main, image: busybox, command: [sh, -c, 'echo broken; exit 3']}]}}\n";

#[test]
fn a_hook_on_the_embedded_cluster_does_what_its_command_says() {
    let done = App::new("sync - --embedded -o json --speed max").input(FAILING).run();
    assert_eq!(done.code, Some(1), "{}", done.err);
    let lines = done.lines();
    assert_eq!(events(&lines, "log")[0]["line"], "broken");
    assert_eq!(last(&lines)["message"], "one or more synchronization tasks completed unsuccessfully");
}

#[test]
fn a_retry_says_when_it_comes_and_what_the_attempt_before_did() {
    let retry = "sync - --embedded -o json --speed max --retry-limit 2 --retry-backoff-duration 3s";
    let done = App::new(retry).input(FAILING).run();
    assert_eq!(done.code, Some(1), "{}", done.err);
    let lines = done.lines();
    let attempts: Vec<u64> = events(&lines, "retry.scheduled").iter().map(|line| line["attempt"].as_u64().unwrap()).collect();
    assert_eq!(attempts, [2, 3]);
    let logs: Vec<u64> = events(&lines, "log").iter().map(|line| line["attempt"].as_u64().unwrap()).collect();
    assert_eq!(logs, [1, 2, 3]);
    let end = last(&lines);
    assert_eq!(end["message"], "one or more synchronization tasks completed unsuccessfully (retried 2 times).");
    assert_eq!(end["attempts"].as_array().unwrap().len(), 2);
    assert_eq!(end["attempts"][0]["results"][0]["hookPhase"], "Failed");
}

#[test]
fn a_dry_run_says_that_nothing_was_written() {
    let done = App::new("sync deploy --embedded --headless --speed max --dry-run").file("deploy/a.yaml", CONFIG_MAP).run();
    assert_eq!(done.code, Some(0), "{}", done.err);
    assert!(done.out.contains("configmap/settings created (dry run)") && done.out.contains("nothing was written"), "{}", done.out);
}

#[test]
fn options_that_exclude_each_other_are_refused() {
    let app = |arguments: &str| App::new(&format!("sync deploy --embedded -o json {arguments}")).file("deploy/a.yaml", CONFIG_MAP).run();
    app("--hooks --strategy apply").refused(2, &["--hooks", "--strategy apply"]);
    app("--sync-option Prune").refused(2, &["--sync-option", "NAME=VALUE"]);
}

#[test]
fn embedded_takes_a_story_for_its_value_and_nothing_else() {
    let done = App::new("sync --embedded deploy -o json --speed max").file("deploy/a.yaml", CONFIG_MAP).run();
    assert_eq!((done.code, &done.lines()[0]["app"]), (Some(0), &"deploy".into()), "{}", done.err);
}

#[test]
fn a_target_can_come_on_standard_input() {
    let done = App::new("sync - --embedded --app shop -o json --speed max").input(CONFIG_MAP).run();
    assert_eq!((done.code, done.err.as_str()), (Some(0), ""), "{}", done.out);
    assert_eq!(done.lines()[0]["app"], "shop");
}

#[test]
fn the_roles_of_a_plan_are_yaml_or_one_json_object_and_nothing_lacks_on_the_embedded_cluster() {
    let done = App::new("plan deploy --embedded --rbac").file("deploy/a.yaml", CONFIG_MAP).run();
    assert_eq!((done.code, done.err.as_str()), (Some(0), ""));
    assert!(done.out.contains("kind: Role\nmetadata:\n  name: syncwave-deploy\n"), "{}", done.out);
    let done = App::new("plan deploy --embedded --rbac -o json").file("deploy/a.yaml", CONFIG_MAP).run();
    let rights: Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!((&rights["lacking"], &rights["clusterRole"], done.code), (&Value::Array(vec![]), &Value::Null, Some(0)));
    App::new("sync deploy --embedded --rbac").file("deploy/a.yaml", CONFIG_MAP).run().refused(2, &["--rbac"]);
}

#[test]
fn a_plan_writes_nothing_and_says_what_a_sync_would_do() {
    let app = App::new("plan deploy --embedded -o json").file("deploy/a.yaml", CONFIG_MAP);
    let done = app.run();
    assert_eq!((done.code, done.err.as_str()), (Some(0), ""), "{}", done.out);
    let plan: Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!((&plan["tasks"][0]["action"], &plan["tasks"][0]["order"]), (&"create".into(), &1.into()));
    assert_eq!((&plan["notRun"], &plan["app"]), (&Value::Array(vec![]), &"deploy".into()));
}

#[test]
fn files_of_other_tools_in_a_folder_are_left_out_and_named_in_every_output() {
    let app = |arguments: &str| App::new(arguments).file("deploy/a.yaml", CONFIG_MAP).file("deploy/package.json", "{\"name\": \"shop\"}\n");
    let sentence = "deploy/package.json:1: left out, because it does not look like a manifest (the object has no apiVersion); ";
    let plan = app("plan deploy --embedded -o json").run();
    assert_eq!((plan.code, plan.err.as_str()), (Some(0), ""), "{}", plan.out);
    let plan: Value = serde_json::from_str(&plan.out).unwrap();
    assert!(plan["warnings"].to_string().contains(sentence) && plan["tasks"].as_array().unwrap().len() == 1, "{plan}");
    let synced = app("sync deploy --embedded -o json --speed max").run();
    let warnings = events(&synced.lines(), "warning");
    assert!(synced.code == Some(0) && warnings.iter().any(|line| line["message"].as_str().unwrap().contains(sentence)), "{}", synced.out);
    let health = app("health deploy").run();
    assert!(health.code == Some(0) && health.err.contains(sentence), "{}", health.err);
    app("plan deploy/package.json --embedded").run().refused(2, &["package.json", "no apiVersion"]);
}

#[test]
fn a_lua_rule_that_cannot_be_compiled_is_named_with_its_place_before_anything_else() {
    let config = "[health.customizations]\n\"example.com/Widget\" = 'return return'\n";
    let app = |arguments: &str| {
        let app = App::new(&format!("{arguments} --config config.toml")).file("config.toml", config).file("deploy/a.yaml", CONFIG_MAP);
        app.file("rules/Gadget/health.lua", "local a = 1\nif a then\nreturn {}\n")
    };
    let of_config = "the health rule of `health.customizations.\"example.com/Widget\"` (config.toml:2) (its line 1) cannot be compiled: ";
    let health = app("health deploy --lua rules").run();
    assert!(health.code == Some(0) && health.err.contains(of_config), "{}", health.err);
    assert!(health.err.contains("the health rule of `rules/Gadget/health.lua` (its line 4) cannot be compiled: "), "{}", health.err);
    let plan = app("plan deploy --embedded -o json").run();
    let plan: Value = serde_json::from_str(&plan.out).unwrap();
    let warnings = plan["warnings"].to_string().replace("\\\"", "\"");
    assert!(warnings.contains(of_config), "{plan}");
}

#[test]
fn bad_targets_are_named_with_a_way_out() {
    App::new("sync nowhere --embedded").run().refused(2, &["nowhere", "does not exist"]);
    App::new("sync empty --embedded").folder("empty").run().refused(2, &["empty", "no manifests"]);
    App::new("sync history --embedded").run().refused(2, &["history", "not part of this version"]);
    App::new("sinc").run().refused(2, &["`sinc` is neither a command, nor a path", "did you mean the command `sync`?"]);
    App::new("sinc app --embedded").run().refused(2, &["one argument too many", "did you mean the command `sync`?"]);
    let broken = App::new("sync a.yaml --embedded").file("a.yaml", "kind: ConfigMap\n  name: x\n").run();
    broken.refused(2, &["a.yaml", ":2", "─"]);
    App::new("sync a.yaml --embedded").file("a.yaml", b"kind: \xff\n").run().refused(2, &["a.yaml", "UTF-8"]);
    App::new("plan a.yaml --embedded").file("a.yaml", "apiVersion: v1\nmetadata: {name: x}\n").run().refused(2, &["a.yaml", "kind"]);
}

#[test]
fn clusters_that_cannot_be_had_exit_4_or_name_what_is_wrong() {
    let kubeconfig = "apiVersion: v1\nkind: Config\ncurrent-context: gone\nclusters:\n- {name: gone, cluster: {server: 'http://127.0.0.1:1'}}\n\
                      contexts:\n- {name: gone, context: {cluster: gone, user: me}}\nusers:\n- {name: me, user: {}}\n";
    let app = |line: &str| App::new(line).file("a.yaml", CONFIG_MAP).file("kubeconfig", kubeconfig);
    app("sync a.yaml --kubeconfig kubeconfig -o json").run().refused(4, &["127.0.0.1:1", "gone"]);
    app("plan a.yaml --kubeconfig kubeconfig").run().refused(4, &["127.0.0.1:1"]);
    let unknown = app("sync a.yaml --kubeconfig kubeconfig --context mars").run();
    assert!(matches!(unknown.code, Some(2 | 4)), "{unknown:?}");
    assert!(unknown.err.contains("mars") && unknown.err.contains("gone"), "{}", unknown.err);
    let none = app("sync a.yaml").run();
    assert!(matches!(none.code, Some(2 | 4)) && none.err.contains("kubeconfig"), "{none:?}");
}

#[test]
fn contradictions_are_usage_errors() {
    for (line, words) in [
        ("sync a.yaml --speed 2", vec!["--speed", "--embedded"]),
        ("sync a.yaml --seed 2", vec!["--seed", "--embedded"]),
        ("sync a.yaml --embedded mars", vec!["mars", "web-shop"]),
        ("sync a.yaml --embedded --context x", vec!["--context"]),
        ("demo mars", vec!["mars", "web-shop"]),
        ("demo --kubeconfig x", vec!["--kubeconfig"]),
        ("sync", vec!["TARGET"]),
        ("", vec!["terminal"]),
        ("a.yaml", vec!["terminal", "sync a.yaml"]),
        ("sync a.yaml --embedded --read-only", vec!["read-only"]),
        ("sync a.yaml --embedded --values v.yaml", vec!["--values", "Helm"]),
        ("sync a.yaml --embedded --wait", vec!["--wait"]),
        ("sync a.yaml --config nowhere.toml", vec!["nowhere.toml"]),
    ] {
        App::new(line).file("a.yaml", CONFIG_MAP).run().refused(2, &words);
    }
}

/// What was confirmed may have gone in the run before.
#[test]
fn a_command_that_is_run_again_takes_the_same_confirmations() {
    for verb in ["delete", "sync"] {
        let line = format!("{verb} a.yaml --embedded --speed max -o json --approve ConfigMap/x");
        let done = App::new(&line).file("a.yaml", CONFIG_MAP).run();
        assert_eq!(done.code, Some(0), "{}", done.err);
        assert!(done.err.contains("`--approve ConfigMap/x`") && done.err.contains("nothing to confirm"), "{}", done.err);
    }
}

#[test]
fn an_unknown_key_of_the_configuration_is_named_and_the_program_starts() {
    let app = App::new("sync a.yaml --embedded --config c.toml -o json --speed max")
        .file("a.yaml", CONFIG_MAP)
        .file("c.toml", "[ui]\ncolour = true\n");
    let done = app.run();
    assert_eq!(done.code, Some(0), "{}", done.err);
    assert!(done.err.contains("c.toml:2") && done.err.contains("ui.color"), "{}", done.err);
    done.lines();
}

#[test]
fn the_configuration_shows_where_its_values_come_from() {
    let app = App::new("config show --origin --config c.toml --context cli").file("c.toml", "[sync]\nprune = true\n");
    let done = app.variable("SYNCWAVE_SYNC__WAVE_DELAY", "2s").run();
    for line in ["prune = true  # c.toml:2", "wave_delay = \"2s\"  # SYNCWAVE_SYNC__WAVE_DELAY", "context = \"cli\"  # --context"] {
        assert!(done.out.contains(line), "{line} is missing in:\n{}", done.out);
    }
    let path = App::new("config path --config c.toml").file("c.toml", "").run();
    assert_eq!((path.out.as_str(), path.code), ("c.toml\n", Some(0)));
}

#[test]
fn a_state_folder_that_cannot_be_written_ends_the_program_only_if_it_was_named() {
    let app = |line: &str| App::new(line).file("file", "");
    app("demo web-shop --speed max --state-dir file/state").run().refused(2, &["file/state", "--state-dir"]);
    let done = app("demo web-shop --speed max -o json").variable("XDG_STATE_HOME", "/proc/nowhere").run();
    assert_eq!(done.code, Some(0), "{}", done.err);
    assert!(done.err.contains("/proc/nowhere") && done.err.contains("--state-dir"), "{}", done.err);
}

#[test]
fn help_and_version_go_to_standard_output() {
    for line in ["--help", "sync --help", "--version"] {
        let done = App::new(line).run();
        assert_eq!((done.code, done.err.as_str()), (Some(0), ""), "{line}");
        assert!(done.out.contains("syncwave"), "{line}: {}", done.out);
    }
}

const JOBS: &str = "apiVersion: v1\nkind: List\nitems:\n\
    - {apiVersion: batch/v1, kind: Job, metadata: {name: load, namespace: shop}, status: {conditions: [{type: Complete, status: 'True'}]}}\n\
    - {apiVersion: batch/v1, kind: Job, metadata: {name: migrate}, status: {conditions: [{type: Failed, status: 'True', message: limit}]}}\n";

#[test]
fn health_judges_what_is_written_in_files_and_says_by_which_rule() {
    let app = App::new("health jobs.yaml -o json").file("jobs.yaml", JOBS);
    let done = app.run();
    assert_eq!((done.code, done.err.as_str()), (Some(1), ""), "one is degraded: {}", done.out);
    let list: Value = serde_json::from_str(&done.out).unwrap();
    let expected = serde_json::json!([
        {"group": "batch", "kind": "Job", "namespace": "shop", "name": "load", "status": "Healthy", "message": "", "rule": "batch/Job"},
        {"group": "batch", "kind": "Job", "namespace": "", "name": "migrate", "status": "Degraded", "message": "limit", "rule": "batch/Job"},
    ]);
    assert_eq!(list, expected);
    let plain = App::new("health -").input(CONFIG_MAP).run();
    assert_eq!((plain.code, plain.out.as_str()), (Some(0), "· -            ConfigMap/settings  no rule: done as soon as it exists\n"));
    let widget = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: new}\n";
    let plain = App::new("health -").input(widget).run();
    assert_eq!(
        (plain.code, plain.out.as_str()),
        (Some(0), "· -            Widget/new  no rule, and no status yet: done as soon as it exists\n")
    );
}

#[test]
fn health_without_a_file_or_with_one_that_is_missing_is_wrong_usage() {
    App::new("health").run().refused(2, &["`health` needs a FILE"]);
    App::new("health nowhere.yaml").run().refused(2, &["nowhere.yaml"]);
}

const WIDGETS: &str = "apiVersion: v1\nkind: List\nitems:\n\
    - {apiVersion: eu.example.com/v1, kind: Widget, metadata: {name: up}, status: {phase: Up}}\n\
    - {apiVersion: eu.example.com/v1, kind: Widget, metadata: {name: bare}}\n\
    - {apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {ready: 'no'}}\n\
    - {apiVersion: batch/v1, kind: Job, metadata: {name: load}, status: {conditions: [{type: Complete, status: 'True'}]}}\n";

#[test]
fn health_asks_the_lua_rules_of_a_folder_before_its_own() {
    let app = App::new("health widgets.yaml --lua rules -o json")
        .file("widgets.yaml", WIDGETS)
        .file("rules/_.example.com/Widget/health.lua", "hs = {status = 'Healthy'}\nhs.message = 'is ' .. obj.status.phase\nreturn hs\n")
        .file("rules/_.example.com/Widget/health_test.yaml", "tests: []\n")
        .file("rules/ConfigMap/health.lua", "return {status = 'Suspended', message = obj.data.ready}\n");
    let done = app.run();
    assert_eq!((done.code, done.err.as_str()), (Some(1), ""), "one cannot be judged: {}", done.out);
    let list: Value = serde_json::from_str(&done.out).unwrap();
    let (rule, core) = ("_.example.com/Widget/health.lua", "ConfigMap/health.lua");
    let failed = format!("the health rule {rule} failed at line 2: attempt to index nil with 'phase'");
    let expected = serde_json::json!([
        {"group": "eu.example.com", "kind": "Widget", "namespace": "", "name": "up", "status": "Healthy", "message": "is Up", "rule": rule},
        {"group": "eu.example.com", "kind": "Widget", "namespace": "", "name": "bare", "status": "Unknown", "message": failed, "rule": ""},
        {"group": "", "kind": "ConfigMap", "namespace": "", "name": "settings", "status": "Suspended", "message": "no", "rule": core},
        {"group": "batch", "kind": "Job", "namespace": "", "name": "load", "status": "Healthy", "message": "", "rule": "batch/Job"},
    ]);
    assert_eq!(list, expected);
}

#[test]
fn a_folder_without_lua_rules_is_wrong_usage() {
    let app = |folder: &str| App::new(&format!("health jobs.yaml --lua {folder}")).file("jobs.yaml", JOBS);
    app("nowhere").run().refused(2, &["`nowhere`", "--lua"]);
    app("jobs.yaml").run().refused(2, &["`jobs.yaml`", "--lua"]);
    app("rules")
        .file("rules/README.md", "")
        .file("rules/a/b/c/health.lua", "")
        .run()
        .refused(2, &["`rules` has no rules", "GROUP/KIND/health.lua"]);
    app("rules").file("rules/a[/B/health.lua", "").run().refused(2, &["rules/a[/B/health.lua", "`[`"]);
    app("rules").file("rules/a/B/health.lua/x", "").run().refused(2, &["rules/a/B/health.lua"]);
}
