//! Which test proves which rule: reads the numbers that tests cite, and writes `tests/matrix/COVERAGE.md` with them.
//!
//! A test cites a number at the front of its name (`t79_r711_replace_…`), in the comment above it (`/// R401 R402: …`), or in a
//! comment inside it that begins with `spec` (`// spec T13: …`). A row of the table of whole operations is two tests, one over the core and
//! one on the embedded cluster. A recording cites those of its `steps.yaml` and of the table in
//! `tests/golden/README.md`.
//!
//! `SYNCWAVE_COVERAGE=write cargo test --test it coverage` writes the page anew; `SYNCWAVE_COVERAGE_STRICT=1` fails for open ones too.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use serde::Deserialize;

use crate::support::{names, root};

const PAGE: &str = "tests/matrix/COVERAGE.md";
const FACTS: &str = "tests/matrix/rules.toml";
/// The table of whole operations, and where each of its rows is played on the embedded cluster.
const TABLE: &str = "src/operation/tests/table/";
const TABLE_ON_CLUSTER: &str = "src/engine/tests/table";
const HOW: &str = "SYNCWAVE_COVERAGE=write cargo test --test it coverage";

/// `R` of a rule or `T` of the matrix, and its number; sorts by number.
type Number = (char, u32);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Facts {
    also_cited: Vec<String>,
    reasons: BTreeMap<String, String>,
    rules: BTreeMap<String, Rule>,
    matrix: BTreeMap<String, Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    is: String,
    why: Option<String>,
    #[serde(default)]
    open: bool,
    /// It is about a whole operation, so a test over the core and one on the embedded cluster have to cite it.
    #[serde(default)]
    whole: bool,
    /// Why only one of the two does.
    apart: Option<String>,
}

/// A test, or a recording that is played on a real cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Proof {
    /// `src/plan/tests`, `tests/golden`.
    place: String,
    name: String,
}

impl Proof {
    fn is_recording(&self) -> bool {
        self.place == "tests/golden"
    }

    /// Whether it runs on the core alone, or with everything around it on the embedded cluster.
    fn is_in(&self, folder: &str) -> bool {
        self.place.starts_with(folder)
    }
}

/// What cites each number.
type Citations = BTreeMap<Number, BTreeSet<Proof>>;

fn number(word: &str) -> Option<Number> {
    let letter = word.chars().next().filter(|letter| ['R', 'T'].contains(letter))?;
    let digits = &word[1..];
    let plain = !digits.starts_with('0') && digits.len() <= 4 && digits.chars().all(|digit| digit.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten().map(|number| (letter, number))
}

fn numbers(text: &str) -> impl Iterator<Item = Number> + '_ {
    text.split(|letter: char| !letter.is_ascii_alphanumeric()).filter_map(number)
}

/// Numbers at the front of a function's name.
fn numbers_of_name(name: &str) -> impl Iterator<Item = Number> + '_ {
    name.split('_').map_while(|part| number(&part.to_uppercase()))
}

fn function(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line = ["pub(super) ", "pub(crate) "].iter().find_map(|word| line.strip_prefix(word)).unwrap_or(line);
    let line = line.strip_prefix("async ").unwrap_or(line);
    line.strip_prefix("fn ").map(|rest| rest.split(['(', '<']).next().unwrap_or_default())
}

fn is_test_attribute(line: &str) -> bool {
    let name = line.trim().trim_start_matches("#[").split(['(', ']']).next().unwrap_or_default();
    line.trim().starts_with("#[") && (name == "test" || name.ends_with("::test"))
}

/// A function that makes a row of the table, or several of one kind.
fn is_row(line: &str) -> bool {
    line.starts_with("pub(crate) fn ") && ["-> Scenario {", "-> Vec<Scenario> {"].iter().any(|made| line.ends_with(made))
}

/// Returns the tests of a file with the numbers that they cite.
fn tests_of(text: &str) -> Vec<(String, BTreeSet<Number>)> {
    let mut found: Vec<(String, BTreeSet<Number>)> = Vec::new();
    let mut above = (false, BTreeSet::new());
    let mut inside: Option<usize> = None;
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        let comment = line.trim_start().strip_prefix("//").map(|rest| rest.trim_start_matches(['/', ' ']));
        if let Some(depth) = inside {
            if let (Some(spec), Some((_, cited))) = (comment.and_then(|text| text.strip_prefix("spec ")), found.last_mut()) {
                cited.extend(numbers(spec));
            }
            if indent == depth && line.trim() == "}" {
                inside = None;
            }
            continue;
        }
        if let Some(comment) = comment {
            above.1.extend(numbers(comment));
        } else if line.trim_start().starts_with("#[") {
            above.0 |= is_test_attribute(line);
        } else {
            let (is_test, mut cited) = std::mem::take(&mut above);
            if let Some(name) = function(line).filter(|_| is_test || is_row(line)) {
                cited.extend(numbers_of_name(name));
                found.push((name.to_owned(), cited));
                inside = (!line.trim_end().ends_with('}')).then_some(indent);
            }
        }
    }
    found
}

