//! Whatever is written: the watch from any revision, played over the list at that revision, gives the final list.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Create(u8, u8),
    Label(u8, u8),
    Finalizer(u8, bool),
    Delete(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let name = 0..4_u8;
    prop_oneof![
        (name.clone(), 0..3_u8).prop_map(|(name, label)| Step::Create(name, label)),
        (name.clone(), 0..3_u8).prop_map(|(name, label)| Step::Label(name, label)),
        (name.clone(), any::<bool>()).prop_map(|(name, on)| Step::Finalizer(name, on)),
        name.prop_map(Step::Delete),
    ]
}

async fn play(rig: &Rig, step: &Step) {
    let path = |name: &u8| format!("{CM}/n{name}");
    match step {
        Step::Create(name, label) => drop(rig.post(CM, cm_with(&format!("n{name}"), json!({"labels": {"l": label.to_string()}}))).await),
        Step::Label(name, label) => drop(rig.patch(&path(name), MERGE, json!({"metadata": {"labels": {"l": label.to_string()}}})).await),
        Step::Finalizer(name, on) => {
            let list = if *on { json!(["ex.com/f"]) } else { Value::Null };
            drop(rig.patch(&path(name), MERGE, json!({"metadata": {"finalizers": list}})).await);
        }
        Step::Delete(name) => drop(rig.delete(&path(name)).await),
    }
}

type View = BTreeMap<String, Value>;

fn name_of(object: &Value) -> String {
    object["metadata"]["name"].as_str().unwrap().to_owned()
}

async fn view(rig: &Rig, query: &str) -> View {
    let list = rig.get(&format!("{CM}?{query}")).await.ok(200);
    list.json["items"].as_array().unwrap().iter().map(|item| (name_of(item), item.clone())).collect()
}

async fn replay(rig: &Rig, mut view: View, selector: &str, revision: u64) -> View {
    let mut watch = rig.open(&format!("{CM}?watch=1&{selector}&resourceVersion={revision}")).await;
    for event in watch.events().await {
        let mut object = event["object"].clone();
        object.as_object_mut().unwrap().retain(|key, _| key != "kind" && key != "apiVersion");
        let before = match event["type"].as_str().unwrap() {
            "ADDED" => view.insert(name_of(&object), object).is_none(),
            "MODIFIED" => view.insert(name_of(&object), object).is_some(),
            "DELETED" => view.remove(&name_of(&object)).is_some(),
            other => panic!("{other}"),
        };
        assert!(before, "an event that does not fit: {event}");
    }
    view
}

async fn check(steps: &[Step]) {
    let rig = Rig::new();
    let first: u64 = rig.revision().await.parse().unwrap();
    for step in steps {
        play(&rig, step).await;
    }
    let last: u64 = rig.revision().await.parse().unwrap();
    for selector in ["", "labelSelector=l%3D1"] {
        let end = view(&rig, selector).await;
        for revision in first..=last {
            let start = view(&rig, &format!("{selector}&resourceVersion={revision}&resourceVersionMatch=Exact")).await;
            assert_eq!(replay(&rig, start, selector, revision).await, end, "from {revision} of {first}..={last}");
        }
    }
}

/// What two managers apply by force, one after the other, over and over.
async fn apply_by_turns(turns: &[(bool, BTreeMap<String, String>)]) {
    let rig = Rig::new();
    let mut last: [BTreeMap<String, String>; 2] = Default::default();
    for (second, data) in turns {
        let manager = ["m1", "m2"][usize::from(*second)];
        let reply = rig.apply_with(CM, manager, "&force=true", cm("s", json!(data))).await;
        // Taking a field with another value takes it from the other manager.
        last[usize::from(!*second)].retain(|key, value| data.get(key).is_none_or(|new| new == value));
        last[usize::from(*second)].clone_from(data);
        let mut all = last[0].clone();
        all.extend(last[1].clone());
        let found = reply.at("/data");
        let found: BTreeMap<String, String> = serde_json::from_value(found).unwrap_or_default();
        assert_eq!(found, all, "after {manager} applied {data:?}");
        let again = rig.apply_with(CM, manager, "&force=true", cm("s", json!(data))).await;
        assert_eq!(again.at("/metadata"), reply.at("/metadata"));
    }
}

fn data() -> impl Strategy<Value = BTreeMap<String, String>> {
    prop::collection::btree_map(prop::sample::select(vec!["a", "b", "c"]).prop_map(str::to_owned), "[12]", 0..4)
}

fn block_on(work: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(work);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_watch_played_over_its_list_gives_the_final_list(steps in prop::collection::vec(step(), 1..25)) {
        block_on(check(&steps));
    }

    #[test]
    fn an_object_holds_what_its_managers_apply_and_nothing_else(turns in prop::collection::vec((any::<bool>(), data()), 1..12)) {
        block_on(apply_by_turns(&turns));
    }
}
