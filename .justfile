# The same list that runs in CI.
check:
    .ci/run

# Only what is quick.
quick:
    cargo fmt --check
    cargo clippy --all-targets --locked -- -D warnings

# Look at changed snapshots.
review:
    cargo insta review

# The table of benchmarks.
bench:
    cargo bench --locked

# The speed on the real cluster of this checkout, which must be up.
bench-cluster:
    tests/cluster/exec cargo bench --locked --bench cluster
