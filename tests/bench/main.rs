//! The speed that is promised: `cargo bench` prints it as a table.

use std::cell::RefCell;
use std::io::Read as _;

use divan::Bencher;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use syncwave::bench::{Comparison, Diffs, Effects, Frames, Judgements, Manifests, Records, Waves};

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

/// A whole sync on the embedded cluster with real time, of objects that are done at once. The difference of the two, divided by 50, is
/// what the engine adds to each wave.
#[divan::bench(args = [1, 51], sample_count = 10)]
fn sync_of_so_many_waves(bencher: Bencher<'_, '_>, waves: usize) {
    let state = tempfile::tempdir().expect("a temporary folder can be made");
    let app = Waves::of(waves, state.path().to_owned());
    bencher.bench_local(|| app.sync());
}

/// The health of 10,000 Deployments by the built-in rule.
#[divan::bench(sample_count = 20)]
fn health_of_10_000_objects(bencher: Bencher<'_, '_>) {
    let objects = Judgements::of(10_000);
    bencher.bench_local(|| objects.healthy());
}

/// The health of 10,000 objects of the same size by a Lua rule.
#[divan::bench(sample_count = 20)]
fn health_of_10_000_objects_in_lua(bencher: Bencher<'_, '_>) {
    let objects = Judgements::in_lua(10_000);
    bencher.bench_local(|| objects.healthy());
}

/// What a plan of 10,000 objects says of readers, pods and children.
#[divan::bench(sample_count = 20)]
fn effects_of_10_000_objects(bencher: Bencher<'_, '_>) {
    let effects = Effects::of(10_000);
    bencher.bench_local(|| effects.told());
}

/// Who belongs to whom among 13,000 objects, of which 3,300 go.
#[divan::bench(sample_count = 20)]
fn children_of_3_300_objects(bencher: Bencher<'_, '_>) {
    let effects = Effects::of(10_000);
    bencher.bench_local(|| effects.counted());
}

/// The difference of an object of 5,000 lines, and the lines that show it.
#[divan::bench(sample_count = 100)]
fn diff_of_5_000_lines(bencher: Bencher<'_, '_>) {
    let comparison = Comparison::of(5_000);
    bencher.bench_local(|| comparison.lines());
}

/// A frame of 200x50 cells at 10,000 resources, when nothing has changed.
#[divan::bench(sample_count = 100)]
fn frame_at_10_000_resources(bencher: Bencher<'_, '_>) {
    let mut frames = Frames::of(10_000, 200, 50);
    bencher.bench_local(|| frames.draw());
}

/// The same after one more fact.
#[divan::bench(sample_count = 100)]
fn frame_after_a_fact_at_10_000_resources(bencher: Bencher<'_, '_>) {
    let mut frames = Frames::of(10_000, 200, 50);
    bencher.bench_local(|| frames.draw_after_a_fact());
}

/// A frame of 200x50 cells of the diff screen, on an object of 5,000 lines among 10,000 that change.
#[divan::bench(sample_count = 100)]
fn frame_of_a_diff_at_10_000_resources(bencher: Bencher<'_, '_>) {
    let mut diffs = Diffs::of(10_000, 5_000, (200, 50));
    diffs.draw();
    bencher.bench_local(|| diffs.draw());
}

/// The frame in which an object of so many lines is chosen: its lines are not there yet.
#[divan::bench(args = [5_000, 50_000], sample_count = 50)]
fn diff_is_chosen(bencher: Bencher<'_, '_>, lines: usize) {
    let diffs = RefCell::new(Diffs::of(10_000, lines, (200, 50)));
    bencher.with_inputs(|| diffs.borrow_mut().leave()).bench_local_values(|_| diffs.borrow_mut().open_again());
}

/// The frame in which the lines come; all of them are unfolded, and wrapped or cut.
#[divan::bench(args = [(5_000, false), (50_000, false), (50_000, true)], sample_count = 50)]
fn diff_arrives_unfolded(bencher: Bencher<'_, '_>, (lines, wraps): (usize, bool)) {
    let mut diffs = Diffs::of(10_000, lines, (200, 50));
    diffs.unfold();
    if wraps {
        diffs.wrap();
    }
    let diffs = RefCell::new(diffs);
    let open = || {
        let mut diffs = diffs.borrow_mut();
        diffs.leave();
        diffs.open_again();
        diffs.work();
    };
    bencher.with_inputs(open).bench_local_values(|()| diffs.borrow_mut().arrive());
}

/// A frame of an object of 50,000 wrapped lines in which nothing has changed.
#[divan::bench(sample_count = 50)]
fn diff_of_50_000_wrapped_lines(bencher: Bencher<'_, '_>) {
    let mut diffs = Diffs::of(10_000, 50_000, (200, 50));
    diffs.unfold();
    diffs.wrap();
    diffs.settle();
    bencher.bench_local(|| diffs.draw());
}

/// A megabyte of wide letters in one line that is wrapped: the frame in which it comes, what is found out beside the frames, and the frame
/// in which its rows come.
#[divan::bench(args = ["comes", "beside the frames", "is wrapped"], sample_count = 20)]
fn frame_of_a_megabyte_of_wide_letters(bencher: Bencher<'_, '_>, step: &str) {
    let mut diffs = Diffs::wide(1 << 20, (200, 50));
    diffs.unfold();
    diffs.wrap();
    diffs.settle();
    let diffs = RefCell::new(diffs);
    let prepare = || {
        let mut diffs = diffs.borrow_mut();
        diffs.leave();
        diffs.open_again();
        diffs.work();
        if step != "comes" {
            diffs.arrive();
        }
        if step == "is wrapped" {
            diffs.work();
        }
    };
    let measured = |()| {
        let mut diffs = diffs.borrow_mut();
        if step == "beside the frames" { usize::from(diffs.work()) } else { diffs.arrive() }
    };
    bencher.with_inputs(prepare).bench_local_values(measured);
}

/// From the start of the process to the gallery on the terminal.
#[divan::bench(sample_count = 20)]
fn first_paint_of_demo(bencher: Bencher<'_, '_>) {
    let home = tempfile::tempdir().expect("a temporary folder can be made");
    bencher.bench_local(|| first_paint(home.path()));
}

/// A program that is ended after its time was taken.
struct Running(Box<dyn portable_pty::Child + Send + Sync>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().expect("the program can be ended");
        self.0.wait().expect("the program ends");
    }
}

fn first_paint(home: &std::path::Path) -> Running {
    let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
    let pair = native_pty_system().openpty(size).expect("there are pseudo-terminals");
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_syncwave"));
    command.arg("demo");
    command.env_clear();
    command.env("HOME", home);
    command.env("TERM", "xterm-256color");
    let mut reader = pair.master.try_clone_reader().expect("a terminal can be read");
    let child = pair.slave.spawn_command(command).expect("the program starts");
    let (mut shown, mut buffer) = (Vec::new(), [0; 8_192]);
    while !String::from_utf8_lossy(&shown).contains("endless") {
        let count = reader.read(&mut buffer).expect("the program draws");
        shown.extend_from_slice(&buffer[..count]);
    }
    Running(child)
}
