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
