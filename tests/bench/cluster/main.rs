//! The speed on a real Kubernetes, as one table: `tests/cluster/exec cargo bench --bench cluster`. The release binary is driven as a
//! user would drive it, and what counts is what a watch on the API sees. Words after `--` choose parts (`waves`, `create`,
//! `unchanged`, `diff`, `plan`), a number is the count of runs. Timed figures are no tests: the exit code is 0 whatever they are.
#![allow(clippy::disallowed_methods, reason = "a real cluster has real time, and tasks of a program that ends need no owner")]
#![allow(clippy::print_stdout, reason = "the table is what it is for")]

mod create;
mod diff;
mod fake;
mod plan;
mod proxy;
mod space;
mod table;
mod unchanged;
mod waves;

use std::error::Error;
use std::path::PathBuf;

use space::Bench;
use table::Table;

const VARIABLE: &str = "SYNCWAVE_E2E_KUBECONFIG";
const RUNS: usize = 5;

pub(crate) type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() {
    let Some(kubeconfig) = std::env::var_os(VARIABLE).filter(|value| !value.is_empty()) else {
        println!("skipped cluster: set {VARIABLE}, for example by running it through tests/cluster/exec");
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime can be built");
    if let Err(error) = runtime.block_on(measure(PathBuf::from(kubeconfig), &Wish::read(std::env::args().skip(1)))) {
        println!("the benchmark ended early: {error}");
    }
}

/// What was asked for on the command line.
#[derive(Debug)]
struct Wish {
    runs: usize,
    parts: Vec<String>,
}

impl Wish {
    /// cargo itself adds `--bench`.
    fn read(arguments: impl Iterator<Item = String>) -> Self {
        let (numbers, parts): (Vec<String>, Vec<String>) =
            arguments.filter(|argument| !argument.starts_with('-')).partition(|argument| argument.parse::<usize>().is_ok());
        let runs = numbers.first().and_then(|number| number.parse().ok()).filter(|runs| *runs > 0).unwrap_or(RUNS);
        Self { runs, parts }
    }

    fn has(&self, part: &str) -> bool {
        self.parts.is_empty() || self.parts.iter().any(|wanted| wanted == part)
    }
}

async fn measure(kubeconfig: PathBuf, wish: &Wish) -> Outcome<()> {
    let bench = Bench::open(kubeconfig).await?;
    let mut table = Table::new(bench.machine().await, wish.runs);
    if wish.has("waves") {
        waves::measure(&bench, wish.runs, &mut table).await?;
    }
    if wish.has("create") {
        create::measure(&bench, wish.runs, &mut table).await?;
    }
    if wish.has("unchanged") {
        unchanged::measure(&bench, wish.runs, &mut table).await?;
    }
    if wish.has("diff") {
        diff::measure(&bench, wish.runs, &mut table).await?;
    }
    if wish.has("plan") {
        plan::measure(&bench, wish.runs, &mut table).await?;
    }
    println!("{table}");
    Ok(())
}
