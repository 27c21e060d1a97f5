//! The course of an operation, read from its history: which group comes after which, what is done before it, where it pauses, and what it
//! leaves behind. Told by what was planned and observed, not by what the core thinks of it.

use proptest::prelude::*;

use super::deletion::check_order;
use super::properties::{Blow, case, farewell, play, play_farewell};
use super::world::World;
use crate::model::{DeletePolicy, OperationPhase, Phase, ResultCode, Task, TaskId, TaskState, Wave};
use crate::operation::{Event, Operation, Record, RunKind, Step};

type Check = Result<(), TestCaseError>;
type Group = (Phase, Wave);

/// Shows each record with the operation as it was before.
fn walk(world: &World, mut check: impl FnMut(&Operation, &Event) -> Check) -> Check {
    let mut fold = Operation::start(&world.history[0]).unwrap();
    for record in &world.history[1..] {
        check(&fold, &record.event)?;
        fold.apply(record);
    }
    Ok(())
}

/// Every task that there is, with its group in the present pass.
fn groups(fold: &Operation) -> Vec<(&Task, Group)> {
    let waves = fold.current_waves();
    let all = fold.plan().tasks.iter().zip(waves).map(|(task, wave)| (task, (task.id.phase, wave)));
    all.filter(|(task, _)| !task.unmodified && !fold.is_there_already(task))
        .filter(|(task, _)| {
            !task.is_prune() || fold.live(&task.id.key).is_some_and(|live| live.operation.is_none() || task.uid.as_ref() == Some(&live.uid))
        })
        .collect()
}

/// One (phase, wave) after the other, each as a whole and when the ones before it are done. Prunes swap their waves anew in each pass (spec
/// R505), what the view has lost may come back, and an automatic Namespace that is missing has a task in any pass (R515), so only the rest
/// goes upward.
fn check_groups(world: &World) -> Check {
    let mut last: Option<Group> = None;
    walk(world, |fold, event| {
        match event {
            Event::AttemptStarted { .. } => last = None,
            Event::RunStarted { kind: RunKind::Group, phase, wave, tasks } => {
                check_group(fold, (*phase, *wave), tasks)?;
                if tasks.iter().any(|id| fold.plan().task(id).is_some_and(|task| !task.is_prune() && !task.automatic)) {
                    prop_assert!(last.is_none_or(|last| last <= (*phase, *wave)), "{phase} {wave} comes after {last:?}");
                    last = Some((*phase, *wave));
                }
            }
            Event::RunStarted { kind: RunKind::SyncFail, tasks, .. } => check_sync_fail(fold, tasks)?,
            Event::StepStarted { task, step: Step::Apply } => {
                // What goes only after the run has begun to send is refused by the server, and the executor waits for it.
                let run = fold.run.as_ref().filter(|run| run.sent == 0);
                let held = run
                    .into_iter()
                    .flat_map(|run| &run.tasks)
                    .find(|id| fold.state(id) == TaskState::Pending && fold.is_old_hook_in_deletion(id));
                prop_assert!(held.is_none(), "{task:?} is created beside the old object of {held:?} (spec R206)");
            }
            Event::RunStarted { kind: RunKind::Namespace, .. } => {
                prop_assert!(last.is_none() && !fold.dry_pass_done, "the destination Namespace comes late");
            }
            _ => {}
        }
        Ok(())
    })
}

