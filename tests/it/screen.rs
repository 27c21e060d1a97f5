//! The screens in a real terminal: whole journeys of an operator, signals, sizes, and the terminal as it was afterwards.

use std::process::Command;

use crate::support::pty::{Pty, closed_at};

fn kill(signal: &str, pty: &Pty) {
    assert!(Command::new("kill").args([signal, &pty.process().to_string()]).status().unwrap().success());
}

#[test]
fn an_operator_opens_syncs_reads_a_log_terminates_syncs_one_resource_and_quits() {
    let mut pty = Pty::start("assets/demo/endless/manifests --app shop -n shop --embedded endless --speed 10", 120, 35);
    pty.shows("drain-queue");
    pty.press("s");
    pty.shows("objects   ");
    pty.press("<enter>");
    pty.shows("SYNCING");
    pty.shows("14 messages left");
    pty.press("l");
    pty.shows("no consumer takes them");
    pty.press("q");
    pty.press("<ctrl-k>");
    pty.shows("Terminate the running sync?");
    pty.press("y");
    pty.shows("TERMINATED");
    pty.press("/web<enter>");
    pty.shows("/web ·");
    pty.press("<space>S");
    pty.shows("objects   ");
    pty.press("y");
    pty.shows("SUCCEEDED");
    pty.press(":q<enter>");
    assert_eq!(pty.ends(), 0);
}

#[test]
fn an_operator_sees_what_a_sync_changes_marks_one_resource_and_syncs_only_that() {
    let mut pty = Pty::start("assets/demo/web-shop/manifests --app web-shop -n shop --embedded web-shop --speed 20", 120, 35);
    pty.shows("db-config");
    pty.press("D");
    pty.shows("server-side dry run");
    pty.shows("+ Service/web");
    pty.shows("a sync would do");
    pty.press("<space>");
    pty.shows("1 marked, s syncs only these, without hooks");
    pty.press("s");
    pty.shows("Selective sync, without hooks");
    pty.press("d");
    pty.shows("a selection");
    pty.press("<esc>");
    pty.shows("objects   ");
    pty.press("y");
    pty.shows("SUCCEEDED");
    pty.press("D");
    pty.shows("= 1 the same");
    pty.press("q:q<enter>");
    assert_eq!(pty.ends(), 0);
}

/// A configuration whose viewer is a script, and the file into which the script writes what it was given.
fn viewer(script: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let given = folder.path().join("given");
    std::fs::write(folder.path().join("viewer.sh"), script.replace("GIVEN", &given.display().to_string())).unwrap();
    let words = if script.is_empty() { "no-such-viewer".to_owned() } else { format!("/bin/sh {}/viewer.sh", folder.path().display()) };
    std::fs::write(folder.path().join("config.toml"), format!("[ui]\ndiff_viewer = \"{words}\"\n")).unwrap();
    (folder, given)
}

/// The diff screen while a sync runs.
fn diff_of_running(folder: &tempfile::TempDir) -> Pty {
    let config = folder.path().join("config.toml");
    let mut pty = Pty::start(&format!("demo endless --speed 10 --config {}", config.display()), 120, 35);
    pty.shows("SYNCING");
    pty.press("D");
    pty.shows("server-side dry run");
    pty.shows("+ Deploy");
    pty
}

#[test]
fn a_viewer_has_the_terminal_to_itself_while_the_sync_goes_on_and_leaves_no_file() {
    let (folder, given) = viewer("echo \"$1\" >GIVEN\nwc -l \"$@\"\necho say something\nread line\necho heard $line");
    let mut pty = diff_of_running(&folder);
    pty.press("E");
    pty.shows("say something");
    assert!(!pty.screen().contains("SYNCING"), "{}", pty.screen());
    pty.press("quit q<enter>");
    pty.shows("heard quit q");
    pty.shows("any key goes back to syncwave");
    let file = std::fs::read_to_string(&given).unwrap();
    pty.press("q");
    pty.shows("+ Deploy");
    assert!(!std::path::Path::new(file.trim()).parent().unwrap().exists(), "{file}");
    pty.press("q");
    pty.shows("messages left");
    pty.shows("SYNCING");
    kill("-TERM", &pty);
    assert_eq!(pty.ends(), 3);
}

#[test]
fn an_interrupt_ends_the_viewer_and_not_the_sync() {
    let (folder, _) = viewer("echo say something\nread line");
    let mut pty = diff_of_running(&folder);
    pty.press("E");
    pty.shows("say something");
    pty.press("<ctrl-c>");
    pty.shows("any key goes back to syncwave");
    pty.press("<space>");
    pty.shows("+ Deploy");
    pty.press("q");
    pty.shows("SYNCING");
    kill("-TERM", &pty);
    assert_eq!(pty.ends(), 3);
}

