//! Windows against a table of the reference's answers, against a scan of every minute, and the tables of T161 to T163.

use jiff::ToSpan as _;
use jiff::civil::DateTime;
use proptest::prelude::*;

use super::*;

const NOON: &str = "2026-03-01T12:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn window(kind: WindowKind, schedule: &str, hours: u64) -> Window {
    Window::of_all(kind, schedule, Duration::from_secs(hours * 3_600))
}

/// From 11 to 13 o'clock, so at noon.
fn active(kind: WindowKind) -> Window {
    window(kind, "0 11 * * *", 2)
}

/// From 9 to 11 o'clock, so not at noon.
fn inactive(kind: WindowKind) -> Window {
    window(kind, "0 9 * * *", 2)
}

impl Window {
    fn manual(self) -> Self {
        Self { manual_sync: true, ..self }
    }
    fn overrun(self) -> Self {
        Self { sync_overrun: true, ..self }
    }
    fn in_zone(self, name: &str) -> Self {
        Self { time_zone: Zone { name: name.to_owned(), zone: TimeZone::get(name).ok() }, ..self }
    }
}

const BY_HAND: Attempt = Attempt { is_manual: true, started_at: None };
const AUTOMATED: Attempt = Attempt { is_manual: false, started_at: None };

fn may(windows: &[Window], attempt: Attempt) -> bool {
    Windows::new(windows.to_vec()).blocker(attempt, at(NOON)).is_none()
}

#[test]
fn t161_r1404_who_may_sync_at_noon() {
    use WindowKind::{Allow, Deny};
    for (windows, by_hand, automated) in [
        (vec![], true, true),
        (vec![inactive(Deny)], true, true),
        (vec![active(Deny)], false, false),
        (vec![active(Deny).manual()], true, false),
        (vec![active(Deny).manual(), active(Deny)], false, false),
        (vec![active(Deny).manual(), inactive(Deny)], true, false),
        (vec![inactive(Allow)], false, false),
        (vec![inactive(Allow).manual()], true, false),
        (vec![inactive(Allow).manual(), inactive(Allow)], false, false),
        (vec![active(Allow)], true, true),
        (vec![active(Allow), inactive(Allow)], true, true),
        (vec![active(Allow), active(Deny)], false, false),
        (vec![active(Allow), active(Deny).manual()], true, false),
        (vec![inactive(Allow), active(Deny).manual()], true, false),
        (vec![inactive(Allow), inactive(Deny)], false, false),
    ] {
        assert_eq!((may(&windows, BY_HAND), may(&windows, AUTOMATED)), (by_hand, automated), "{windows:?}");
    }
}

#[test]
fn t162_r1404_a_sync_that_was_allowed_when_it_began_goes_on_if_every_window_says_so() {
    use WindowKind::{Allow, Deny};
    let deny = || active(Deny).overrun();
    let allow = || inactive(Allow).overrun();
    for (windows, start, expected) in [
        (vec![deny()], Some("10:30"), true),
        (vec![deny()], Some("11:30"), false),
        (vec![deny()], None, false),
        (vec![deny(), active(Deny)], Some("10:30"), false),
        (vec![deny(), deny()], Some("10:30"), true),
        (vec![allow()], Some("10:00"), true),
        (vec![allow()], Some("08:00"), false),
        (vec![allow()], None, false),
        (vec![allow(), inactive(Allow)], Some("10:00"), false),
        (vec![inactive(Allow), deny()], Some("10:00"), true),
        (vec![inactive(Allow), deny()], Some("08:00"), false),
    ] {
        let started_at = start.map(|time| at(&format!("2026-03-01T{time}:00Z")));
        let attempt = Attempt { is_manual: true, started_at };
        assert_eq!(may(&windows, attempt), expected, "{start:?} {windows:?}");
    }
}

#[test]
fn t163_r1402_any_list_or_every_given_one_names_the_app() {
    let list = |items: &[&str]| items.iter().map(|item| Glob::parse(item).unwrap()).collect::<Vec<_>>();
    let shop = Destination { app: "shop", namespace: "web", cluster: "eu-prod", server: "https://10.0.0.1:6443" };
    for (applications, namespaces, clusters, any, all) in [
        (&["sh*"][..], &[][..], &[][..], true, true),
        (&["other"], &[], &[], false, false),
        (&[], &["w?b"], &[], true, true),
        (&[], &[], &["*-prod"], true, true),
        (&[], &[], &["https://10.*"], true, true),
        (&["other"], &["web"], &[], true, false),
        (&["shop"], &["web"], &["eu-*"], true, true),
        (&["shop"], &["web"], &["us-*"], true, false),
        (&["other", "shop"], &[], &[], true, true),
        (&[], &[], &[], false, false),
    ] {
        for (and_operator, expected) in [(false, any), (true, all)] {
            let lists = Window {
                applications: list(applications),
                namespaces: list(namespaces),
                clusters: list(clusters),
                and_operator,
                ..active(WindowKind::Deny)
            };
            assert_eq!(lists.concerns(&shop), expected, "{lists:?}");
            assert_eq!(Windows::new([lists]).concerning(&shop).is_empty(), !expected);
        }
    }
}

