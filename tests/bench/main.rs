//! The speed that is promised: `cargo bench` prints it as a table.

use divan::Bencher;
use syncwave::bench::{Manifests, Records};

fn main() {
    divan::main();
}

/// The plan of 10,000 objects.
#[divan::bench(sample_count = 20)]
fn plan_of_10_000_objects(bencher: Bencher<'_, '_>) {
    let manifests = Manifests::of(10_000);
    bencher.bench_local(|| manifests.plan());
}

/// The fold of 100,000 facts.
#[divan::bench(sample_count = 20)]
fn fold_of_100_000_facts(bencher: Bencher<'_, '_>) {
    let records = Records::of(100_000);
    bencher.bench_local(|| records.fold());
}
