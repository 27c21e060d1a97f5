//! Properties over random plans, random fates and random order of answers.

use proptest::prelude::*;

use super::world::{Fate, Setup, Spec, World, hook, resource};
use crate::model::{Phase, TaskState};
use crate::operation::{Event, Operation, Record, Request, RunKind};

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        5 => (0u8..6).prop_map(Fate::Healthy),
        2 => (0u8..6).prop_map(Fate::Degraded),
        2 => Just(Fate::NoRule),
        1 => Just(Fate::Refused),
        1 => (1u8..5).prop_map(Fate::Vanishes),
    ]
}

fn spec(name: usize) -> impl Strategy<Value = Spec> {
    let kind = prop_oneof![Just("ConfigMap"), Just("Deployment"), Just("Secret"), Just("Namespace")];
    let phases = prop_oneof![
        Just(None),
        Just(Some("PreSync")),
        Just(Some("Sync")),
        Just(Some("PostSync")),
        Just(Some("SyncFail")),
        Just(Some("PreSync,PostSync")),
        Just(Some("Skip")),
        Just(Some("typo"))
    ];
    let policy = prop_oneof![
        Just(None),
        Just(Some("HookSucceeded")),
        Just(Some("HookFailed")),
        Just(Some("BeforeHookCreation,HookSucceeded,HookFailed"))
    ];
    (kind, phases, policy, -2i64..3, fate()).prop_map(move |(kind, phases, policy, wave, fate)| {
        let name = format!("n{name}");
        let mut spec = match phases {
            Some(phases) => hook(&name, phases),
            None => resource(kind, &name),
        };
        if let Some(policy) = policy {
            spec = spec.policy(policy);
        }
        spec.wave(wave).fate(fate)
    })
}

fn specs(most: usize) -> impl Strategy<Value = Vec<Spec>> {
    (0..=most).prop_flat_map(|count| (0..count).map(spec).collect::<Vec<_>>())
}

#[derive(Debug)]
struct Case {
    specs: Vec<Spec>,
    leftovers: Vec<usize>,
    candidates: usize,
    prune: bool,
    picks: Vec<u8>,
    terminate_at: Option<usize>,
}

fn case() -> impl Strategy<Value = Case> {
    let leftovers = proptest::collection::vec(0usize..12, 0..4);
    let picks = proptest::collection::vec(any::<u8>(), 1..40);
    (specs(10), leftovers, 0usize..4, any::<bool>(), picks, proptest::option::weighted(0.3, 0usize..60)).prop_map(
        |(specs, leftovers, candidates, prune, picks, terminate_at)| Case { specs, leftovers, candidates, prune, picks, terminate_at },
    )
}

/// Plays a case with answers in the order that `picks` says.
fn play(case: &Case) -> World {
    let leftovers = case
        .leftovers
        .iter()
        .filter_map(|at| case.specs.get(*at))
        .filter(|spec| spec.kind == "Job" && !matches!(spec.fate, Fate::Vanishes(_)))
        .cloned()
        .collect();
    let candidates = (0..case.candidates).map(|at| resource("ConfigMap", &format!("old{at}")).wave(at as i64)).collect();
    let request = Request { prune: case.prune, ..Request::default() };
    let mut world = World::new(Setup { specs: case.specs.clone(), leftovers, candidates, request, ..Setup::default() });
    let mut picks = case.picks.iter().cycle();
    for turn in 0..2_000 {
        if case.terminate_at == Some(turn) {
            world.publish(Event::TerminateRequested { by: "test".to_owned() });
        }
        world.decide();
        if world.op.finished_at().is_some() {
            break;
        }
        let pick = usize::from(*picks.next().unwrap());
        match world.queue.len() {
            0 => world.tick(),
            _ if pick % 4 == 3 && turn % 3 == 0 => world.tick(),
            waiting => world.answer(pick % waiting),
        }
    }
    world
}

fn check_ends(world: &World) -> Result<(), TestCaseError> {
    prop_assert!(world.op.finished_at().is_some(), "did not end: {} {:?}", world.op.message(), world.results());
    prop_assert!(world.op.next(world.now).is_empty());
    prop_assert!(world.queue.is_empty(), "calls are still out: {:?}", world.queue);
    Ok(())
}

fn check_replay(world: &World) -> Result<(), TestCaseError> {
    let mut replayed = Operation::start(&world.history[0]).unwrap();
    world.history[1..].iter().for_each(|record| replayed.apply(record));
    prop_assert_eq!(&replayed, &world.op);
    Ok(())
}

fn check_every_manifest_is_accounted_for(world: &World) -> Result<(), TestCaseError> {
    let not_run = world.op.not_run();
    for task in &world.op.plan().tasks {
        let ran = world.op.result(&task.id).is_some();
        let left = not_run.iter().any(|left| left.task.id == task.id);
        prop_assert!(ran || left, "{:?} is neither executed nor named as not run", task.id);
    }
    prop_assert!(not_run.len() >= world.op.plan().not_run.len());
    Ok(())
}

/// Walks the history: groups in order, one at a time, SyncFail only after a failure.
fn check_order(world: &World) -> Result<(), TestCaseError> {
    let mut fold = Operation::start(&world.history[0]).unwrap();
    for record in &world.history[1..] {
        if let Event::RunStarted { kind, phase, tasks, .. } = &record.event {
            check_run_start(&fold, record, *kind, *phase, tasks.len())?;
        }
        fold.apply(record);
    }
    Ok(())
}

fn check_run_start(fold: &Operation, record: &Record, kind: RunKind, phase: Phase, tasks: usize) -> Result<(), TestCaseError> {
    prop_assert!(tasks > 0 && fold.run.is_none(), "a run starts while another one is in flight: {record:?}");
    let failed = fold
        .results()
        .iter()
        .any(|result| result.task.phase != Phase::SyncFail && matches!(result.state, TaskState::Failed | TaskState::Error));
    match kind {
        RunKind::SyncFail => prop_assert!(failed, "SyncFail started without a failure"),
        RunKind::Group => {
            prop_assert!(!failed, "a group started after a failure");
            prop_assert!(phase != Phase::SyncFail);
            let busy = fold
                .results()
                .iter()
                .find(|result| result.state == TaskState::Running && fold.plan().task(&result.task).is_some_and(|task| task.is_hook()));
            prop_assert!(busy.is_none(), "a group started while {busy:?} was running");
        }
        RunKind::Namespace | RunKind::DryRun => {}
    }
    Ok(())
}

/// No hook finalizer of ours outlives the operation, except on a hook that was never this operation's (a leftover).
fn check_finalizers(world: &World) -> Result<(), TestCaseError> {
    for result in world.op.results().iter().filter(|result| result.task.role == crate::model::Role::Hook) {
        if let Some(live) = world.live(&result.task.key.short()) {
            let over = result.state.is_completed();
            prop_assert!(!(over && live.has_hook_finalizer()), "{} keeps its finalizer", result.task.key);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_operation_ends_in_order_replays_and_accounts_for_every_manifest(case in case()) {
        let world = play(&case);
        check_ends(&world)?;
        check_replay(&world)?;
        check_every_manifest_is_accounted_for(&world)?;
        check_order(&world)?;
        check_finalizers(&world)?;
    }
}
