//! What a frame may cost at 10,000 resources. A binary of its own: the counter of allocations is the process's allocator.

use syncwave::bench::{Diffs, Frames};

/// Allocations of one frame, whatever is on the screen.
const BUDGET: u64 = 1_000;

#[test]
fn a_frame_at_10_000_resources_allocates_at_most_a_thousand_times() {
    for (columns, rows) in [(60, 20), (80, 24), (120, 35), (200, 50)] {
        let mut frames = Frames::of(10_000, columns, rows);
        assert!(frames.draw() > 200, "something is drawn");
        let still = allocation_counter::measure(|| _ = frames.draw());
        let changed = allocation_counter::measure(|| _ = frames.draw_after_a_fact());
        assert!(still.count_total <= BUDGET, "{columns}x{rows}: {} allocations when nothing has changed", still.count_total);
        assert!(changed.count_total <= BUDGET, "{columns}x{rows}: {} allocations after a fact", changed.count_total);
    }
}

#[test]
fn a_frame_of_a_diff_of_5_000_lines_among_10_000_resources_allocates_at_most_a_thousand_times() {
    for size in [(60, 20), (80, 24), (120, 35), (200, 50)] {
        let mut diffs = Diffs::of(10_000, 5_000, size);
        assert!(diffs.draw() > 400, "the text is drawn");
        let folded = allocation_counter::measure(|| _ = diffs.draw());
        diffs.unfold();
        diffs.draw();
        let unfolded = allocation_counter::measure(|| _ = diffs.draw());
        assert!(folded.count_total <= BUDGET, "{size:?}: {} allocations", folded.count_total);
        assert!(unfolded.count_total <= BUDGET, "{size:?}: {} allocations when all is unfolded", unfolded.count_total);
    }
}

#[test]
fn no_frame_writes_the_lines_of_a_large_diff() {
    let mut diffs = Diffs::of(100, 50_000, (200, 50));
    for (what, wraps) in [("cut", false), ("wrapped", true)] {
        if wraps {
            diffs.wrap();
        }
        diffs.leave();
        let opened = allocation_counter::measure(|| _ = diffs.open_again());
        assert!(diffs.work(), "the lines are written beside the frames");
        let arrived = allocation_counter::measure(|| _ = diffs.arrive());
        diffs.unfold();
        let unfolded = allocation_counter::measure(|| _ = diffs.draw());
        diffs.unfold();
        for (when, count) in [("opened", opened), ("arrived", arrived), ("unfolded", unfolded)] {
            assert!(count.count_total <= BUDGET, "{what}, {when}: {} allocations", count.count_total);
        }
    }
}