#[test]
fn the_end_of_the_program_is_the_end_of_its_viewer() {
    let (folder, given) = viewer("echo $$ >GIVEN\necho say something\nread line");
    let mut pty = diff_of_running(&folder);
    pty.press("E");
    pty.shows("say something");
    kill("-TERM", &pty);
    assert_eq!(pty.ends(), 3);
    let process = std::fs::read_to_string(&given).unwrap();
    assert!(!Command::new("kill").args(["-0", process.trim()]).status().unwrap().success(), "the viewer still runs");
}

#[test]
fn a_viewer_that_leaves_the_terminal_in_disorder_is_tidied_up_after() {
    let (folder, _) = viewer("stty raw -echo\nexit 0");
    let mut pty = diff_of_running(&folder);
    pty.press("E");
    pty.shows("any key goes back to syncwave");
    pty.press("<space>");
    pty.shows("+ Deploy");
    kill("-TERM", &pty);
    assert_eq!(pty.ends(), 3);
}

#[test]
fn the_end_of_the_program_asks_its_viewer_first_and_leaves_the_terminal_as_it_was() {
    for trap in ["echo asked >GIVEN; exit", ""] {
        let (folder, given) = viewer(&format!("trap '{trap}' TERM\nstty raw -echo\necho say something\nwhile :; do sleep 0.1; done"));
        let mut pty = diff_of_running(&folder);
        pty.press("E");
        pty.shows("say something");
        kill("-TERM", &pty);
        assert_eq!(pty.ends(), 3);
        assert_eq!(given.exists(), !trap.is_empty(), "one that takes no notice is killed");
    }
}

#[test]
fn the_keys_that_stop_and_quit_a_program_are_the_viewers_while_it_is_seen() {
    let (folder, _) = viewer("trap '' QUIT\necho say something\nread line\necho heard $line");
    let config = folder.path().join("config.toml");
    let mut pty = Pty::start_job(&format!("demo endless --speed 10 --config {}", config.display()), 120, 35);
    pty.shows("SYNCING");
    pty.press("D");
    pty.shows("+ Deploy");
    pty.press("E");
    pty.shows("say something");
    pty.press("<ctrl-z><ctrl-\\>");
    pty.press("more<enter>");
    pty.shows("heard more");
    pty.shows("any key goes back to syncwave");
    assert!(!pty.screen().contains("stopped"), "{}", pty.screen());
    pty.press("<space>");
    pty.shows("+ Deploy");
    pty.press("q");
    pty.shows("SYNCING");
    pty.press("<ctrl-k>");
    pty.shows("Terminate the running sync?");
    pty.press("y");
    pty.shows("TERMINATED");
    pty.press(":q<enter>");
    assert_eq!(pty.ends(), 3);
}

#[test]
fn a_quit_signal_ends_the_program_after_a_viewer_as_before() {
    let (folder, _) = viewer("echo say something");
    let mut pty = diff_of_running(&folder);
    pty.press("E");
    pty.shows("any key goes back to syncwave");
    kill("-QUIT", &pty);
    pty.gone();
}

#[test]
fn a_missing_viewer_is_a_sentence_on_the_screen() {
    let (folder, _) = viewer("");
    let mut pty = diff_of_running(&folder);
    pty.press("E");
    pty.shows("there is no program `no-such-viewer` to show it: set [ui] diff_viewer");
    kill("-TERM", &pty);
    assert_eq!(pty.ends(), 3);
}

#[test]
fn the_gallery_has_a_line_for_each_story_and_plays_the_chosen_one() {
    let mut pty = Pty::start("demo --speed 10", 100, 24);
    for story in ["web-shop", "blue-green", "notify", "presync-fail", "flaky", "endless"] {
        pty.shows(story);
    }
    pty.press("<enter>");
    pty.shows("SYNCING");
    pty.shows("Job/migrate");
    pty.shows("SUCCEEDED");
    pty.press("q");
    pty.shows("presync-fail");
    pty.press("q");
    assert_eq!(pty.ends(), 0);
}

#[test]
fn a_typed_sync_starts_at_once_and_its_end_is_the_exit_code() {
    let mut pty = Pty::start("demo presync-fail --speed 50", 80, 24);
    pty.shows("FAILED");
    pty.press("q");
    assert_eq!(pty.ends(), 1);
}

#[test]
fn the_first_signal_ends_the_operation_properly_and_gives_the_terminal_back() {
    for signal in ["-INT", "-TERM"] {
        let mut pty = Pty::start("demo endless --speed 10", 80, 24);
        pty.shows("drain-queue");
        pty.shows("SYNCING");
        kill(signal, &pty);
        assert_eq!(pty.ends(), 3, "{signal}");
    }
}

