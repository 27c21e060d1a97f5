//! A sync that has nothing to do: how long it takes, and how many requests it sends, counted by a proxy between it and the API server.

use serde_json::Value;

use crate::Outcome;
use crate::proxy::Proxy;
use crate::space::{Bench, config_map};
use crate::table::{Budget, Table};

const OBJECTS: usize = 5000;

pub(crate) async fn measure(bench: &Bench, runs: usize, table: &mut Table) -> Outcome<()> {
    let space = bench.space().await?;
    let manifests: Vec<Value> = (0..OBJECTS).map(config_map).collect();
    let file = space.write(&manifests)?;
    let created = space.sync(&bench.kubeconfig, &file).await?.0.as_secs_f64();
    let (mut ours, mut kubectl, mut requests) = (Vec::new(), Vec::new(), Vec::new());
    let proxy = Proxy::start(bench.client.clone(), file.with_extension("kubeconfig")).await?;
    let mut asked = String::new();
    for turn in 0..=runs {
        let took = space.sync(&bench.kubeconfig, &file).await?.0.as_secs_f64();
        space.sync(proxy.kubeconfig(), &file).await?;
        let counts = proxy.take();
        if turn > 0 {
            ours.push(took);
            requests.push(counts.values().sum::<usize>() as f64 / OBJECTS as f64);
            asked = counts.iter().map(|(what, count)| format!("{count} {what}")).collect::<Vec<_>>().join(", ");
        }
    }
    // kubectl takes the fields over, so it comes last: once to take them, once with nothing to do.
    if Bench::has_kubectl() {
        space.kubectl_apply(&file).await?;
        for _ in 0..runs.min(2) {
            kubectl.push(space.kubectl_apply(&file).await?.as_secs_f64());
        }
    }
    space.remove().await?;
    let title = format!("{OBJECTS} ConfigMaps");
    table.add(format!("{title} created, once"), &[created], "s", Budget::None);
    table.add(format!("{title} unchanged: requests for each object"), &requests, "", Budget::AtMost(0.1));
    table.add(format!("{title} unchanged: the whole process"), &ours, "s", Budget::None);
    if !kubectl.is_empty() {
        table.add(format!("{title} unchanged: kubectl apply --server-side --validate=false"), &kubectl, "s", Budget::None);
    }
    table.note(format!("{title} unchanged, all requests of the last run: {asked}"));
    Ok(())
}
