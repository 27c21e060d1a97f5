//! What screens and reports show of an operation: verdict, rows, rail, counts, and why something did not run.

use super::world::{Fate, Setup, World, hook, resource, sync};
use crate::model::{Container, ContainerState, Phase, PodView, ResourceKey, Wave};
use crate::operation::Event;
use crate::operation::timeline::Stage;
use crate::operation::verdict::Tone;

fn verdict(world: &World) -> String {
    let verdict = world.op.verdict(world.now);
    format!("{} {}", verdict.word, verdict.text)
}

fn rows(world: &World) -> Vec<String> {
    let tasks = &world.op.plan().tasks;
    tasks
        .iter()
        .map(|task| (task, world.op.row(task)))
        .map(|(task, row)| format!("{} {:?} {} | {}", task.id.key.short(), row.stage, row.word, row.message))
        .collect()
}

fn rail(world: &World) -> String {
    let wave = |cell: &crate::operation::timeline::WaveCell| format!("{}{:?}{}/{}", cell.wave, cell.stage, cell.done, cell.total);
    let phase = |cell: &crate::operation::timeline::PhaseCell| {
        format!("{} {:?} [{}]", cell.phase, cell.stage, cell.waves.iter().map(wave).collect::<Vec<_>>().join(" "))
    };
    world.op.rail().iter().map(phase).collect::<Vec<_>>().join(" ")
}

fn failed_pod(name: &str) -> PodView {
    PodView {
        namespace: "shop".into(),
        name: name.into(),
        uid: name.into(),
        owner: ResourceKey::new("batch", "Job", "shop", "migrate"),
        phase: "Failed".to_owned(),
        created: None,
        deleting: false,
        unscheduled: None,
        containers: vec![Container {
            name: "main".into(),
            init: false,
            state: ContainerState::Terminated { exit_code: 1, reason: "Error".to_owned(), at: None },
            ready: false,
            restarts: 0,
        }],
    }
}

#[test]
fn the_verdict_names_the_blocker_and_how_long_it_has_been_waited_for() {
    let mut world = sync([hook("migrate", "PreSync").fate(Fate::Never), resource("ConfigMap", "c")]);
    world.run(31);
    assert_eq!(verdict(&world), "SYNCING waiting 31s for Job/migrate: not yet");
    assert_eq!(world.op.verdict(world.now).tone, Tone::Blocked);
    assert_eq!(rail(&world), "PreSync Running [0Running0/1] Sync Waiting [0Waiting0/1]");
}

#[test]
fn b9_a_rule_that_is_not_the_kinds_own_stands_beside_what_it_says() {
    let mut world = sync([resource("Deployment", "web").fate(Fate::Never), resource("ConfigMap", "c").wave(1)]);
    world.run(31);
    // The rule of these tests is that of Jobs.
    assert_eq!(verdict(&world), "SYNCING waiting 31s for Deployment/web: not yet (rule: batch/Job)");
    let (deployment, job) = (ResourceKey::new("apps", "Deployment", "shop", "web"), ResourceKey::new("batch", "Job", "shop", "j"));
    assert_eq!((world.op.rule_aside(&deployment), world.op.rule_aside(&job)), (" (rule: batch/Job)".to_owned(), String::new()));
}

#[test]
fn a_hook_in_deletion_says_what_holds_it() {
    let mut world = sync([hook("migrate", "PreSync").fate(Fate::Never)]);
    world.run(2);
    world.remove("Job", "migrate");
    world.settle();
    assert!(verdict(&world).ends_with("in deletion, held by syncwave.dev/hook-finalizer"), "{}", verdict(&world));
}

