//! The lines that a difference is shown as.

use serde_json::{Value, json};

use super::super::{Difference, LineKind, NoRules, Sides, compare, lines, unchanged};
use super::{difference, entry, object, owned};

/// Draws lines as they could stand on a screen.
fn drawn(difference: &Difference, context: usize) -> String {
    let mut left = 0;
    let mut text = String::new();
    for line in lines(difference, context) {
        let sign = match line.kind {
            LineKind::Head => {
                left = line.indent;
                text.extend(["@@ ", &line.text, "\n"]);
                continue;
            }
            LineKind::Fold(_) => {
                left = 0;
                text.extend(["⋯ ", &line.text, "\n"]);
                continue;
            }
            LineKind::Context => ' ',
            LineKind::Removed => '-',
            LineKind::Added => '+',
        };
        text += format!("{sign} {}{}", " ".repeat(line.indent - left), line.text).trim_end();
        text.push('\n');
    }
    text
}

fn is_drawn(before: &Value, after: &Value, context: usize, expected: &[&str]) {
    let drawn = drawn(&difference(before, after), context);
    assert_eq!(drawn.lines().collect::<Vec<_>>(), expected, "{before} {after}\n{drawn}");
}

fn deployment(checksum: &str, image: &str, channel: &str) -> Value {
    let container = json!({"name": "app", "image": image, "env": [{"name": "ORDER_CHANNEL", "value": channel}, {"name": "B", "value": "1"}], "ports": [{"containerPort": 80}]});
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "orders-api"}, "spec": {
        "replicas": 3, "selector": {"matchLabels": {"app": "orders"}},
        "template": {"metadata": {"annotations": {"checksum/config": checksum}}, "spec": {"containers": [container]}}}})
}

#[test]
fn changes_stand_below_the_path_that_all_their_lines_are_part_of() {
    let (before, after) = (deployment("5b1e0c77", "api:2.13.4", "store"), deployment("90a4f2d1", "api:2.14.0", "web"));
    let expected = [
        "⋯ 10 unchanged lines",
        "@@ spec.template",
        "  metadata:",
        "    annotations:",
        "-     checksum/config: 5b1e0c77",
        "+     checksum/config: 90a4f2d1",
        "  spec:",
        "    containers:",
        "    - name: app",
        "      env:",
        "      - name: ORDER_CHANNEL",
        "-       value: store",
        "+       value: web",
        "      - name: B",
        "        value: \"1\"",
        "-     image: api:2.13.4",
        "+     image: api:2.14.0",
        "      ports:",
        "      - containerPort: 80",
    ];
    is_drawn(&before, &after, 2, &expected);
    let expected = [
        "⋯ 12 unchanged lines",
        "@@ spec.template.metadata.annotations",
        "- checksum/config: 5b1e0c77",
        "+ checksum/config: 90a4f2d1",
        "⋯ 5 unchanged lines",
        "@@ spec.template.spec.containers[name=app].env[name=ORDER_CHANNEL]",
        "- value: store",
        "+ value: web",
        "⋯ 2 unchanged lines",
        "@@ spec.template.spec.containers[name=app]",
        "- image: api:2.13.4",
        "+ image: api:2.14.0",
        "⋯ 2 unchanged lines",
    ];
    is_drawn(&before, &after, 0, &expected);
}

#[test]
fn a_creation_is_all_added_a_prune_all_removed_and_nothing_is_nothing() {
    let config = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "uid": "u"}, "data": {"a": "1", "f": "x\ny\n"}});
    let created = compare(&Sides { live: None, after: Some(&config) }, &NoRules);
    let expected = "+ apiVersion: v1\n+ kind: ConfigMap\n+ metadata:\n+   name: c\n+ data:\n+   a: \"1\"\n+   f: |\n+     x\n+     y\n";
    assert_eq!(drawn(&created, 3), expected);
    let pruned = compare(&Sides { live: Some(&config), after: None }, &NoRules);
    assert_eq!(drawn(&pruned, 3), expected.replace("+ ", "- "));
    assert_eq!(lines(&difference(&config, &config), 3), []);
}

#[test]
fn lines_are_numbered_on_the_side_that_has_them() {
    let found = difference(&object(&json!({"a": 1, "b": 1})), &object(&json!({"a": 1, "b": 2, "c": 3})));
    let numbers: Vec<_> = lines(&found, usize::MAX).iter().map(|line| (line.before, line.after)).collect();
    let both = |at| (Some(at), Some(at));
    let expected = [both(1), both(2), both(3), both(4), both(5), both(6), (Some(7), None), (None, Some(7)), (None, Some(8))];
    assert_eq!(numbers, expected);
}

