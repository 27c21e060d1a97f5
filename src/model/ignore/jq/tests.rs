use serde_json::json;

use super::*;

fn document() -> Value {
    json!({
        "metadata": {"name": "web", "annotations": {"a.io/x": "1", "a.io/y": "2"}},
        "spec": {
            "replicas": 3,
            "template": {"spec": {
                "containers": [
                    {"name": "app", "image": "app:1", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]},
                    {"name": "istio-proxy", "image": "istio:9"},
                ],
                "initContainers": null,
            }},
        },
        "webhooks": [{"name": "one", "clientConfig": {"caBundle": "Q0E="}}, {"name": "two", "clientConfig": {}}],
    })
}

fn run(text: &str, document: &Value) -> Result<Vec<String>, Fault> {
    run_for(STEPS, text, document)
}

fn run_for(mut fuel: u64, text: &str, document: &Value) -> Result<Vec<String>, Fault> {
    let places = JqPath::parse(text).unwrap_or_else(|why| panic!("{text}: {why}")).places(document, &mut fuel)?;
    Ok(places.iter().map(ToString::to_string).collect())
}

#[test]
fn r722_an_expression_selects_what_del_would_take_out() {
    let containers = "spec.template.spec.containers";
    for (text, selected) in [
        (".spec.replicas", &["spec.replicas"][..]),
        (".spec[\"replicas\"]", &["spec.replicas"]),
        (".spec.\"replicas\"", &["spec.replicas"]),
        (".metadata.annotations[\"a.io/x\"]", &["metadata.annotations[\"a.io/x\"]"]),
        (".metadata.annotations[]", &["metadata.annotations[\"a.io/x\"]", "metadata.annotations[\"a.io/y\"]"]),
        (".spec.template.spec.containers[].image", &["C[0].image", "C[1].image"]),
        (".spec.template.spec.containers[-1].image", &["C[1].image"]),
        (".spec.template.spec.containers[] | select(.name == \"istio-proxy\")", &["C[1]"]),
        (".spec.template.spec.containers[] | select(.name | test(\"^istio-\")) | .image", &["C[1].image"]),
        (".spec.template.spec.containers[] | select(.name | startswith(\"app\") | not)", &["C[1]"]),
        (".spec.template.spec.containers[].env[]? | select(.name | IN(\"A\", \"C\")) | .value", &["C[0].env[0].value"]),
        (".spec.template.spec.containers | map(.name) as $names | .[] | select(.name == $names[1])", &["C[1]"]),
        (".spec.template.spec.initContainers[]?", &[]),
        (".webhooks[]?.clientConfig.caBundle", &["webhooks[0].clientConfig.caBundle", "webhooks[1].clientConfig.caBundle"]),
        (".. | objects | select(has(\"caBundle\")) | .caBundle", &["webhooks[0].clientConfig.caBundle"]),
        ("..|.caBundle? // empty", &["webhooks[0].clientConfig.caBundle"]),
        (".spec | .replicas, .paused", &["spec.replicas", "spec.paused"]),
        ("first(.webhooks[])", &["webhooks[0]"]),
        ("last(.webhooks[])", &["webhooks[1]"]),
        ("limit(1; .webhooks[])", &["webhooks[0]"]),
        (".webhooks[0:1]", &["webhooks[0]"]),
        (".webhooks[1:][].name", &["webhooks[1].name"]),
        (".webhooks[1:][0].name", &["webhooks[1].name"]),
        ("getpath([\"spec\", \"replicas\"])", &["spec.replicas"]),
        ("if .spec.replicas > 2 then .spec.replicas else empty end", &["spec.replicas"]),
        ("select(.kind == \"Nothing\")", &[]),
        ("try error catch empty", &[]),
        ("empty", &[]),
        (".", &[""]),
        (".a.b[3].c", &["a.b[3].c"]),
    ] {
        let expected: Vec<String> =
            selected.iter().map(|place| place.replacen('C', containers, usize::from(place.starts_with("C[")))).collect();
        assert_eq!(run(text, &document()), Ok(expected), "{text}");
    }
}

#[test]
fn r722_an_expression_that_fails_selects_nothing_at_all() {
    for text in [
        ".spec.template.spec.initContainers[].image",
        ".spec.replicas, .spec.replicas.x",
        "error",
        "error(.metadata.name)",
        ".metadata.name[0]",
        ".webhooks.name",
        ".webhooks[] | select(.name | test(\"(\"))",
        "(.spec.replicas | error), .spec",
    ] {
        let fault = run(text, &document()).unwrap_err();
        assert!(matches!(fault, Fault::Error(_)) && fault.told().is_none(), "{text}: {fault:?}");
    }
    for text in ["1", "\"a\"", ".spec.replicas + 1", "[.spec]", "{a: 1}", "keys", ".nothing // 1", ". as $x | $x", "range(3)", "length"] {
        assert_eq!(run(text, &document()), Err(Fault::NoPath), "{text}");
    }
}