/// R1521: the reason that Argo CD's message does not give.
#[test]
fn a_failure_names_phase_wave_object_and_exit_codes_and_says_what_was_not_touched() {
    let mut world =
        sync([hook("migrate", "PreSync").wave(-1).fate(Fate::Degraded(2)), resource("ConfigMap", "c"), hook("alert", "SyncFail")]);
    world.settle();
    for name in ["migrate-a", "migrate-b"] {
        world.publish(Event::PodObserved { pod: failed_pod(name) });
    }
    world.run(30);
    assert_eq!(
        verdict(&world),
        "FAILED in PreSync wave -1: Job/migrate: Job has reached the specified backoff limit (exit 1 ×2). Nothing in Sync was applied"
    );
    assert_eq!(
        rows(&world),
        [
            "Job/migrate Failed Failed | Job has reached the specified backoff limit",
            "ConfigMap/c Skipped not run | Job/migrate failed in PreSync",
            "Job/alert Done Succeeded | Reached expected number of succeeded pods"
        ]
    );
    assert_eq!(world.op.failed_tasks().len(), 1);
}

/// Decision 22: a finalizer goes beside the next group, so what fails with it says nothing of what was applied meanwhile.
#[test]
fn a_hook_that_fails_beside_the_next_group_does_not_say_that_nothing_was_applied() {
    let mut world = sync([hook("migrate", "PreSync"), resource("ConfigMap", "c")]);
    world.finalizers_stick = true;
    world.run(30);
    assert!(world.live("ConfigMap/c").is_some());
    assert_eq!(verdict(&world), "FAILED in PreSync wave 0: Job/migrate: Failed to remove hook finalizer: denied by a webhook");
}

/// R1540 R626 R1511: the result of the resource stays Running; what is shown follows its health.
#[test]
fn success_and_health_are_two_lamps() {
    let mut world = sync([resource("Deployment", "web").fate(Fate::Healthy(9))]);
    world.run(1);
    assert!(verdict(&world).starts_with("SUCCEEDED"), "{}", verdict(&world));
    assert!(verdict(&world).contains("still settling: Deployment/web"), "{}", verdict(&world));
    assert_eq!(rows(&world), ["Deployment/web Running Progressing | not yet"]);
    (0..10).for_each(|_| world.tick());
    assert!(!verdict(&world).contains("settling"), "{}", verdict(&world));
    assert_eq!(world.op.row(&world.op.plan().tasks[0]).stage, Stage::Done);
}

#[test]
fn a_terminated_operation_says_who_did_it_and_what_stays() {
    let mut world = sync([resource("Deployment", "web").fate(Fate::Never), hook("post", "PostSync")]);
    world.run(3);
    world.publish(Event::TerminateRequested { by: "olga".to_owned() });
    world.run(3);
    assert_eq!(verdict(&world), "TERMINATED terminated by olga; 1 applied resource stays as it is");
    assert_eq!(world.op.row(&world.op.plan().tasks[1]).message, "the operation was terminated before its turn");
}

#[test]
fn syncfail_hooks_are_armed_and_do_not_count_until_they_run() {
    let mut world =
        sync([resource("Deployment", "web").fate(Fate::Healthy(3)), resource("ConfigMap", "c").wave(1), hook("alert", "SyncFail")]);
    world.settle();
    assert_eq!(rail(&world), "Sync Running [0Running0/1 1Waiting0/1] SyncFail Armed [0Armed0/1]");
    assert_eq!(world.op.counts().total, 2);
}

#[test]
fn the_spans_of_phases_and_waves_are_known_while_they_run_and_after() {
    let mut world = sync([hook("pre", "PreSync").fate(Fate::Healthy(4)), resource("ConfigMap", "c")]);
    world.run(2);
    let span = *world.op.wave_span(Phase::PreSync, Wave(0)).unwrap();
    assert!(span.started_at.is_some() && span.finished_at.is_none());
    world.run(10);
    let span = *world.op.phase_span(Phase::PreSync).unwrap();
    assert_eq!(span.finished_at.unwrap().duration_since(span.started_at.unwrap()).as_secs(), 4);
}