fn scan(folder: &Path, citations: &mut Citations, tests: &mut usize) {
    for name in names(folder) {
        let path = folder.join(&name);
        if path.is_dir() {
            scan(&path, citations, tests);
        } else if name.ends_with(".rs") {
            let place = path.strip_prefix(root()).unwrap().with_extension("").to_string_lossy().into_owned();
            for (name, cited) in tests_of(&std::fs::read_to_string(&path).unwrap()) {
                *tests += 1;
                let on_cluster = place.starts_with(TABLE).then_some(TABLE_ON_CLUSTER);
                for place in std::iter::once(place.as_str()).chain(on_cluster) {
                    for number in &cited {
                        citations.entry(*number).or_default().insert(Proof { place: place.to_owned(), name: name.clone() });
                    }
                }
            }
        }
    }
}

/// Recordings and the rules that they show: those of `steps.yaml`, and the rows of the table whose second column names them.
fn scan_recordings(citations: &mut Citations) {
    #[derive(Deserialize)]
    struct Steps {
        #[serde(default)]
        rules: Vec<String>,
    }
    let folder = root().join("tests/golden");
    let mut cite = |numbers: Vec<Number>, name: &str| {
        for number in numbers {
            citations.entry(number).or_default().insert(Proof { place: "tests/golden".to_owned(), name: name.to_owned() });
        }
    };
    let readme = std::fs::read_to_string(folder.join("README.md")).unwrap();
    for row in readme.lines().filter(|line| line.starts_with("| R")) {
        let columns: Vec<&str> = row.split('|').collect();
        for name in columns.get(2).unwrap_or(&"").split(',').filter_map(|part| part.split_whitespace().next()) {
            if folder.join(name.trim_end_matches(';')).join("steps.yaml").exists() {
                cite(numbers(columns[1]).collect(), name.trim_end_matches(';'));
            }
        }
    }
    for name in names(&folder) {
        if let Ok(text) = std::fs::read_to_string(folder.join(&name).join("steps.yaml")) {
            let steps: Steps = serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("tests/golden/{name}/steps.yaml: {error}"));
            cite(steps.rules.iter().flat_map(|rule| numbers(rule)).collect(), &name);
        }
    }
}

fn is_cited_elsewhere(facts: &Facts, (letter, at): Number) -> bool {
    let within = |range: &String| {
        let mut ends = range.split('-').filter_map(number);
        matches!((ends.next(), ends.next()), (Some((first, low)), Some((last, high))) if letter == first && letter == last && (low..=high).contains(&at))
    };
    facts.also_cited.iter().any(within)
}

fn listed(facts: &Facts) -> BTreeMap<Number, &Rule> {
    let read = |(text, rule): (&String, _)| (number(text).unwrap_or_else(|| panic!("{FACTS}: {text} is no number of a rule")), rule);
    facts.rules.iter().chain(&facts.matrix).map(read).collect()
}

fn show((letter, number): Number) -> String {
    format!("{letter}{number}")
}

/// What is about a whole operation is proven twice, or there is a reason.
fn complaint_of_whole(name: &str, rule: &Rule, proofs: Option<&BTreeSet<Proof>>) -> Option<String> {
    let has = |folder| proofs.into_iter().flatten().any(|proof| proof.is_in(folder));
    let missing = [("src/operation/tests", "over the core"), ("src/engine/tests", "on the embedded cluster")];
    let missing: Vec<&str> = missing.into_iter().filter(|(folder, _)| !has(folder)).map(|(_, words)| words).collect();
    match (rule.whole, &rule.apart) {
        (true, None) if !missing.is_empty() => Some(format!("{name} has no test {}, and {FACTS} does not say why", missing.join(" and "))),
        (_, Some(_)) if missing.is_empty() => Some(format!("{name} says in {FACTS} why it is not tested twice, but it is")),
        (false, Some(_)) => Some(format!("{name} is about no whole operation, so {FACTS} needs no reason")),
        _ => None,
    }
}