#[test]
fn an_expression_that_would_not_end_runs_out_of_steps() {
    for text in [
        "range(1e9)",
        "[range(1e12)]",
        "last(range(1e18))",
        "range(1e9) | select(false)",
        "isempty(range(1e12) | empty)",
        "any(range(1e12); false)",
        "limit(1e9; recurse(.a))",
        "recurse(.a)",
        "recurse(.)",
        "0 | [recurse(. + 1 | select(. < 1e15))]",
        "0 | recurse(. + 1) | select(. < 0)",
        "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\" | recurse(. + .) | select(length < 0)",
        "[1] | recurse(. + .) | select(length < 0)",
        "[1] | recurse([., .]) | select(length < 0)",
        "{a: 1} | recurse({a: ., b: .}) | select(length < 0)",
        "\"x\" | recurse(\"\\(.)\\(.)\") | select(length < 0)",
        "[\"aaaaaaaa\"] | recurse([join(\"a\"), join(\"b\")] | [join(\"cccc\"), join(\"d\")]) | select(length < 0)",
        "[..] | [..,..] | [..,..] | [..,..] | [..,..] | [..,..] | [..,..] | select(length < 0)",
    ] {
        let result = run_for(50_000, text, &document());
        assert!(matches!(result, Err(Fault::Budget | Fault::NoPath)), "{text}: {result:?}");
    }
    assert_eq!(run("range(1e12) | select(. < 0)", &document()), Err(Fault::Budget));
    assert!(Fault::Budget.told().is_some() && Fault::NoPath.told().is_some());
}

#[test]
fn what_selecting_does_not_need_is_refused_before_any_object_is_looked_at() {
    for (text, word) in [
        ("", "empty"),
        ("  ", "empty"),
        (".spec = 1", "`==`"),
        (".spec |= 1", "`==`"),
        (".spec += 1", "`==`"),
        ("input", "`input`"),
        ("[inputs]", "`inputs`"),
        ("env", "`env`"),
        ("$ENV.HOME", "`$ENV`"),
        ("$x", "`$x`"),
        ("$f", "`$f`"),
        ("now", "`now`"),
        ("halt", "`halt`"),
        ("debug", "`debug`"),
        ("del(.metadata.name)", "`del`"),
        ("def f: f; f", "`def`"),
        ("reduce .[] as $x (0; . + $x)", "`reduce`"),
        ("label $out | break $out", "`break`"),
        (". as [$a] | $a", "`as $x`"),
        ("@base64 \"x\"", "@base64"),
        (".spec)", ")"),
        (".spec), del(.a", ")"),
        (".spec[", "["),
        (".spec | ", "ends"),
        (".spec..x", "jq"),
        ("select()", "jq"),
        ("select(1; 2)", "1 arguments"),
        ("\"abc", "no end"),
        ("💣", "💣"),
        (&"(".repeat(3000), "deep"),
        (&format!("{}.a", "-".repeat(3000)), "signs"),
        (&format!("{}.a", "try ".repeat(900)), "signs"),
        (&format!(".{}", "|.".repeat(2000)), "steps"),
        (&format!(".{}", ",.".repeat(2000)), "steps"),
        (&format!("1{}", " as $x|1".repeat(400)), "signs"),
        (&".a".repeat(1500), "steps"),
        (&".a".repeat(5000), "4096"),
        (&"\"\\(".repeat(300), "deep"),
    ] {
        let said = JqPath::parse(text).unwrap_err();
        assert!(said.contains(word), "{}: {said}", text.chars().take(30).collect::<String>());
    }
}

#[test]
fn the_deepest_expression_that_is_read_runs_on_a_small_stack() {
    let deep = "[".repeat(60) + &"]".repeat(60);
    let long = format!(".{}", "|.".repeat(90));
    let wide = format!(".{}", " // .a".repeat(90));
    let maps = format!("{}.{}", "map(".repeat(60), ")".repeat(60));
    let choices = format!("{}.{}", "select(".repeat(60), ")".repeat(60));
    let work = move || {
        let mut nested = json!(1);
        for _ in 0..120 {
            nested = json!([nested]);
        }
        for text in [&deep, &long, &wide, &maps, &choices] {
            let path = JqPath::parse(text).unwrap_or_else(|why| panic!("{text}: {why}"));
            let mut fuel = STEPS;
            let _places = path.places(&nested, &mut fuel);
        }
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(work).unwrap().join().unwrap();
}

#[test]
fn a_fault_says_nothing_of_the_object() {
    let secret = json!({"kind": "Secret", "data": {"password": "aHVudGVyMg=="}});
    for text in
        ["error(.data.password)", ".data.password.x", ".data.password", "\"\\(.data.password)\" | error", ".data.password | tonumber"]
    {
        let shown = format!("{:?}", run(text, &secret));
        assert!(!shown.contains("aHVudGVyMg"), "{text}: {shown}");
    }
}