/// A window that is closed, a connection that breaks: cli.md, the operation goes on.
#[test]
fn a_terminal_that_goes_away_does_not_end_the_operation() {
    for (story, code) in [("web-shop", 0), ("presync-fail", 1)] {
        assert_eq!(closed_at("SYNCING", &format!("demo {story} --speed 20")), code, "{story}");
    }
}

#[test]
fn a_signal_when_nothing_runs_ends_the_program() {
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let mut pty = Pty::start("demo", 80, 24);
        pty.shows("web-shop");
        kill(signal, &pty);
        assert_eq!(pty.ends(), code, "{signal}");
    }
}

#[test]
fn a_terminal_of_any_size_is_no_panic() {
    let mut pty = Pty::start("demo endless", 20, 5);
    pty.shows("s");
    for (columns, rows) in [(60, 20), (1, 1), (200, 50), (80, 24)] {
        pty.resize(columns, rows);
        if columns >= 60 {
            pty.shows("drain-queue");
        }
    }
    pty.shows("SYNCING");
    kill("-TERM", &pty);
    assert_eq!(pty.ends(), 3);
}

#[test]
fn a_picture_that_is_drawn_anew_needs_no_answer_of_the_terminal() {
    let mut pty = Pty::start("demo", 80, 24);
    pty.shows("web-shop");
    pty.press("<ctrl-r>");
    pty.press("<down>?");
    pty.shows("help");
    pty.press("q");
    pty.shows("web-shop");
    pty.press("q");
    assert_eq!(pty.ends(), 0);
}

#[test]
fn a_bad_target_is_a_sentence_and_no_screen() {
    let mut pty = Pty::start("sync nowhere --embedded", 80, 24);
    assert_eq!(pty.ends(), 2);
    assert!(pty.screen().contains("nowhere"), "{}", pty.screen());
    let mut pty = Pty::start("demo --speed max", 80, 24);
    assert_eq!(pty.ends(), 2);
    assert!(pty.screen().contains("--headless"), "{}", pty.screen());
}

/// Returns a folder with a credential plugin `log-in`, and the path of a kubeconfig that uses it.
fn with_plugin(mode: &str, script: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let user = format!("{{exec: {{apiVersion: client.authentication.k8s.io/v1, command: {}, interactiveMode: {mode}}}}}", path("log-in"));
    let kubeconfig = format!(
        "{{apiVersion: v1, kind: Config, current-context: one, clusters: [{{name: c, cluster: {{server: 'https://127.0.0.1:1'}}}}], \
          users: [{{name: u, user: {user}}}], contexts: [{{name: one, context: {{cluster: c, user: u}}}}]}}"
    );
    std::fs::write(path("config"), kubeconfig).unwrap();
    std::fs::write(path("log-in"), format!("#!/bin/sh\n{script}\n")).unwrap();
    assert!(Command::new("chmod").args(["+x", &path("log-in")]).status().unwrap().success());
    let kubeconfig = path("config");
    (folder, kubeconfig)
}

/// A plan is printed, so there are no screens although there is a terminal.
#[test]
fn a_credential_plugin_has_the_terminal_where_a_plan_is_printed() {
    let (_folder, kubeconfig) = with_plugin("Always", "printf 'PASSWORD? ' >&2\nread word\necho \"got $word\" >&2\nexit 3");
    let mut pty = Pty::start(&format!("plan assets/demo/web-shop/manifests --kubeconfig {kubeconfig}"), 80, 24);
    pty.shows("PASSWORD?");
    pty.press("abc<enter>");
    pty.shows("got abc");
    // kube runs it once more, for a token.
    pty.press("abc<enter>");
    pty.gone();
    assert!(pty.screen().contains("its credential plugin failed (exit status: 3)"), "{}", pty.screen());
}

/// It writes where it stands and reads what is typed, as programs that log somebody in do.
#[test]
fn a_credential_plugin_neither_writes_on_the_screens_nor_takes_their_keys_and_is_named_while_it_runs() {
    let script = "printf '\\033[5;5HOPEN-A-BROWSER\\n' >&2\ncat >/dev/null\nexec sleep 300";
    let (_folder, kubeconfig) = with_plugin("IfAvailable", script);
    let target = "assets/demo/web-shop/manifests --app web-shop";
    let mut pty = Pty::start(&format!("{target} --kubeconfig {kubeconfig}"), 80, 24);
    pty.shows("OPENING");
    pty.shows("for the credential plugin `log-in`");
    // The time goes on: ten seconds and more.
    pty.shows("waiting 1");
    assert!(!pty.screen().contains("OPEN-A-BROWSER"), "{}", pty.screen());
    pty.press("?");
    pty.shows("keys you can press here");
    pty.press("<esc>");
    pty.shows("OPENING");
    pty.press("<ctrl-c>");
    assert_eq!(pty.ends(), 0);
}
