//! What a sync would change, asked of the embedded cluster: a second look after a sync finds nothing, and a look changes nothing.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::stage::{LONG, Stage};
use crate::clock::Clock;
use crate::demo::{STORIES, Shipped};
use crate::engine::rules::RuleSources;
use crate::engine::session::{Action, Answer, Ask, Connector, Opening, OperationIds, Planned, SessionHandle, open};
use crate::manifest::LoadOptions;
use crate::model::OperationPhase;
use crate::operation::{Event, Request};
use crate::plan::diff::Cause;
use crate::plan::{Hooks, Selector};
use crate::sim::story::Story;
use crate::sim::{Outcome, SimCluster};

const PODS: &str = "pods:\n  - match: {owner: Job/*}\n    runs: {after: 1s}\n";

impl Stage {
    async fn diff_for(&mut self, request: Request) -> Planned {
        self.ask(Ask::Diff { request }).await;
        match self.answer().await {
            Answer::Compared(Ok(planned)) => Planned::clone(&planned),
            other => panic!("{other:?}"),
        }
    }

    async fn diff(&mut self) -> Planned {
        self.diff_for(Request::default()).await
    }

    fn versions(&self) -> BTreeMap<String, Value> {
        let kinds = [("", "configmaps"), ("", "secrets"), ("", "services"), ("apps", "deployments"), ("batch", "jobs")];
        let objects = kinds.into_iter().flat_map(|(group, plural)| self.sim.store().list(group, plural, Some("shop")));
        objects.map(|object| (object["metadata"]["uid"].to_string(), object["metadata"]["resourceVersion"].clone())).collect()
    }
}

fn config(name: &str, data: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {data}\n---\n")
}

fn job(name: &str, annotations: &str, image: &str) -> String {
    format!(
        "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}, annotations: {{{annotations}}}}}\nspec:\n  template: {{spec: {{restartPolicy: Never, \
         containers: [{{name: main, image: \"{image}\"}}]}}}}\n---\n"
    )
}

/// Returns what is said of one object: its action, its changed fields, and whether it is approximate.
fn said(planned: &Planned, name: &str) -> (Action, Vec<String>, Option<String>) {
    let task = planned.plan.tasks.iter().find(|task| *task.id.key.name == *name).unwrap_or_else(|| panic!("no {name}"));
    let fields = planned.differences.get(&task.id).into_iter().flat_map(|difference| &difference.fields);
    let fields = fields.map(|field| format!("{}: {} -> {}", field.path, shown(field.before.as_ref()), shown(field.after.as_ref())));
    (planned.actions[&task.id].clone(), fields.collect(), planned.approximate.get(&task.id).cloned())
}

fn causes(planned: &Planned) -> Vec<Cause> {
    planned.differences.values().flat_map(|difference| &difference.fields).map(|field| field.cause.clone()).collect()
}

fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "nothing".to_owned(), ToString::to_string)
}

/// Lines about everything that is not as the manifests say.
fn differences(planned: &Planned) -> Vec<String> {
    let tasks = planned.plan.tasks.iter().filter(|task| !task.is_hook());
    let lines = tasks.filter_map(|task| {
        let fields = planned.differences.get(&task.id).map(|difference| &difference.fields);
        let is_same = planned.actions[&task.id] == Action::Unchanged && fields.is_some_and(Vec::is_empty);
        (!is_same).then(|| format!("{}: {:?} {fields:?}", task.id.key, planned.actions[&task.id]))
    });
    lines.collect()
}

const APP: &str = "
apiVersion: v1
kind: Secret
metadata: {name: s}
stringData: {password: hunter2}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, creationTimestamp: null}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}, creationTimestamp: null}
    spec:
      containers:
        - name: main
          image: x
          resources: {limits: {cpu: 1000m, memory: 1024Mi}, requests: null}
          ports: [{containerPort: 80}]
status: {}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec: {schedule: '0 0 * * *', jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: x}]}}}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c, image: x}]}}
  volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1024Mi}}}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: r}
