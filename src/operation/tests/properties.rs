//! Properties over random plans, random requests, random fates, random order of answers and news, and random moments at which the
//! program dies and goes on with what it has published.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;

use super::world::{Fate, Setup, Spec, World, deleting, hook, resource};
use crate::model::{Options, Phase, Role, TaskState, Wave};
use crate::operation::{Breakpoint, Event, Limits, Operation, Record, Request, Retry, RunKind, Step};
use crate::plan::{Hooks, NewNamespace};

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        5 => (0u8..6).prop_map(Fate::Healthy),
        2 => (0u8..6).prop_map(Fate::Degraded),
        2 => Just(Fate::NoRule),
        1 => Just(Fate::Refused),
        1 => (1u8..5).prop_map(Fate::Vanishes),
        1 => Just(Fate::Never),
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
        Just(Some("Sync,SyncFail")),
        Just(Some("Skip")),
        Just(Some("typo"))
    ];
    let policy = prop_oneof![
        Just(None),
        Just(Some("HookSucceeded")),
        Just(Some("HookFailed")),
        Just(Some("BeforeHookCreation,HookSucceeded,HookFailed"))
    ];
    (kind, phases, policy, -2i64..3, fate(), prop::bool::weighted(0.1)).prop_map(move |(kind, phases, policy, wave, fate, generated)| {
        let name = if generated && phases.is_some() { "g".to_owned() } else { format!("n{name}") };
        let mut spec = match phases {
            Some(phases) => hook(&name, phases),
            None => resource(kind, &name),
        };
        if let Some(policy) = policy {
            spec = spec.policy(policy);
        }
        if generated && phases.is_some() {
            spec = spec.generated();
        }
        spec.wave(wave).fate(fate)
    })
}

fn specs(most: usize) -> impl Strategy<Value = Vec<Spec>> {
    (0..=most).prop_flat_map(|count| (0..count).map(spec).collect::<Vec<_>>())
}

fn candidates() -> impl Strategy<Value = Vec<Spec>> {
    let option =
        prop_oneof![3 => Just(None), 1 => Just(Some("Prune=confirm")), 1 => Just(Some("Prune=false")), 1 => Just(Some("PruneLast=true"))];
    let option = (option, any::<bool>());
    proptest::collection::vec(option, 0..4).prop_map(|options| {
        let candidate = |(at, (option, is_job)): (usize, (Option<&str>, bool))| {
            let spec = if is_job { resource("Job", &format!("n{at}")) } else { resource("ConfigMap", &format!("old{at}")) };
            let spec = spec.wave(i64::try_from(at).unwrap());
            option.into_iter().fold(spec, Spec::option)
        };
        options.into_iter().enumerate().map(candidate).collect()
    })
}

fn limits() -> impl Strategy<Value = Limits> {
    let limit = |most: u64| proptest::option::weighted(0.3, (1..most).prop_map(Duration::from_secs));
    (limit(60), limit(20), limit(10)).prop_map(|(operation, phase, hook)| Limits { operation, phase, hook })
}

fn breakpoints() -> impl Strategy<Value = Vec<Breakpoint>> {
    let phases = vec![Phase::PreSync, Phase::Sync, Phase::PostSync, Phase::SyncFail];
    let point = (prop::sample::select(phases), proptest::option::of((-2i64..3).prop_map(Wave)));
    proptest::collection::vec(point.prop_map(|(phase, wave)| Breakpoint { phase, wave }), 0..3)
}

fn request() -> impl Strategy<Value = Request> {
    let options = proptest::sample::subsequence(vec!["PruneLast=true", "Prune=confirm", "Prune=false"], 0..=2);
    let hooks = prop_oneof![6 => Just(Hooks::Usual), 1 => Just(Hooks::Never)];
    let flags = (any::<bool>(), prop::bool::weighted(0.1), 0u64..3, prop::bool::weighted(0.3));
    (flags, options, hooks, 0u32..3, limits(), proptest::option::weighted(0.4, breakpoints())).prop_map(
        |((prune, dry_run, delay, delete_succeeded_hooks_early), options, hooks, retries, limits, pause_before)| Request {
            prune,
            dry_run,
            options: Options::new(options.into_iter().map(str::to_owned)),
            hooks,
            retry: Retry { limit: Some(retries), ..Retry::default() },
            limits,
            wave_delay: Duration::from_secs(delay / 2),
            pause_before: pause_before.unwrap_or_default(),
            delete_succeeded_hooks_early,
            ..Request::default()
        },
    )
}

