//! Every story of `assets/demo` against its reviewed events: `expect.jsonl` beside it. After a change that is meant,
//! `SYNCWAVE_ACCEPT=1 cargo test --test it demo` writes the files anew; their difference is then reviewed like code.

use crate::support::{App, names, root};

fn difference(name: &str, expected: &str, printed: &str) -> Option<String> {
    let (mut before, mut now) = (expected.lines(), printed.lines());
    for number in 1.. {
        match (before.next(), now.next()) {
            (None, None) => return None,
            (one, other) if one == other => {}
            (one, other) => {
                let (one, other) = (one.unwrap_or("(the end)"), other.unwrap_or("(the end)"));
                return Some(format!("assets/demo/{name}/expect.jsonl:{number}\n  expected: {one}\n  printed:  {other}"));
            }
        }
    }
    None
}

#[test]
fn every_story_prints_its_reviewed_events() {
    let stories = names(&root().join("assets/demo"));
    assert!(stories.len() >= 6, "{stories:?}");
    let mut differences = Vec::new();
    for name in stories {
        let done = App::new(&format!("demo {name} -o json --speed max")).run();
        assert_eq!(done.err, "", "{name}");
        let file = root().join("assets/demo").join(&name).join("expect.jsonl");
        if std::env::var_os("SYNCWAVE_ACCEPT").is_some() {
            std::fs::write(&file, &done.out).unwrap();
            continue;
        }
        let expected = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        differences.extend(difference(&name, &expected, &done.out));
    }
    assert!(differences.is_empty(), "{}\nif this is meant: SYNCWAVE_ACCEPT=1 cargo test --test it demo", differences.join("\n"));
}
