use serde_json::{Value, json};

use super::super::node::Node;
use super::super::{to_yaml, yaml};

/// Reads the first document of a text.
fn read(text: &str) -> Result<Value, String> {
    let read = yaml::read(text).map_err(|fault| fault.problem)?;
    Ok(read.documents.into_iter().next().map(Node::into_value).unwrap_or_default())
}

fn check(rows: &[(&str, Value)]) {
    for (text, expected) in rows {
        assert_eq!(read(text).as_ref(), Ok(expected), "{text:?}");
    }
}

/// The table of architecture.md 5.2, column Go.
#[test]
fn scalars_are_read_as_go_reads_them() {
    check(&[
        ("defaultMode: 0644", json!({"defaultMode": 420})),
        ("a: yes\nb: on\nc: y\nd: True", json!({"a": true, "b": true, "c": true, "d": true})),
        ("a: no\nb: off\nc: N\nd: FALSE", json!({"a": false, "b": false, "c": false, "d": false})),
        ("x: 1_000", json!({"x": 1000})),
        ("base: &base {a: 1}\nx:\n  <<: *base\n  b: 2", json!({"base": {"a": 1}, "x": {"a": 1, "b": 2}})),
        ("a: 0o644\nb: 0x1F\nc: 0b11\nd: -0b11", json!({"a": 420, "b": 31, "c": 3, "d": -3})),
        ("a: \"0644\"\nb: 12:30:45\nc: 2024-01-02\nd: 'yes'", json!({"a": "0644", "b": "12:30:45", "c": "2024-01-02", "d": "yes"})),
        ("a: |\n  yes\nb: >-\n  1", json!({"a": "yes\n", "b": "1"})),
        ("---\n---\n# nothing\n---\na: 1\n", json!({"a": 1})),
    ]);
}

#[test]
fn what_only_looks_like_a_boolean_null_or_number_is_text() {
    for text in
        ["yEs", "tRUE", "oFF", "nUll", "_1", "0x", "0b", "0o8", "0b12", "1e", "1.2.3", "1e400", ".e5", "..", "v1", "1Gi", "190:20:30", "="]
    {
        check(&[(&format!("v: {text}"), json!({"v": text}))]);
    }
}

/// Go reads `08` and `1e3` as floats and writes them to JSON without a fraction: the API server gets integers.
#[test]
fn whole_floats_become_integers() {
    check(&[
        ("a: 08\nb: 1e3\nc: 1.0\nd: 5.\ne: -0.0", json!({"a": 8, "b": 1000, "c": 1, "d": 5, "e": 0})),
        ("a: .5\nb: 08.5\nc: 1_000.5\nd: 1e-7", json!({"a": 0.5, "b": 8.5, "c": 1000.5, "d": 1e-7})),
        ("a: 1e21\nb: 99999999999999999999", json!({"a": 1e21, "b": 1e20})),
        ("a: 9007199254740993\nb: 18446744073709551615", json!({"a": 9_007_199_254_740_993_i64, "b": u64::MAX})),
    ]);
}

#[test]
fn null_is_written_in_five_ways() {
    check(&[("a:\nb: ~\nc: null\nd: Null\ne: NULL", json!({"a": null, "b": null, "c": null, "d": null, "e": null}))]);
}

#[test]
fn keys_are_read_as_scalars_first() {
    check(&[
        ("on: 1\n0644: 2\n08: 3\n1.50: 4", json!({"true": 1, "420": 2, "8": 3, "1.5": 4})),
        ("'on': 1\n\"0644\": 2\n!!str yes: 3", json!({"on": 1, "0644": 2, "yes": 3})),
        ("1e6: a\n0.00001: b\n123456789.0: c", json!({"1e+06": "a", "1e-05": "b", "1.2345679e+08": "c"})),
    ]);
    assert_eq!(read("null: 1").unwrap_err(), "a key is text, but this one is null");
    assert_eq!(read("[a]: 1").unwrap_err(), "a key is text, but this one is a list");
}

#[test]
fn tags_decide_what_a_scalar_is() {
    check(&[
        ("a: !!str 1\nb: !!int '3'\nc: !!float 3\nd: !!bool 'yes'\ne: !custom 3", json!({"a": "1", "b": 3, "c": 3, "d": true, "e": "3"})),
        ("a: !!binary aGk=\nb: !!null ''\nc: !!timestamp 2024-01-02", json!({"a": "hi", "b": null, "c": "2024-01-02"})),
    ]);
    assert_eq!(read("a: !!int 3.5").unwrap_err(), "`3.5` is not what its tag !!int says");
    assert!(read("a: !!binary '*'").unwrap_err().starts_with("the value of a !!binary is not base64"));
    assert_eq!(read("a: .inf").unwrap_err(), "`.inf` is a number that Kubernetes cannot store");
}