fn check_group(fold: &Operation, group: Group, tasks: &[TaskId]) -> Check {
    let all = groups(fold);
    for (task, own) in all.iter().filter(|(task, _)| task.id.phase != Phase::SyncFail) {
        let (is_in, result) = (tasks.contains(&task.id), fold.result(&task.id));
        prop_assert!(!is_in || *own == group, "{:?} of {own:?} runs with {group:?}", task.id);
        prop_assert!(is_in || *own > group || result.is_some(), "{group:?} starts without or before {:?} of {own:?}", task.id);
        let is_busy = result.is_some_and(|result| result.state == TaskState::Running) && !task.automatic;
        prop_assert!(!is_busy || *own == group, "{group:?} starts while {:?} of {own:?} is waited for", task.id);
    }
    let is_pruned = |task: &&Task| fold.result(&task.id).is_some_and(|result| result.code == ResultCode::Pruned);
    let is_going = |task: &&Task| fold.live(&task.id.key).is_some_and(|live| live.deletion.is_some());
    let left = fold.plan().tasks.iter().filter(|task| task.is_prune()).filter(is_pruned).find(is_going);
    prop_assert!(left.is_none(), "{group:?} starts before {left:?} is gone");
    Ok(())
}

/// All together (spec R406).
fn check_sync_fail(fold: &Operation, tasks: &[TaskId]) -> Check {
    for task in fold.plan().tasks.iter().filter(|task| task.id.phase == Phase::SyncFail) {
        let is_open = matches!(fold.state(&task.id), TaskState::Pending);
        prop_assert_eq!(tasks.contains(&task.id), is_open, "not all of SyncFail, or too much: {:?}", &task.id);
    }
    prop_assert!(tasks.iter().all(|id| id.phase == Phase::SyncFail));
    Ok(())
}

/// Between `Paused` and `Resumed` nothing is out and nothing begins.
fn check_pauses(world: &World) -> Check {
    let mut out: Vec<(TaskId, Step)> = Vec::new();
    walk(world, |fold, event| {
        match event {
            Event::StepStarted { task, step } => {
                let may = fold.paused().is_none() || fold.phase() == OperationPhase::Terminating;
                prop_assert!(may, "{step:?} of {task:?} begins in a pause");
                out.push((task.clone(), step.clone()));
            }
            Event::StepFinished { task, step, .. } => out.retain(|(other, own)| (other, own) != (task, step)),
            Event::Paused { .. } => prop_assert!(out.is_empty(), "a pause begins while {out:?} is out"),
            _ => {}
        }
        Ok(())
    })
}

/// Before the first write of a group that a breakpoint stands before, the operation has paused there. The destination Namespace is written
/// before everything else, so the pause before the first group is the one that counts for it.
fn check_breakpoints(world: &World) -> Check {
    let mut paused: Vec<Group> = Vec::new();
    walk(world, |fold, event| {
        match event {
            Event::Paused { phase, wave } => paused.push((*phase, *wave)),
            Event::RunStarted { kind, phase, wave, tasks } => {
                let begun: Vec<Group> = match kind {
                    RunKind::Group => vec![(*phase, *wave)],
                    RunKind::SyncFail => tasks.iter().map(|id| (id.phase, fold.plan().task(id).unwrap().wave)).collect(),
                    RunKind::Namespace => groups(fold).into_iter().map(|(_, group)| group).min().into_iter().collect(),
                    RunKind::DryRun => Vec::new(),
                };
                for point in &fold.request().pause_before {
                    let stands_before = |(phase, wave): &Group| point.phase == *phase && point.wave.is_none_or(|own| own == *wave);
                    let is_due = begun.iter().any(stands_before);
                    prop_assert!(!is_due || paused.iter().any(stands_before), "{begun:?} begins without a pause before {point:?}");
                }
            }
            _ => {}
        }
        Ok(())
    })
}

/// A hook goes by a policy that it has, when the outcome that the policy is for is known (spec R208, R209).
fn check_policies(world: &World) -> Check {
    walk(world, |fold, event| {
        let Event::StepStarted { task, step: Step::DeleteHook { policy, .. } } = event else { return Ok(()) };
        prop_assert!(fold.plan().task(task).unwrap().delete_policies().contains(policy), "{task:?} goes by {policy:?}");
        prop_assert!(fold.state(task) != TaskState::Running, "{task:?} goes while it runs");
        let is_bad = |result: &crate::operation::TaskResult| {
            result.task.phase != Phase::SyncFail && matches!(result.state, TaskState::Failed | TaskState::Error)
        };
        let end = fold.conclusion.as_ref().map(|end| end.phase);
        let is_time = match policy {
            DeletePolicy::HookSucceeded => {
                let is_early = fold.request().delete_succeeded_hooks_early && fold.state(task) == TaskState::Succeeded;
                is_early || end == Some(OperationPhase::Succeeded)
            }
            DeletePolicy::HookFailed => end == Some(OperationPhase::Failed) || fold.results().iter().any(is_bad),
            DeletePolicy::BeforeHookCreation => false,
        };
        prop_assert!(is_time, "{task:?} goes by {policy:?} at the wrong time: {end:?}");
        Ok(())
    })
}