#[test]
fn r1403_a_window_is_active_between_its_ends_and_not_at_them() {
    let deny = active(WindowKind::Deny);
    for (time, expected) in
        [("11:00:00", false), ("11:00:00.000000001", true), ("12:59:59.999999999", true), ("13:00:00", false), ("10:59:59", false)]
    {
        assert_eq!(deny.is_active(at(&format!("2026-03-01T{time}Z"))), expected, "{time}");
    }
}

#[test]
fn r1403_a_window_follows_the_offset_that_its_zone_has_now() {
    let deny = || active(WindowKind::Deny);
    let berlin = deny().in_zone("Europe/Berlin");
    // 11 to 13 o'clock in Berlin: 10 to 12 UTC in winter, 9 to 11 UTC in summer.
    for (time, expected) in
        [("2026-03-01T10:30:00Z", true), ("2026-03-01T12:30:00Z", false), ("2026-07-01T09:30:00Z", true), ("2026-07-01T11:30:00Z", false)]
    {
        assert_eq!(berlin.is_active(at(time)), expected, "{time}");
    }
    let nowhere = deny().in_zone("Europe/Belin");
    assert_eq!(nowhere.is_active(at(NOON)), deny().is_active(at(NOON)), "an unknown zone counts in UTC");
    let said = Windows::new([nowhere, berlin]).concerns();
    assert_eq!(
        said,
        [
            "the time zone `Europe/Belin` of the deny window `0 11 * * *` for 2h is not known, so the window counts in UTC; write for example \
          Europe/Berlin"
        ]
    );
}

#[test]
fn r1406_the_sentence_names_the_window_and_when_syncs_are_possible() {
    use WindowKind::{Allow, Deny};
    for (windows, sentence) in [
        (vec![active(Deny)], Some("the deny window `0 11 * * *` for 2h is active; syncs are possible from 2026-03-01 13:00 UTC")),
        (
            vec![Window { description: "lunch".into(), ..active(Deny) }, window(Deny, "30 12 * * *", 3)],
            Some("the deny window `0 11 * * *` for 2h (lunch) is active; syncs are possible from 2026-03-01 15:30 UTC"),
        ),
        (
            vec![window(Allow, "0 22 * * 1-5", 1).in_zone("Europe/Berlin")],
            Some("the allow window `0 22 * * 1-5` for 1h is not open; syncs are possible from 2026-03-02 22:00 +01"),
        ),
        (vec![window(Deny, "0 * * * *", 1)], Some("the deny window `0 * * * *` for 1h is active; no end of it is in sight")),
        (vec![inactive(Deny)], None),
    ] {
        let said = Windows::new(windows).why_blocked(BY_HAND, at("2026-03-01T12:10:00Z"));
        assert_eq!(said.as_deref(), sentence);
    }
}

#[test]
fn windows_that_follow_each_other_leave_no_gap_to_wake_up_in() {
    let windows = Windows::new([window(WindowKind::Deny, "0 * * * *", 1), active(WindowKind::Deny)]);
    let mut now = at("2026-03-01T12:10:00Z");
    for _ in 0..50 {
        now = windows.changes_at(BY_HAND, now).unwrap();
        assert!(windows.blocker(BY_HAND, now).is_some(), "{now}");
    }
}

#[test]
fn the_engine_looks_again_when_the_clock_is_put_forward() {
    // At 1 o'clock UTC on the 29th of March Berlin goes from 2 to 3; a window from 2:30 to 3:30 becomes active at once.
    let windows = Windows::new([
        Window { duration: Duration::from_secs(3_600), ..window(WindowKind::Deny, "30 2 * * *", 1) }.in_zone("Europe/Berlin")
    ]);
    let before = at("2026-03-29T00:59:00Z");
    assert!(windows.blocker(BY_HAND, before).is_none());
    assert_eq!(windows.changes_at(BY_HAND, before).unwrap().as_second(), at("2026-03-29T01:00:00Z").as_second());
    assert!(windows.blocker(BY_HAND, at("2026-03-29T01:00:01Z")).is_some());
}