/// What happens to an operation from outside.
#[derive(Clone, Copy, Debug)]
pub(super) enum Blow {
    Terminate,
    Pause,
    /// The view loses an object that is there.
    Lose(usize),
    /// A new list shows everything that is there.
    Find,
    /// Somebody else deletes an object, as a time to live does.
    Delete(usize),
    /// Somebody else puts a finalizer on an object.
    Hold(usize),
    /// And takes all of them off again.
    Release,
    /// A webhook refuses to take finalizers off until the first attempt is over.
    Lock,
    /// The program dies and is rebuilt from what it has published.
    Rebuild,
}

fn blows() -> impl Strategy<Value = BTreeMap<usize, Blow>> {
    let blow = prop_oneof![
        2 => Just(Blow::Terminate),
        2 => Just(Blow::Pause),
        2 => (0usize..20).prop_map(Blow::Lose),
        2 => Just(Blow::Find),
        2 => (0usize..20).prop_map(Blow::Delete),
        1 => (0usize..20).prop_map(Blow::Hold),
        2 => Just(Blow::Release),
        1 => Just(Blow::Lock),
        6 => Just(Blow::Rebuild),
    ];
    proptest::collection::btree_map(0usize..80, blow, 0..6)
}

#[derive(Clone, Debug)]
pub(super) struct Case {
    specs: Vec<Spec>,
    leftovers: Vec<usize>,
    candidates: Vec<Spec>,
    request: Request,
    new_namespace: NewNamespace,
    picks: Vec<u8>,
    pub(super) blows: BTreeMap<usize, Blow>,
    lazy: bool,
    pub(super) finalizers_stick: bool,
}

pub(super) fn case() -> impl Strategy<Value = Case> {
    let leftovers = proptest::collection::vec(0usize..12, 0..4);
    let picks = proptest::collection::vec(any::<u8>(), 1..40);
    let namespace =
        prop_oneof![4 => Just(NewNamespace::No), 1 => Just(NewNamespace::Yes), 1 => Just(NewNamespace::Unclear("no".to_owned()))];
    let flags = (any::<bool>(), prop::bool::weighted(0.1));
    let destination = proptest::option::weighted(0.2, (-2i64..3).prop_map(|wave| resource("Namespace", "shop").wave(wave)));
    let specs = (specs(10), destination).prop_map(|(specs, destination)| specs.into_iter().chain(destination).collect());
    (specs, leftovers, candidates(), request(), namespace, picks, blows(), flags).prop_map(
        |(specs, leftovers, candidates, request, new_namespace, picks, blows, (lazy, finalizers_stick))| Case {
            specs,
            leftovers,
            candidates,
            request,
            new_namespace,
            picks,
            blows,
            lazy,
            finalizers_stick,
        },
    )
}

fn world_of(case: &Case) -> World {
    let stays = |spec: &&Spec| spec.kind == "Job" && !matches!(spec.fate, Fate::Vanishes(_));
    let leftovers = case.leftovers.iter().filter_map(|at| case.specs.get(*at)).filter(stays).cloned().collect();
    let mut world = World::new(Setup {
        specs: case.specs.clone(),
        leftovers,
        candidates: case.candidates.clone(),
        request: case.request.clone(),
        new_namespace: case.new_namespace.clone(),
        ..Setup::default()
    });
    world.finalizers_stick = case.finalizers_stick;
    if case.lazy {
        world.watch_lazily();
    }
    world
}

/// Longer than any of these operations may take before a person loses patience.
const PATIENCE: usize = 1_500;

/// Plays a case with answers and news in the order that `picks` says, with or without the deaths of the program.
pub(super) fn play(case: &Case, dies: bool) -> World {
    play_on(world_of(case), &case.picks, &case.blows, dies)
}

