//! Expressions that are written to take a process down: what they use without using steps, stack or memory as anybody would think.

use super::*;

#[test]
fn a_regular_expression_counts_with_its_groups_and_for_being_read() {
    let groups = ["(a)|(b)"; 40].join("|");
    for expression in [
        &*format!("[match(\"^(?:{groups})*$\")]"),
        "(range(1000) as $i | test(\"[a-z]+$\\($i)\"))",
        &format!("(range(20) as $i | try test(\"{}$\\($i)\"; \"i\") catch 1)", r"\\p{L}".repeat(40)),
    ] {
        let searched = format!("select(.text | {expression} | empty)");
        assert_eq!(run_for(100_000, &searched, &json!({"text": "ab".repeat(10_000)})), Err(Fault::Budget), "{expression}");
    }
}