#[test]
fn r1401_schedules_come_when_the_reference_says() {
    // Asked of the cron library that Argo CD uses, version 3.0.1, with its five fields.
    for (schedule, from, next) in [
        ("0 22 * * *", "2026-09-15T19:36:50", "2026-09-15T22:00"),
        ("0 22 * * *", "2027-09-25T03:32:31", "2027-09-25T22:00"),
        ("0 22 * * *", "2027-08-15T03:10:21", "2027-08-15T22:00"),
        ("*/15 * * * *", "2027-11-18T16:34:11", "2027-11-18T16:45"),
        ("*/15 * * * *", "2028-03-27T09:52:17", "2028-03-27T10:00"),
        ("*/15 * * * *", "2028-01-23T22:55:20", "2028-01-23T23:00"),
        ("0 0 1 * *", "2026-07-11T23:09:18", "2026-08-01T00:00"),
        ("0 0 1 * *", "2027-01-03T09:49:08", "2027-02-01T00:00"),
        ("0 0 1 * *", "2026-10-19T10:46:56", "2026-11-01T00:00"),
        ("0 0 13 * 5", "2027-10-14T13:37:29", "2027-10-15T00:00"),
        ("0 0 13 * 5", "2028-12-05T05:41:24", "2028-12-08T00:00"),
        ("0 0 13 * 5", "2027-02-12T15:41:27", "2027-02-13T00:00"),
        ("0 0 */2 * 1", "2027-02-05T07:39:34", "2027-02-07T00:00"),
        ("0 0 */2 * 1", "2028-04-09T13:40:36", "2028-04-10T00:00"),
        ("0 0 */2 * 1", "2028-02-29T03:18:35", "2028-03-01T00:00"),
        ("0 0 * * */2", "2028-03-26T10:47:53", "2028-03-28T00:00"),
        ("0 0 * * */2", "2028-10-06T07:36:08", "2028-10-07T00:00"),
        ("0 0 * * */2", "2026-12-06T04:01:31", "2026-12-08T00:00"),
        ("30 4 1,15 * 5", "2027-10-12T03:39:50", "2027-10-15T04:30"),
        ("30 4 1,15 * 5", "2027-12-21T08:48:51", "2027-12-24T04:30"),
        ("30 4 1,15 * 5", "2028-06-15T09:57:53", "2028-06-16T04:30"),
        ("0 9-17/2 * * mon-fri", "2028-04-24T16:45:56", "2028-04-24T17:00"),
        ("0 9-17/2 * * mon-fri", "2026-06-18T07:41:51", "2026-06-18T09:00"),
        ("0 9-17/2 * * mon-fri", "2026-05-30T05:00:37", "2026-06-01T09:00"),
        ("5/20 * * * *", "2026-04-09T10:52:58", "2026-04-09T11:05"),
        ("5/20 * * * *", "2027-05-01T06:25:09", "2027-05-01T06:45"),
        ("5/20 * * * *", "2028-11-25T07:21:12", "2028-11-25T07:25"),
        ("0 0 29 2 *", "2027-09-21T14:34:10", "2028-02-29T00:00"),
        ("0 0 29 2 *", "2027-07-23T15:06:28", "2028-02-29T00:00"),
        ("0 0 29 2 *", "2027-09-21T19:56:11", "2028-02-29T00:00"),
        ("0 0 31 * *", "2026-04-13T09:52:24", "2026-05-31T00:00"),
        ("0 0 31 * *", "2027-08-16T18:47:23", "2027-08-31T00:00"),
        ("0 0 31 * *", "2027-12-13T18:57:03", "2027-12-31T00:00"),
        ("59 23 31 12 *", "2026-06-20T19:00:59", "2026-12-31T23:59"),
        ("59 23 31 12 *", "2026-10-16T10:43:23", "2026-12-31T23:59"),
        ("59 23 31 12 *", "2028-12-18T14:42:19", "2028-12-31T23:59"),
        ("0 12 ? JAN,jul ?", "2026-02-26T18:44:43", "2026-07-01T12:00"),
        ("0 12 ? JAN,jul ?", "2028-07-27T21:01:47", "2028-07-28T12:00"),
        ("0 12 ? JAN,jul ?", "2027-09-27T07:02:12", "2028-01-01T12:00"),
        ("0 0 */1 * 1", "2027-09-06T02:23:00", "2027-09-13T00:00"),
        ("0 0 */1 * 1", "2026-04-22T13:31:55", "2026-04-27T00:00"),
        ("0 0 */1 * 1", "2028-08-23T04:05:16", "2028-08-28T00:00"),
        ("0 0 1-7 * MON", "2026-03-09T21:27:00", "2026-03-16T00:00"),
        ("0 0 1-7 * MON", "2027-06-19T03:44:31", "2027-06-21T00:00"),
        ("0 0 1-7 * MON", "2026-04-10T14:44:12", "2026-04-13T00:00"),
        ("10-20/5,40 1,13 * 2-4 *", "2027-08-28T08:58:27", "2028-02-01T01:10"),
        ("10-20/5,40 1,13 * 2-4 *", "2028-05-06T17:18:39", "2029-02-01T01:10"),
        ("10-20/5,40 1,13 * 2-4 *", "2027-05-10T00:24:22", "2028-02-01T01:10"),
        ("0 0 * * 0", "2026-10-02T23:45:10", "2026-10-04T00:00"),
        ("0 0 * * 0", "2028-03-26T18:09:57", "2028-04-02T00:00"),
        ("0 0 * * 0", "2026-12-07T10:18:25", "2026-12-13T00:00"),
        ("7-7 * * * *", "2026-03-25T12:55:21", "2026-03-25T13:07"),
        ("7-7 * * * *", "2026-03-18T07:38:37", "2026-03-18T08:07"),
        ("7-7 * * * *", "2027-05-26T03:31:52", "2027-05-26T04:07"),
        ("* * * * *", "2028-11-23T16:34:09", "2028-11-23T16:35"),
        ("* * * * *", "2028-09-20T13:59:39", "2028-09-20T14:00"),
        ("* * * * *", "2028-03-14T00:18:53", "2028-03-14T00:19"),
        ("0 0 30 4,6 sat", "2027-07-06T18:10:25", "2028-04-01T00:00"),
        ("0 0 30 4,6 sat", "2026-04-01T11:19:06", "2026-04-04T00:00"),
        ("0 0 30 4,6 sat", "2028-09-05T01:15:34", "2029-04-07T00:00"),
    ] {
        let (from, next): (DateTime, DateTime) = (from.parse().unwrap(), next.parse().unwrap());
        assert_eq!(Cron::parse(schedule).unwrap().next_after(from), Some(next), "{schedule} after {from}");
    }
    for (short, schedule) in
        [("@daily", "0 0 * * *"), ("@hourly", "0 * * * *"), ("@weekly", "0 0 * * 0"), ("@monthly", "0 0 1 * *"), ("@yearly", "0 0 1 1 *")]
    {
        let from: DateTime = "2026-05-06T07:08:09".parse().unwrap();
        assert_eq!(Cron::parse(short).unwrap().next_after(from), Cron::parse(schedule).unwrap().next_after(from), "{short}");
    }
    let leap = Cron::parse("0 0 29 2 *").unwrap();
    assert_eq!(leap.next_after("2096-03-01T00:00:00".parse().unwrap()), Some("2104-02-29T00:00:00".parse().unwrap()));
}