fn play_on(mut world: World, picks: &[u8], blows: &BTreeMap<usize, Blow>, dies: bool) -> World {
    let mut picks = picks.iter().cycle();
    let (sticks, mut is_locked) = (world.finalizers_stick, false);
    for turn in 0..2 * PATIENCE {
        match blows.get(&turn) {
            Some(Blow::Terminate) => world.publish(Event::TerminateRequested { by: "test".to_owned() }),
            Some(Blow::Pause) => world.publish(Event::PauseRequested { by: "test".to_owned() }),
            Some(Blow::Lose(pick)) => world.lose_one(*pick),
            Some(Blow::Find) => world.find_all(),
            Some(Blow::Delete(pick)) => world.delete_one(*pick),
            Some(Blow::Hold(pick)) => world.hold_one(*pick),
            Some(Blow::Release) => world.release_all(),
            Some(Blow::Lock) => is_locked = world.op.attempt() == 1,
            Some(Blow::Rebuild) if dies => world.rebuild(),
            Some(Blow::Rebuild) | None => {}
        }
        if turn == PATIENCE {
            world.publish(Event::TerminateRequested { by: "a person without patience".to_owned() });
        }
        is_locked &= world.op.attempt() == 1 && world.op.respite().is_none();
        world.finalizers_stick = sticks || is_locked;
        world.decide();
        if world.op.finished_at().is_some() {
            break;
        }
        assert!(
            !world.is_silent(),
            "nothing is under way, and nobody is told what is waited for: {:?} {:?}",
            world.calls(),
            world.results()
        );
        go_on(&mut world, turn, usize::from(*picks.next().unwrap()));
    }
    world
}