/// Everything that is wrong between the facts and the citations, one sentence each.
fn complaints(facts: &Facts, citations: &Citations, is_strict: bool) -> Vec<String> {
    let listed = listed(facts);
    let mut wrong = Vec::new();
    for (number, rule) in &listed {
        let proofs = citations.get(number);
        let tests = proofs.into_iter().flatten().filter(|proof| !proof.is_recording()).count();
        let name = show(*number);
        if proofs.is_none() && rule.why.is_none() && (!rule.open || is_strict) {
            wrong.push(format!("{name} ({}) has neither a test nor a reason in {FACTS}", rule.is));
        }
        if proofs.is_some() && tests == 0 && rule.why.is_none() {
            wrong.push(format!("{name} ({}) is cited by recordings only, which show a rule beside others and do not aim at it", rule.is));
        }
        if tests > 0 && rule.why.is_some() {
            wrong.push(format!("{name} has a reason in {FACTS}, although {tests} tests cite it"));
        }
        if rule.why.as_deref().is_some_and(|why| !why.contains(' ') && !facts.reasons.contains_key(why)) {
            wrong.push(format!("{name}: {FACTS} has no reason of the name {:?}", rule.why));
        }
        wrong.extend(complaint_of_whole(&name, rule, proofs));
        if is_strict && rule.open {
            wrong.push(format!("{name} is still marked open in {FACTS}"));
        }
    }
    for (number, proofs) in citations {
        if !listed.contains_key(number) && !is_cited_elsewhere(facts, *number) {
            let by: Vec<String> = proofs.iter().map(|proof| format!("{}: {}", proof.place, proof.name)).collect();
            wrong.push(format!("{} does not exist; it is cited by {}", show(*number), by.join(", ")));
        }
    }
    wrong
}

/// What stands in the last column of the page.
fn covered_by(facts: &Facts, rule: &Rule, proofs: Option<&BTreeSet<Proof>>) -> String {
    if let Some(why) = &rule.why {
        return format!("not tested: {}", facts.reasons.get(why).unwrap_or(why));
    }
    let mut by_place: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for proof in proofs.into_iter().flatten() {
        by_place.entry(&proof.place).or_default().push(format!("`{}`", proof.name));
    }
    let mut places: Vec<String> = by_place.iter().map(|(place, names)| format!("{place}: {}", names.join(", "))).collect();
    places.extend(rule.apart.as_ref().map(|apart| format!("not on both the core and the embedded cluster: {apart}")));
    if places.is_empty() { "**open**".to_owned() } else { places.join("<br>") }
}

fn page(facts: &Facts, citations: &Citations) -> String {
    let listed = listed(facts);
    let has_proof = |number: &Number| citations.contains_key(number);
    let explained = listed.values().filter(|rule| rule.why.is_some()).count();
    let covered = listed.iter().filter(|(number, rule)| rule.why.is_none() && has_proof(number)).count();
    let open: Vec<String> =
        listed.iter().filter(|(number, rule)| rule.why.is_none() && !has_proof(number)).map(|(number, _)| show(*number)).collect();
    let mut text = format!(
        "# Which test proves which rule\n\nWritten by `{HOW}` from the numbers that tests cite and from `{FACTS}`; do not edit.\n\n\
         {covered} covered, {explained} explained, {} open{}{}.\n",
        open.len(),
        if open.is_empty() { "" } else { ": " },
        open.join(" ")
    );
    let whole: Vec<&&Rule> = listed.values().filter(|rule| rule.whole).collect();
    let apart = whole.iter().filter(|rule| rule.apart.is_some()).count();
    let (all, both) = (whole.len(), whole.len() - apart);
    if all > 0 {
        writeln!(text, "\nOf the {all} scenarios of whole operations {both} run both over the core and on the embedded cluster.").unwrap();
    }
    let titles = |(letter, number): Number| if letter == 'T' { "The test matrix".to_owned() } else { format!("Topic {}", number / 100) };
    let order = listed.iter().filter(|((letter, _), _)| *letter == 'R').chain(listed.iter().filter(|((letter, _), _)| *letter == 'T'));
    let mut title = String::new();
    for (number, rule) in order {
        if title != titles(*number) {
            title = titles(*number);
            write!(text, "\n## {title}\n\n| number | about | tests |\n|---|---|---|\n").unwrap();
        }
        writeln!(text, "| {} | {} | {} |", show(*number), rule.is, covered_by(facts, rule, citations.get(number))).unwrap();
    }
    text
}

fn facts() -> Facts {
    let text = std::fs::read_to_string(root().join(FACTS)).unwrap();
    toml::from_str(&text).unwrap_or_else(|error| panic!("{FACTS}: {error}"))
}

fn citations() -> (Citations, usize) {
    let (mut found, mut tests) = (Citations::new(), 0);
    for folder in ["src", "tests"] {
        scan(&root().join(folder), &mut found, &mut tests);
    }
    scan_recordings(&mut found);
    (found, tests)
}

