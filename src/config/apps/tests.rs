//! Sections of apps and windows: what they set, what they lack, and every way to write them wrongly.

use std::path::Path;
use std::time::Duration;

use crate::config::{Config, Loaded, RetryFactor, RetryLimit, TimeLimit};
use crate::failure::Failure;
use crate::model::{Destination, WindowKind};

fn loaded(text: &str) -> Loaded {
    let mut loaded = Loaded::default();
    loaded.read_file(Path::new("config.toml"), text).unwrap_or_else(|error| panic!("{}", Failure::diagnostic(&error)));
    loaded
}

fn refused(text: &str) -> String {
    let error = Loaded::default().read_file(Path::new("config.toml"), text).unwrap_err();
    Failure::diagnostic(&error).to_string()
}

const NIGHT: &str = "kind = \"deny\"\nschedule = \"0 22 * * *\"\nduration = \"8h\"\n";

fn here<'a>(app: &'a str, namespace: &'a str) -> Destination<'a> {
    Destination { app, namespace, cluster: "kind", server: "https://127.0.0.1" }
}

#[test]
fn decision_25_an_app_has_its_source_its_place_and_its_own_settings() {
    let loaded = loaded(
        "[apps.shop]\nsource = \"deploy/\"\ncontext = \"eu-prod\"\nnamespace = \"web\"\nprune = true\n\
         sync_options = [\"PruneLast=true\"]\nretry = { limit = -1, duration = \"2s\", factor = 3, max_duration = \"1m\" }\n",
    );
    assert_eq!(loaded.notices, [""; 0]);
    let shop = &loaded.config.apps["shop"];
    assert_eq!((shop.source.as_str(), shop.context.as_deref(), shop.namespace.as_deref()), ("deploy/", Some("eu-prod"), Some("web")));
    assert_eq!((shop.prune, shop.sync_options.as_deref()), (Some(true), Some(&["PruneLast=true".to_owned()][..])));
    assert_eq!((shop.retry.limit, shop.retry.factor), (Some(RetryLimit(None)), Some(RetryFactor(3))));
    assert_eq!((shop.retry.duration, shop.retry.max_duration), (Some(Duration::from_secs(2)), Some(Duration::from_secs(60))));
    assert_eq!(loaded.origin("apps.shop", "prune").to_string(), "config.toml:5");
    assert_eq!(loaded.origin("apps.shop.retry", "limit").to_string(), "config.toml:7");
}

#[test]
fn the_defaults_of_a_sync_are_those_of_the_section() {
    let loaded = loaded(
        "[sync]\nretry_limit = 3\nretry_factor = 1\ntimeout = \"1h\"\nphase_timeout = \"0s\"\nhook_timeout = \"5m\"\nstall_after = \"30s\"\n\
         hook_succeeded = \"hook\"\nskip_unchanged = false\n",
    );
    let config = &loaded.config;
    assert_eq!((config.retry_limit, config.retry_factor), (RetryLimit(Some(3)), RetryFactor(1)));
    assert_eq!(
        (config.timeout.0, config.phase_timeout, config.hook_timeout.0),
        (Some(Duration::from_secs(3_600)), TimeLimit(None), Some(Duration::from_secs(300)))
    );
    assert_eq!((config.stall_after, config.skip_unchanged), (Duration::from_secs(30), false));
    let shown = loaded.show(false);
    for line in ["hook_succeeded = \"hook\"", "retry_limit = 3", "# phase_timeout is not set", "timeout = \"1h\""] {
        assert!(shown.lines().any(|shown| shown == line), "{line} in {shown}");
    }
}

#[test]
fn r1402_a_window_of_an_app_holds_for_it_and_one_of_the_sync_section_for_whom_it_names() {
    let text = format!("[[sync.windows]]\n{NIGHT}applications = [\"*-prod\"]\n[apps.shop]\nsource = \"a\"\n[[apps.shop.windows]]\n{NIGHT}");
    let config = loaded(&text).config;
    let count = |app: &str| config.windows_of(app).concerning(&here(app, "web")).concerns().len();
    let holds = |app: &str| !config.windows_of(app).concerning(&here(app, "web")).is_empty();
    assert!(holds("shop") && holds("x-prod") && !holds("other"));
    assert_eq!(count("shop"), 0);
    let narrow = format!("[apps.shop]\nsource = \"a\"\n[[apps.shop.windows]]\n{NIGHT}namespaces = [\"web\"]\n");
    let windows = loaded(&narrow).config.windows_of("shop");
    assert!(!windows.concerning(&here("shop", "web")).is_empty() && windows.concerning(&here("shop", "test")).is_empty());
}

