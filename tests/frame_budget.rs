//! The budget of a frame: what drawing may allocate does not grow with the plan. A binary of its own, because it counts allocations.

/// Most allocations of a frame with 10,000 resources, the fact that caused it included.
const BUDGET: u64 = 1_000;

#[test]
fn a_frame_with_10_000_resources_allocates_at_most_1000_times() {
    let mut frame = syncwave::bench::frame(10_000);
    frame();
    let counted = allocation_counter::measure(&mut frame);
    assert!(counted.count_total <= BUDGET, "{} allocations, {} bytes", counted.count_total, counted.bytes_total);
}
