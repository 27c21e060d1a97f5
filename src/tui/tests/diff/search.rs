//! Searching in all resources of a comparison.

use insta::assert_snapshot;

use super::{go_to, open, shows_resource};

#[test]
fn a_search_opens_the_fold_that_hides_what_is_found() {
    let mut play = open();
    go_to(&mut play, "Deployment/orders-api");
    assert!(!play.at(80, 24).contains("SETTING_09"), "{}", play.screen());
    play.press("/ 'setting_09 enter");
    assert!(play.at(80, 24).contains("SETTING_09"), "{}", play.screen());
    play.press("n");
    assert!(play.screen().contains("the search went on from the top"), "{}", play.screen());
    play.press("esc / 'no-such-thing enter");
    assert!(play.screen().contains("no line has `no-such-thing` · i lists what stays the same, too"), "{}", play.screen());
    play.press("n");
    assert!(play.screen().contains("no line has `no-such-thing`"), "{}", play.screen());
    play.press("esc");
    assert!(play.at(80, 24).contains("Deployment/orders-api"), "esc ends the search first");
}

#[test]
fn a_search_goes_through_all_resources_and_says_how_far_it_has_come() {
    let mut play = open();
    go_to(&mut play, "Secret/orders-env");
    play.press("/ 'sched");
    assert!(shows_resource(&mut play, "CronJob/orders-cleanup"), "the first match from here on, while it is typed:\n{}", play.screen());
    play.press("enter");
    assert_snapshot!("diff_search_80x24", play.at(80, 24));
    assert_snapshot!("diff_search_120x35", play.at(120, 35));
    for (resource, words) in [
        ("ConfigMap/orders-flags", "/schedule  2/4 · resource 2 of 3"),
        ("Job/db-migrate", "/schedule  3/4 · resource 3 of 3"),
        ("Job/db-migrate", "/schedule  4/4 · resource 3 of 3"),
    ] {
        play.press("n");
        assert!(shows_resource(&mut play, resource), "{resource}\n{}", play.screen());
        assert!(play.screen().contains(&words.replace("schedule", "sched")), "{words}\n{}", play.screen());
    }
    play.press("n");
    assert!(shows_resource(&mut play, "CronJob/orders-cleanup") && play.screen().contains("went on from the top"), "{}", play.screen());
    play.press("N");
    assert!(shows_resource(&mut play, "Job/db-migrate") && play.screen().contains("4/4"), "{}", play.screen());
    play.press("esc");
    assert!(shows_resource(&mut play, "Job/db-migrate") && !play.screen().contains("4/4"), "esc ends the search here:\n{}", play.screen());
}

#[test]
fn a_search_that_is_given_up_while_it_is_typed_goes_back_to_where_it_began() {
    let mut play = open();
    go_to(&mut play, "Deployment/orders-api");
    play.press("j j j");
    let before = play.at(80, 24);
    play.press("/ 'suspend");
    assert!(!shows_resource(&mut play, "Deployment/orders-api"), "{}", play.screen());
    play.press("esc");
    assert_eq!(play.at(80, 24), before);
}

#[test]
fn a_capital_makes_a_search_look_at_capitals() {
    let mut play = open();
    play.press("/ 'ORDER_channel enter");
    assert!(play.screen().contains("no line has"), "{}", play.screen());
    play.press("esc / 'ORDER_CH enter");
    assert!(play.screen().contains("1/1 · resource 1 of 1"), "{}", play.screen());
}

#[test]
fn what_stays_the_same_is_searched_when_it_is_listed() {
    let mut play = open();
    play.press("/ 'kind: enter");
    let number = |screen: &str| screen.split(" of ").last().and_then(|rest| rest.split_whitespace().next()).map(str::to_owned);
    let few = number(&play.at(80, 24));
    play.press("i");
    let all = number(&play.at(80, 24));
    assert_eq!((few.as_deref(), all.as_deref()), (Some("6"), Some("10")), "{}", play.screen());
}

#[test]
fn a_search_holds_for_the_next_answer_too() {
    let mut play = open();
    play.press("/ 'suspend enter");
    assert!(play.screen().contains("1/"), "{}", play.screen());
    play.press("r").compared();
    assert!(play.screen().contains("/suspend  3 lines in 3 resources"), "{}", play.screen());
    play.press("n");
    assert!(play.screen().contains("/3 · resource "), "{}", play.screen());
}
