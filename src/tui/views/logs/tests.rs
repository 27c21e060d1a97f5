use jiff::SignedDuration;
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::style::Color;

use super::*;
use crate::model::{Container, ContainerState, Phase, PodView, ResourceKey, Role};
use crate::operation::{Event, LogContent, LogLine, Record};
use crate::tui::clean;

const START: &str = "2026-09-18T12:04:00Z";

fn at(milliseconds: i64) -> Timestamp {
    START.parse::<Timestamp>().unwrap() + SignedDuration::from_millis(milliseconds)
}

fn task() -> TaskId {
    TaskId { phase: Phase::PreSync, key: ResourceKey::new("batch", "Job", "shop", "db-migrate"), role: Role::Hook }
}

/// A view of a log, and all that it needs.
struct Scene {
    store: LogStore,
    view: LogsView,
    area: Rect,
    now: Timestamp,
    state: &'static str,
    styles: LogStyles,
    zone: TimeZone,
    /// The search being typed.
    typed: Option<String>,
    back: usize,
    why: bool,
}

/// The keys as the keymap has them; `<` `>` stand for the arrows, `^` and `_` for a page.
fn meaning(key: char) -> Option<LogsKey> {
    Some(match key {
        'k' => LogsKey::Up,
        'j' => LogsKey::Down,
        '^' => LogsKey::PageUp,
        '_' => LogsKey::PageDown,
        'g' => LogsKey::Top,
        'G' => LogsKey::Bottom,
        '<' => LogsKey::Left,
        '>' => LogsKey::Right,
        's' => LogsKey::Follow,
        'w' => LogsKey::Wrap,
        't' => LogsKey::Time,
        'n' => LogsKey::Next,
        'N' => LogsKey::Previous,
        '&' => LogsKey::OnlyMatches,
        'p' => LogsKey::Earlier,
        'a' => LogsKey::AllSources,
        'm' => LogsKey::Mark,
        'c' => LogsKey::Copy,
        'C' => LogsKey::Clear,
        'q' | '\u{1b}' => LogsKey::Close,
        '0' => LogsKey::Since(Since::Everything),
        '1' => LogsKey::Since(Since::Head),
        '2' => LogsKey::Since(Since::Minutes(1)),
        '7' => LogsKey::Since(Since::WaveStart),
        '8' => LogsKey::Since(Since::OperationStart),
        _ => return None,
    })
}

impl Scene {
    fn new(width: u16, height: u16) -> Self {
        Self {
            store: LogStore::default(),
            view: LogsView::open("op".into(), task()),
            area: Rect::new(0, 0, width, height),
            now: at(12_000),
            state: "● running 12.0s",
            styles: LogStyles::default(),
            zone: TimeZone::UTC,
            typed: None,
            back: 0,
            why: false,
        }
    }

    fn fact(&mut self, event: Event) {
        self.store.observe(&Record { operation: "op".into(), seq: 1, at: self.now, event });
    }

    fn open(mut self, pod: &str, container: &str, pod_attempt: u32) -> Self {
        self.fact(Event::LogOpened { task: task(), pod: pod.into(), uid: pod.into(), container: container.into(), pod_attempt });
        self
    }

    fn close(mut self, pod: &str, container: &str, exit_code: i32) -> Self {
        self.fact(Event::LogClosed { task: task(), pod: pod.into(), uid: pod.into(), container: container.into() });
        let state = ContainerState::Terminated { exit_code, reason: "Error".into(), at: Some(at(11_900)) };
        let containers = vec![Container { name: container.into(), init: false, state, ready: false, restarts: 0 }];
        let (uid, name) = (pod.into(), pod.into());
        self.fact(Event::PodObserved {
            pod: PodView {
                namespace: "shop".into(),
                name,
                uid,
                owner: task().key,
                phase: String::new(),
                created: None,
                deleting: false,
                unscheduled: None,
                containers,
            },
        });
        self
    }

    fn piece(&mut self, pod: &str, pod_attempt: u32, milliseconds: i64, content: LogContent) {
        let at = at(milliseconds);
        let (operation, container) = ("op".into(), "migrate".into());
        self.store.push(LogLine {
            operation,
            task: task(),
            pod: pod.into(),
            container,
            attempt: 1,
            pod_attempt,
            at,
            log_time: Some(at),
            content,
        });
    }

    fn prints(mut self, lines: &[(i64, &str)]) -> Self {
        for (milliseconds, text) in lines {
            self.piece("db-migrate-9kq2p", 1, *milliseconds, LogContent::Line { text: text.as_bytes().into(), continued: false });
        }
        self
    }