#[test]
fn a_merge_goes_over_the_keys_before_it_and_under_those_behind() {
    check(&[
        ("a: 1\n<<: {a: 2, b: 3}", json!({"a": 2, "b": 3})),
        ("<<: {a: 2, b: 3}\na: 1", json!({"a": 1, "b": 3})),
        ("<<: [{a: 1}, {a: 2, b: 5}]", json!({"a": 1, "b": 5})),
        ("'<<': {a: 1}", json!({"<<": {"a": 1}})),
    ]);
    assert_eq!(read("<<: 3").unwrap_err(), "`<<` merges mappings, but this is a number");
    assert_eq!(read("<<: [{a: 1}, b]").unwrap_err(), "`<<` merges mappings, but this is text");
}

#[test]
fn a_key_repeated_in_a_large_mapping_is_found() {
    let text: String = (0..40).chain([3, 39]).map(|index| format!("k{index}: {index}\n")).collect();
    let read = yaml::read(&text).unwrap();
    let repeats: Vec<_> = read.repeats.iter().map(|repeat| (repeat.key.as_str(), repeat.first_line, repeat.line)).collect();
    assert_eq!(repeats, [("k3", 4, 41), ("k39", 40, 42)]);
}

#[test]
fn aliases_that_unfold_without_end_are_refused() {
    let level = |level: usize| format!("a{level}: &a{level} [{}]\n", vec![format!("*a{}", level.wrapping_sub(1)); 10].join(", "));
    let bomb: String = std::iter::once("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned()).chain((1..9).map(level)).collect();
    assert_eq!(read(&bomb).unwrap_err(), "aliases unfold to more than 250000 values");
    assert_eq!(read("a: &a [*a]").unwrap_err(), "this alias stands inside the value that it repeats");
    assert!(read("a: *nobody").is_err());
}

#[test]
fn deep_nesting_is_refused_and_never_overflows_the_stack() {
    for text in ["[".repeat(100_000), "- ".repeat(100_000), "{a: ".repeat(100_000)] {
        assert!(read(&text).is_err());
    }
    assert_eq!(read(&format!("a: {}1{}", "[".repeat(90), "]".repeat(90))).map(|value| value["a"].is_array()), Ok(true));
}

#[test]
fn what_is_written_is_read_back_as_the_same_value() {
    let words = [
        "yes",
        "on",
        "y",
        "N",
        "12:30",
        "0644",
        "1_000",
        "null",
        "~",
        "",
        "true",
        "0x1",
        "1e3",
        ".5",
        "=",
        "<<",
        "- a",
        "a: b",
        "a #b",
        "#a",
        "*a",
        "&a",
        "!a",
        "|",
        "a\nb",
        "a\nb\n",
        "a\n\n",
        " a",
        "a ",
        "\ta",
        "\n",
        "\na",
        " \na",
        "a\n b",
        "é",
        "\u{85}",
        "\u{2028}",
        "\u{1b}[31m",
        "'",
        "\"",
        "\\",
        "{",
        "]",
        "%a",
        "@a",
        "`a",
        "?",
        "--- a",
        "---",
        "...",
        "2024-01-02",
        "a:",
        ":a",
        "😀",
        ".inf",
        "a\r\nb",
        "a\n  ",
        "0b-11",
    ];
    for word in words {
        let value = json!({"k": word, word: "v", "list": [word, [word], {word: word}]});
        let written = to_yaml(&value);
        assert_eq!(read(&written), Ok(value), "{written}");
    }
    let long =
        json!({"k": "word ".repeat(60).trim_end(), "empty": {}, "none": [], "number": 3.5, "big": u64::MAX, "flag": false, "null": null});
    assert_eq!(read(&to_yaml(&long)), Ok(long));
}

#[test]
fn text_that_go_would_read_as_something_else_is_quoted() {
    let quoted =
        |word: &str| to_yaml(&json!([word])).trim() == format!("- \"{word}\"") || to_yaml(&json!([word])).trim() == format!("- '{word}'");
    for word in ["yes", "on", "y", "12:30", "0644", "1_000", "null", "2024-01-02", "1e3"] {
        assert!(quoted(word), "{}", to_yaml(&json!([word])));
    }
    assert_eq!(to_yaml(&json!({"kind": "Job", "image": "web:v1"})), "image: web:v1\nkind: Job\n");
}
