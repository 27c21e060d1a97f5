use super::*;
use crate::model::{Kinds, Object, Origin};
use crate::plan::{Manifest, PlanInput, Shape};

fn home(folder: &std::path::Path) -> Home {
    Home { state_dir: folder.to_owned(), context: "prod".into(), namespace: "shop".into(), app: "web".into() }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn plan() -> Plan {
    let hook = |name: &str, phases: &str| {
        let metadata = serde_json::json!({"generateName": name, "annotations": {"argocd.argoproj.io/hook": phases}});
        let object = Object::new(serde_json::json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata}));
        Manifest { object, origin: Origin { file: "app.yaml".into(), line: 1 } }
    };
    Plan::build(&PlanInput {
        app: "web",
        namespace: "shop",
        revision: "4c1d0aa97f3e52b1",
        operation: "op-1",
        started_at: at("2026-03-01T12:03:04Z"),
        manifests: &[hook("pre-", "PreSync"), hook("post-", "PostSync")],
        kinds: &Kinds::default(),
        candidates: &[],
        selection: None,
        shape: &Shape::default(),
    })
}

fn begin(home: &Home, operation: &str, is_dry: bool) -> Result<Unfinished, String> {
    let plan = plan();
    let mut notes = Vec::new();
    let begun = Unfinished::begin(home, Beginning { operation, at: at("2026-03-01T12:03:04Z"), plan: &plan, is_dry }, &mut notes);
    assert!(notes.is_empty(), "{notes:?}");
    begun
}

#[tokio::test]
async fn a_second_operation_of_an_app_is_refused_and_told_who_runs_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let home = home(folder.path());
    let first = begin(&home, "op-1", false).unwrap();
    let sentence = begin(&home, "op-2", false).unwrap_err();
    let who = format!("process {} (operation op-1, since 2026-03-01 12:03 UTC)", std::process::id());
    assert!(sentence.contains(&who) && sentence.ends_with("wait for its end, or end it there"), "{sentence}");
    assert!(begin(&Home { namespace: "other".into(), ..home.clone() }, "op-2", false).is_ok(), "another destination has another lock");
    assert!(begin(&home, "op-2", true).unwrap().dead().is_empty(), "a dry run writes nothing and may look on");
    drop(first);
    assert!(begin(&home, "op-3", false).is_ok(), "the lock of a dead process blocks nobody");
}

#[tokio::test]
async fn what_was_begun_and_not_ended_is_found_with_the_names_of_its_hooks() {
    let folder = tempfile::tempdir().unwrap();
    let home = home(folder.path());
    let first = begin(&home, "op-1", false).unwrap();
    assert!(first.dead().is_empty());
    first.write().await.unwrap();
    drop(first);
    let mut second = begin(&home, "op-2", false).unwrap();
    let [dead] = second.dead() else { panic!("{:?}", second.dead()) };
    let names: Vec<&str> = dead.hooks.iter().map(|hook| &*hook.key.name).collect();
    assert_eq!((dead.operation.as_str(), dead.ended), ("op-1", false));
    assert_eq!(names, ["pre-4c1d0aa-presync-1772366584", "post-4c1d0aa-postsync-1772366584"]);
    assert_eq!(dead.hooks[1].phase, Phase::PostSync);
    // A dry run looks and lets it be.
    second.write().await.unwrap();
    drop(second);
    assert_eq!(begin(&home, "op-3", true).unwrap().dead().len(), 2);
    second = begin(&home, "op-4", false).unwrap();
    second.swept(Vec::new()).await;
    drop(second);
    let [left] = begin(&home, "op-5", false).unwrap().dead().to_vec().try_into().unwrap();
    assert_eq!(
        Begun { hooks: Vec::new(), ..left },
        Begun { operation: "op-4".into(), started_at: at("2026-03-01T12:03:04Z"), ended: false, hooks: Vec::new() }
    );
}

#[tokio::test]
async fn a_list_that_cannot_be_read_is_a_sentence_and_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let home = home(folder.path());
    begin(&home, "op-1", false).unwrap().write().await.unwrap();
    for text in ["{", "{\"format\":9,\"operations\":[]}"] {
        std::fs::write(home.beside("~open.json"), text).unwrap();
        let (plan, mut notes) = (plan(), Vec::new());
        let beginning = Beginning { operation: "op-2", at: at("2026-03-01T12:03:04Z"), plan: &plan, is_dry: false };
        assert!(Unfinished::begin(&home, beginning, &mut notes).unwrap().dead().is_empty());
        assert!(matches!(&notes[..], [note] if note.contains("web~open.json cannot be used (")), "{notes:?}");
    }
}

/// Without a lock nobody knows whether an operation that has not ended is dead.
#[tokio::test]
async fn what_has_not_ended_is_not_swept_where_files_cannot_be_locked() {
    let folder = tempfile::tempdir().unwrap();
    let home = home(folder.path());
    let mut first = begin(&home, "op-1", false).unwrap();
    let mut ended = first.own.clone().unwrap();
    (ended.operation, ended.ended) = ("op-0".into(), true);
    first.swept(vec![ended]).await;
    drop(first);
    let lock = home.beside("~lock");
    std::fs::remove_file(&lock).unwrap();
    std::fs::create_dir(&lock).unwrap();
    let (plan, mut notes) = (plan(), Vec::new());
    let beginning = Beginning { operation: "op-2", at: at("2026-03-01T12:03:04Z"), plan: &plan, is_dry: false };
    let mut second = Unfinished::begin(&home, beginning, &mut notes).unwrap();
    let names = |begun: &[Begun]| begun.iter().map(|begun| begun.operation.clone()).collect::<Vec<_>>();
    assert_eq!(names(second.dead()), ["op-0"], "what has ended is run by nobody");
    let [unclear, kept] = &notes[..] else { panic!("{notes:?}") };
    assert!(unclear.contains("web~lock cannot be taken ("), "{unclear}");
    assert!(kept.starts_with("hooks that the operation op-1 may have left are not cleaned up"), "{kept}");
    assert!(kept.contains("--state-dir"), "{kept}");
    second.swept(Vec::new()).await;
    drop(second);
    std::fs::remove_dir(&lock).unwrap();
    assert_eq!(names(begin(&home, "op-3", false).unwrap().dead()), ["op-1", "op-2"], "nothing is forgotten");
}