#[test]
fn an_object_that_was_pruned_and_one_that_was_kept_say_so() {
    let request = crate::operation::Request { prune: true, ..Default::default() };
    let candidates = vec![resource("ConfigMap", "old"), resource("ConfigMap", "kept").option("Prune=false")];
    let mut world = World::new(Setup { candidates, request, ..Setup::default() });
    world.run(10);
    let mut rows = rows(&world);
    rows.sort();
    assert_eq!(rows, ["ConfigMap/kept Skipped kept | ignored (no prune)", "ConfigMap/old Done Pruned | pruned"]);
}

#[test]
fn r634_a_prune_that_waits_for_a_person_says_so_and_names_the_object() {
    let request = crate::operation::Request { prune: true, ..Default::default() };
    let candidates = vec![resource("ConfigMap", "old").option("Prune=confirm")];
    let mut world = World::new(Setup { candidates, request, ..Setup::default() });
    world.run(12);
    assert_eq!(verdict(&world), "SYNCING waiting 12s for a person to confirm the deletion of ConfigMap/old");
    assert_eq!(world.op.unconfirmed().iter().map(ResourceKey::short).collect::<Vec<_>>(), ["ConfigMap/old"]);
}

#[test]
fn while_nothing_is_heard_of_the_cluster_the_verdict_says_since_when_and_claims_no_more() {
    let mut world = sync([hook("migrate", "PreSync").fate(Fate::Never)]);
    world.run(31);
    let since = world.now;
    world.publish(Event::ClusterLost { since });
    world.now = since + jiff::SignedDuration::from_secs(12);
    assert_eq!(verdict(&world), "SYNCING waiting 43s for Job/migrate: the API server has not answered for 12s");
    world.publish(Event::TerminateRequested { by: "olga".to_owned() });
    world.now = since + jiff::SignedDuration::from_secs(32);
    assert_eq!(verdict(&world), "TERMINATING stopping Job/migrate for 20s; the API server has not answered for 32s");
    world.publish(Event::ClusterBack { since });
    assert_eq!(verdict(&world), "TERMINATING stopping Job/migrate for 20s");
}

/// Lets a world run until its verdict begins so, then loses the cluster and waits twelve seconds.
fn lost_while(mut world: World, word: &str) -> String {
    for _ in 0..200 {
        world.decide();
        if verdict(&world).starts_with(word) {
            world.publish(Event::ClusterLost { since: world.now });
            world.now += jiff::SignedDuration::from_secs(12);
            return verdict(&world);
        }
        if world.queue.is_empty() { world.tick() } else { world.answer(0) }
    }
    panic!("never {word}: {}", verdict(&world));
}

#[test]
fn whatever_an_operation_waits_for_a_cluster_that_is_not_heard_of_is_told() {
    use crate::model::{Window, WindowKind, Windows};
    use crate::operation::{Breakpoint, Request, Retry};
    let lost = "; the API server has not answered for 12s";
    let ends = sync([resource("ConfigMap", "c"), hook("report", "PostSync").policy("HookSucceeded").fate(Fate::Healthy(1))]);
    assert_eq!(lost_while(ends, "FINISHING"), format!("FINISHING what is still to be cleaned up waits for the API server{lost}"));
    let asking = |request: Request| {
        let specs = vec![hook("migrate", "PreSync").fate(Fate::Degraded(1)), resource("ConfigMap", "c")];
        World::new(Setup { specs, request, ..Setup::default() })
    };
    let pause_before = vec![Breakpoint::parse("PreSync").unwrap()];
    let paused = lost_while(asking(Request { pause_before, ..Request::default() }), "PAUSED");
    assert!(paused.ends_with(&format!("nothing is written until a person lets it go on{lost}")), "{paused}");
    let retry = Retry { limit: Some(1), duration: std::time::Duration::from_secs(60), ..Retry::default() };
    let retrying = lost_while(asking(Request { retry, ..Request::default() }), "RETRYING");
    assert!(retrying.starts_with("RETRYING attempt 2 starts in ") && retrying.ends_with(lost), "{retrying}");
    let window = Window::of_all(WindowKind::Deny, "0 11 * * *", std::time::Duration::from_secs(2 * 3_600));
    let blocked = lost_while(asking(Request { windows: Windows::new([window]), ..Request::default() }), "SYNCING blocked by sync window");
    assert!(blocked.ends_with(lost), "{blocked}");
    let request = Request { prune: true, ..Request::default() };
    let candidates = vec![resource("ConfigMap", "old").option("Prune=confirm")];
    let confirmed = lost_while(World::new(Setup { candidates, request, ..Setup::default() }), "SYNCING waiting");
    assert!(confirmed.ends_with(&format!("for a person to confirm the deletion of ConfigMap/old{lost}")), "{confirmed}");
}

