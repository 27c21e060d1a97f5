use proptest::prelude::*;
use serde_json::json;

use super::*;

mod hostile;

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
    for text in ["1", "\"a\"", ".spec.replicas + 1", "[.spec]", "{a: 1}", "keys", ".nothing // 1", ". as $x | $x", "length"] {
        assert_eq!(run(text, &document()), Err(Fault::NoPath), "{text}");
    }
}

#[test]
fn expressions_that_people_write_select_their_fields() {
    let document = json!({
        "metadata": {"annotations": {"a/b": "1", "c/d": "2"}, "labels": {"x": "1"}},
        "spec": {
            "template": {"spec": {"containers": [{"name": "x", "resources": {}}, {"name": "y", "resources": {}}]}},
            "containers": [{"env": [{"name": "A"}, {"name": "A"}]}, {"name": "no env"}],
            "versions": [{"name": "v1", "schema": {}}],
            "rules": [{"host": "a.io"}, {"host": "b.io"}],
            "ports": [{"port": 80}, {"port": "8080"}],
            "replicas": 3,
        },
        "webhooks": [{"clientConfig": {"caBundle": "Q0E="}}],
    });
    for (text, selected) in [
        (".spec.template.spec.containers[] | select(.name == \"x\") | .resources", &["spec.template.spec.containers[0].resources"][..]),
        (".webhooks[]?.clientConfig.caBundle", &["webhooks[0].clientConfig.caBundle"]),
        (".spec.versions[]?.schema", &["spec.versions[0].schema"]),
        (".metadata.annotations[\"a/b\"]", &["metadata.annotations[\"a/b\"]"]),
        (".metadata.annotations | .[\"a/b\", \"c/d\"]", &["metadata.annotations[\"a/b\"]", "metadata.annotations[\"c/d\"]"]),
        (".spec.rules[] | select(.host | test(\"^a\"))", &["spec.rules[0]"]),
        (".spec.rules[] | select(.host | test(\"^A\"; \"i\"))", &["spec.rules[0]"]),
        (".spec.containers[] | select(any(.env[]?; .name == \"A\")) | .env", &["spec.containers[0].env"]),
        (".spec.containers[] | select(.env[]?.name == \"A\") | .env", &["spec.containers[0].env", "spec.containers[0].env"]),
        (".spec.containers[] | select(.env // [] | map(select(.name == \"A\")) | length == 2)", &["spec.containers[0]"]),
        (".spec.containers[] | select([.env[]?.name] | contains([\"A\"]))", &["spec.containers[0]"]),
        (".spec.containers[] | select([\"A\"] | inside([\"A\", \"B\"])) | .name", &["spec.containers[0].name", "spec.containers[1].name"]),
        (".spec.replicas, .metadata.labels", &["spec.replicas", "metadata.labels"]),
        (".spec.rules | .[0]", &["spec.rules[0]"]),
        (".spec.rules | .[1:]", &["spec.rules[1]"]),
        (".spec.rules | .[:-1]", &["spec.rules[0]"]),
        (".spec.rules[-1:][0].host", &["spec.rules[1].host"]),
        (".spec.rules[0:1][1]", &[]),
        (".spec.rules[-3]", &[]),
        ("first(.spec.rules[])", &["spec.rules[0]"]),
        ("if .spec.replicas then .spec.replicas else .metadata end", &["spec.replicas"]),
        (".spec.nothing // .spec.replicas", &["spec.replicas"]),
        ("select(all(.spec.rules[]; .host | endswith(\".io\"))) | .spec.rules", &["spec.rules"]),
        (".spec.rules[] | select(.host | IN(\"b.io\", \"c.io\") and (length > 2 or false)) | .host", &["spec.rules[1].host"]),
        (".spec.rules | select(type == \"array\" and (.[0] | has(\"host\")) and (\"host\" | in({host: 1})))", &["spec.rules"]),
        (".spec.ports[] | select(.port | tonumber > 100 and tostring == \"8080\")", &["spec.ports[1]"]),
        (".spec | select(keys | contains([\"replicas\"])) | .replicas", &["spec.replicas"]),
        (".metadata.labels | to_entries[] as $entry | .[$entry.key]", &["metadata.labels.x"]),
        ("[paths | select(.[-1] == \"caBundle\")] as $all | getpath($all[])", &["webhooks[0].clientConfig.caBundle"]),
        (".spec.rules | unique as $rules | .[] | select(.host == \"\\($rules[0].host)\")", &["spec.rules[0]"]),
        ("recurse | objects | select(.host == \"b.io\") | {host} as $x | .[$x | keys[]]", &["spec.rules[1].host"]),
    ] {
        assert_eq!(run(text, &document), Ok(selected.iter().map(ToString::to_string).collect()), "{text}");
    }
    assert_eq!(run(".. | .caBundle?", &document).map(|places| places.contains(&"webhooks[0].clientConfig.caBundle".to_owned())), Ok(true));
}

