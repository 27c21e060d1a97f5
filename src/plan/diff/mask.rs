//! Masks the values of a Secret so that equal ones still look equal: each distinct value of an object gets a run of `+` of its own. The
//! values themselves are not handed on.

use std::collections::HashMap;

use serde_json::Value;

use crate::model::secret;

/// Plus signs for the first value, and how many more for each further one.
const FIRST: usize = 8;
const MORE: usize = 4;
/// How many runs are told apart by length; a Secret with thousands of values would fill the memory with signs.
const RUNS: usize = 32;

/// Masks both sides of one object.
pub(super) fn mask(before: Option<&mut Value>, after: Option<&mut Value>, is_secret: bool) {
    let mut runs: HashMap<String, usize> = HashMap::new();
    let mut veil = |value: &Value| {
        let next = runs.len();
        Value::String(run(*runs.entry(value.to_string()).or_insert(next)))
    };
    for side in [before, after].into_iter().flatten() {
        secret::mask(side, is_secret, &mut veil);
    }
}

fn run(number: usize) -> String {
    if number < RUNS { "+".repeat(FIRST + MORE * number) } else { format!("{} (value {})", "+".repeat(FIRST), number + 1) }
}
