//! Apps and sync windows of the configuration, with the finished binary on the embedded cluster.

use crate::support::App;

const CONFIG_MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n";
const SHOP: &str = "[apps.shop]\nsource = \"manifests\"\nnamespace = \"web\"\ncontext = \"mars\"\n";
const ALWAYS: &str = "kind = \"deny\"\nschedule = \"* * * * *\"\nduration = \"1h\"\n";

fn app(line: &str, config: &str) -> App {
    App::new(line).file("etc/c.toml", config).file("etc/manifests/a.yaml", CONFIG_MAP)
}

#[test]
fn a_target_that_is_an_app_has_its_source_beside_the_configuration_and_its_namespace() {
    let done = app("sync shop --embedded --config etc/c.toml -o json --speed max", SHOP).run();
    assert_eq!((done.code, done.err.as_str()), (Some(0), ""));
    let lines = done.lines();
    assert_eq!((&lines[0]["app"], &lines[0]["tasks"][0]["namespace"]), (&"shop".into(), &"web".into()));
    let option = app("sync shop --embedded --config etc/c.toml -o json --speed max -n other", SHOP).run();
    assert_eq!(option.lines()[0]["tasks"][0]["namespace"], "other", "an option beats the section");
}

#[test]
fn a_path_of_the_same_name_wins_and_it_is_said() {
    let line = "sync shop --embedded --config etc/c.toml -o json --speed max";
    let done = app(line, SHOP).file("shop/b.yaml", CONFIG_MAP.replace("settings", "other")).run();
    assert_eq!(done.code, Some(0), "{}", done.err);
    assert!(["`shop` is a path here", "etc/c.toml:2", "./shop"].iter().all(|word| done.err.contains(word)), "{}", done.err);
    assert_eq!(done.lines()[0]["tasks"][0]["name"], "other");
    let windows = format!("{SHOP}[[apps.shop.windows]]\n{ALWAYS}");
    app(line, &windows).file("shop/b.yaml", CONFIG_MAP).run().refused(2, &["blocked by sync window"]);
}

#[test]
fn the_context_of_an_app_is_used_unless_an_option_names_another() {
    let kubeconfig = "apiVersion: v1\nkind: Config\ncurrent-context: gone\nclusters: []\ncontexts: []\nusers: []\n";
    let with = |line: &str| app(line, SHOP).file("k", kubeconfig).run();
    with("sync shop --config etc/c.toml --kubeconfig k -o json").refused(2, &["mars"]);
    let option = with("sync shop --config etc/c.toml --kubeconfig k -o json --context venus");
    option.refused(2, &["venus"]);
    assert!(!option.err.contains("mars"), "{}", option.err);
}

#[test]
fn r1406_a_sync_in_a_closed_window_exits_2_with_the_window_and_its_schedule() {
    let config = format!("{SHOP}[[sync.windows]]\n{ALWAYS}clusters = [\"embedded\"]\ndescription = \"freeze\"\n");
    let words = ["cannot sync: blocked by sync window", "deny window `* * * * *` for 1h (freeze)", "no end of it is in sight"];
    app("sync shop --embedded --config etc/c.toml -o json --speed max", &config).run().refused(2, &words);
    let plan = app("plan shop --embedded --config etc/c.toml --speed max", &config).run();
    assert_eq!(plan.code, Some(0), "a plan writes nothing: {}", plan.err);
    assert!(plan.out.contains(words[0]), "{}", plan.out);
}

#[test]
fn what_is_neither_a_path_nor_an_app_and_an_app_without_a_source_are_refused() {
    app("sync shpo --embedded --config etc/c.toml -o json", SHOP).run().refused(2, &["`shpo`", "neither a path nor an app", "shop"]);
    let moved = SHOP.replace("\"manifests\"", "\"gone\"");
    app("sync shop --embedded --config etc/c.toml -o json", &moved).run().refused(2, &["app `shop`", "etc/gone", "etc/c.toml:2"]);
    app("sync shop --app web --embedded --config etc/c.toml -o json", SHOP).run().refused(2, &["`shop`", "--app web"]);
    app("sync shop --embedded --config etc/c.toml -o json", "[apps.shop]\n").run().refused(2, &["apps.shop", "source", "etc/c.toml:1"]);
}
