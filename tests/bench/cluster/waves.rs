//! Reaction and overhead: waves of hooks whose ends the fake controller sets, so that everything beside them is the engine's.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use kube::api::Api;

use crate::Outcome;
use crate::fake::{Controller, Life, hook};
use crate::space::Bench;
use crate::table::{Budget, Table, most};

const WAVES: usize = 10;
/// How long each hook takes.
const TAKES: Duration = Duration::from_secs(1);

/// What one run showed, in milliseconds.
#[derive(Debug, Default)]
struct Run {
    /// From the last end of a wave to the first creation of the next one.
    reactions: Vec<f64>,
    /// From the start of the process to the first creation.
    first: f64,
    /// From the last end to the end of the process.
    last: f64,
    /// What is not the hooks' own time, for each wave.
    overhead: f64,
}

/// Measures waves of one and of twenty hooks, by turns.
pub(crate) async fn measure(bench: &Bench, runs: usize, table: &mut Table) -> Outcome<()> {
    let sizes = [(1, 30.0), (20, 70.0)];
    let mut all: BTreeMap<usize, Vec<Run>> = BTreeMap::new();
    for turn in 0..=runs {
        for (size, _) in sizes {
            let run = one_run(bench, size).await?;
            if turn > 0 {
                all.entry(size).or_default().push(run);
            }
        }
    }
    for (size, budget) in sizes {
        let runs = all.remove(&size).unwrap_or_default();
        let title = format!("{WAVES} waves of {size} hook{}", if size == 1 { "" } else { "s" });
        let reactions: Vec<f64> = runs.iter().flat_map(|run| run.reactions.iter().copied()).collect();
        let of = |part: fn(&Run) -> f64| runs.iter().map(part).collect::<Vec<f64>>();
        let reaction = if size == 1 { Budget::AtMost(30.0) } else { Budget::None };
        table.add(format!("{title}: reaction to a hook's end"), &reactions, "ms", reaction);
        table.add(format!("{title}: worst reaction of a run"), &of(|run| most(&run.reactions)), "ms", Budget::None);
        table.add(format!("{title}: from the start to the first hook"), &of(|run| run.first), "ms", Budget::None);
        table.add(format!("{title}: from the last end to the exit"), &of(|run| run.last), "ms", Budget::None);
        table.add(format!("{title}: overhead of each wave"), &of(|run| run.overhead), "ms", Budget::AtMost(budget));
    }
    Ok(())
}

async fn one_run(bench: &Bench, size: usize) -> Outcome<Run> {
    let space = bench.space().await?;
    let hooks: Vec<_> = (0..WAVES).flat_map(|wave| (0..size).map(move |number| hook(wave, number))).collect();
    let file = space.write(&hooks)?;
    let controller = Controller::start(Api::namespaced(bench.client.clone(), &space.namespace), TAKES, hooks.len()).await?;
    let began = Instant::now();
    let (took, _) = space.sync(&bench.kubeconfig, &file).await?;
    let lives = controller.lives().await?;
    space.remove().await?;
    Ok(evaluate(&lives, size, began, took))
}

fn evaluate(lives: &BTreeMap<String, Life>, size: usize, began: Instant, took: Duration) -> Run {
    let lives: Vec<Life> = lives.values().copied().collect();
    let waves: Vec<&[Life]> = lives.chunks(size).collect();
    let created = |wave: &[Life]| wave.iter().map(|life| life.created).min().unwrap_or(began);
    let ended = |wave: &[Life]| wave.iter().filter_map(|life| life.completed).max().unwrap_or(began);
    let longest = |wave: &[Life]| wave.iter().filter_map(|life| Some(millis(life.created, life.completed?))).fold(0.0, f64::max);
    let critical: f64 = waves.iter().map(|wave| longest(wave)).sum();
    Run {
        reactions: waves.windows(2).map(|pair| millis(ended(pair[0]), created(pair[1]))).collect(),
        first: waves.first().map_or(0.0, |wave| millis(began, created(wave))),
        last: waves.last().map_or(0.0, |wave| millis(ended(wave), began + took)),
        overhead: (took.as_secs_f64() * 1000.0 - critical) / waves.len() as f64,
    }
}

fn millis(from: Instant, to: Instant) -> f64 {
    to.saturating_duration_since(from).as_secs_f64() * 1000.0
}