rules: [{apiGroups: [''], resources: [pods], verbs: [get]}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec: {rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}
---
";

#[tokio::test(start_paused = true)]
async fn a_diff_right_after_a_sync_is_empty_and_writes_nothing() {
    let mut stage = Stage::new(PODS, &format!("{APP}{}{}", config("a", "{k: v, legacy: null}"), job("load", "", "x")));
    stage.sync(Request::default()).await;
    let before = stage.versions();
    assert_eq!(differences(&stage.diff().await), [""; 0]);
    stage.write(&format!("{APP}{}{}", config("a", "{k: changed}"), config("new", "{k: v}")).replace("image: x\n", "image: y\n"));
    let planned = stage.diff().await;
    assert_eq!(said(&planned, "a"), (Action::Configure, vec!["data.k: \"v\" -> \"changed\"".into()], None));
    assert_eq!(said(&planned, "new").0, Action::Create);
    assert_eq!(said(&planned, "load").0, Action::Prune);
    assert_eq!(stage.versions(), before, "a look writes nothing");
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_plan_compares_only_what_changes_and_a_diff_everything_that_is_there() {
    let hook = job("migrate", "argocd.argoproj.io/hook: PreSync", "x:1");
    let mut stage = Stage::new(PODS, &format!("{hook}{}{}", config("a", "{k: v}"), config("b", "{k: v}")));
    stage.sync(Request::default()).await;
    stage.write(&format!("{}{}{}", hook.replace("x:1", "x:2"), config("a", "{k: changed}"), config("b", "{k: v}")));
    stage.ask(Ask::Plan { request: Request::default() }).await;
    let Answer::Planned(plan) = stage.answer().await else { panic!("no plan") };
    let compared: Vec<String> = plan.differences.keys().map(|id| id.key.short()).collect();
    assert_eq!(compared, ["ConfigMap/a"]);
    let planned = stage.diff().await;
    assert_eq!(said(&planned, "b"), (Action::Unchanged, vec![], None));
    let image = "spec.template.spec.containers[name=main].image: \"x:1\" -> \"x:2\"";
    assert_eq!(said(&planned, "migrate"), (Action::Run, vec![image.into()], None), "compared with a new object beside the old one");
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_secret_is_masked_and_equal_values_are_seen_to_be_equal() {
    let secret = |password: &str, user: &str| {
        format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData: {{password: {password}, user: {user}}}\n")
    };
    let mut stage = Stage::new("", &secret("hunter2", "ann"));
    stage.sync(Request::default()).await;
    stage.write(&secret("hunter3", "ann"));
    let planned = stage.diff().await;
    let (action, fields, _) = said(&planned, "s");
    assert_eq!((action, fields.len()), (Action::Configure, 1), "{fields:?}");
    assert!(fields[0].starts_with("data.password: "), "{fields:?}");
    let all = format!("{:?}", planned.differences);
    for value in ["hunter", "aHVudGVy", "ann\"", "YW5u"] {
        assert!(!all.contains(value), "{all}");
    }
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn what_others_hold_is_named_as_taken_and_what_they_added_stays() {
    let mut stage = Stage::new("", &config("a", "{k: v}"));
    stage.sync(Request::default()).await;
    stage
        .sim
        .store()
        .update("kubectl-edit", "", "configmaps", "shop", "a", |object| object["data"] = json!({"k": "edited", "extra": "x"}))
        .unwrap();
    let planned = stage.diff().await;
    assert_eq!(said(&planned, "a").1, ["data.k: \"edited\" -> \"v\""]);
    let difference = planned.differences.values().next().unwrap();
    assert!(matches!(&difference.fields[0].cause, Cause::Taken { manager, .. } if manager == "kubectl-edit"), "{difference:?}");
    assert_eq!((difference.taken.len(), difference.left_behind.len()), (1, 1), "{difference:?}");
    assert_eq!(difference.left_behind[0].fields[0].to_string(), "data.extra");
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn r715_fields_of_a_client_side_apply_that_the_target_lacks_are_said_to_go() {
    let mut stage = Stage::new("", &config("a", "{k: v}"));
    let theirs =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "shop"}, "data": {"k": "v", "legacy": "x"}});
    stage.sim.store().create("kubectl-client-side-apply", theirs).unwrap();
    let (action, fields, approximate) = said(&stage.diff().await, "a");
    assert_eq!((action, approximate), (Action::Configure, None));
    assert!(fields.contains(&"data.legacy: \"x\" -> nothing".to_owned()), "{fields:?}");
    stage.sync(Request::default()).await;
    assert_eq!(stage.sim.store().get("", "configmaps", "shop", "a").unwrap()["data"], json!({"k": "v"}), "as foreseen");
    assert_eq!(differences(&stage.diff().await), [""; 0]);
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn without_permission_to_try_it_is_compared_here_and_said() {
    let mut stage = Stage::new("", &format!("{}{}", config("a", "{k: v}"), config("b", "{k: v}")));
    stage.sync(Request::default()).await;
    stage.write(&format!("{}{}{}", config("a", "{k: changed}"), config("b", "{k: v}"), config("c", "{k: v}")));
    stage.fault("patch", "configmaps", Outcome::Forbidden);
    let planned = stage.diff().await;
    let (action, fields, approximate) = said(&planned, "a");
    assert!(matches!(&action, Action::Refused(why) if why.contains("is forbidden")), "{action:?}");
    assert_eq!(fields, ["data.k: \"v\" -> \"changed\""]);
    assert!(approximate.is_some_and(|why| why.contains("is forbidden")));
    assert_eq!(said(&planned, "b").1, [""; 0], "the same, as far as one can see");
    assert!(said(&planned, "c").2.is_some());
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_webhook_that_does_not_want_to_be_tried_is_no_refusal() {
    let mut stage = Stage::new("", &format!("{}{}", config("a", "{k: v}"), config("b", "{k: v}")));
    stage.sync(Request::default()).await;
    stage.write(&format!("{}{}{}", config("a", "{k: changed}"), config("b", "{k: v}"), config("c", "{k: v}")));
    let message = "admission webhook \"w\" does not support dry run";
    stage.fault("patch", "configmaps", Outcome::Status { code: 400, reason: "BadRequest", message: message.into() });
    let planned = stage.diff().await;
    for (name, action) in [("a", Action::Configure), ("c", Action::Create)] {
        let (said, _, approximate) = said(&planned, name);
        assert_eq!((said, approximate.as_deref()), (action, Some(message)), "{name}");
    }
    assert_eq!(said(&planned, "b"), (Action::Unchanged, vec![], None), "the sync does not send it, so nothing about it is a guess");
    stage.close().await;
}

/// performance.md 2.5, point 8: what the last sync made is not sent, whatever the server would say of it now; a look says that of both.
#[tokio::test(start_paused = true)]
async fn what_a_sync_does_not_send_is_no_difference_and_what_the_server_would_say_is_a_note() {
    for (code, reason, message, expected) in [
        (400, "BadRequest", "admission webhook \"w\" denied the request: no", "would now refuse what it has taken: admission webhook"),
        (500, "InternalError", "failed calling webhook \"w\": no answer", "is not known: "),
    ] {
        let mut stage = Stage::new("", &config("a", "{k: v}"));
        stage.sync(Request::default()).await;
        stage.fault("patch", "configmaps", Outcome::Status { code, reason, message: message.into() });
        let planned = stage.diff().await;
        assert_eq!(said(&planned, "a"), (Action::Unchanged, vec![], None), "{message}");
        let told = |note: &String| note.starts_with("ConfigMap shop/a: ") && note.contains(expected) && note.contains("skip_unchanged");
        assert!(planned.notes.iter().any(told), "{:?}", planned.notes);
        stage.sync(Request::default()).await;
        assert_eq!(stage.results()[0].3, "configmap/a unchanged");
        stage.close().await;
    }
    let mut stage = Stage::with("", &config("a", "{k: v}"), |opening| opening.skip_unchanged = false);
    stage.sync(Request::default()).await;
    stage.fault(
        "patch",
        "configmaps",
        Outcome::Status { code: 400, reason: "BadRequest", message: "admission webhook \"w\" denied the request: no".into() },
    );
    assert!(matches!(said(&stage.diff().await, "a").0, Action::Refused(_)), "it is sent");
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_changed_is_refused_with_its_fields_or_recreated() {
    let mut stage = Stage::new(PODS, &job("load", "", "x:1"));
    stage.sync(Request::default()).await;
    stage.write(&job("load", "", "x:2"));
    let image = "spec.template.spec.containers[name=main].image: \"x:1\" -> \"x:2\"";
    let (action, fields, approximate) = said(&stage.diff().await, "load");
    assert!(matches!(&action, Action::Refused(why) if why.contains("field is immutable")), "{action:?}");
    assert_eq!((fields, approximate.is_some()), (vec![image.to_owned()], true));
    let (action, fields, approximate) = said(&stage.diff_for(Request { force: true, ..Request::default() }).await, "load");
    assert!(matches!(&action, Action::Recreate(why) if why.contains("field is immutable")), "{action:?}");
    assert_eq!((fields, approximate), (vec![image.to_owned()], None), "beside the old one, under its name and with its uid");
    assert_eq!(causes(&stage.diff_for(Request { force: true, ..Request::default() }).await), [Cause::Ours]);
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn r711_a_replaced_object_loses_what_others_added() {
    let mut stage = Stage::new("", &config("a", "{k: v}"));
    stage.sync(Request::default()).await;
    stage.sim.store().update("somebody", "", "configmaps", "shop", "a", |object| object["data"]["extra"] = "x".into()).unwrap();
    let options = crate::model::Options::new(["Replace=true".to_owned()]);
    let (action, fields, _) = said(&stage.diff_for(Request { options, ..Request::default() }).await, "a");
    assert_eq!((action, fields), (Action::Replace, vec!["data.extra: \"x\" -> nothing".to_owned()]));
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn what_comes_with_its_namespace_or_definition_is_new_and_cannot_be_tried() {
    let elsewhere = "apiVersion: v1\nkind: Namespace\nmetadata: {name: other}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: far, namespace: other}\n---\n";
    let definition = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: widgets.example.com}\nspec:\n  group: example.com\n  \
        scope: Namespaced\n  names: {plural: widgets, singular: widget, kind: Widget}\n  versions: [{name: v1, served: true, storage: true, schema: \
        {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]\n---\napiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\nspec: {size: 1}\n";
    let mut stage = Stage::new("", &format!("{elsewhere}{definition}"));
    let planned = stage.diff().await;
    for (name, words) in [("far", "before Namespace other is there"), ("w", "before Widget is served")] {
        let (action, fields, approximate) = said(&planned, name);
        assert_eq!((action, fields.len()), (Action::Create, 1), "{name}");
        assert!(approximate.as_ref().is_some_and(|why| why.contains(words)), "{approximate:?}");
    }
    stage.sync(Request::default()).await;
    assert_eq!(differences(&stage.diff().await), [""; 0], "a custom resource without a schema, too");
    stage.close().await;
}

/// A definition of Widgets with these fields in their spec, and a Widget.
fn widgets(fields: &str, spec: &str) -> String {
    format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: widgets.example.com}}\nspec:\n  group: example.com\n  scope: Namespaced\n  \
         names: {{plural: widgets, singular: widget, kind: Widget}}\n  versions: [{{name: v1, served: true, storage: true, schema: {{openAPIV3Schema: {{type: object, \
         properties: {{spec: {{type: object, properties: {fields}}}}}}}}}}}]\n---\napiVersion: example.com/v1\nkind: Widget\nmetadata: {{name: w}}\nspec: {spec}\n"
    )
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_tried_yet_is_held_against_the_definition_that_comes_along() {
    let size = "{size: {type: integer}}";
    for (spec, note) in [
        ("{size: 1}", None),
        ("{size: big, colour: red}", Some("spec.colour does not exist, spec.size is a string and has to be an integer")),
    ] {
        let mut stage = Stage::new("", &widgets(size, spec));
        let planned = stage.diff().await;
        let told: Vec<&str> = planned
            .notes
            .iter()
            .filter_map(|note| note.strip_prefix("Widget shop/w does not fit the definition that comes with this sync: "))
            .collect();
        assert_eq!(told, note.map(|note| format!("{note}; the API server will refuse it")).into_iter().collect::<Vec<_>>());
        assert!(said(&planned, "w").2.is_some_and(|why| why.contains("before Widget is served")));
        stage.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_by_the_definition_that_this_sync_changes_is_no_refusal() {
    let mut stage = Stage::new("", &widgets("{size: {type: integer}}", "{size: 1}"));
    stage.sync(Request::default()).await;
    let both = "{size: {type: integer}, colour: {type: string}}";
    stage.write(&widgets(both, "{size: 1, colour: red}"));
    let (action, fields, approximate) = said(&stage.diff().await, "w");
    assert_eq!((action, &fields[..]), (Action::Configure, &["spec.colour: nothing -> \"red\"".to_owned()][..]));
    assert!(approximate.is_some_and(|why| why.contains("by the one that comes with this sync it fits")));
    stage.write(&widgets(both, "{size: 1, color: red}"));
    assert!(matches!(said(&stage.diff().await, "w").0, Action::Refused(why) if why.contains("not declared")), "it fits neither");
    stage.write(&widgets(both, "{size: 1, colour: red}"));
    stage.sync(Request::default()).await;
    assert_eq!(differences(&stage.diff().await), [""; 0]);
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn r707_what_is_left_out_without_validation_is_named() {
    let map = |options: &str| {
        let options = format!("{{argocd.argoproj.io/sync-options: '{options}'}}");
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a, annotations: {options}}}\ndata: {{k: v}}\ndataz: {{k: v}}\n")
    };
    for options in ["Validate=false", "Validate=false,Replace=true"] {
        let mut stage = Stage::new("", &map(options));
        let expected = "ConfigMap shop/a: the API server does not know dataz, so the sync leaves that out";
        for _ in 0..2 {
            let planned = stage.diff().await;
            assert!(planned.notes.iter().any(|note| note == expected), "{options}: {:?}", planned.notes);
            stage.sync(Request::default()).await;
        }
        stage.close().await;
    }
    let mut stage = Stage::new("", &map(""));
    assert!(matches!(said(&stage.diff().await, "a").0, Action::Refused(_)));
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn r713_an_object_is_not_replaced_by_force_with_what_the_server_refuses() {
    let mut stage = Stage::new("", &config("a", "{k: v}"));
    stage.sync(Request::default()).await;
    let before = stage.versions();
    stage.write(&format!("{}dataz: {{x: z}}\n", config("a", "{k: new}").replace("---\n", "")));
    let forced = || Request { options: crate::model::Options::new(["Replace=true".to_owned()]), force: true, ..Request::default() };
    let (action, _, _) = said(&stage.diff_for(forced()).await, "a");
    assert!(matches!(&action, Action::Refused(why) if why.contains("dataz") && !why.contains("-again")), "{action:?}");
    stage.sync(forced()).await;
    let message = &stage.results()[0].3;
    assert!(message.contains("dataz") && !message.contains("has been deleted"), "{message}");
    assert_eq!(stage.versions(), before, "it is still there");
    let lenient = Request { options: crate::model::Options::new(["Replace=true".to_owned(), "Validate=false".to_owned()]), ..forced() };
    let planned = stage.diff_for(lenient).await;
    let expected = "ConfigMap shop/a: the API server does not know dataz, so the sync leaves that out";
    assert!(planned.notes.iter().any(|note| note == expected), "{:?}", planned.notes);
    assert!(matches!(said(&planned, "a").0, Action::Recreate(_)));
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_is_made_anew_is_refused_like_the_apply_of_the_sync() {
    let hook = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: h, annotations: {argocd.argoproj.io/hook: PreSync}}\ndata: {k: v}\n";
    let mut stage = Stage::new("", &format!("{hook}---\n{}", config("a", "{k: v}")));
    stage.sync(Request::default()).await;
    stage.write(&format!("{hook}dataz: {{x: z}}\n---\n{}", config("a", "{k: v}")));
    let (action, _, _) = said(&stage.diff().await, "h");
    assert!(matches!(&action, Action::Refused(why) if why.contains(".dataz: field not declared in schema")), "{action:?}");
    assert_eq!(said(&stage.plan().await, "h").0, action);
    stage.sync(Request::default()).await;
    let Action::Refused(why) = action else { panic!("refused") };
    assert_eq!(stage.results()[0].3, why, "in the same words");
    stage.close().await;
}

/// What comes before it in the sync may give the right, so the plan does not call it refused.
#[tokio::test(start_paused = true)]
async fn a_hook_that_the_account_may_not_create_is_told_by_the_plan() {
    let hook = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: h, annotations: {argocd.argoproj.io/hook: PreSync}}\n";
    let mut stage = Stage::new("", hook);
    let planned = stage.plan().await;
    assert_eq!((said(&planned, "h").0, planned.notes.len()), (Action::Run, 0), "{:?}", planned.notes);
    stage.fault("patch", "configmaps", Outcome::Forbidden);
    let planned = stage.plan().await;
    assert_eq!(said(&planned, "h").0, Action::Run);
    let begin = "ConfigMap shop/h: as things stand the API server refuses this hook: configmaps \"h\" is forbidden";
    assert!(planned.notes.iter().any(|note| note.starts_with(begin)), "{:?}", planned.notes);
    stage.close().await;
}

/// Spec R308, R1507: without the policy BeforeHookCreation a hook is applied over its old object.
#[tokio::test(start_paused = true)]
async fn r308_a_hook_whose_old_object_cannot_be_changed_is_refused_by_the_plan_and_not_first_by_the_sync() {
    let hook = |image: &str, policy: &str| {
        job("migrate", &format!("argocd.argoproj.io/hook: PreSync, argocd.argoproj.io/hook-delete-policy: {policy}"), image)
    };
    let mut stage = Stage::new(PODS, &hook("x:1", "HookFailed"));
    stage.sync(Request::default()).await;
    assert_eq!(said(&stage.plan().await, "migrate"), (Action::Run, vec![], None), "nothing to change");
    stage.write(&hook("x:2", "HookFailed"));
    let planned = stage.plan().await;
    let (action, _, _) = said(&planned, "migrate");
    let Action::Refused(why) = &action else { panic!("{action:?}") };
    assert!(why.contains("field is immutable"), "{why}");
    assert_eq!(said(&stage.diff().await, "migrate").0, action);
    let operation = stage.sync(Request::default()).await;
    assert_eq!((operation.phase(), &stage.results().last().unwrap().3), (OperationPhase::Failed, why), "in the same words");
    stage.write(&hook("x:2", "BeforeHookCreation"));
    assert_eq!(said(&stage.plan().await, "migrate"), (Action::Run, vec![], None));
    assert_eq!(stage.sync(Request::default()).await.phase(), OperationPhase::Succeeded);
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn an_object_in_deletion_is_told() {
    let mut stage = Stage::new("", &config("a", "{k: v}"));
    stage.sync(Request::default()).await;
    stage
        .sim
        .store()
        .update("somebody", "", "configmaps", "shop", "a", |object| object["metadata"]["finalizers"] = json!(["x.dev/wait"]))
        .unwrap();
    stage.sim.store().delete("", "configmaps", "shop", "a", &crate::sim::DeleteOptions::default()).unwrap();
    let planned = stage.diff().await;
    assert!(planned.notes.iter().any(|note| note.starts_with("ConfigMap shop/a is being deleted since ")), "{:?}", planned.notes);
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn r1503_a_hook_in_deletion_is_told_and_the_servers_words_for_it_are_no_difference() {
    let mut stage = Stage::new(PODS, &job("migrate", "argocd.argoproj.io/hook: PreSync", "x:1"));
    stage.sync(Request::default()).await;
    stage.change_job("migrate", |job| job["metadata"]["finalizers"] = json!(["x.dev/wait", "foregroundDeletion"]));
    stage.sim.store().delete("batch", "jobs", "shop", "migrate", &crate::sim::DeleteOptions::default()).unwrap();
    let planned = stage.diff().await;
    let (action, fields, _) = said(&planned, "migrate");
    assert_eq!((action, &fields[..]), (Action::Run, &["metadata.finalizers: [\"x.dev/wait\"] -> nothing".to_owned()][..]));
    let is_told = |note: &String| note.starts_with("Job shop/migrate is being deleted since ") && note.ends_with("when it is gone");
    assert!(planned.notes.iter().any(is_told), "{:?}", planned.notes);
    stage.close().await;
}

/// A shipped story on a cluster of its own.
struct Play {
    story: Story,
    clock: Clock,
    session: SessionHandle,
    _sim: SimCluster,
    _state: tempfile::TempDir,
    _tasks: tokio::task::JoinSet<()>,
}

impl Play {
    fn new(shipped: &'static Shipped) -> Self {
        let story = Story::parse(shipped.script.1, shipped.script.0).unwrap();
        let clock = Clock::starting_at(story.clock.start, 1.0);
        let sim = SimCluster::start(&story, clock, story.seed);
        let state = tempfile::tempdir().unwrap();
        let app = story.sync.app.clone().unwrap_or_else(|| shipped.name.to_owned());
        let connector = Connector::Client {
            client: sim.client(),
            context: "embedded".into(),
            cluster: "in process".into(),
            namespace: story.sync.namespace.clone().unwrap_or_else(|| "default".to_owned()),
        };
        let opening = Opening {
            load: LoadOptions { app: app.clone(), namespace: story.sync.namespace.clone(), ..LoadOptions::default() },
            app,
            namespace: story.sync.namespace.clone(),
            source: shipped.source(),
            revision: story.sync.revision.clone(),
            state_dir: state.path().to_owned(),
            read_only: None,
            protected: Vec::new(),
            unattended: false,
            clock,
            connector,
            skip_unchanged: true,
            rules: RuleSources::default(),
            operation_ids: OperationIds::Fixed("story".into()),
        };
        let mut tasks = tokio::task::JoinSet::new();
        let session = open(opening, &mut tasks);
        Self { story, clock, session, _sim: sim, _state: state, _tasks: tasks }
    }

    fn request(&self) -> Request {
        let selection: Vec<Selector> = self.story.sync.resources.iter().map(|text| Selector::parse(text).unwrap()).collect();
        Request { prune: self.story.sync.prune, selection: (!selection.is_empty()).then_some(selection), ..Request::default() }
    }

    /// Syncs, and terminates the operation when the story does.
    async fn sync(&mut self, request: Request) {
        self.session.asks.send(Ask::Sync { request }).await.unwrap();
        let (clock, began) = (self.clock, self.clock.now());
        let ends = self.story.input.iter().find(|input| input.action == "terminate").map(|input| input.at);
        let at = began + jiff::SignedDuration::try_from(ends.unwrap_or(LONG)).unwrap();
        let asks = self.session.asks.clone();
        let terminate = async {
            clock.sleep_until(at).await;
            asks.send(Ask::Terminate { by: "the story".into() }).await.unwrap();
            std::future::pending::<()>().await;
        };
        let facts = &mut self.session.subscription;
        let finished = async {
            loop {
                tokio::select! {
                    biased;
                    Some(_) = facts.logs.recv() => {}
                    record = facts.facts.recv() => {
                        if matches!(record.unwrap().event, Event::OperationFinished { .. }) {
                            return;
                        }
                    }
                }
            }
        };
        tokio::select! {
            () = finished => {}
            () = terminate => {}
        }
    }

    async fn diff(&mut self, request: Request) -> Planned {
        self.session.asks.send(Ask::Diff { request }).await.unwrap();
        loop {
            let lanes = &mut self.session.subscription;
            tokio::select! {
                biased;
                answer = self.session.answers.recv() => match answer.unwrap() {
                    Answer::Compared(Ok(planned)) => return Planned::clone(&planned),
                    Answer::Started { .. } | Answer::Refused { .. } => {}
                    other => panic!("{other:?}"),
                },
                Some(_) = lanes.facts.recv() => {}
                Some(_) = lanes.logs.recv() => {}
            }
        }
    }
}

/// A story whose sync fails leaves things undone; then everything but its hooks is synced, which has to be enough.
#[tokio::test(start_paused = true)]
async fn a_diff_after_the_sync_of_every_shipped_story_is_empty() {
    for shipped in &STORIES {
        let mut play = Play::new(shipped);
        let request = play.request();
        play.sync(request.clone()).await;
        let mut planned = play.diff(request.clone()).await;
        if !differences(&planned).is_empty() {
            play.sync(Request { hooks: Hooks::Never, ..request.clone() }).await;
            planned = play.diff(request).await;
        }
        assert_eq!(differences(&planned), [""; 0], "{}", shipped.name);
    }
}

/// The state of an app is here what a comparison says of it.
#[tokio::test(start_paused = true)]
async fn t184_r1213_r1214_old_hooks_skipped_targets_and_extraneous_objects_leave_an_app_synced() {
    let annotated = |name: &str, annotation: &str| {
        config(name, "{k: v}").replace("metadata: {", &format!("metadata: {{annotations: {{{annotation}}}, "))
    };
    let skipped = annotated("skipped", "argocd.argoproj.io/hook: Skip");
    let extra = annotated("extra", "argocd.argoproj.io/compare-options: IgnoreExtraneous");
    let old = job("old", "argocd.argoproj.io/hook: PostSync", "x");
    let mut stage = Stage::new(PODS, &format!("{}{extra}{old}", config("a", "{k: v}")));
    stage.sync(Request::default()).await;
    stage.write(&format!("{}{skipped}", config("a", "{k: v}")));
    let planned = stage.diff().await;
    assert_eq!(said(&planned, "extra").0, Action::Prune, "it is out of sync itself");
    assert!(!crate::report::diff::has_differences(&planned));
    assert_eq!(planned.plan.tasks.len(), 2, "neither the old hook nor the skipped target has a task");
    stage.write(&skipped);
    assert!(crate::report::diff::has_differences(&stage.diff().await), "any other object that is too much counts");
    stage.close().await;
}
