//! How many objects a second a diff compares, and with how many requests: each object is tried, a tenth of them has changed.

use std::path::Path;

use serde_json::{Value, json};

use crate::Outcome;
use crate::proxy::Proxy;
use crate::space::{Bench, Space, config_map};
use crate::table::{Budget, Table};

const OBJECTS: usize = 1000;

pub(crate) async fn measure(bench: &Bench, runs: usize, table: &mut Table) -> Outcome<()> {
    let space = bench.space().await?;
    let mut manifests: Vec<Value> = (0..OBJECTS).map(config_map).collect();
    space.sync(&bench.kubeconfig, &space.write(&manifests)?).await?;
    for manifest in manifests.iter_mut().step_by(10) {
        manifest["data"]["number"] = json!("changed");
    }
    let file = space.write(&manifests)?;
    let (mut rates, mut requests) = (Vec::new(), Vec::new());
    let proxy = Proxy::start(bench.client.clone(), file.with_extension("kubeconfig")).await?;
    for turn in 0..=runs {
        let took = compare(&space, &bench.kubeconfig, &file).await?;
        compare(&space, proxy.kubeconfig(), &file).await?;
        let asked: usize = proxy.take().values().sum();
        if turn > 0 {
            rates.push(OBJECTS as f64 / took);
            requests.push(asked as f64 / OBJECTS as f64);
        }
    }
    space.remove().await?;
    let title = format!("diff of {OBJECTS} ConfigMaps, a tenth changed");
    table.add(format!("{title}: the whole process"), &rates, "objects/s", Budget::AtLeast(500.0));
    table.add(format!("{title}: requests for each object"), &requests, "", Budget::AtMost(1.1));
    Ok(())
}

/// Finds the differences; returns how many seconds the process lived.
async fn compare(space: &Space<'_>, kubeconfig: &Path, file: &Path) -> Outcome<f64> {
    let (took, printed) = space.preview("diff", kubeconfig, file).await?;
    let differs = |object: &&Value| object["fields"].as_array().is_some_and(|fields| !fields.is_empty());
    let differences = printed["objects"].as_array().into_iter().flatten().filter(differs).count();
    if differences != OBJECTS / 10 {
        return Err(format!("{differences} differences instead of {}", OBJECTS / 10).into());
    }
    Ok(took.as_secs_f64())
}