#[test]
fn r1401_what_is_no_schedule_is_refused_with_the_field_and_what_to_write() {
    for (schedule, words) in [
        ("", ["five fields", "has 0"]),
        ("* * * *", ["five fields", "has 4"]),
        ("* * * * * *", ["five fields", "has 6"]),
        ("60 * * * *", ["`60` is no minute", "0 to 59"]),
        ("* 24 * * *", ["`24` is no hour", "0 to 23"]),
        ("* * 0 * *", ["`0` is no day of month", "1 to 31"]),
        ("* * * 13 *", ["`13` is no month", "jan to dec"]),
        ("* * * * 7", ["`7` is no day of week", "sun to sat"]),
        ("* * * foo *", ["`foo` is no month", "jan to dec"]),
        ("* * * * mond", ["`mond` is no day of week", "sun to sat"]),
        ("5-1 * * * *", ["`5-1` is no minute", "ends before it begins"]),
        ("5-70 * * * *", ["`5-70` is no minute", "0 to 59"]),
        ("*/0 * * * *", ["`*/0` is no minute", "above 0"]),
        ("1/2/3 * * * *", ["`1/2/3` is no minute", "above 0"]),
        ("1-2-3 * * * *", ["`1-2-3` is no minute", "0 to 59"]),
        ("-1 * * * *", ["`-1` is no minute", "0 to 59"]),
        ("+1 * * * *", ["`+1` is no minute", "0 to 59"]),
        ("1, * * * *", ["`` is no minute", "0 to 59"]),
        ("99999999999999999999 * * * *", ["is no minute", "0 to 59"]),
        ("0 0 30 2 *", ["never comes", "day of month"]),
        ("@every 1h", ["`@every 1h`", "@daily"]),
        ("TZ=UTC 0 0 * * *", ["zone", "time_zone"]),
    ] {
        let said = Cron::parse(schedule).unwrap_err();
        assert!(words.iter().all(|word| said.contains(word)), "{schedule}: {said}");
    }
}

