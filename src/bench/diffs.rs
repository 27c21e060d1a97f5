//! What the differences cost: large objects on both sides, compared, and the diff screen of a large app. Makes up its inputs; knows no
//! cluster.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Manifests;
use crate::engine::session::{Action, Answer, Place, Planned};
use crate::plan::diff::{self, NoRules, Sides};
use crate::tui::rehearsal::Rehearsal;

/// The diff screen of a large app.
pub struct Diffs(Rehearsal);

impl Diffs {
    /// Opens the screen on `resources` objects that all change, the first of them one of about `lines` lines of YAML.
    pub fn of(resources: usize, lines: usize, size: (u16, u16)) -> Self {
        Self::open(changes(resources, Comparison::of(lines).difference()), size)
    }

    /// Opens the screen on ten objects that change, the first of them one with so many bytes of wide letters in one line.
    pub fn wide(bytes: usize, size: (u16, u16)) -> Self {
        let map = |end: &str| {
            let line = format!("{}{end}", "世界".repeat(bytes / 6));
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "wide"}, "data": {"line": line}})
        };
        let (live, after) = (map("before"), map("after"));
        Self::open(changes(10, diff::compare(&Sides { live: Some(&live), after: Some(&after) }, &NoRules)), size)
    }

    fn open(planned: Planned, (columns, rows): (u16, u16)) -> Self {
        let planned = Arc::new(planned);
        let mut rehearsal = Rehearsal::new(columns, rows);
        rehearsal.answer(Answer::Planned(planned.clone()));
        rehearsal.press('D');
        rehearsal.answer(Answer::Compared(Ok(planned)));
        let mut diffs = Self(rehearsal);
        diffs.settle();
        diffs
    }

    /// Draws a frame in which nothing has changed, and returns how many cells are not empty.
    pub fn draw(&mut self) -> usize {
        self.0.frame()
    }

    /// Does what the program does beside its frames, and draws what comes of it, until there is nothing left to do.
    pub fn settle(&mut self) {
        self.0.frame();
        while self.0.work() {
            self.arrive();
        }
    }

    /// Does what the program does beside its frames. What comes of it arrives with [`Diffs::arrive`].
    pub fn work(&mut self) -> bool {
        self.0.work()
    }

    /// Draws the frame in which lines arrive that were written beside the frames.
    pub fn arrive(&mut self) -> usize {
        self.0.deliver();
        self.0.frame()
    }

    /// Wraps lines, or cuts them again.
    pub fn wrap(&mut self) {
        self.0.press('w');
    }

    /// Unfolds everything, or folds it again.
    pub fn unfold(&mut self) {
        self.0.press('Z');
    }

    /// Goes to the second resource, which is small, and draws it.
    pub fn leave(&mut self) -> usize {
        self.0.press('>');
        self.0.frame()
    }

    /// Goes back to the first one, and draws the first frame of it.
    pub fn open_again(&mut self) -> usize {
        self.0.press('<');
        self.0.frame()
    }
}

/// All objects change; the first of them as said, the others by a few lines.
fn changes(resources: usize, large: diff::Difference) -> Planned {
    let text = |text: &str| -> Arc<str> { text.into() };
    let place = Place {
        app: text("large"),
        context: text("bench"),
        cluster: text("in process"),
        namespace: text("large"),
        source: text("large/"),
        revision: text("4c1d0aa97f3e52b1"),
        read_only: None,
        protected: false,
    };
    let mut planned = Planned::new(place, Arc::new(Manifests::of(resources).build()), Vec::new());
    let (small, large) = (Arc::new(Comparison::of(94).difference()), Arc::new(large));
    for task in &planned.plan.clone().tasks {
        if task.is_hook() {
            planned.actions.insert(task.id.clone(), Action::Run);
            continue;
        }
        let difference = if planned.differences.is_empty() { &large } else { &small };
        planned.differences.insert(task.id.clone(), difference.clone());
        planned.actions.insert(task.id.clone(), Action::Configure);
    }
    planned
}

/// A large object on both sides, with one image, one variable and one label changed, and with the owners of its fields.
#[derive(Debug)]
pub struct Comparison {
    live: Value,
    after: Value,
}

impl Comparison {
    /// Makes up a Deployment of about so many lines of YAML.
    pub fn of(lines: usize) -> Self {
        let (live, mut after) = (many_containers(lines, "v1"), many_containers(lines, "v2"));
        after["metadata"]["labels"]["tier"] = json!("web");
        Self { live, after }
    }

    /// Compares both sides, and returns how many lines show what changes, with three unchanged ones around each.
    pub fn lines(&self) -> usize {
        diff::lines(&self.difference(), 3).len()
    }

    fn difference(&self) -> diff::Difference {
        diff::compare(&Sides { live: Some(&self.live), after: Some(&self.after) }, &NoRules)
    }

    /// Returns how many lines both sides have together.
    pub fn size(&self) -> usize {
        diff::lines(&self.difference(), usize::MAX).len()
    }
}

/// 16 variables of two lines make a container of 47 lines; the one in the middle has another image.
fn many_containers(lines: usize, image: &str) -> Value {
    let count = lines / 47;
    let container = |at: usize| {
        let env: Vec<Value> = (0..16).map(|at| json!({"name": format!("SETTING_{at}"), "value": format!("value {at}")})).collect();
        let image = if at == count / 2 { image } else { "v1" };
        json!({
            "name": format!("container-{at}"), "image": format!("registry.example.com/shop:{image}"), "env": env, "args": ["--verbose", image],
            "ports": [{"containerPort": 8_000 + at, "protocol": "TCP"}], "resources": {"limits": {"cpu": "1", "memory": "512Mi"}},
            "terminationMessagePath": "/dev/termination-log", "imagePullPolicy": "IfNotPresent",
        })
    };
    let containers: Vec<Value> = (0..count).map(container).collect();
    let labels = json!({"app.kubernetes.io/name": "shop"});
    let mut object = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "large", "namespace": "shop", "uid": "5f0c1d0a", "labels": labels},
        "spec": {"replicas": 3, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}}},
    });
    let owner = |manager: &str, operation: &str| json!({"manager": manager, "operation": operation, "time": "2026-03-01T09:00:00Z", "fieldsV1": owned(&object)});
    object["metadata"]["managedFields"] = json!([owner("syncwave", "Apply"), owner("kubectl-edit", "Update")]);
    object
}

/// Returns the fields of an object as an owner of all of them has them.
fn owned(value: &Value) -> Value {
    let key = |item: &Value| match (item.get("name"), item.get("containerPort")) {
        (Some(name), _) => json!({"name": name}),
        (None, Some(port)) => json!({"containerPort": port, "protocol": "TCP"}),
        (None, None) => json!(null),
    };
    match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (format!("f:{name}"), owned(value))).collect(),
        Value::Array(items) if items.iter().all(Value::is_object) => {
            items.iter().map(|item| (format!("k:{}", key(item)), owned(item))).collect()
        }
        _ => json!({}),
    }
}
