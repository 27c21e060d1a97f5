//! How many objects a second: our sync, a bare loop of concurrent server-side applies in this very process, and kubectl, by turns.

use std::time::{Duration, Instant};

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Patch, PatchParams};
use serde_json::Value;

use crate::Outcome;
use crate::space::{Bench, Space, config_map};
use crate::table::{Budget, Table, median};

const OBJECTS: usize = 1000;
/// Numbers of requests under way in the bare loop; the better one counts.
const AT_ONCE: [usize; 2] = [32, 64];

pub(crate) async fn measure(bench: &Bench, runs: usize, table: &mut Table) -> Outcome<()> {
    let manifests: Vec<Value> = (0..OBJECTS).map(config_map).collect();
    let (mut ours, mut kubectl) = (Vec::new(), Vec::new());
    let mut bare: Vec<Vec<f64>> = vec![Vec::new(); AT_ONCE.len()];
    for turn in 0..=runs {
        let keep = |samples: &mut Vec<f64>, took: Duration| {
            if turn > 0 {
                samples.push(took.as_secs_f64());
            }
        };
        keep(&mut ours, sync(bench, &manifests).await?);
        for (at_once, samples) in AT_ONCE.iter().zip(&mut bare) {
            keep(samples, bare_loop(bench, &manifests, *at_once).await?);
        }
        if Bench::has_kubectl() {
            keep(&mut kubectl, kubectl_apply(bench, &manifests).await?);
        }
    }
    // Of one turn each, because the machine may have other work in the next one.
    let best: Vec<f64> = bare[0].iter().zip(&bare[1]).map(|(one, other)| one.min(*other)).collect();
    let ratios = |of: &[f64], to: &[f64]| of.iter().zip(to).map(|(one, other)| one / other).collect::<Vec<f64>>();
    let to_best = ratios(&ours, &best);
    let rate = |samples: &[f64]| samples.iter().map(|seconds| OBJECTS as f64 / seconds).collect::<Vec<f64>>();
    let title = format!("{OBJECTS} ConfigMaps created");
    let budget = Budget::Either { at_least: 1000.0, ratio: median(&to_best), at_most: 1.15 };
    table.add(format!("{title}: syncwave, the whole process"), &rate(&ours), "objects/s", budget);
    for (at_once, samples) in AT_ONCE.iter().zip(&bare) {
        table.add(format!("{title}: bare loop, {at_once} at once"), &rate(samples), "objects/s", Budget::None);
    }
    table.add(format!("{title}: syncwave's time to the better bare loop's"), &to_best, "x", Budget::None);
    if !kubectl.is_empty() {
        table.add(format!("{title}: kubectl apply --server-side --validate=false"), &rate(&kubectl), "objects/s", Budget::None);
        table.add(format!("{title}: kubectl's time to syncwave's"), &ratios(&kubectl, &ours), "x", Budget::None);
    }
    Ok(())
}

async fn sync(bench: &Bench, manifests: &[Value]) -> Outcome<Duration> {
    let space = bench.space().await?;
    let file = space.write(manifests)?;
    let took = space.sync(&bench.kubeconfig, &file).await?.0;
    all_are_there(space).await?;
    Ok(took)
}

async fn kubectl_apply(bench: &Bench, manifests: &[Value]) -> Outcome<Duration> {
    let space = bench.space().await?;
    let took = space.kubectl_apply(&space.write(manifests)?).await?;
    all_are_there(space).await?;
    Ok(took)
}

async fn bare_loop(bench: &Bench, manifests: &[Value], at_once: usize) -> Outcome<Duration> {
    let space = bench.space().await?;
    let objects: Vec<ConfigMap> = manifests.iter().map(|value| serde_json::from_value(value.clone())).collect::<Result<_, _>>()?;
    let (api, how) = (space.config_maps(), PatchParams::apply("bare").force());
    let began = Instant::now();
    let applies = objects.iter().map(|object| {
        let (api, how) = (&api, &how);
        async move { api.patch(object.metadata.name.as_deref().unwrap_or_default(), how, &Patch::Apply(object)).await }
    });
    let mut applies = futures::stream::iter(applies).buffer_unordered(at_once);
    while let Some(applied) = applies.next().await {
        applied?;
    }
    let took = began.elapsed();
    all_are_there(space).await?;
    Ok(took)
}

async fn all_are_there(space: Space<'_>) -> Outcome<()> {
    let count = space.count().await?;
    space.remove().await?;
    if count == OBJECTS { Ok(()) } else { Err(format!("{count} of {OBJECTS} ConfigMaps are there").into()) }
}