/// What an operation has to delete by policy when it is over is gone or going (spec R208–R210).
fn check_nothing_stays_by_policy(world: &World) -> Check {
    let op = &world.op;
    let is_attempt = |record: &&Record| matches!(record.event, Event::AttemptStarted { .. });
    let is_group = |record: &Record| matches!(record.event, Event::RunStarted { kind: RunKind::Group, .. });
    let ran = world.history.iter().rev().take_while(|record| !is_attempt(record)).any(is_group);
    let policy = match op.phase() {
        _ if op.is_terminated() || op.request().dry_run => return Ok(()),
        OperationPhase::Succeeded => DeletePolicy::HookSucceeded,
        OperationPhase::Failed if ran => DeletePolicy::HookFailed,
        _ => return Ok(()),
    };
    let mut hooks = op.plan().tasks.iter().filter(|task| task.is_hook() && task.delete_policies().contains(&policy));
    let stays = |task: &&Task| op.live(&task.id.key).is_some_and(|live| live.deletion.is_none());
    let left = hooks.find(stays);
    prop_assert!(left.is_none(), "{left:?} stays although the operation is {:?}: {:?}", op.phase(), world.calls());
    Ok(())
}

/// No wave of a deletion begins while anything of the app is in deletion (spec R1109); only what our own finalizer holds goes in its turn.
fn check_nothing_is_in_deletion(world: &World) -> Check {
    walk(world, |fold, event| {
        let Event::RunStarted { phase: Phase::Delete, tasks, .. } = event else { return Ok(()) };
        let first = fold.plan().task(&tasks[0]).unwrap().wave;
        for task in fold.plan().tasks.iter().filter(|task| task.id.phase == Phase::Delete && task.uid.is_some()) {
            prop_assert!(!tasks.contains(&task.id) || task.wave == first, "{:?} goes with wave {first}", task.id);
            let own = fold.live(&task.id.key).filter(|live| task.uid.as_ref() == Some(&live.uid));
            let is_going = own.is_some_and(|live| live.deletion.is_some() && !live.has_hook_finalizer());
            prop_assert!(!is_going, "wave {first} goes while {:?} is in deletion", task.id);
        }
        Ok(())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn r401_r406_r501_groups_come_in_order_each_as_a_whole_and_when_the_ones_before_are_done(case in case()) {
        check_groups(&play(&case, true))?;
    }

    #[test]
    fn a_pause_comes_before_the_first_write_of_its_group_and_nothing_is_out_while_it_lasts(case in case()) {
        let world = play(&case, true);
        check_pauses(&world)?;
        check_breakpoints(&world)?;
    }

    #[test]
    fn r208_r209_r210_hooks_go_by_their_policies_at_their_time_and_none_stays(case in case()) {
        let is_locked = case.finalizers_stick || case.blows.values().any(|blow| matches!(blow, Blow::Lock));
        let world = play(&case, true);
        check_policies(&world)?;
        if !is_locked {
            check_nothing_stays_by_policy(&world)?;
        }
    }

    #[test]
    fn r1106_r1109_a_deletion_goes_downward_after_predelete_and_waits_for_all_that_is_in_deletion(farewell in farewell()) {
        let world = play_farewell(&farewell, true);
        check_order(&world)?;
        check_nothing_is_in_deletion(&world)?;
        check_pauses(&world)?;
    }
}
