//! Plans and scenes as prose; the rules as lines of text.

use serde_json::{Value, json};

use super::*;
use crate::model::{KindFact, Kinds, Options, Origin, Scope};
use crate::plan::{Manifest, PlanInput, Shape};

const KINDS: [(&str, &str, &str); 10] = [
    ("v1", "ConfigMap", "configmaps"),
    ("v1", "Secret", "secrets"),
    ("v1", "Pod", "pods"),
    ("v1", "Namespace", "namespaces"),
    ("apps/v1", "Deployment", "deployments"),
    ("batch/v1", "Job", "jobs"),
    ("rbac.authorization.k8s.io/v1", "Role", "roles"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings"),
    ("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles"),
    ("example.com/v1", "Gadget", "gadgets"),
];

fn object(version: &str, kind: &str, name: &str, annotations: &Value) -> Value {
    json!({"apiVersion": version, "kind": kind, "metadata": {"name": name, "annotations": annotations}})
}

fn job(name: &str, hook: &str, policy: &str) -> Value {
    let annotations = json!({"argocd.argoproj.io/hook": hook, "argocd.argoproj.io/hook-delete-policy": policy});
    object("batch/v1", "Job", name, &annotations)
}

fn map(name: &str, options: &str) -> Value {
    let annotations = if options.is_empty() { json!({}) } else { json!({"argocd.argoproj.io/sync-options": options}) };
    object("v1", "ConfigMap", name, &annotations)
}

/// A request and what is live.
#[derive(Default)]
struct Case {
    manifests: Vec<Value>,
    live: Vec<Value>,
    unread: Vec<ResourceKey>,
    options: Vec<&'static str>,
    force: bool,
    dry_run: bool,
    customizations: Option<ResourceKey>,
}

impl Case {
    fn of(manifests: &[Value]) -> Self {
        Self { manifests: manifests.to_vec(), ..Self::default() }
    }

    fn wants(&self) -> Wants {
        let origin = || Origin { file: "app.yaml".into(), line: 1 };
        let manifests: Vec<Manifest> =
            self.manifests.iter().map(|value| Manifest { object: Object::new(value.clone()), origin: origin() }).collect();
        let (mut kinds, mut plurals) = (Kinds::default(), BTreeMap::new());
        for (version, kind, plural) in KINDS {
            let gvk = Gvk::new(version, kind);
            let scope = if ["Namespace", "ClusterRole", "Gadget"].contains(&kind) { Scope::Cluster } else { Scope::Namespaced };
            kinds.insert(&gvk, KindFact::Known { plural: plural.into(), scope });
            plurals.insert(gvk, plural.into());
        }
        let options = Options::new(self.options.iter().map(|option| (*option).to_owned()));
        let shape = Shape { options: options.clone(), ..Shape::default() };
        let plan = Plan::build(&PlanInput {
            app: "web",
            namespace: "shop",
            revision: "4c1d0aa97f3e52b1",
            operation: "web-1",
            started_at: "2026-03-01T09:00:00Z".parse().unwrap(),
            manifests: &manifests,
            kinds: &kinds,
            candidates: &[],
            selection: None,
            shape: &shape,
        });
        let key = |value: &Value| kinds.key_of(&Object::new(value.clone()), "shop");
        let scene = Scene {
            customizations: self.customizations.clone(),
            plurals,
            live: self.live.iter().map(|value| (key(value), Object::new(value.clone()))).collect(),
            unread: self.unread.iter().cloned().collect(),
            ..Scene::default()
        };
        Wants::of(&plan, &Terms { prune: true, dry_run: self.dry_run, force: self.force, options: &options }, &scene)
    }

    /// Returns the needed rules: `shop: get,patch configmaps [a]`.
    fn needed(&self) -> Vec<String> {
        lines(&self.wants(), Need::Needed)
    }

    fn helpful(&self) -> Vec<String> {
        lines(&self.wants(), Need::Helpful)
    }
}

fn lines(wants: &Wants, need: Need) -> Vec<String> {
    let mut lines = Vec::new();
    for home in wants.homes() {
        for rule in wants.rules(&home).into_iter().filter(|rule| rule.need == need) {
            let group = if rule.group.is_empty() { String::new() } else { format!(".{}", rule.group) };
            let names = if rule.names.is_empty() { String::new() } else { format!(" [{}]", rule.names.join(",")) };
            lines.push(format!("{home}: {} {}{group}{names}", rule.verbs.join(","), rule.resource));
        }
    }
    lines
}

#[test]
fn an_object_that_is_not_there_is_seen_patched_and_created_and_one_that_is_there_is_not_created() {
    let case = Case { live: vec![map("old", "")], ..Case::of(&[map("new", ""), map("old", "")]) };
    assert_eq!(case.needed(), ["shop: create configmaps", "shop: get,patch configmaps [new,old]"]);
    let only_old = Case { live: vec![map("old", "")], ..Case::of(&[map("old", "")]) };
    assert_eq!(only_old.needed(), ["shop: get,patch configmaps [old]"]);
    assert_eq!(
        only_old.helpful(),
        [
            "shop: list,watch,create configmaps",
            "shop: list,watch events",
            "shop: list,watch pods",
            "shop: list daemonsets.apps",
            "shop: list deployments.apps",
            "shop: list statefulsets.apps",
            "shop: list cronjobs.batch"
        ],
        "what only an accident needs, and who else reads it"
    );
    let unread = Case { unread: vec![ResourceKey::new("", "ConfigMap", "shop", "old")], ..Case::of(&[map("old", "")]) };
    assert_eq!(unread.needed(), only_old.needed(), "what cannot be read may be there");
}

#[test]
fn r411_the_argocd_cm_that_is_asked_for_is_read_where_it_stands() {
    let customizations = Some(ResourceKey::new("", "ConfigMap", "argocd", "argocd-cm"));
    let case = Case { customizations, live: vec![map("old", "")], ..Case::of(&[map("old", "")]) };
    assert_eq!(case.needed(), ["argocd: get configmaps [argocd-cm]", "shop: get,patch configmaps [old]"]);
}

#[test]
fn r711_r712_how_an_object_is_written_decides_which_verbs_it_takes() {
    let cases = [
        ("Replace=true", false, true, &["shop: get,update configmaps [a]"][..]),
        ("Replace=true", false, false, &["shop: create configmaps", "shop: get configmaps [a]"]),
        ("Force=true", false, true, &["shop: create configmaps", "shop: get,patch,delete configmaps [a]"]),
        ("", true, true, &["shop: create configmaps", "shop: get,patch,delete configmaps [a]"]),
        ("", true, false, &["shop: create configmaps", "shop: get,patch configmaps [a]"]),
        ("Replace=true,Force=true", false, true, &["shop: create configmaps", "shop: get,update,delete configmaps [a]"]),
    ];
    for (options, force, is_live, expected) in cases {
        let live = if is_live { vec![map("a", "")] } else { Vec::new() };
        let case = Case { live, force, ..Case::of(&[map("a", options)]) };
        assert_eq!(case.needed(), expected, "{options} {force} {is_live}");
    }
    let live = Case { live: vec![map("a", "Replace=true")], ..Case::of(&[map("a", "")]) };
    assert_eq!(live.needed(), ["shop: get,update configmaps [a]"], "R727: the live object's options count");
}

#[test]
fn r205_r208_a_hook_is_deleted_by_its_policies_and_its_log_is_kept() {
    let ordinary = Case::of(&[job("pre", "PreSync", "BeforeHookCreation")]);
    assert_eq!(ordinary.needed(), ["shop: create jobs.batch", "shop: get,patch jobs.batch [pre]"]);
    assert_eq!(
        ordinary.helpful(),
        [
            "shop: list,watch events",
            "shop: get,list,watch pods",
            "shop: get pods/log",
            "shop: list,watch jobs.batch",
            "shop: delete jobs.batch [pre]"
        ]
    );
    let again = Case { live: vec![job("pre", "PreSync", "BeforeHookCreation")], ..ordinary };
    assert_eq!(again.needed(), ["shop: create jobs.batch", "shop: get,patch,delete jobs.batch [pre]"], "the old object goes first");
    let mut leaving = job("pre", "PreSync", "BeforeHookCreation");
    leaving["metadata"]["deletionTimestamp"] = json!("2026-03-01T09:00:00Z");
    let leaving = Case { live: vec![leaving], ..again };
    assert_eq!(leaving.needed(), ["shop: create jobs.batch", "shop: get,patch jobs.batch [pre]"], "it goes already");
    let succeeded = Case::of(&[job("pre", "PreSync", "HookSucceeded")]);
    assert_eq!(succeeded.needed(), ["shop: create jobs.batch", "shop: get,patch,delete jobs.batch [pre]"]);
    let never = Case::of(&[job("sad", "SyncFail", "HookSucceeded")]);
    assert_eq!(never.needed(), ["shop: create jobs.batch", "shop: get,patch jobs.batch [sad]"], "it runs only when the sync fails");
}

#[test]
fn r302_a_hook_whose_name_is_made_anew_is_not_restricted_to_it() {
    let mut hook = job("x", "PostSync", "HookSucceeded");
    hook["metadata"].as_object_mut().unwrap().remove("name");
    hook["metadata"]["generateName"] = json!("post-");
    let wants = Case::of(&[hook]).wants();
    assert_eq!(lines(&wants, Need::Needed), ["shop: get,create,patch,delete jobs.batch"]);
    assert!(wants.accesses.iter().any(|access| access.reason.to_string() == "applies Job post-* (PostSync wave 0)"), "{wants:?}");
}

#[test]
fn a_dry_run_is_authorised_as_the_writes_that_it_tries_and_deletes_nothing() {
    let case = Case {
        live: vec![job("pre", "PreSync", "BeforeHookCreation"), map("a", "")],
        dry_run: true,
        force: true,
        ..Case::of(&[job("pre", "PreSync", "BeforeHookCreation"), map("a", "")])
    };
    let all = [case.needed(), case.helpful()].concat().join("\n");
    assert!(all.contains("patch jobs.batch [pre]") && all.contains("patch configmaps [a]"), "{all}");
    assert!(!all.contains("delete") && !all.contains("log"), "{all}");
}

#[test]
fn what_a_plan_counts_is_helpful_and_nobody_lists_secrets_for_a_number() {
    let web = object("apps/v1", "Deployment", "web", &json!({}));
    let gadget = object("example.com/v1", "Gadget", "g", &json!({}));
    let lists = |force: bool| {
        let wants = Case { live: vec![web.clone(), gadget.clone()], force, ..Case::of(&[web.clone(), gadget.clone()]) }.wants();
        let counted = wants.accesses.iter().filter(|access| access.reason.does == "counts in a plan what goes with");
        counted.map(|access| (access.need, access.grant.to_string(), access.reason.to_string())).collect::<Vec<_>>()
    };
    assert_eq!(lists(false), []);
    let forced = lists(true);
    assert!(forced.iter().all(|(need, ..)| *need == Need::Helpful), "{forced:?}");
    let about =
        |subject: &str| forced.iter().filter(|(.., why)| why.contains(subject)).map(|(_, grant, _)| grant.as_str()).collect::<Vec<_>>();
    assert_eq!(about("Deployment web"), ["list pods in shop", "list replicasets.apps in shop"]);
    let everywhere = about("Gadget g");
    for kind in ["pods", "clusterroles.rbac.authorization.k8s.io", "gadgets.example.com"] {
        assert!(everywhere.contains(&format!("list {kind} in the whole cluster").as_str()), "{kind}: {everywhere:?}");
    }
    assert!(!forced.iter().any(|(_, grant, _)| grant.contains("secrets")), "{forced:?}");
}

/// Nobody can put a Role into a Namespace that is not there.
#[test]
fn r515_rules_of_a_namespace_that_comes_with_the_sync_stand_in_the_cluster_role() {
    let manifests = [object("v1", "Namespace", "shop", &json!({})), map("a", "")];
    let new = Case::of(&manifests).wants();
    assert_eq!(new.homes(), [Arc::from("")].into());
    assert_eq!(
        lines(&new, Need::Needed),
        [": create configmaps", ": get,patch configmaps [a]", ": create namespaces", ": get,patch namespaces [shop]"]
    );
    let there = Case { live: vec![manifests[0].clone()], ..Case::of(&manifests) };
    assert_eq!(
        there.needed(),
        [": patch namespaces [shop]", "shop: create configmaps", "shop: get,patch configmaps [a]", "shop: get namespaces [shop]"]
    );
    let create = Case { options: vec!["CreateNamespace=true"], ..Case::of(&[map("a", "")]) };
    assert!(create.needed().contains(&"shop: get namespaces [shop]".to_owned()), "it is looked for: {:?}", create.needed());
}

fn role(kind: &str, name: &str, rules: &Value) -> Value {
    json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"name": name}, "rules": rules})
}

