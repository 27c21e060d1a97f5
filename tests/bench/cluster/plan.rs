//! How many objects a second a plan looks through in which nothing has changed, and how many requests that takes: with the inventory of the
//! last sync, and without one, as on a machine that has synced nothing yet.

use std::path::Path;

use serde_json::Value;

use crate::Outcome;
use crate::proxy::Proxy;
use crate::space::{Bench, Space, config_map};
use crate::table::{Budget, Table};

const OBJECTS: usize = 5000;

pub(crate) async fn measure(bench: &Bench, runs: usize, table: &mut Table) -> Outcome<()> {
    let space = bench.space().await?;
    let manifests: Vec<Value> = (0..OBJECTS).map(config_map).collect();
    let file = space.write(&manifests)?;
    let proxy = Proxy::start(bench.client.clone(), file.with_extension("kubeconfig")).await?;
    // Each kubeconfig has an inventory of its own.
    for kubeconfig in [bench.kubeconfig.as_path(), proxy.kubeconfig()] {
        space.sync(kubeconfig, &file).await?;
    }
    proxy.take();
    for (memory, most) in [("with its inventory", 0.1), ("without one", 1.1)] {
        let (mut rates, mut requests) = (Vec::new(), Vec::new());
        for turn in 0..=runs {
            let took = plan(&space, &bench.kubeconfig, &file).await?;
            plan(&space, proxy.kubeconfig(), &file).await?;
            let asked: usize = proxy.take().values().sum();
            if turn > 0 {
                rates.push(OBJECTS as f64 / took);
                requests.push(asked as f64 / OBJECTS as f64);
            }
        }
        let title = format!("plan of {OBJECTS} unchanged ConfigMaps, {memory}");
        table.add(format!("{title}: the whole process"), &rates, "objects/s", Budget::None);
        table.add(format!("{title}: requests for each object"), &requests, "", Budget::AtMost(most));
        space.forget()?;
    }
    space.remove().await
}

/// Makes a plan in which everything stays; returns how many seconds the process lived.
async fn plan(space: &Space<'_>, kubeconfig: &Path, file: &Path) -> Outcome<f64> {
    let (took, printed) = space.preview("plan", kubeconfig, file).await?;
    let unchanged = printed["tasks"].as_array().into_iter().flatten().filter(|task| task["action"] == "unchanged").count();
    if unchanged != OBJECTS {
        return Err(format!("{unchanged} of {OBJECTS} objects are unchanged").into());
    }
    Ok(took.as_secs_f64())
}
