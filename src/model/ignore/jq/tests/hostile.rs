//! Expressions that are written to take a process down: what they use without using steps, stack or memory as anybody would think.

use super::*;

/// Large in each way that one object can be.
fn large() -> Value {
    let fields: serde_json::Map<String, Value> = (0..20_000).map(|at| (format!("k{at}"), json!(at))).collect();
    json!({"text": "x".repeat(1 << 20), "items": (0..20_000).collect::<Vec<_>>(), "fields": fields})
}

/// Each of them does little so often that it takes no steps worth counting, if what is done each time is not counted.
#[test]
fn what_is_copied_searched_or_gone_through_is_counted_however_little_comes_of_it() {
    let document = large();
    let letters = "A".repeat(3000);
    for expression in [
        "(label $l | $items[] | ., break $l)",
        "(label $l | if $items[] then break $l else 1 end)",
        "try ($fields[] | error) catch 1",
        "first($fields[])",
        "isempty($items[])",
        "$text[1048570:]",
        "$fields[$text]",
        "($fields | has($text))",
        "{($text): 1}",
        "$fields < {a: 1}",
        "$items - [0]",
        "(\"b\" | ltrimstr($text))",
        "(\"b\" | rtrimstr($text))",
        "try (\"b\" | test(\"b\"; $text)) catch 1",
        "($items | map(empty))",
        "($items | all)",
        "($items | any(. == -1))",
        "($text | tojson)",
        "($text | [.] | @html \"\\(.)\")",
    ] {
        let often = format!("select(. as {{$text, $items, $fields}} | range(100) as $i | {expression} | empty)");
        assert_eq!(run_for(200_000, &often, &document), Err(Fault::Budget), "{expression}");
    }
    for expression in [
        &*format!("select([range(10000) | \"{letters}\"] == 1)"),
        &format!("select(.items | map(\"{letters}\") == 1)"),
        "select([path(getpath([range(290) | \"a\"]) | range(1000) as $i | .)] == 1)",
        "select(.items | path(.[range(20000)], .[range(20000)], .[range(20000)], .[range(20000)]) | empty)",
        "getpath([range(290) | \"a\"]) | range(1000) as $i | .",
        ".[.text] | range(100) as $i | .",
        ".items[0:] | range(100) as $i | .",
        "select(.fields | to_entries == 1)",
    ] {
        assert_eq!(run_for(200_000, expression, &document), Err(Fault::Budget), "{}", expression.chars().take(60).collect::<String>());
    }
    let choices = "(1, 1, 1, 1, 1, 1, 1, 1)";
    let product = format!("select({choices} as $a | {choices} as $b | {choices} as $c | {choices} as $d | .[]? | empty)");
    assert_eq!(run_for(8_000, &product, &json!(1)), Err(Fault::Budget));
    assert_eq!(run_for(20_000, "select(.items | all)", &document), Err(Fault::Budget));
}

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

#[test]
fn values_that_are_put_into_values_go_no_deeper_than_the_stack_however_they_are_made() {
    for expression in [
        "reduce range(1e6) as $i (0; . as $below | [1] | map($below))",
        "reduce range(1e6) as $i (0; . as $below | [1] | map_values($below))",
        "reduce range(1e6) as $i (0; . as $below | {a: 1} | map_values($below))",
        "last(recurse(. as $below | [1] | map($below)))",
    ] {
        assert_eq!(on_a_small_stack(&format!("select({expression})"), &json!({})), Err(Fault::Depth), "{expression}");
    }
    let doubled = "select(reduce range(60) as $i (0; . as $below | [1, 1] | map($below)) | error)";
    assert_eq!(on_a_small_stack(doubled, &json!({})), Err(Fault::Budget));
}

#[test]
fn parts_that_the_evaluator_nests_in_each_other_are_steps_of_a_chain() {
    let indices = (0..50).fold(".".to_owned(), |inner, _| format!(".[{inner}]{}", ".a".repeat(30)));
    let objects = (0..20).fold("1".to_owned(), |inner, _| format!("{{{}b: {inner}}}", "a, ".repeat(50)));
    for text in [
        &*format!("{{{}}}", vec!["a"; 2000].join(",")),
        &format!("\"{}\"", "\\n".repeat(2000)),
        &format!("\"{}\"", "\\(.)".repeat(1000)),
        &format!(". as [{}] | .", vec!["$a"; 1300].join(",")),
        &format!(". as {{{}}} | .", vec!["$a"; 1300].join(",")),
        &format!("def f({0}): 1; f({1})", vec!["a"; 900].join(";"), vec!["."; 900].join(";")),
        &objects,
        &indices[..indices.len().min(4000)],
    ] {
        let said = JqPath::parse(text).unwrap_err();
        assert!(said.contains("steps in") || said.contains("no end"), "{}: {said}", text.chars().take(30).collect::<String>());
    }
    let fields = format!("select({{{}}} == 1)", vec!["a"; 90].join(","));
    assert_eq!(on_a_small_stack(&fields, &json!({})), Ok(Vec::new()));
    let said = JqPath::parse(&"9".repeat(200)).unwrap_err();
    assert!(said.contains("100 digits"), "{said}");
}

#[test]
fn a_text_is_a_number_only_if_it_is_written_as_one() {
    for text in ["+1.5", "nan", "-inf", "infinity", "--1", "1_0", "", " 1"] {
        let expression = format!("select(\"{text}\" | tonumber | -. | sqrt)");
        assert!(matches!(run(&expression, &json!({})), Err(Fault::Error(_))), "{text}");
    }
    let least = format!("select([{0}, .least] | map(length) | add > 0)", i64::MIN);
    assert_eq!(run(&least, &json!({"least": i64::MIN})), Ok(vec![String::new()]));
    for letters in ["[-200]", "[-9223372036854775808]", "[55296]", "[1114112]", "[\"a\"]", "{}"] {
        assert!(matches!(run(&format!("select({letters} | implode)"), &json!({})), Err(Fault::Error(_))), "{letters}");
    }
}