    fn context<R>(&self, look: impl FnOnce(&LogsContext<'_>) -> R) -> R {
        look(&LogsContext {
            place: "prod-eu │ shop",
            subject: "Job/db-migrate (PreSync hook, wave 0)",
            state: self.state,
            state_style: Style::new(),
            empty: "Job/db-migrate has not printed anything yet: its pod is being scheduled",
            now: self.now,
            started: Some(at(0)),
            wave_started: Some(at(5000)),
            zone: &self.zone,
            styles: &self.styles,
        })
    }

    /// Types keys; `/text\n` searches for a text, letter by letter.
    fn press(&mut self, keys: &str) -> LogsOutcome {
        let mut outcome = LogsOutcome::Changed;
        for key in keys.chars() {
            outcome = self.key(key);
        }
        outcome
    }

    fn key(&mut self, key: char) -> LogsOutcome {
        self.settle();
        match (self.typed.as_mut(), key) {
            (Some(_), '\n') => self.typed = None,
            (Some(_), '\u{1b}') => {
                self.typed = None;
                self.with_view(|view, store, context| view.search("", store, context));
            }
            (Some(typed), letter) => {
                typed.push(letter);
                let typed = typed.clone();
                self.with_view(|view, store, context| view.search(&typed, store, context));
            }
            (None, '/') => self.typed = Some(String::new()),
            (None, key) => {
                let Some(key) = meaning(key) else { return LogsOutcome::Changed };
                return self.with_view(|view, store, context| view.update(key, store, context));
            }
        }
        LogsOutcome::Changed
    }

    fn with_view<R>(&mut self, act: impl FnOnce(&mut LogsView, &LogStore, &LogsContext<'_>) -> R) -> R {
        let mut view = std::mem::replace(&mut self.view, LogsView::open("".into(), task()));
        let result = self.context(|context| act(&mut view, &self.store, context));
        self.view = view;
        result
    }

    fn settle(&mut self) {
        let area = self.area;
        self.with_view(|view, store, context| view.settle(store, context, area));
    }

    fn buffer(&mut self) -> Buffer {
        self.settle();
        let mut buffer = Buffer::empty(self.area);
        self.context(|context| self.view.draw(&self.store, context, self.area, &mut buffer));
        buffer
    }

    fn picture(&mut self) -> String {
        picture(&self.buffer())
    }

    fn body(&mut self) -> Vec<String> {
        self.picture().lines().skip(3).map(str::to_owned).collect()
    }

    fn pane(&self, width: u16, height: u16) -> String {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        let (subject, empty) = ("Job/db-migrate", "Job/db-migrate has not printed anything yet");
        let context = PaneContext { subject, empty, back: self.back, why: self.why, now: self.now, zone: &self.zone, styles: &self.styles };
        draw_pane(self.store.log("op", &task()), &context, area, &mut buffer);
        picture(&buffer)
    }
}

fn picture(buffer: &Buffer) -> String {
    let row = |y| {
        let mut row = String::new();
        let mut x = 0;
        while x < buffer.area.width {
            let symbol = buffer[(x, y)].symbol();
            row.push_str(symbol);
            x += u16::try_from(clean::columns(symbol).max(1)).unwrap();
        }
        row.trim_end().to_owned()
    };
    (0..buffer.area.height).map(row).collect::<Vec<_>>().join("\n")
}

const MIGRATION: [(i64, &str); 24] = [
    (100, "2026-09-18 migrate v2.14.0 (commit 9f31c2d)"),
    (200, "INFO  connecting to postgres://orders-db:5432/orders"),
    (412, "INFO  lock acquired: migrate (session 2231)"),
    (530, "INFO  current version 40, target 42"),
    (640, "INFO  0041_add_customer_ref.sql"),
    (650, "INFO    ALTER TABLE orders ADD COLUMN customer_ref uuid"),
    (1854, "INFO    ok 1.204s"),
    (1900, "INFO  0042_backfill_customer_ref.sql"),
    (2800, "INFO    batch 1/8  12,500 rows  0.9s"),
    (3700, "INFO    batch 2/8  12,500 rows  0.9s"),
    (4700, "INFO    batch 3/8  12,500 rows  1.0s"),
    (6600, "WARN    batch 4/8  12,500 rows  1.9s (slow, autovacuum running; the table was vacuumed by hand on the replica last night)"),
    (7500, "INFO    batch 5/8  12,500 rows  0.9s"),
    (8400, "INFO    batch 6/8  12,500 rows  0.9s"),
    (8500, "ERROR   batch 7/8  deadlock detected, trying again"),
    (9300, "INFO    batch 7/8  12,500 rows  0.9s"),
    (10_000, "INFO    batch 8/8   8,114 rows  0.7s"),
    (10_100, "INFO    ok 8.412s"),
    (10_200, "INFO  analyze orders"),
    (10_900, "INFO    ok 0.700s"),
    (11_000, "INFO  lock released"),
    (11_100, "DEBUG pool: 3 idle connections closed"),
    (11_200, "INFO  schema version 42"),
    (11_300, "INFO  done: 2 migrations applied in 9.9s"),
];

fn running(width: u16, height: u16) -> Scene {
    Scene::new(width, height).open("db-migrate-9kq2p", "migrate", 1).prints(&MIGRATION)
}

fn sizes() -> [(u16, u16); 3] {
    [(80, 24), (120, 35), (60, 20)]
}

fn in_all_sizes(name: &str, prepare: impl Fn(Scene) -> Scene) {
    for (width, height) in sizes() {
        let mut scene = prepare(running(width, height));
        insta::assert_snapshot!(format!("{name}_{width}x{height}"), scene.picture());
    }
}

#[test]
fn a_live_log_shows_its_newest_lines() {
    in_all_sizes("live", |scene| scene);
}

#[test]
fn an_ended_log_says_how_it_ended() {
    in_all_sizes("ended", |scene| {
        let mut scene = scene.close("db-migrate-9kq2p", "migrate", 0);
        scene.state = "✔ exit 0 11.9s";
        scene.fact(Event::PodGone { namespace: "shop".into(), name: "db-migrate-9kq2p".into(), uid: "db-migrate-9kq2p".into() });
        scene
    });
}

#[test]
fn scrolling_up_pauses_and_counts_what_is_new_below() {
    in_all_sizes("paused", |mut scene| {
        scene.press("kkk");
        scene.prints(&[(11_400, "INFO  one more"), (11_500, "INFO  and another")])
    });
}

#[test]
fn a_search_shows_where_it_is() {
    in_all_sizes("find", |mut scene| {
        scene.press("/batch\nN");
        scene
    });
}

#[test]
fn wrapped_lines_are_whole() {
    in_all_sizes("wrap", |mut scene| {
        scene.press("wt");
        scene
    });
}

#[test]
fn what_is_missing_has_a_row() {
    in_all_sizes("gaps", |mut scene| {
        scene.piece("db-migrate-9kq2p", 1, 11_400, LogContent::Dropped(1204));
        let mut scene = scene.prints(&[(11_500, "INFO  after the gap")]).close("db-migrate-9kq2p", "migrate", 137);
        scene.now = at(14_400);
        scene.settle();
        scene.press("m");
        scene.open("db-migrate-9kq2p", "migrate", 1).prints(&[(14_500, "INFO  after the stream was opened again")])
    });
}

#[test]
fn what_could_hurt_a_terminal_is_shown_instead() {
    in_all_sizes("hostile", |mut scene| {
        let line = |bytes: &[u8]| LogContent::Line { text: bytes.into(), continued: false };
        let bytes: [&[u8]; 6] = [
            b"\x1b[1;31mERROR\x1b[0m colour is left out",
            b"\x1b[2J\x1b[H\x1b]0;owned\x07 the screen stays",
            b"progress 10%\rprogress 20%\rprogress 30%\r",
            b"caf\xe9 is not UTF-8: \xff\xfe",
            "bidi \u{202e}gnp.exe\u{202c} and zero\u{200b}width".as_bytes(),
            "tab\tstops\tand 世界 wide".as_bytes(),
        ];
        for text in bytes {
            scene.piece("db-migrate-9kq2p", 1, 11_400, line(text));
        }
        scene
    });
}

#[test]
fn a_line_of_five_megabytes_is_bounded_and_says_so() {
    in_all_sizes("long", |mut scene| {
        let text = "0123456789abcdef".repeat(327_680);
        scene.piece("db-migrate-9kq2p", 1, 11_400, LogContent::Line { text: text.as_bytes().into(), continued: false });
        scene.prints(&[(11_500, "INFO  next")])
    });
}

fn three_attempts(width: u16, height: u16) -> Scene {
    let mut scene = Scene::new(width, height);
    for (attempt, pod) in [(1, "db-migrate-x2x1m"), (2, "db-migrate-9kq2p"), (3, "db-migrate-mm4zt")] {
        scene = scene.open(pod, "migrate", attempt);
        let seconds = i64::from(attempt) * 1000;
        let lines = [(seconds, "INFO  connecting".to_owned()), (seconds + 200, format!("ERROR attempt {attempt}: no route to host"))];
        for (time, text) in lines {
            scene.piece(pod, attempt, time, LogContent::Line { text: text.as_bytes().into(), continued: false });
        }
        if attempt < 3 {
            scene = scene.close(pod, "migrate", 1);
        }
    }
    scene
}

#[test]
fn attempts_are_shown_together_and_one_by_one() {
    let mut scene = three_attempts(80, 24);
    insta::assert_snapshot!("attempts_together", scene.picture());
    scene.press("pp");
    insta::assert_snapshot!("attempts_second", scene.picture());
    scene.press("a");
    assert!(scene.picture().contains("3 pods"));
}

#[test]
fn the_pane_shows_the_last_lines() {
    insta::assert_snapshot!("pane_80", running(80, 24).pane(80, 7));
    insta::assert_snapshot!("pane_60", running(80, 24).pane(60, 7));
    insta::assert_snapshot!("pane_attempts", three_attempts(80, 24).pane(120, 6));
    insta::assert_snapshot!("pane_ended", running(80, 24).close("db-migrate-9kq2p", "migrate", 0).pane(80, 5));
    let mut failed = three_attempts(80, 24).close("db-migrate-mm4zt", "migrate", 1);
    failed.why = true;
    insta::assert_snapshot!("pane_why", failed.pane(80, 6));
    let mut scrolled = running(80, 24);
    scrolled.back = 10;
    insta::assert_snapshot!("pane_scrolled", scrolled.pane(80, 4));
    insta::assert_snapshot!("pane_empty", Scene::new(80, 24).pane(80, 5));
}

#[test]
fn a_log_without_lines_says_why() {
    let mut scene = Scene::new(80, 24);
    assert!(scene.picture().contains("Job/db-migrate has not printed anything yet"));
}

/// Each look has a colour of its own; the picture shows which look every cell has.
#[test]
fn every_part_has_the_look_of_its_role() {
    let look = |number| Style::new().fg(Color::Indexed(number));
    let mut scene = running(60, 20);
    scene.styles = LogStyles {
        text: look(b't'),
        debug: look(b'd'),
        warn: look(b'w'),
        error: look(b'e'),
        time: look(b'c'),
        note: look(b'n'),
        found: look(b'f'),
        found_here: look(b'F'),
        selected: look(b'>'),
        edge: look(b'x'),
        rule: look(b'r'),
        title: look(b'T'),
        header: look(b'h'),
        mode: look(b'm'),
        live: look(b'l'),
        paused: look(b'p'),
        ..LogStyles::default()
    };
    scene.press("/batch\nNNN");
    let buffer = scene.buffer();
    let letter = |x, y| match buffer[(x, y)].fg {
        Color::Indexed(number) => char::from(number),
        _ => ' ',
    };
    let looks: Vec<String> = (0..20).map(|y| (0..60).map(|x| letter(x, y)).collect::<String>().trim_end().to_owned()).collect();
    insta::assert_snapshot!("looks", looks.join("\n"));
}

#[test]
fn following_ends_when_the_person_moves_and_begins_again_on_demand() {
    let mut scene = running(80, 24);
    scene.settle();
    assert!(scene.view.follows());
    scene.press("k");
    assert!(!scene.view.follows());
    let before = scene.body();
    let mut scene = scene.prints(&[(11_400, "INFO  one more")]);
    assert_eq!(scene.body(), before);
    scene.press("G");
    assert!(scene.view.follows());
    assert!(scene.body().last().unwrap().contains("one more"));
    scene.press("s");
    assert!(!scene.view.follows());
    scene.press("s");
    assert!(scene.view.follows());
}

#[test]
fn only_matches_hides_the_rest_and_new_lines_join() {
    let mut scene = running(80, 24);
    assert_eq!(scene.press("&"), LogsOutcome::Flash("nothing to find yet: press / and type".to_owned()));
    scene.press("/deadlock\n&");
    let shown: Vec<_> = scene.body().into_iter().filter(|row| !row.is_empty()).collect();
    assert_eq!(shown, [">12:04:08.500 ERROR   batch 7/8  deadlock detected, trying again"]);
    let mut scene = scene.prints(&[(11_400, "INFO  nothing"), (11_500, "INFO  Deadlock gone")]);
    assert_eq!(scene.body().iter().filter(|row| !row.is_empty()).count(), 2);
    assert_eq!(scene.key('\u{1b}'), LogsOutcome::Changed);
    assert!(scene.body().iter().filter(|row| !row.is_empty()).count() > 2);
    assert_eq!(scene.key('\u{1b}'), LogsOutcome::Close);
}

#[test]
fn searching_goes_round() {
    let mut scene = running(80, 24);
    scene.press("g/batch 7\n");
    assert!(scene.picture().contains("find: batch 7 1/2"));
    assert_eq!(scene.press("n"), LogsOutcome::Changed);
    assert!(scene.picture().contains("find: batch 7 2/2"));
    assert_eq!(scene.press("n"), LogsOutcome::Flash("the search went on from the top".to_owned()));
    assert!(scene.picture().contains("find: batch 7 1/2"));
    assert_eq!(scene.press("N"), LogsOutcome::Flash("the search went on from the bottom".to_owned()));
    scene.press("/nowhere\n");
    assert_eq!(scene.press("n"), LogsOutcome::Flash("no line has `nowhere`".to_owned()));
}

#[test]
fn a_match_out_of_sight_to_the_right_is_scrolled_to() {
    let mut scene = running(60, 20);
    scene.press("/last night\n");
    assert!(scene.picture().contains("last night)"), "{}", scene.picture());
    scene.press("/lock acq\n");
    assert!(scene.picture().contains("INFO  lock acquired"), "{}", scene.picture());
}

#[test]
fn a_match_far_down_a_wrapped_line_is_scrolled_to() {
    let mut scene = running(40, 12);
    let text = format!("{}needle{}", "x".repeat(5000), "y".repeat(5000));
    let mut scene = {
        scene.press("w");
        scene.prints(&[(11_400, &text)])
    };
    scene.press("g/needle\n");
    assert!(scene.picture().contains("needle"), "{}", scene.picture());
    assert!(scene.body().iter().any(|row| row.starts_with('>')));
}

#[test]
fn giving_a_search_up_returns_to_where_it_began() {
    let mut scene = running(80, 24);
    let before = scene.picture();
    scene.press("/lock");
    assert_ne!(scene.picture(), before);
    scene.key('\u{1b}');
    assert_eq!(scene.picture(), before);
}

#[test]
fn a_line_is_copied_without_what_stands_before_it() {
    let mut scene = running(80, 24);
    assert_eq!(scene.press("c"), LogsOutcome::Copy("INFO  done: 2 migrations applied in 9.9s".to_owned()));
    assert_eq!(scene.press("kkc"), LogsOutcome::Copy("DEBUG pool: 3 idle connections closed".to_owned()));
}

#[test]
fn clearing_hides_what_was_and_0_brings_it_back() {
    let mut scene = running(80, 24);
    scene.press("C");
    assert!(scene.picture().contains("0 and a bring back"), "{}", scene.picture());
    let mut scene = scene.prints(&[(11_400, "INFO  new")]);
    assert_eq!(scene.body().iter().filter(|row| !row.is_empty()).count(), 1);
    scene.press("0");
    assert!(scene.body().iter().filter(|row| !row.is_empty()).count() > 2);
}

#[test]
fn the_head_is_the_first_line_also_after_clearing() {
    let mut scene = running(80, 24);
    scene.press("C");
    let mut scene = scene.prints(&[(11_400, "INFO  new")]);
    scene.press("1");
    assert!(!scene.view.follows());
    assert_eq!(scene.body()[0], ">12:04:00.100 2026-09-18 migrate v2.14.0 (commit 9f31c2d)");
}

#[test]
fn only_lines_since_the_start_of_the_wave_are_shown() {
    let mut scene = running(80, 24);
    scene.press("7");
    assert_eq!(scene.view.rows.len(), 13);
    assert!(scene.picture().contains("since wave start"));
}

#[test]
fn long_lines_are_read_by_scrolling_sideways() {
    let mut scene = running(60, 20);
    scene.press("g");
    for _ in 0..9 {
        scene.key('>');
    }
    let shown = scene.picture();
    assert!(shown.contains("last night)"), "{shown}");
    for _ in 0..9 {
        scene.key('<');
    }
    assert!(scene.picture().contains("2026-09-18 migrate"));
}

#[test]
fn the_screen_is_the_same_however_often_it_is_drawn() {
    let mut scene = running(80, 24);
    let first = scene.buffer();
    let mut second = Buffer::empty(scene.area);
    scene.context(|context| scene.view.draw(&scene.store, context, scene.area, &mut second));
    assert_eq!(first, second);
}

#[test]
fn a_view_that_has_not_seen_the_newest_drops_draws_without_them() {
    let mut scene = running(80, 24);
    scene.store = LogStore::new(8 * 1024);
    let mut scene = scene.prints(&MIGRATION);
    scene.settle();
    let many: Vec<_> = (0..500).map(|number| (number, "a line that pushes the others out")).collect();
    let scene = scene.prints(&many);
    let mut buffer = Buffer::empty(scene.area);
    scene.context(|context| scene.view.draw(&scene.store, context, scene.area, &mut buffer));
}

#[test]
fn a_frame_of_a_large_log_touches_the_visible_lines_only() {
    let mut scene = Scene::new(200, 50);
    scene.store = LogStore::new(64 * 1024 * 1024);
    let lines: Vec<_> = (0..100_000).map(|number| (number, "INFO  consumer group rebalanced: 6 partitions")).collect();
    let mut scene = scene.open("db-migrate-9kq2p", "migrate", 1).prints(&lines);
    for keys in ["", "w", "/rebalanced\n", "g"] {
        scene.press(keys);
        scene.settle();
        let mut buffer = Buffer::empty(scene.area);
        let used = allocation_counter::measure(|| scene.context(|context| scene.view.draw(&scene.store, context, scene.area, &mut buffer)));
        assert!(used.count_total <= 400, "{} allocations after {keys:?}", used.count_total);
        assert!(used.bytes_total <= 64 * 1024, "{} bytes after {keys:?}", used.bytes_total);
    }
    let used = allocation_counter::measure(|| scene.settle());
    assert!(used.count_total <= 20, "{} allocations to settle", used.count_total);
}

#[derive(Clone, Debug)]
enum Step {
    Key(char),
    Line(Vec<u8>, bool, bool),
    Missing(u64),
    Size(u16, u16),
    Open(bool),
    Close(bool),
}

fn step() -> impl Strategy<Value = Step> {
    let keys: Vec<char> = "kjgGswt/nN&pamcC01278ab\n ^_<>q\u{1b}".chars().collect();
    let bytes = prop_oneof![prop::collection::vec(any::<u8>(), 0..40), "[ab世\t]{0,200}".prop_map(String::into_bytes)];
    prop_oneof![
        8 => prop::sample::select(keys).prop_map(Step::Key),
        6 => (bytes, any::<bool>(), prop::bool::weighted(0.2)).prop_map(|(bytes, pod, continued)| Step::Line(bytes, pod, continued)),
        1 => (1_u64..9).prop_map(Step::Missing),
        1 => (0_u16..90, 0_u16..30).prop_map(|(width, height)| Step::Size(width, height)),
        1 => any::<bool>().prop_map(Step::Open),
        1 => any::<bool>().prop_map(Step::Close),
    ]
}

fn pod(first: bool) -> &'static str {
    if first { "db-migrate-9kq2p" } else { "db-migrate-x2x1m" }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn no_key_no_line_and_no_size_upsets_the_view(steps in prop::collection::vec(step(), 0..60), budget in 500_usize..40_000) {
        let mut scene = Scene::new(80, 24);
        scene.store = LogStore::new(budget);
        for step in steps {
            match step {
                Step::Key(key) => drop(scene.key(key)),
                Step::Line(text, first, continued) => scene.piece(pod(first), 1, 0, LogContent::Line { text: text.into(), continued }),
                Step::Missing(lines) => scene.piece(pod(true), 1, 0, LogContent::Dropped(lines)),
                Step::Size(width, height) => scene.area = Rect::new(0, 0, width, height),
                Step::Open(first) => scene = scene.open(pod(first), "migrate", 1),
                Step::Close(first) => scene = scene.close(pod(first), "migrate", 0),
            }
            let buffer = scene.buffer();
            prop_assert!(buffer.content.iter().all(|cell| !cell.symbol().contains(char::is_control)));
            let len = scene.view.rows.len();
            prop_assert!(len == 0 || scene.view.cursor.visible(scene.view.height.max(1), len).contains(&scene.view.cursor.selected));
            if scene.view.follows() && len > 0 {
                prop_assert_eq!(scene.view.cursor.selected, len - 1);
            }
            drop(scene.pane(scene.area.width, scene.area.height));
        }
    }
}
