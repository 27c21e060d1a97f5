use miette::Diagnostic;

use super::*;

#[test]
fn broken_yaml_is_shown_with_file_line_column_and_caret() {
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: one: two\n";
    let error = parse(text, "k8s/app.yaml").unwrap_err();
    assert!(error.to_string().starts_with("k8s/app.yaml:6:9: "), "{error}");
    let page = rendered(&error);
    assert!(page.contains("[k8s/app.yaml:6:9]"), "{page}");
    assert!(page.contains("6 │   k: one: two"), "{page}");
    assert!(page.contains("here"), "{page}");
}

#[test]
fn decision_19_a_refused_value_has_a_caret_and_the_way_out() {
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: yes\n";
    let page = rendered(&parse(text, "app.yaml").unwrap_err());
    let expected = [
        "  × app.yaml:4:9: metadata.name is `yes`, which is read as a boolean; it has to be text",
        "   ╭─[app.yaml:4:9]",
        " 3 │ metadata:",
        " 4 │   name: yes",
        "   ·         ─┬─",
        "   ·          ╰── here",
        "   ╰────",
        "  help: put it in quotes: \"yes\"",
    ];
    assert_eq!(page.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect::<Vec<_>>(), expected, "{page}");
}

#[test]
fn broken_json_is_shown_at_its_place() {
    let error = parse("{\n  \"apiVersion\": \"v1\",\n  \"kind\": }\n", "app.json").unwrap_err();
    assert_eq!(error.to_string(), "app.json:3:11: expected value");
    assert!(rendered(&error).contains("3 │   \"kind\": }"), "{}", rendered(&error));
    assert!(parse("{\"a\": \"é", "app.json").is_err());
    assert!(parse("{\"a\": 1e999}", "app.json").is_err());
}

#[test]
fn a_template_is_recognised() {
    let error = parse("apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Release.Name }}\n", "pod.yaml").unwrap_err();
    assert!(error.help().is_some_and(|help| help.to_string().contains("Chart.yaml")), "{error:?}");
}

#[test]
fn a_text_that_ends_early_and_a_key_without_a_colon_are_explained() {
    let early = parse("a: \"payload={\\\\\"state\\\\\": 1}\"\n", "job.yaml").unwrap_err();
    assert!(early.to_string().starts_with("job.yaml:1:"), "{early}");
    assert!(early.help().is_some_and(|help| help.to_string().contains("single quotes")), "{early:?}");
    let cut = parse("kind: Job\nspec\n", "job.yaml").unwrap_err();
    assert!(cut.to_string().starts_with("job.yaml:2:1: "), "{cut}");
    assert!(cut.help().is_some_and(|help| help.to_string().contains("colon")), "{cut:?}");
}

#[test]
fn control_sequences_never_reach_the_terminal() {
    for text in [
        "a: \u{1b}[31mred\n",
        "apiVersion: v1\nkind: \u{1b}]0;x\u{7}\n",
        "apiVersion: v1\nkind: Pod\nmetadata:\n  labels: {\"\\e[31m\": 1}\n",
        "a: \u{9b}31m: b: c",
    ] {
        let error = parse(text, "\u{1b}[2J.yaml").unwrap_err();
        let page = rendered(&error);
        assert!(!page.contains(['\u{1b}', '\u{7}', '\u{9b}']), "{page:?}");
        assert!(!error.to_string().contains('\u{1b}'), "{error}");
    }
}

#[test]
fn a_line_of_megabytes_is_not_printed() {
    let long = "x".repeat(3_000_000);
    let error = parse(&format!("{{\"a\": \"{long}\", }}"), "app.json").unwrap_err();
    assert!(error.to_string().starts_with("app.json:1:3000011: "), "{error}");
    assert!(rendered(&error).len() < 1000);
    let beside = rendered(&parse(&format!("a: {long}\nb: c: d\ne: {long}\n"), "app.yaml").unwrap_err());
    assert!(beside.contains("2 │ b: c: d") && beside.len() < 1500, "{beside}");
}

#[test]
fn the_caret_stands_right_behind_wide_letters_and_at_the_end() {
    let page =
        rendered(&parse("# one\n# two\napiVersion: v1\nkind: Pod\nmetadata: {labels: {\"é\": \"ü\", b: 1}}\n", "app.yaml").unwrap_err());
    assert!(page.contains("[app.yaml:5:34]") && page.contains("5 │ metadata:"), "{page}");
    let page = rendered(&parse("a: [b", "app.yaml").unwrap_err());
    assert!(page.contains("1 │ a: [b"), "{page}");
}

#[test]
fn an_error_is_small_enough_to_be_returned() {
    assert!(size_of::<ManifestError>() <= 128);
}

#[test]
fn no_line_of_a_secret_is_shown() {
    let config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n";
    for secret in [
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  password: hunter2\n  pin: \"a\" b\n  other: hunter2\n",
        "{\"apiVersion\": \"v1\", \"kind\": \"Secret\", \"stringData\": {\"password\": \"hunter2\" \"x\"}}\n",
        "kind: 'Secret'\nstringData: {password: hunter2}\nmetadata: {name: [}\n",
    ] {
        for text in [secret.to_owned(), format!("{config}---\n{secret}"), format!("{secret}---\n{config}")] {
            let told = rendered(&parse(&text, "app.yaml").unwrap_err());
            assert!(!told.contains("hunter2") && told.contains("app.yaml:"), "{told}");
        }
    }
    let behind = format!("kind: Secret\nmetadata: {{name: s}}\nstringData: {{password: hunter2}}\n---\n{config}data: [\n");
    let told = rendered(&parse(&behind, "app.yaml").unwrap_err());
    assert!(!told.contains("hunter2") && told.contains("data: ["), "{told}");
}