#[test]
fn a_window_that_concerns_nothing_and_one_in_an_unknown_zone_are_named_with_their_line() {
    let loaded = loaded(&format!("[sync]\nprune = true\n[[sync.windows]]\n{NIGHT}time_zone = \"Europe/Belin\"\n"));
    assert_eq!(loaded.config.windows[0].kind, WindowKind::Deny);
    let said = loaded.notices.join("\n");
    for words in [
        "config.toml:3: the time zone `Europe/Belin` of the deny window `0 22 * * *` for 8h is not known",
        "counts in UTC",
        "concerns nothing; write applications",
    ] {
        assert!(said.contains(words), "{words} in {said}");
    }
}

#[test]
fn what_cannot_be_an_app_or_a_window_is_shown_with_its_line_and_a_caret() {
    let window = |lines: &str| format!("[[sync.windows]]\n{lines}");
    let with = |key: &str, line: &str| {
        let kept: String = NIGHT.lines().filter(|old| !old.starts_with(key)).map(|old| format!("{old}\n")).collect();
        format!("[[sync.windows]]\n{kept}{line}\n")
    };
    for (text, words) in [
        ("[apps.shop]\nprune = true\n".to_owned(), ["apps.shop", "source = \"deploy/\"", "config.toml:1"]),
        ("[apps.shop]\nsource = \"\"\n".to_owned(), ["apps.shop", "has no `source`", "config.toml:1"]),
        ("[apps]\nshop = \"deploy\"\n".to_owned(), ["apps.shop", "table", "config.toml:2"]),
        ("[apps.\"a:b\"]\nsource = \"x\"\n".to_owned(), ["a:b", "cannot name an app", "config.toml:1"]),
        ("[apps.-]\nsource = \"x\"\n".to_owned(), ["`-`", "cannot name an app", "config.toml:1"]),
        ("[apps.a]\nsource = 1\n".to_owned(), ["apps.a.source", "text in quotes", "config.toml:2"]),
        ("[apps.a]\nsource = \"x\"\nretry = 3\n".to_owned(), ["apps.a.retry", "limit = 3", "config.toml:3"]),
        ("[apps.a]\nsource = \"x\"\nretry.limit = -2\n".to_owned(), ["apps.a.retry.limit", "-1 for no end", "config.toml:3"]),
        ("[apps.a]\nsource = \"x\"\nwindows = {}\n".to_owned(), ["apps.a.windows", "[[apps.a.windows]]", "config.toml:3"]),
        ("[sync]\nretry_factor = 0\n".to_owned(), ["sync.retry_factor", "from 1 on", "config.toml:2"]),
        ("[sync]\nretry_limit = 1.5\n".to_owned(), ["sync.retry_limit", "whole number", "config.toml:2"]),
        ("[sync]\ntimeout = \"-5m\"\n".to_owned(), ["sync.timeout", "negative", "config.toml:2"]),
        ("[sync]\nhook_succeeded = \"never\"\n".to_owned(), ["sync.hook_succeeded", "\"operation\" or \"hook\"", "config.toml:2"]),
        ("[sync]\nwindows = [1]\n".to_owned(), ["sync.windows", "[[sync.windows]]", "config.toml:2"]),
        (window("kind = \"deny\"\n"), ["no `schedule`", "kind, schedule and duration", "config.toml:1"]),
        (with("kind", ""), ["no `kind`", "kind, schedule and duration", "config.toml:1"]),
        (with("kind", "kind = \"block\""), ["sync.windows[0].kind", "\"allow\" or \"deny\"", "config.toml:4"]),
        (with("schedule", "schedule = \"0 25 * * *\""), ["sync.windows[0].schedule", "`25` is no hour", "config.toml:4"]),
        (with("schedule", "schedule = \"0 0 30 2 *\""), ["sync.windows[0].schedule", "never comes", "config.toml:4"]),
        (with("duration", "duration = \"-1h\""), ["sync.windows[0].duration", "negative", "config.toml:4"]),
        (with("duration", "duration = \"0s\""), ["sync.windows[0].duration", "never active", "config.toml:4"]),
        (with("x", "applications = [\"a[b\"]"), ["sync.windows[0].applications", "`[`", "config.toml:5"]),
        (with("x", "clusters = \"*\""), ["sync.windows[0].clusters", "list of texts", "config.toml:5"]),
        (with("x", "manual_sync = \"yes\""), ["sync.windows[0].manual_sync", "true or false", "config.toml:5"]),
    ] {
        let said = refused(&text);
        assert!(words.iter().all(|word| said.contains(word)) && said.contains("here"), "{text}\n{said}");
    }
}

