//! What a frame may cost at 10,000 resources. A binary of its own: the counter of allocations is the process's allocator.

use syncwave::bench::Frames;

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