/// An answer, a piece of news, a second, or a person comes next.
fn go_on(world: &mut World, turn: usize, pick: usize) {
    if world.op.paused().is_some() && pick.is_multiple_of(3) {
        return world.publish(Event::Resumed { by: "test".to_owned() });
    }
    let unconfirmed = world.op.unconfirmed();
    if !unconfirmed.is_empty() && pick.is_multiple_of(5) {
        return world.publish(Event::PruneApproved { keys: unconfirmed, by: "test".to_owned() });
    }
    if pick.is_multiple_of(2) && world.hear() {
        return;
    }
    match world.queue.len() {
        0 => world.tick(),
        _ if pick % 4 == 3 && turn.is_multiple_of(3) => world.tick(),
        waiting if pick % 4 == 1 => world.answer_late(pick % waiting),
        waiting => world.answer(pick % waiting),
    }
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
    prop_assert!(replayed == world.op, "the records say another state than the operation has");
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

/// Each attempt keeps its own results, every hook of it is over, and attempts are counted without gaps.
fn check_attempts(world: &World) -> Result<(), TestCaseError> {
    let last = (world.op.attempt(), world.op.results().to_vec());
    let earlier = world.op.attempts().iter().map(|attempt| (attempt.number, attempt.results.clone()));
    for ((number, results), expected) in earlier.chain([last]).zip(1..) {
        prop_assert_eq!(number, expected);
        let keys: BTreeSet<_> = results.iter().map(|result| (&result.task.phase, &result.task.key)).collect();
        prop_assert_eq!(keys.len(), results.len(), "two results of one object and phase (spec R613)");
        let busy = results.iter().find(|result| result.state == TaskState::Running && result.task.role == Role::Hook);
        prop_assert!(busy.is_none(), "{busy:?} was left running");
    }
    Ok(())
}

/// Walks the history: groups in order, one at a time, SyncFail only after a failure, no write where none may be.
fn check_course(world: &World) -> Result<(), TestCaseError> {
    let mut fold = Operation::start(&world.history[0]).unwrap();
    for record in &world.history[1..] {
        match &record.event {
            Event::RunStarted { kind, phase, tasks, .. } => check_run_start(&fold, record, *kind, *phase, tasks.len())?,
            Event::StepStarted { step, .. } => check_step(&fold, step)?,
            _ => {}
        }
        fold.apply(record);
    }
    Ok(())
}

fn check_step(fold: &Operation, step: &Step) -> Result<(), TestCaseError> {
    let writes = !matches!(step, Step::Look | Step::Try | Step::Discover);
    prop_assert!(!(writes && fold.request().dry_run), "a dry run writes: {step:?}");
    prop_assert!(!(writes && fold.paused().is_some() && !fold.is_terminated()), "a paused operation writes: {step:?}");
    Ok(())
}

fn check_run_start(fold: &Operation, record: &Record, kind: RunKind, phase: Phase, tasks: usize) -> Result<(), TestCaseError> {
    prop_assert!(tasks > 0 && fold.run.is_none(), "a run starts while another one is in flight: {record:?}");
    prop_assert!(fold.paused().is_none() && fold.respite().is_none(), "a run starts during a pause: {record:?}");
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

/// An app and the moments at which somebody disturbs its deletion.
#[derive(Clone, Debug)]
pub(super) struct Farewell {
    owned: Vec<Spec>,
    hooks: Vec<Spec>,
    leftovers: Vec<usize>,
    limits: Limits,
    retries: u32,
    picks: Vec<u8>,
    blows: BTreeMap<usize, Blow>,
    lazy: bool,
}

pub(super) fn farewell() -> impl Strategy<Value = Farewell> {
    let owned = proptest::collection::vec((fate(), -2i64..3), 0..5).prop_map(|owned| {
        let spec = |(at, (fate, wave)): (usize, (Fate, i64))| resource("Deployment", &format!("o{at}")).wave(wave).fate(fate);
        owned.into_iter().enumerate().map(spec).collect::<Vec<_>>()
    });
    let policies = vec!["BeforeHookCreation", "HookSucceeded", "HookFailed", "HookSucceeded,HookFailed"];
    let phases = vec!["PreDelete", "PostDelete", "PreDelete,PostDelete"];
    let hook_of = (prop::sample::select(phases), prop::sample::select(policies), fate(), prop::bool::weighted(0.2));
    let hooks = proptest::collection::vec((hook_of, -2i64..3), 0..4).prop_map(|hooks| {
        let specs = hooks.into_iter().enumerate().map(|(at, ((phases, policy, fate, is_locked), wave))| {
            let spec = hook(&format!("h{at}"), phases).policy(policy).wave(wave).fate(fate);
            if is_locked { spec.locked() } else { spec }
        });
        specs.collect::<Vec<_>>()
    });
    let leftovers = proptest::collection::vec(0usize..4, 0..2);
    let picks = proptest::collection::vec(any::<u8>(), 1..40);
    (owned, hooks, leftovers, limits(), 0u32..3, picks, blows(), any::<bool>()).prop_map(
        |(owned, hooks, leftovers, limits, retries, picks, blows, lazy)| Farewell {
            owned,
            hooks,
            leftovers,
            limits,
            retries,
            picks,
            blows,
            lazy,
        },
    )
}

pub(super) fn play_farewell(farewell: &Farewell, dies: bool) -> World {
    let setup = deleting(farewell.hooks.clone(), farewell.owned.clone());
    let stays = |spec: &&Spec| !matches!(spec.fate, Fate::Vanishes(_));
    let leftovers = farewell.leftovers.iter().filter_map(|at| farewell.hooks.get(*at)).filter(stays).cloned().collect();
    let retry = Retry { limit: Some(farewell.retries), ..Retry::default() };
    let request = Request { limits: farewell.limits, retry, ..setup.request };
    let mut world = World::new(Setup { leftovers, request, ..setup });
    if farewell.lazy {
        world.watch_lazily();
    }
    play_on(world, &farewell.picks, &farewell.blows, dies)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_operation_ends_in_order_replays_and_accounts_for_every_manifest(case in case()) {
        let world = play(&case, true);
        check_ends(&world)?;
        check_replay(&world)?;
        check_every_manifest_is_accounted_for(&world)?;
        check_attempts(&world)?;
        check_course(&world)?;
    }

    /// However it ends: success, failure, terminate, time-out, retry, news that come late, objects that the view has lost, removals that
    /// an earlier attempt was refused.
    #[test]
    fn r216_r1502_no_finalizer_of_an_operation_outlives_it(case in case()) {
        let is_locked = case.blows.values().any(|blow| matches!(blow, Blow::Lock));
        let world = play(&Case { finalizers_stick: false, ..case }, true);
        let is_refused = is_locked && world.op.attempt() == 1;
        prop_assert!(is_refused || world.locked().is_empty(), "{:?} keep their finalizers; {:#?} {:?}", world.locked(), world.calls(), world.results());
    }

    #[test]
    fn t192_r301_r303_r613_rebuilt_from_its_records_an_operation_goes_on_as_if_nothing_had_happened(case in case()) {
        let (one, other) = (play(&case, false), play(&case, true));
        // Only the first difference is printed; a whole history is megabytes.
        let differs = one.history.iter().zip(&other.history).find(|(one, other)| one != other);
        prop_assert!(differs.is_none(), "{:?}", differs);
        prop_assert_eq!(one.history.len(), other.history.len());
        prop_assert!(one.op == other.op, "the same records, another state");
    }

    #[test]
    fn r1111_r1502_every_deletion_of_an_app_ends_replays_and_leaves_no_finalizer(farewell in farewell()) {
        let world = play_farewell(&farewell, true);
        check_ends(&world)?;
        check_replay(&world)?;
        check_attempts(&world)?;
        let is_refused = farewell.blows.values().any(|blow| matches!(blow, Blow::Lock));
        prop_assert!(is_refused || world.locked().is_empty(), "{:?} keep their finalizers; {:#?} {:?}", world.locked(), world.calls(), world.results());
        let undisturbed = play_farewell(&farewell, false);
        prop_assert!(undisturbed.op == world.op, "the same records, another state");
    }
}