#[test]
fn keys_that_do_not_exist_are_named_with_their_line_and_have_no_effect() {
    let text = format!(
        "[apps.a]\nsource = \"x\"\nprun = true\nignored = []\n[apps.a.retry]\nlimt = 1\n[[apps.a.windows]]\n{NIGHT}timezone = \"UTC\"\n"
    );
    let said = loaded(&text).notices;
    for (line, words) in said.iter().zip([
        "config.toml:3: there is no key `apps.a.prun`; did you mean `apps.a.prune`?",
        "config.toml:4: there is no key `apps.a.ignored`",
        "config.toml:6: there is no key `apps.a.retry.limt`; did you mean `apps.a.retry.limit`?",
        "config.toml:11: there is no key `apps.a.windows[0].timezone`; did you mean `apps.a.windows[0].time_zone`?",
    ]) {
        assert!(line.contains(words), "{line}");
    }
    assert_eq!(said.len(), 4, "{said:?}");
}

#[test]
fn a_variable_sets_what_is_a_key_of_a_section_and_says_where_apps_are_read() {
    let mut loaded = Loaded::default();
    for (name, value) in [
        ("SYNCWAVE_SYNC__RETRY_LIMIT", "2"),
        ("SYNCWAVE_SYNC__SYNC_OPTIONS", "PruneLast=true, Validate=false"),
        ("SYNCWAVE_SYNC__TIMEOUT", "10m"),
        ("SYNCWAVE_SYNC__HOOK_SUCCEEDED", "hook"),
        ("SYNCWAVE_APPS__SHOP__SOURCE", "x"),
        ("SYNCWAVE_SYNC__WINDOWS", "x"),
    ] {
        loaded.read_variable(name, value).unwrap();
    }
    assert_eq!((loaded.config.retry_limit, loaded.config.timeout.0), (RetryLimit(Some(2)), Some(Duration::from_secs(600))));
    assert_eq!(loaded.config.sync_options, ["PruneLast=true", "Validate=false"]);
    assert_eq!(loaded.notices.len(), 2);
    assert!(loaded.notices.iter().all(|line| line.contains("from the file only")), "{:?}", loaded.notices);
    let wrong = loaded.read_variable("SYNCWAVE_SYNC__HOOK_SUCCEEDED", "later").unwrap_err().to_string();
    assert!(wrong.contains("SYNCWAVE_SYNC__HOOK_SUCCEEDED") && wrong.contains("\"operation\" or \"hook\""), "{wrong}");
}

#[test]
fn apps_and_windows_that_are_shown_can_be_read_again() {
    let text = format!(
        "[[sync.windows]]\n{NIGHT}applications = [\"a,b\", '\\[x\\]']\ntime_zone = \"Europe/Berlin\"\nmanual_sync = true\nand_operator = true\n\
         sync_overrun = true\ndescription = \"say \\\"no\\\"\"\n[apps.\"my shop\"]\nsource = \"a b/\"\nretry.limit = 0\n\
         [[apps.\"my shop\".windows]]\n{NIGHT}[apps.web]\nsource = \"-\"\nprune = false\n"
    );
    let first = loaded(&text);
    assert_eq!(first.notices, [""; 0]);
    let shown = first.show(true);
    let second = loaded(&shown);
    assert_eq!(first.config, second.config, "{shown}");
    assert_ne!(first.config, Config::default());
    for line in [
        "[[sync.windows]]  # config.toml:1",
        "source = \"a b/\"  # config.toml:12",
        "[[apps.\"my shop\".windows]]  # config.toml:14",
        "[apps.\"my shop\".retry]",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line} in\n{shown}");
    }
}