/// A field as text, and the numbers that it means, found the slow way.
fn field(least: u32, most: u32) -> impl Strategy<Value = (String, Vec<u32>, bool)> {
    let number = least..=most;
    prop_oneof![
        Just(("*".to_owned(), (least..=most).collect(), true)),
        (2_u32..8).prop_map(move |step| (
            format!("*/{step}"),
            (least..=most).filter(|n| (n - least).is_multiple_of(step)).collect(),
            false
        )),
        prop::collection::btree_set(number.clone(), 1..4).prop_map(|set| {
            let text = set.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
            (text, set.into_iter().collect(), false)
        }),
        (number.clone(), number).prop_map(|(one, other)| {
            let (first, last) = (one.min(other), one.max(other));
            (format!("{first}-{last}"), (first..=last).collect(), false)
        }),
    ]
}

type Fields = Vec<(String, Vec<u32>, bool)>;

fn fields() -> impl Strategy<Value = Fields> {
    (field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 6)).prop_map(|(a, b, c, d, e)| vec![a, b, c, d, e])
}

fn comes(fields: &Fields, time: DateTime) -> bool {
    let has = |at: usize, number: i8| fields[at].1.contains(&u32::try_from(number).unwrap());
    let (day, weekday) = (has(2, time.day()), has(4, time.weekday().to_sunday_zero_offset()));
    let is_day = if fields[2].2 || fields[4].2 { day && weekday } else { day || weekday };
    has(0, time.minute()) && has(1, time.hour()) && has(3, time.month()) && is_day
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn r1403_active_windows_agree_with_a_scan_of_every_minute(
        fields in fields(),
        minutes in 1_i64..3_000,
        second in 0_i64..94_608_000,
        zone in prop_oneof![Just("UTC"), Just("Europe/Berlin"), Just("America/St_Johns"), Just("Pacific/Auckland")],
    ) {
        let text = fields.iter().map(|field| field.0.as_str()).collect::<Vec<_>>().join(" ");
        let Ok(schedule) = Cron::parse(&text) else {
            // Only a day that no month has is refused.
            prop_assert!(!fields[2].2 && fields[4].2);
            return Ok(());
        };
        let window = Window { schedule, duration: Duration::from_secs(minutes.unsigned_abs() * 60), ..active(WindowKind::Deny) }.in_zone(zone);
        let now = at("2026-01-01T00:00:00Z") + SignedDuration::from_secs(second);
        let scan = |now: Timestamp| {
            let clock = window.time_zone.offset(now).to_datetime(now);
            let whole = clock.date().at(clock.hour(), clock.minute(), 0, 0);
            (0..=minutes).map(|back| whole - back.minutes()).any(|time| {
                comes(&fields, time) && time < clock && clock.duration_since(time) < SignedDuration::from_mins(minutes)
            })
        };
        let is_active = window.is_active(now);
        prop_assert_eq!(is_active, scan(now), "{} for {} min at {}", text, minutes, now);

        let flip = window.next_flip(now).unwrap();
        // A change is answered for the instant after it: at the very moment one window ends, another one may begin.
        let ahead = (1..600).map(|step| now + SignedDuration::from_mins(step) + SignedDuration::from_nanos(1)).take_while(|time| *time < flip);
        for time in ahead {
            prop_assert_eq!(window.is_active(time), is_active, "{} for {} min: {} before {}", text, minutes, time, flip);
        }
        let is_transition = window.time_zone.offset(flip) != window.time_zone.offset(now);
        let is_long = flip.duration_since(now) > SignedDuration::from_mins(i64::try_from(OVERLAPS).unwrap());
        prop_assert!(window.is_active(flip) != is_active || is_transition || is_long, "{} for {} min: {} {}", text, minutes, now, flip);
    }
}