#[test]
fn an_operation_that_ends_without_a_running_hook_and_without_the_cluster_says_what_waits() {
    let mut world = sync([resource("Deployment", "web").fate(Fate::Never), resource("ConfigMap", "c").wave(1)]);
    world.run(5);
    world.publish(Event::TerminateRequested { by: "olga".to_owned() });
    let said = "TERMINATING what is still to be cleaned up waits for the API server; the API server has not answered for 12s";
    world.publish(Event::ClusterLost { since: world.now });
    world.now += jiff::SignedDuration::from_secs(12);
    assert_eq!(verdict(&world), said);
}

#[test]
fn of_many_pods_the_verdict_counts_those_that_run_and_names_the_one_with_trouble() {
    let mut world = sync([hook("migrate", "PreSync").fate(Fate::Never)]);
    world.run(31);
    let pod = |name: &str, phase: &str, state: ContainerState| {
        let mut pod = PodView { phase: phase.to_owned(), ..failed_pod(name) };
        pod.containers[0].state = state;
        Event::PodObserved { pod }
    };
    for name in ["p1", "p2", "p3"] {
        world.publish(pod(name, "Running", ContainerState::Running { since: None }));
    }
    assert_eq!(verdict(&world), "SYNCING waiting 31s for Job/migrate: 3 pods are running");
    world.publish(pod("p3", "Succeeded", ContainerState::Terminated { exit_code: 0, reason: String::new(), at: None }));
    assert_eq!(verdict(&world), "SYNCING waiting 31s for Job/migrate: 2 pods are running, 1 has succeeded");
    let waiting = ContainerState::Waiting { reason: "ErrImagePull".to_owned(), message: String::new() };
    world.publish(pod("p1", "Pending", waiting));
    let said = verdict(&world);
    assert!(said.starts_with("SYNCING waiting 31s for Job/migrate: pod p1: ") && said.contains("ErrImagePull"), "{said}");
}

#[test]
fn what_settles_is_one_of_the_tasks_of_a_success() {
    let mut world = sync([resource("Deployment", "web").fate(Fate::Healthy(9))]);
    world.run(3);
    assert_eq!(world.op.settling().len(), 1);
    assert!(
        verdict(&world).starts_with("SUCCEEDED 1 task in ") && verdict(&world).ends_with("; still settling: Deployment/web"),
        "{}",
        verdict(&world)
    );
}

#[test]
fn what_settles_again_after_a_later_wave_is_counted_once() {
    let mut world = sync([resource("Deployment", "web"), resource("ConfigMap", "c").wave(1)]);
    world.run(10);
    assert!(verdict(&world).starts_with("SUCCEEDED 2 tasks in "), "{}", verdict(&world));
    let key = ResourceKey::new("apps", "Deployment", "shop", "web");
    let mut live = world.op.live(&key).unwrap().clone();
    live.resource_version += 1;
    live.assessment = Fate::Never.assess("Deployment", 1);
    world.publish(Event::LiveObserved { key, live: Box::new(live) });
    let said = verdict(&world);
    assert!(said.starts_with("SUCCEEDED 2 tasks in ") && said.ends_with("; still settling: Deployment/web"), "{said}");
}