#[test]
fn what_would_take_too_long_runs_out_of_steps() {
    let doubled = |step: &str| format!("select([..] | {} | length < 0)", [step; 60].join(" | "));
    let text = json!({"a": "a".repeat(1 << 20), "items": vec![0; 20_000], "objects": vec![json!({"b": vec![0; 100]}); 200]});
    for expression in [
        &*doubled("[., .]"),
        &doubled("(., .)"),
        &doubled(". + ."),
        &doubled("[.[], .[]]"),
        &doubled("[..]"),
        &doubled("(. as $x | [$x, $x])"),
        &doubled("(tojson | [., .])"),
        &format!("select(.a | {} | length < 0)", [". + ."; 60].join(" | ")),
        &format!("select(.a | {} | length < 0)", ["\"\\(.)\\(.)\""; 50].join(" | ")),
        &format!("{}. | empty", ".items[] as $x | ".repeat(3)),
        ".items | .[] as $x | select(contains([1]))",
        ".items[] as $x | select(.items == [$x])",
        ".items[] as $x | select(.a | test(\"b\"))",
        ".items[] as $x | select(.a | length == 0)",
        ".items[] as $x | select(.items | any(.[]; . == 1))",
        "try (.items[] as $x | .items[]) catch empty",
        ".objects | select(contains([{b: [1]}] + .))",
        "first((.items[] as $x | .items[] | empty), .a)",
        "isempty(.items[] as $x | .items[] | empty)",
        "(.items[] as $x | .items[] | empty) // .a",
        "select(. as $top | .items | sort_by($top.items[]))",
        "..?, (.items[] as $x | ..)",
        ".items[] as $x | .items[] as $y | (.a | .[0])?",
        ".items[] as $x | .items[] as $y | try (.objects | error) catch empty",
        ".a as $a | .items[] as $x | select(\"a\" | test($a))",
    ] {
        let result = run_for(100_000, expression, &text);
        assert_eq!(result, Err(Fault::Budget), "{}", expression.chars().take(60).collect::<String>());
    }
    assert!(Fault::Budget.told().is_some() && Fault::NoPath.told().is_some());
    let mut fuel = 3;
    assert_eq!(JqPath::parse(".a.b.c.d").unwrap().places(&text, &mut fuel), Err(Fault::Budget));
}

#[test]
fn a_large_object_is_searched_within_the_steps() {
    let item = json!({"name": "a", "clientConfig": {"caBundle": "Q0E=".repeat(100)}, "rules": [{"a": ["b", "c"], "d": ["e"]}]});
    let document = json!({"webhooks": vec![item; 2000]});
    assert_eq!(run(".. | objects | select(has(\"caBundle\")) | .caBundle", &document).map(|places| places.len()), Ok(2000));
}