#[test]
fn every_rule_has_a_test_or_a_reason() {
    let (citations, tests) = citations();
    assert!(tests > 500, "the tests were not found: {tests}");
    let is_strict = std::env::var_os("SYNCWAVE_COVERAGE_STRICT").is_some_and(|value| value == "1");
    let wrong = complaints(&facts(), &citations, is_strict);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_page_of_coverage_is_up_to_date() {
    let now = page(&facts(), &citations().0);
    let path = root().join(PAGE);
    if std::env::var_os("SYNCWAVE_COVERAGE").is_some_and(|value| value == "write") {
        std::fs::write(&path, &now).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = now.lines().zip(committed.lines()).find(|(now, then)| now != then).map(|(now, _)| now);
    assert!(now == committed, "{PAGE} is not up to date (first at `{}`); run {HOW}", differs.unwrap_or("its end"));
}

#[test]
fn citations_are_read_from_names_comments_above_and_comments_inside() {
    let text = "
    /// R401 R402: read as (R404) says.
    #[tokio::test(start_paused = true)]
    async fn t79_r711_replace_12_things() {
        // spec T13: a policy
        // not one of R999
        if x {
        }
    }

    /// R100: a helper is no test.
    fn r101_helper() {}

    #[test]
    fn r05_old_t7_names() { }
    #[test]
    fn trace_8_is_none() {
    }
pub(crate) fn t61_r601_a_row() -> Scenario {
    pruned()
}
";
    let found = tests_of(text);
    let shown: Vec<(&str, Vec<String>)> =
        found.iter().map(|(name, cited)| (name.as_str(), cited.iter().map(|number| show(*number)).collect())).collect();
    let cited = ["R401", "R402", "R404", "R711", "T13", "T79"].map(str::to_owned).to_vec();
    let row = ["R601", "T61"].map(str::to_owned).to_vec();
    assert_eq!(
        shown,
        [("t79_r711_replace_12_things", cited), ("r05_old_t7_names", vec![]), ("trace_8_is_none", vec![]), ("t61_r601_a_row", row)]
    );
}

#[test]
fn a_gap_an_idle_reason_and_a_wrong_number_are_found() {
    let facts: Facts = toml::from_str(
        r#"
        also_cited = ["R1301-R1323"]
        reasons.ours = "not ours"
        rules.R101 = { is = "tested" }
        rules.R102 = { is = "not tested" }
        rules.R103 = { is = "open", open = true }
        rules.R104 = { is = "explained and tested", why = "ours" }
        rules.R105 = { is = "recorded only" }
        matrix.T1 = { is = "explained", why = "there is none" }
        matrix.T2 = { is = "explained by nothing", why = "nothing" }
        matrix.T3 = { is = "explained, and recorded", why = "ours" }
        "#,
    )
    .unwrap();
    let test = Proof { place: "src/x".to_owned(), name: "x".to_owned() };
    let recording = Proof { place: "tests/golden".to_owned(), ..test.clone() };
    let of = |proof: &Proof| BTreeSet::from([proof.clone()]);
    let cited = Citations::from([
        (('R', 101), of(&test)),
        (('R', 104), of(&test)),
        (('R', 105), of(&recording)),
        (('R', 999), of(&test)),
        (('R', 1318), of(&test)),
        (('T', 3), of(&recording)),
    ]);
    let found = |is_strict| complaints(&facts, &cited, is_strict).iter().map(|text| text[..4].trim().to_owned()).collect::<Vec<_>>();
    assert_eq!(found(false), ["R102", "R104", "R105", "T2:", "R999"]);
    assert_eq!(found(true), ["R102", "R103", "R103", "R104", "R105", "T2:", "R999"]);
    let page = page(&facts, &cited);
    assert!(page.contains("| R101 | tested | src/x: `x` |") && page.contains("| R103 | open | **open** |"), "{page}");
    assert!(page.contains("2 covered, 4 explained, 2 open: R102 R103."), "{page}");
}

#[test]
fn a_whole_operation_that_is_tested_on_one_side_only_needs_a_reason_and_no_other_has_one() {
    let rule =
        |whole: bool, apart: Option<&str>| Rule { is: "x".to_owned(), why: None, open: false, whole, apart: apart.map(str::to_owned) };
    let proofs = |places: &[&str]| -> BTreeSet<Proof> {
        places.iter().map(|place| Proof { place: (*place).to_owned(), name: "x".to_owned() }).collect()
    };
    let (core, both) = (proofs(&["src/operation/tests/rules"]), proofs(&["src/operation/tests/table/plain", "src/engine/tests/table"]));
    let complaint = |rule: &Rule, proofs| complaint_of_whole("T1", rule, Some(proofs)).unwrap_or_default();
    assert_eq!(complaint(&rule(true, None), &core), format!("T1 has no test on the embedded cluster, and {FACTS} does not say why"));
    assert_eq!(complaint(&rule(true, None), &both) + &complaint(&rule(true, Some("late news")), &core), "");
    assert_eq!(complaint(&rule(false, None), &core), "");
    assert!(complaint(&rule(true, Some("late news")), &both).ends_with("but it is"));
    assert!(complaint(&rule(false, Some("late news")), &core).ends_with("needs no reason"));
}
