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
fn what_may_not_end_or_reaches_outside_is_refused_with_what_to_write() {
    for (text, word) in [
        ("recurse(.a)", "write `..`"),
        ("recurse(.a; . != null)", "write `..`"),
        ("range(1e9)", "may not end"),
        ("[range(1e12)]", "`range` may not end"),
        ("limit(3; repeat(.))", "`repeat` may not end"),
        ("[while(true; .)]", "`while` may not end"),
        ("until(false; .)", "`until` may not end"),
        ("[[1, 2]] | combinations", "`combinations` may not end"),
        ("\"x\" * 1e9", "`*`"),
        ("foreach .[] as $x (0; . + $x)", "`foreach`"),
        ("[.a] | join(\",\")", "`join`"),
        ("[.a] | add", "`add`"),
        (".a | fromjson", "`fromjson`"),
        ("with_entries(.)", "`with_entries`"),
        ("map_values(.)", "`map_values` changes"),
        ("input_line_number", "reaches outside"),
        ("halt_error", "reaches outside"),
        ("tick", "`tick`"),
        ("blank_errors(.)", "`blank_errors`"),
        ("places", "`places`"),
        ("contains_metered(.)", "`contains_metered`"),
        ("@json", "@json"),
        ("{\"\\(.a)\"}", "(key): value"),
        (". as {a: $x} | $x", "`as $x`"),
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