#[test]
fn what_reaches_outside_or_names_a_meter_is_refused_with_what_to_write() {
    for (text, word) in [
        ("input_line_number", "reaches outside"),
        ("halt_error", "reaches outside"),
        ("now | todate", "`now` reaches outside"),
        ("0 | todate", "computes times"),
        ("pick(.a)", "`pick` changes"),
        ("tick", "`tick`"),
        ("_tick", "`_tick`"),
        ("_blank_errors(.)", "`_blank_errors`"),
        ("_contains(.)", "`_contains`"),
        ("places", "`places`"),
        ("path_value(.a)", "`path_value`"),
        ("def _tick: .; .a", "begins with a letter"),
        ("def f(_weigh): .; f(.)", "begins with a letter"),
        ("def f($_x): .; f(1)", "begins with a letter"),
        ("def @text: .; .a", "begins with a letter"),
        ("def f(g): if . then f(g | g) else . end; f(.)", "`f` calls itself with functions"),
        ("def f(g): def h: f(g); h; f(.)", "`f` calls itself with functions"),
        ("f", "`f` is no function"),
        ("def f: g; def g: 1; f", "`g` is no function"),
        ("def f: 1; f(2)", "`f` is no function"),
        ("(def f: 1; f) | f", "`f` is no function"),
        ("def f($a): $a; $a", "`$a`"),
        ("label $x | (break $y)", "`$y`, which is no label"),
        ("(label $x | .) | break $x", "`$x`, which is no label"),
        ("reduce .[] as $x (0)", "`reduce`"),
        ("reduce .[] as $x (0; 1; 2)", "`reduce`"),
        ("foreach .[] as $x (0; 1; 2; 3)", "`foreach`"),
        ("@nothing", "@nothing"),
        ("@base32 \"x\\(.a)\"", "@base32"),
        ("{\"\\(.a)\"}", "(key): value"),
        (". as {a: $x} | $y", "`$y`"),
        (". as [$x] ?// $x | $x", "jq"),
        (". as $x | $y", "`$y`"),
        ("import \"a\" as a; .", "jq"),
        ("a::b", "a::b"),
    ] {
        let said = JqPath::parse(text).unwrap_err();
        assert!(said.contains(word), "{text}: {said}");
    }
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
    let paths = ".a?".repeat(90);
    let choices = format!("{}.{}", "select(".repeat(60), ")".repeat(60));
    let work = move || {
        let mut nested = json!(1);
        for _ in 0..200 {
            nested = json!([nested]);
        }
        let all = "..".to_owned();
        let whole =
            "select(tojson == tostring and (sort | unique | contains([1]) | not)) | [..] as $all | .. | select(. == $all[-1])".to_owned();
        for text in [&deep, &long, &wide, &maps, &choices, &paths, &all, &whole] {
            let path = JqPath::parse(text).unwrap_or_else(|why| panic!("{text}: {why}"));
            let mut fuel = STEPS;
            let _places = path.places(&nested, &mut fuel);
        }
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(work).unwrap().join().unwrap();
}

/// Runs an expression on the smallest stack that a thread of the program has.
fn on_a_small_stack(expression: &str, document: &Value) -> Result<Vec<String>, Fault> {
    let run = || run_for(200_000, expression, document);
    std::thread::scope(|scope| std::thread::Builder::new().stack_size(2 << 20).spawn_scoped(scope, run).unwrap().join().unwrap())
}

#[test]
fn what_calls_itself_or_nests_values_without_end_goes_no_deeper_than_the_stack() {
    let doubled = |body: &str| {
        let names = ["a", "b", "c", "d", "e", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p"];
        let doubled: String = names.windows(2).map(|pair| format!("def {}(f): {}({}(f)); ", pair[1], pair[0], pair[0])).collect();
        format!("def a(f): {body}; {doubled}")
    };
    for expression in [
        "def f: [f]; f",
        "def f: {a: f}; f",
        "def f: f + 1; f",
        "def f: 1, (f | . + 1); [f]",
        "def f: f | f; f",
        "def f: \"\\(f)\"; f",
        "def f: try f catch .; f",
        "def f: first(f); f",
        "def f: label $l | f, break $l; f",
        "def f: reduce f as $x (0; .); f",
        "def f: reduce 1 as $x (0; f); f",
        "def f: foreach (1, 2) as $x (0; f; f); f",
        "def f: map(f); [1] | f",
        "def f: walk(f); [1, 2] | f",
        "def f: gsub(\"a\"; f); \"a\" | f",
        "def f: .[f]; f",
        "def f: {(f): 1}; f",
        "def f($n): [f($n + 1)]; f(0)",
        "def f: def g(h): [h]; g(f); f",
        &format!("{} p(1)", doubled("[f]")),
        &format!("{} p(.)", doubled("f")),
        &format!("{} p(.)", doubled(".")),
        "reduce range(1e6) as $i (.; [.])",
        "last(recurse({a: .}))",
        "last(recurse(map([.])))",
        "reduce range(1e6) as $i (.; .a)",
        "last(recurse(.a?))",
        ".nothing | recurse(.a)",
        "getpath([range(2000) | \"a\"])",
        "reduce range(1e6) as $i (.; first(.a))",
    ] {
        for expression in [expression, &format!("select([{expression}] == 1)")] {
            let result = on_a_small_stack(expression, &json!({}));
            let is_ended = result.as_ref().is_ok_and(|selected| selected.len() < 2);
            assert!(is_ended || result.is_err(), "{}: {result:?}", expression.chars().take(60).collect::<String>());
        }
    }
    for expression in ["select(def f: [f]; f)", "select(reduce range(1e6) as $i (.; [.]))", "last(recurse(.a?))"] {
        assert_eq!(on_a_small_stack(expression, &json!({})), Err(Fault::Depth), "{expression}");
    }
    assert!(Fault::Depth.told().is_some_and(|said| said.contains("too deep")));
}

#[test]
fn what_goes_on_or_grows_without_end_runs_out_of_steps() {
    for expression in [
        "recurse(.)",
        "recurse(., .)",
        "[repeat(.)]",
        "first(repeat(empty))",
        "[while(true; .)]",
        "until(false; .)",
        "def f: f; f",
        "def f: f, f; f",
        "def f: def g: f; g; f",
        "range(0; 1; 0)",
        "[range(1e9)]",
        "first(range(1e9) | select(. < 0))",
        "foreach range(30) as $i (0; ., .)",
        "\"a\" * 1e9",
        "\"ab\" * infinite",
        "reduce range(100) as $i (\"a\"; . + .)",
        "reduce range(100) as $i (\"ab\"; . * 10)",
        "reduce range(1e5) as $i (2; . * .)",
        "reduce range(1e6) as $i ([]; . + [$i])",
        "reduce range(100) as $i ([1]; [., .] | flatten)",
        "reduce range(100) as $i ([[1]]; [., .] | add)",
        "reduce range(100) as $i (\"\\\"\"; tojson)",
        "reduce range(1e5) as $i (\" \"; @uri)",
        "reduce range(100) as $i (\"a\"; gsub(\"a\"; \"aa\"))",
        "reduce range(100) as $i ({a: 1}; {a: ., b: .} * {b: .})",
        "[range(10000)] | join(\"x\" * 10000)",
        "[[range(3000)], (range(3000) | [])] | transpose",
        "[range(30) | [range(10)]] | combinations",
        "(\"a\" * 100000) as $a | $a | indices(\"a\" * 50000)",
        "\"a\" * 10000000 | split(\"\")",
        "\"a\" * 10000000 | explode",
        "\"A\" * 10000 | [scan(\".*[^A-Z]|[A-Z]\")]",
        "\"ab\" * 500000 | test(\"(([ab]{0,30}){0,30})c\")",
        "[range(30)] | walk(repeat(.))",
        "label $x | repeat(label $y | ., break $y)",
        "range(1e6) as $x | {} as {(range(1e6) | tostring): $y} | empty",
    ] {
        let as_value = format!("select([{expression}] == 1)");
        assert_eq!(on_a_small_stack(&as_value, &json!({})), Err(Fault::Budget), "{expression}");
    }
    for expression in ["recurse(.)", "first(repeat(empty))", "until(false; .)", "def f: f; f", "foreach range(30) as $i (.; ., .) | empty"]
    {
        assert_eq!(on_a_small_stack(expression, &json!({})), Err(Fault::Budget), "{expression}");
    }
    for brackets in [128, 100_000] {
        let nested = json!({"text": "[".repeat(brackets) + &"]".repeat(brackets)});
        assert!(matches!(on_a_small_stack("select(.text | fromjson)", &nested), Err(Fault::Error(_))), "{brackets}");
    }
}

/// Values as jq has them, and as it writes them.
#[test]
fn values_are_computed_as_jq_does() {
    for (expression, value) in [
        ("[1, 2, 3] | add", json!(6)),
        ("[\"a\", \"b\"] | add", json!("ab")),
        ("[[1], [2, 3]] | add", json!([1, 2, 3])),
        ("[{a: 1}, {b: 2}, {a: 3}] | add", json!({"a": 3, "b": 2})),
        ("[] | add", json!(null)),
        ("{a: 1, b: 2} | add", json!(3)),
        ("add(.l[])", json!(7)),
        ("[\"a\", null, 1, true] | join(\"/\")", json!("a//1/true")),
        ("[] | join(\",\")", json!("")),
        (".labels | to_entries | from_entries", json!({"app": "web", "tier": "front"})),
        ("[{name: \"A\", value: \"1\"}, {name: \"B\"}] | from_entries", json!({"A": "1", "B": null})),
        (".labels | with_entries(select(.key == \"app\"))", json!({"app": "web"})),
        ("[1, [2, [3, [4]]]] | flatten, flatten(1)", json!([1, 2, 3, 4])),
        ("[1, [2, [3, [4]]]] | flatten(1)", json!([1, 2, [3, [4]]])),
        (".l | index(1), rindex(1)", json!(1)),
        (".l | indices([1, 2])", json!([1])),
        ("\"a,b, cd\" | indices(\",\")", json!([1, 3])),
        ("\"aé\" | explode | implode", json!("aé")),
        ("\"ab\" | ltrimstr(\"a\")", json!("b")),
        ("5 | ltrimstr(\"a\")", json!(5)),
        (".l | unique_by(. % 2)", json!([2, 3])),
        ("2.5 | round", json!(3)),
        ("pow(2; 10)", json!(1024)),
        ("[6 / 2, 7 / 2, -7 % 3, 7 % -3, 5.9 % 2]", json!([3, 3.5, -1, 1, 1])),
        ("\"a,b\" / \",\"", json!(["a", "b"])),
        ("\"ab\" * 2", json!("abab")),
        ("\"ab\" * 0", json!(null)),
        ("{a: {b: 1}} * {a: {c: 2}}", json!({"a": {"b": 1, "c": 2}})),
        ("\"hello\" | @base64", json!("aGVsbG8=")),
        ("\"aGVsbG8=\" | @base64d", json!("hello")),
        ("[1, \"a\", null] | @csv", json!("1,\"a\",")),
        ("[\"a\\tb\"] | @tsv", json!("a\\tb")),
        ("\"<&\" | @html", json!("&lt;&amp;")),
        ("@uri \"q=\\(\"a b/é\")\"", json!("q=a%20b%2F%C3%A9")),
        ("[1, \"it's\"] | @sh", json!("1 'it'\\''s'")),
        ("@json \"v: \\([1])\"", json!("v: [1]")),
        ("\"éa1b2\" | [match(\"[a-z](?<n>[0-9])\"; \"g\") | .offset, .captures[0].string]", json!([1, "1", 3, "2"])),
        ("\"a1b2\" | [scan(\"([a-z])([0-9])\")]", json!([["a", "1"], ["b", "2"]])),
        ("\"a1b2\" | capture(\"(?<l>[a-z])(?<d>[0-9])\")", json!({"l": "a", "d": "1"})),
        ("\"a1b2\" | gsub(\"(?<l>[a-z])\"; \"<\\(.l)>\")", json!("<a>1<b>2")),
        ("\"a1b2\" | sub(\"[0-9]\"; \"\")", json!("ab2")),
        ("\"a, b\" | [splits(\", *\")]", json!(["a", "b"])),
        (".l | map_values(. + 1)", json!([4, 2, 3, 2])),
        (".labels | map_values(select(. == \"web\"))", json!({"app": "web"})),
        ("[1, [2]] | walk(if type == \"number\" then . + 1 else . end)", json!([2, [3]])),
        ("[[[1, 2], 3] | paths(type == \"number\")]", json!([[0, 0], [0, 1], [1]])),
        ("[range(5)], [range(5; 0; -2)]", json!([0, 1, 2, 3, 4])),
        ("[1 | while(. < 10; . * 2)]", json!([1, 2, 4, 8])),
        ("1 | until(. > 100; . * 2)", json!(128)),
        ("[limit(3; 1 | repeat(. * 2))]", json!([2, 2, 2])),
        ("[2 | recurse(. * .; . < 100)]", json!([2, 4, 16])),
        ("reduce .l[] as $x (0; . + $x)", json!(7)),
        ("reduce .l[] as $x (0; empty)", json!(null)),
        ("reduce .l[] as $x (0; ., 10 | . + $x)", json!(11)),
        ("[foreach .l[] as $x (0; . + $x; [$x, .])]", json!([[3, 3], [1, 4], [2, 6], [1, 7]])),
        ("[label $out | .l[] | ., (select(. == 1) | break $out)]", json!([3, 1])),
        (". as {labels: {$app, (\"ti\" + \"er\"): $t}, l: [$a, $b]} | [$app, $t, $a, $b]", json!(["web", "front", 3, 1])),
        ("def f($x; g): $x + g; 7 | f(1; . * 2)", json!(15)),
        ("def fac: if . <= 1 then 1 else . * (. - 1 | fac) end; 10 | fac", json!(3_628_800)),
        ("def down($n): if $n == 0 then \"end\" else down($n - 1) end; down(2000)", json!("end")),
        ("def map(f): \"mine\"; map(.)", json!("mine")),
        ("[[1, 2], [3]] | transpose", json!([[1, 3], [2, null]])),
        ("[[[1, 2], [3, 4]] | combinations]", json!([[1, 3], [1, 4], [2, 3], [2, 4]])),
        ("\"{\\\"k\\\":[1,null]}\" | fromjson | .k", json!([1, null])),
        ("[nth(1; .l[]), (.l | nth(2))]", json!([1, 2])),
        (".l | .[1.7]", json!(1)),
        ("[(1, 2) + (10, 20)]", json!([11, 12, 21, 22])),
        ("[(1, 2) < (1, 2)]", json!([false, false, true, false])),
        ("[(1.5 + 1.5, 2.5 - 0.5, (\"1.50\" | tonumber), -1.0) | tostring]", json!(["3", "2", "1.5", "-1"])),
    ] {
        let document = json!({"l": [3, 1, 2, 1], "labels": {"app": "web", "tier": "front"}});
        let written = format!(".[first(({expression})) | tojson]");
        let places = JqPath::parse(&written).unwrap_or_else(|why| panic!("{written}: {why}")).places(&document, &mut STEPS.clone());
        let keys: Vec<Value> = places
            .unwrap()
            .iter()
            .map(|place| match place.0.first() {
                Some(super::super::Step::Key(json)) => serde_json::from_str(json).unwrap(),
                other => panic!("{expression}: {other:?}"),
            })
            .collect();
        assert_eq!(keys, [value], "{expression}");
    }
}

#[test]
fn what_is_computed_chooses_and_loops_select_as_paths() {
    for (text, selected) in [
        ("recurse(.spec?; . != null)", &["", "spec"][..]),
        (".webhooks | recurse(.[]?; type != \"string\") | .caBundle? // empty", &["webhooks[0].clientConfig.caBundle"]),
        ("first(range(10) as $i | .webhooks[$i].name)", &["webhooks[0].name"]),
        (".webhooks[range(2)].name", &["webhooks[0].name", "webhooks[1].name"]),
        ("getpath(paths(type == \"boolean\"))", &[]),
        ("paths(. == \"Q0E=\") as $p | getpath($p)", &["webhooks[0].clientConfig.caBundle"]),
        ("until(has(\"replicas\"); .spec)", &["spec"]),
        ("while(type == \"object\"; .spec | values)", &["", "spec"]),
        ("reduce (\"spec\", \"replicas\") as $key (.; .[$key])", &["spec.replicas"]),
        ("foreach (\"spec\", \"replicas\") as $key (.; .[$key])", &["spec", "spec.replicas"]),
        ("label $out | .webhooks[] | ., break $out", &["webhooks[0]"]),
        ("def spec: .spec; spec | .replicas", &["spec.replicas"]),
        ("def at($key): .spec[$key]; at(\"replicas\", \"paused\")", &["spec.replicas", "spec.paused"]),
        ("def in_spec(f): .spec | f; in_spec(.replicas)", &["spec.replicas"]),
        (
            "def deep: if type == \"object\" then .[] | deep else . end; .metadata | deep",
            &["metadata.annotations[\"a.io/x\"]", "metadata.annotations[\"a.io/y\"]", "metadata.name"],
        ),
        (".webhooks[] | select(.name as $n | [$n, \"x\"] | join(\"-\") == \"two-x\")", &["webhooks[1]"]),
        (".spec.template.spec.containers[] | select(.env // [] | from_entries | .A == \"1\") | .image", &["C[0].image"]),
        (".spec.template.spec.containers[] | select(.image | split(\":\") | last | tonumber > 5) | .image", &["C[1].image"]),
        (".spec.template.spec.containers | .[map(.name) | index(\"istio-proxy\")]", &["C[1]"]),
        (".spec.template.spec.containers[] | select(reduce .env[]? as {$name} (false; . or $name == \"B\")) | .name", &["C[0].name"]),
        ("(.nothing, .spec.replicas) // .metadata", &["spec.replicas"]),
    ] {
        let containers = "spec.template.spec.containers";
        let expected: Vec<String> =
            selected.iter().map(|place| place.replacen('C', containers, usize::from(place.starts_with("C[")))).collect();
        assert_eq!(run(text, &document()), Ok(expected), "{text}");
    }
    for text in [".spec | map_values(.)", ".spec | walk(.)", "[.spec] | add", ".spec * {}", ".spec | to_entries", "[.spec] | flatten"] {
        assert_eq!(run(text, &document()), Err(Fault::NoPath), "{text}");
    }
}

/// Expressions of a small grammar: most are nonsense, all end.
fn expressions() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        ".",
        "..",
        ".a",
        ".b?",
        ".[]?",
        ".[0]",
        "1",
        "1e9",
        "-2",
        "\"a\"",
        "\"[1]\"",
        "null",
        "[]",
        "{}",
        "empty",
        "error",
        "first",
        "add",
        "length",
        "tojson",
        "fromjson",
        "explode",
        "flatten",
        "keys",
        "transpose",
        "paths",
        "to_entries",
        "from_entries",
        "f",
        "@base64",
        "sqrt",
        "g(.)",
    ]);
    leaf.prop_map(str::to_owned).prop_recursive(5, 40, 3, |inner| {
        let two = prop::sample::select(vec![
            "X | Y",
            "X, Y",
            "X + Y",
            "X * Y",
            "X / Y",
            "X % Y",
            "X - Y",
            "X == Y",
            "X // Y",
            "X and Y",
            "[X, Y]",
            "{a: X, (Y | tostring): 1}",
            "recurse(X)",
            "repeat(X)",
            "while(X; Y)",
            "until(X; Y)",
            "limit(X; Y)",
            "range(X; Y)",
            "walk(X)",
            "map(X)",
            "map_values(X)",
            "select(X)",
            "reduce X as $x (Y; X)",
            "foreach X as [$x, $y] (Y; X; Y)",
            "try X catch Y",
            "X?",
            "if X then Y else X end",
            "label $l | X, break $l | Y",
            "X as {a: $x} | Y",
            "def f: X; Y",
            "def g(f): X; Y",
            "def f: Y | f; X",
            "getpath(X)",
            "path(X)",
            "join(X)",
            "with_entries(X)",
            "indices(X)",
            "gsub(X; Y)",
            "[match(X; \"g\")]",
            "sort_by(X)",
            "group_by(X)",
            "combinations",
            "add(X)",
            "first(X)",
            "any(X; Y)",
            ".[X]",
            ".[X:Y]",
            "\"\\(X)b\"",
            "splits(X)",
            "flatten(X)",
            "X as $x | $x, Y",
        ]);
        (two, inner.clone(), inner).prop_map(|(shape, x, y)| shape.replace('X', &format!("({x})")).replace('Y', &format!("({y})")))
    })
}

fn documents() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![Just(json!(null)), Just(json!(true)), any::<i64>().prop_map(Value::from), "[a\\[1]{0,5}".prop_map(Value::from)];
    leaf.prop_recursive(4, 30, 4, |inner| {
        let fields = prop::collection::btree_map("[ab]", inner.clone(), 0..3).prop_map(|fields| json!(fields));
        prop_oneof![prop::collection::vec(inner, 0..4).prop_map(Value::from), fields]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_expression_ends_and_takes_no_more_than_its_steps(expression in expressions(), document in documents()) {
        let text = format!("def f: .; def g(h): h; {expression}");
        if let Ok(path) = JqPath::parse(&text) {
            let mut fuel = 20_000;
            let ended = path.places(&document, &mut fuel);
            prop_assert!(fuel <= 20_000);
            prop_assert!(!matches!(ended, Err(Fault::Budget)) || fuel == 0, "{}", text);
        }
    }
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
