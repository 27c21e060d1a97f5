//! The speed that is promised: `cargo bench` prints it as a table.

use divan::Bencher;
use syncwave::bench::{Manifests, Records, Waves};

fn main() {
    divan::main();
}

/// The plan of 10,000 objects.
#[divan::bench(sample_count = 20)]
fn plan_of_10_000_objects(bencher: Bencher<'_, '_>) {
    let manifests = Manifests::of(10_000);
    bencher.bench_local(|| manifests.plan());
}

/// A frame of the sync screen with 10,000 resources, on 200x50 cells.
#[divan::bench(sample_count = 200)]
fn frame_of_10_000_resources(bencher: Bencher<'_, '_>) {
    let mut frame = syncwave::bench::frame(10_000);
    bencher.bench_local(&mut frame);
}

/// The fold of 100,000 facts.
#[divan::bench(sample_count = 20)]
fn fold_of_100_000_facts(bencher: Bencher<'_, '_>) {
    let records = Records::of(100_000);
    bencher.bench_local(|| records.fold());
}

/// A whole sync on the embedded cluster with real time, of objects that are done at once. The difference of the two, divided by 50, is
/// what the engine adds to each wave.
#[divan::bench(args = [1, 51], sample_count = 10)]
fn sync_of_so_many_waves(bencher: Bencher<'_, '_>, waves: usize) {
    let state = tempfile::tempdir().expect("a temporary folder can be made");
    let app = Waves::of(waves, state.path().to_owned());
    bencher.bench_local(|| app.sync());
}