fn binding(name: &str, kind: &str, role: &str) -> Value {
    json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role}, "subjects": []})
}

#[test]
fn whoever_writes_roles_and_bindings_hands_on_rights() {
    let secrets = json!([{"apiGroups": [""], "resources": ["secrets", "pods/log"], "verbs": ["get"], "resourceNames": ["one"]}]);
    let manifests = [role("Role", "reader", &secrets), binding("own", "Role", "reader"), binding("view", "ClusterRole", "view")];
    let wants = Case::of(&manifests).wants();
    let group = "rbac.authorization.k8s.io";
    let needed = lines(&wants, Need::Needed);
    for line in [
        format!("shop: bind clusterroles.{group} [view]"),
        format!("shop: get,patch,escalate,bind roles.{group} [reader]"),
        format!("shop: get,patch rolebindings.{group} [own,view]"),
    ] {
        assert!(needed.contains(&line), "{line}: {needed:?}");
    }
    let instead = |verb: &str, name: &str| {
        let access = wants.accesses.iter().find(|access| *access.grant.verb == *verb && *access.grant.name == *name).unwrap();
        access.instead.as_ref().map(|grants| grants.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    let handed = Some(vec!["get secrets one in shop".to_owned(), "get pods/log one in shop".to_owned()]);
    assert_eq!((instead("escalate", "reader"), instead("bind", "reader")), (handed.clone(), handed));
    assert_eq!(instead("bind", "view"), None, "nobody could read what it hands on");
    let mut live = manifests[0].clone();
    live["metadata"]["annotations"] = json!({"syncwave.dev/tracking-id": format!("web:{group}/Role:shop/reader"), "other": "x"});
    let unchanged = Case { live: vec![live], ..Case::of(&manifests[..1]) };
    assert_eq!(unchanged.needed(), [format!("shop: get,patch roles.{group} [reader]")], "nothing new is handed on");
}

/// R709: a binding that gets another role is made anew.
#[test]
fn r709_a_binding_whose_role_changes_is_deleted_and_created() {
    let case = Case { live: vec![binding("b", "Role", "one")], ..Case::of(&[binding("b", "Role", "two")]) };
    let needed = case.needed();
    let group = "rbac.authorization.k8s.io";
    assert!(needed.contains(&format!("shop: get,patch,delete rolebindings.{group} [b]")), "{needed:?}");
    assert!(needed.contains(&format!("shop: create rolebindings.{group}")), "{needed:?}");
}

#[test]
fn rights_that_are_too_many_about_urls_or_half_written_cannot_be_told_one_by_one() {
    let many: Vec<String> = (0..300).map(|number| format!("r{number}")).collect();
    for rules in [
        json!([{"apiGroups": [""], "resources": many, "verbs": ["get"]}]),
        json!([{"nonResourceURLs": ["/metrics"], "verbs": ["get"]}]),
        json!("all"),
        json!([null]),
        json!([{"apiGroups": 5, "resources": ["pods"], "verbs": ["get"]}]),
    ] {
        let wants = Case::of(&[role("Role", "r", &rules)]).wants();
        let access = wants.accesses.iter().find(|access| &*access.grant.verb == "escalate").unwrap();
        assert_eq!(access.instead, None, "{rules}");
    }
}

#[test]
fn a_kind_that_nobody_knows_is_named_instead_of_guessed() {
    let wants = Case::of(&[object("example.com/v1", "Widget", "w", &json!({})), map("a", "")]).wants();
    assert_eq!(wants.unknown, ["Widget w (Sync wave 0)"]);
    assert_eq!(lines(&wants, Need::Needed), ["shop: create configmaps", "shop: get,patch configmaps [a]"]);
}

#[test]
fn a_rule_that_is_needed_for_one_name_stands_beside_one_that_is_helpful_for_all() {
    let wants =
        Case::of(&[object("v1", "Pod", "p", &json!({"argocd.argoproj.io/hook": "PreSync"})), job("j", "PreSync", "HookFailed")]).wants();
    assert!(lines(&wants, Need::Needed).contains(&"shop: get,patch pods [p]".to_owned()), "{wants:?}");
    assert!(lines(&wants, Need::Helpful).contains(&"shop: get,list,watch pods".to_owned()), "{wants:?}");
}