#[test]
fn one_line_of_a_file_of_five_hundred_is_one_line() {
    let file = |line: &str| (0..500).map(|at| if at == 250 { format!("{line}\n") } else { format!("line {at}\n") }).collect::<String>();
    let config = |line: &str| json!({"kind": "ConfigMap", "data": {"app.conf": file(line)}});
    let expected =
        ["⋯ 252 unchanged lines", r#"@@ data["app.conf"]"#, "  line 249", "- line 250", "+ changed", "  line 251", "⋯ 248 unchanged lines"];
    is_drawn(&config("line 250"), &config("changed"), 1, &expected);
}

#[test]
fn every_form_of_a_change_can_be_read_as_yaml() {
    for (name, before, after, expected) in [
        ("a text that ends otherwise", json!({"a": "x\ny\n"}), json!({"a": "x\ny"}), vec!["- a: |", "+ a: |-", "    x", "    y"]),
        ("a text of one line", json!({"a": "x"}), json!({"a": "x\ny"}), vec!["- a: x", "+ a: |-", "+   x", "+   y"]),
        ("an empty map that fills", json!({"a": {}}), json!({"a": {"b": 1}}), vec!["- a: {}", "+ a:", "+   b: 1"]),
        (
            "a list that comes",
            json!({"z": 1}),
            json!({"a": [[1, "x"], {"b": {"c": 1}, "d": []}], "z": 1}),
            vec!["+ a:", "+ -", "+   - 1", "+   - x", "+ - b:", "+     c: 1", "+   d: []", "  z: 1"],
        ),
        ("one argument more", json!({"a": ["x", "z"]}), json!({"a": ["x", "--v", "z"]}), vec!["  a:", "  - x", "+ - --v", "  - z"]),
        (
            "an item that moves",
            json!({"a": [{"name": "x"}, {"name": "v"}, {"name": "z"}]}),
            json!({"a": [{"name": "v"}, {"name": "z"}, {"name": "x"}]}),
            vec!["  a:", "- - name: x", "  - name: v", "  - name: z", "+ - name: x"],
        ),
        (
            "the first field of an item",
            json!({"a": [{"b": 1, "c": 1}]}),
            json!({"a": [{"b": 2, "c": 1}]}),
            vec!["  a:", "- - b: 1", "+ - b: 2", "    c: 1"],
        ),
        (
            "the first field of an item that goes",
            json!({"a": [{"b": 1, "c": 1}]}),
            json!({"a": [{"c": 1}]}),
            vec!["  a:", "  - c: 1", "-   b: 1"],
        ),
        ("an item of other fields", json!({"a": [{"b": 1}]}), json!({"a": [{"c": 1}]}), vec!["  a:", "- - b: 1", "+ - c: 1"]),
        ("a list in a list", json!({"a": [[1, 2]]}), json!({"a": [[1, 3]]}), vec!["  a:", "  -", "    - 1", "-   - 2", "+   - 3"]),
        (
            "a text in a list",
            json!({"a": ["x\ny"]}),
            json!({"a": ["x\nz"]}),
            vec!["  a:", "- - |-", "-   x", "-   y", "+ - |-", "+   x", "+   z"],
        ),
        ("odd names", json!({"a: b": 1}), json!({"a: b": 2}), vec![r#"- "a: b": 1"#, r#"+ "a: b": 2"#]),
    ] {
        let drawn = drawn(&difference(&object(&before), &object(&after)), usize::MAX);
        let below_spec: Vec<String> = drawn.lines().skip(5).map(|line| format!("{}{}", &line[..2], &line[4..])).collect();
        assert_eq!(below_spec, expected, "{name}\n{drawn}");
    }
}

#[test]
fn no_line_holds_a_line_break_or_a_control_character() {
    let nasty = json!({"a\nb": "x\u{1b}[2J\ny", "c": ["\u{85}", "a\rb\nc"], "d": {"\u{2028}": 1}});
    let found = compare(&Sides { live: None, after: Some(&object(&nasty)) }, &NoRules);
    let is_clean = |text: &str| !text.contains(|letter: char| letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}'));
    assert!(lines(&found, 3).iter().all(|line| is_clean(&line.text)), "{:?}", lines(&found, 3));
}

#[test]
fn twenty_thousand_lines_that_all_change_are_all_shown() {
    let text = |start: usize| (start..start + 20_000).map(|at| format!("{at}\n")).collect::<String>();
    let found = difference(&object(&json!({"t": text(0)})), &object(&json!({"t": text(50_000)})));
    assert_eq!(lines(&found, 3).len(), 40_000 + 4);
}

#[test]
fn a_keyed_list_in_reverse_keeps_one_item_in_place() {
    let list = |reversed: bool| {
        let items = (0..20_000).map(|at| json!({"name": format!("n{at}")}));
        let items: Value = if reversed { items.rev().collect() } else { items.collect() };
        owned(&object(&json!({"l": items})), &[entry("x", "Update", &json!({"f:spec": {"f:l": {"k:{\"name\":\"n0\"}": {}}}}))])
    };
    let shown = lines(&difference(&list(false), &list(true)), 0);
    let count = |kind| shown.iter().filter(|line| line.kind == kind).count();
    assert_eq!((count(LineKind::Removed), count(LineKind::Added)), (19_999, 19_999));
}

#[test]
fn an_object_in_which_nothing_changes_can_be_read_as_a_whole() {
    let same = deployment("5b1e0c77", "api:2.13.4", "store");
    let found = difference(&same, &same);
    assert!(lines(&found, usize::MAX).is_empty());
    let whole = unchanged(&found);
    assert!(whole.iter().all(|line| line.kind == LineKind::Context && line.before == line.after));
    let text: Vec<String> = whole.iter().take(4).map(|line| format!("{}{}", " ".repeat(line.indent), line.text)).collect();
    assert_eq!(text, ["apiVersion: apps/v1", "kind: Deployment", "metadata:", "  name: orders-api"]);
    assert_eq!(whole.last().and_then(|line| line.after), Some(whole.len()));
    assert!(unchanged(&difference(&same, &deployment("other", "api:2.13.4", "store"))).is_empty());
    assert!(unchanged(&Difference::default()).is_empty());
}
