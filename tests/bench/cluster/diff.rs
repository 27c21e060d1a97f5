//! How many objects a second a diff compares: each is read and tried, a tenth of them has changed.

use serde_json::{Value, json};

use crate::Outcome;
use crate::space::{Bench, config_map};
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
    let mut rates = Vec::new();
    for turn in 0..=runs {
        let (took, differences) = space.diff(&file).await?;
        if differences != OBJECTS / 10 {
            return Err(format!("{differences} differences instead of {}", OBJECTS / 10).into());
        }
        if turn > 0 {
            rates.push(OBJECTS as f64 / took.as_secs_f64());
        }
    }
    space.remove().await?;
    table.add(format!("diff of {OBJECTS} ConfigMaps, a tenth changed: the whole process"), &rates, "objects/s", Budget::AtLeast(500.0));
    Ok(())
}
