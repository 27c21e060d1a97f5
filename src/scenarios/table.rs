//! What was reviewed of each story against engine-spec.md, in a few words: how its operations end, what is created in which order,
//! what is left when the story is over, and what did not run and why. An expected file that was accepted by mistake differs from its
//! row. Generated names end in `*`.

use serde_json::Value;

use super::check::{Account, accounts};
use super::play::{Played, Scene};

/// The reviewed facts of one story.
pub(super) enum Facts {
    /// The manifests cannot be read; the page has all of this.
    Unreadable(&'static [&'static str]),
    Played(Course),
}

/// What happens in a story.
pub(super) struct Course {
    /// Of each operation: phase and message; `…` at the end stands for the rest.
    ends: &'static [&'static str],
    /// What the engine created, in order, over all operations.
    created: &'static str,
    /// What is left of it at the end of the story.
    left: &'static str,
    /// Of each operation: `code:Kind/name`.
    not_run: &'static [&'static str],
    /// Of the last operation: `Kind/name status hookPhase message`; `…` at the end stands for the rest.
    results: &'static [&'static str],
    /// Parts of warnings, over all operations; there are no others.
    warnings: &'static [&'static str],
    /// Parts of what the session refuses.
    refused: &'static [&'static str],
    /// Services at the end: namespace, name, place in the object, text.
    services: &'static [(&'static str, &'static str, &'static str, &'static str)],
}

const NOTHING: Course =
    Course { ends: &[], created: "", left: "", not_run: &[""], results: &[], warnings: &[], refused: &[], services: &[] };

const NO_MORE: &str = "Succeeded: successfully synced (no more tasks)";
const ALL_RUN: &str = "Succeeded: successfully synced (all tasks run)";
const UNSUCCESSFUL: &str = "Failed: one or more synchronization tasks completed unsuccessfully";
const TERMINATED: &str = "Failed: Operation terminated";

macro_rules! stories {
    ($($test:ident $name:literal => $facts:expr;)+) => {
        /// The stories that have a row.
        pub(super) const NAMES: &[&str] = &[$($name),+];
        $(
            #[test]
            fn $test() {
                super::run($name, &$facts);
            }
        )+
    };
}

stories! {
    // users.md A1: hooks before in three waves, the release, hooks after; kinds in order inside the group (spec R502, R503).
    web_shop "web-shop" => Facts::Played(Course {
        ends: &[NO_MORE],
        created: "ConfigMap/db-config Job/migrate Job/check-quota Job/warm-cache Service/web Deployment/web HorizontalPodAutoscaler/web \
                  Job/smoke Job/notify-ok-*",
        left: "ConfigMap/db-config Deployment/web HorizontalPodAutoscaler/web Job/check-quota Job/notify-ok-* Job/warm-cache Service/web",
        not_run: &["notNeeded:Job/notify-fail-*"],
        results: &[
            "ConfigMap/db-config Synced Succeeded db-config created",
            "Job/migrate Synced Succeeded Reached expected number of succeeded pods",
            "Deployment/web Synced Succeeded …",
        ],
        ..NOTHING
    });
    // users.md A2: what is skipped is never written; the Service is turned over.
    blue_green "blue-green" => Facts::Played(Course {
        ends: &[NO_MORE],
        created: "ConfigMap/web-template Job/switch Job/verify",
        left: "ConfigMap/web-template Job/switch",
        not_run: &["skip:Deployment/web notNeeded:Job/remove-green"],
        services: &[("shop", "web", "/spec/selector/colour", "green")],
        ..NOTHING
    });
    // users.md A3: the Secret comes late, the mail goes out, and all three messages are deleted with the success (spec R208).
    notify "notify" => Facts::Played(Course {
        ends: &[NO_MORE],
        created: "Deployment/web Job/app-slack-notification-* Job/email-* Job/slack-notify-*",
        left: "Deployment/web",
        not_run: &["notNeeded:Job/app-slack-notification-fail-*"],
        // It comes only when somebody makes it, 15 s later (users.md S3-15).
        warnings: &["needs Secret argocd/smtp-password"],
        ..NOTHING
    });
    // users.md A4: three pods, then SyncFail; its hook stays (spec R210).
    presync_fail "presync-fail" => Facts::Played(Course {
        ends: &[UNSUCCESSFUL],
        created: "Job/presync-job* Job/syncfail-job*",
        left: "Job/presync-job* Job/syncfail-job*",
        not_run: &["blocked:Service/web blocked:Deployment/web blocked:Job/postsync-job*"],
        results: &[
            "Job/presync-job* Synced Failed Job has reached the specified backoff limit",
            "Job/syncfail-job* Synced Succeeded Reached expected number of succeeded pods",
        ],
        ..NOTHING
    });
    // users.md A5: the hook is Failed only when the Job is (spec R410).
    flaky "flaky" => Facts::Played(Course {
        ends: &[NO_MORE],
        created: "Job/migrate ConfigMap/settings Job/smoke",
        left: "ConfigMap/settings Job/migrate",
        ..NOTHING
    });
    // users.md A6: what runs is deleted, what is done stays although its policy is HookFailed, SyncFail does not run (spec R904).
    endless "endless" => Facts::Played(Course {
        ends: &[TERMINATED],
        created: "Job/backup Job/drain-queue",
        left: "Job/backup",
        not_run: &["terminated:Deployment/web terminated:Job/alert"],
        results: &[
            "Job/backup Synced Succeeded Reached expected number of succeeded pods",
            "Job/drain-queue Synced Failed Terminated",
        ],
        ..NOTHING
    });
    // Each value of the annotation (spec R102, R109, R126); Pod, Workflow and Job as hooks (spec R413).
    hook_values "000-hook-values" => Facts::Played(Course {
        ends: &[NO_MORE],
        created: "Pod/count-coins ConfigMap/prices Workflow/reprice Job/print-receipt",
        left: "ConfigMap/prices Job/print-receipt Pod/count-coins Workflow/reprice",
        not_run: &["notNeeded:Job/ring-bell deleteHook:Job/close-till skip:ConfigMap/prices-of-last-year"],
        results: &["Pod/count-coins Synced Succeeded pod/count-coins created", "ConfigMap/prices Synced Succeeded configmap/prices created"],
        ..NOTHING
    });
    // Lists (spec R103); one object in two phases: made anew with BeforeHookCreation, judged by its old outcome without (spec R311).
    comma_lists "000-comma-lists" => Facts::Played(Course {
        ends: &[NO_MORE],
        created: "Job/dust-shelves Job/take-stock ConfigMap/opening-hours Job/dust-shelves",
        left: "ConfigMap/opening-hours",
        warnings: &["did not run again"],
        ..NOTHING
    });
    // The policies at the end of a sync that succeeds (spec R208, R210).
    policies "000-policies" => Facts::Played(Course {
        ends: &[ALL_RUN],
        created: "Job/heat-oven Job/knead Job/proof ConfigMap/recipe",
        left: "ConfigMap/recipe Job/knead Job/proof",
        ..NOTHING
    });
    // The policies at the end of a sync that fails: the hook's own result does not count (spec R209, R210).
    policies_failing "000-policies-failing" => Facts::Played(Course {
        ends: &[UNSUCCESSFUL],
        created: "Job/burn Job/heat-oven Job/knead Job/proof",
        left: "Job/heat-oven Job/proof",
        not_run: &["blocked:ConfigMap/recipe"],
        ..NOTHING
    });
    // Named hooks with and without BeforeHookCreation, generated names (spec R203, R308, R310).
    named_hooks "000-named-hooks" => Facts::Played(Course {
        ends: &[NO_MORE, NO_MORE],
        created: "Job/load-van Job/send-* Job/stick-label Job/sweep-* Job/weigh Job/load-van Job/send-* Job/sweep-* Job/weigh",
        left: "Job/load-van Job/send-* Job/send-* Job/stick-label Job/weigh",
        not_run: &["", ""],
        results: &["Job/stick-label Synced Succeeded Reached expected number of succeeded pods"],
        warnings: &["did not run again"],
        ..NOTHING
    });
    // A leftover with Argo CD's finalizer, in deletion: freed, waited for, made anew; and again in the next sync (spec R205, R207, R216).
    stuck_deletion "000-stuck-deletion" => Facts::Played(Course {
        ends: &[NO_MORE, NO_MORE],
        created: "ConfigMap/segments Job/compact Job/compact",
        left: "ConfigMap/segments Job/compact",
        not_run: &["", ""],
        ..NOTHING
    });
    // What a time to live removed is missing, and made again by the next sync.
    ttl "000-ttl" => Facts::Played(Course {
        ends: &[NO_MORE, NO_MORE],
        created: "Job/reindex Workflow/crawl Job/ping Job/reindex Workflow/crawl Job/ping",
        left: "",
        not_run: &["", ""],
        ..NOTHING
    });
    // A selective sync runs no hook of any phase (spec R803).
    selective "000-selective" => Facts::Played(Course {
        ends: &[ALL_RUN],
        created: "ConfigMap/menu",
        left: "ConfigMap/menu",
        not_run: &["selection:Job/wash-up selection:Job/taste selection:ConfigMap/allergens selection:Job/serve selection:Job/call-pizza"],
        ..NOTHING
    });
    // OnSuccess and OnFailure have no effect (spec R120, decision 8), so what has a generated name piles up (spec R310).
    legacy_policies "001-legacy-policies" => Facts::Played(Course {
        ends: &[NO_MORE, NO_MORE],
        created: "Job/schema-migrate-* Deployment/orders Job/health-check-* Job/integration-test-* \
                  Job/schema-migrate-* Job/health-check-* Job/integration-test-*",
        left: "Deployment/orders Job/health-check-* Job/health-check-* Job/integration-test-* Job/integration-test-* \
               Job/schema-migrate-* Job/schema-migrate-*",
        not_run: &["", ""],
        warnings: &["HookSucceeded", "HookFailed", "HookSucceeded", "HookFailed"],
        ..NOTHING
    });
    legacy_policy_fails "001-legacy-policy-fails" => Facts::Played(Course {
        ends: &[UNSUCCESSFUL],
        created: "Deployment/orders Job/integration-test-*",
        left: "Deployment/orders Job/integration-test-*",
        results: &["Job/integration-test-* Synced Failed Job has reached the specified backoff limit"],
        warnings: &["HookFailed"],
        ..NOTHING
    });
    // The server refuses in the real apply, not in the dry pass (spec R612); the first group is all there is (spec R626).
    samples_without_spec "001-samples-without-spec" => Facts::Played(Course {
        ends: &["Failed: one or more objects failed to apply, reason: Job.batch \"schema-migrate-0101010-presync-1775118001\" is invalid: …"],
        not_run: &["blocked:ConfigMap/limits blocked:Job/integration-test-* blocked:Job/integration-test-again-*"],
        results: &["Job/schema-migrate-* SyncFailed Failed Job.batch \"schema-migrate-0101010-presync-1775118001\" is invalid: …"],
        warnings: &["HookSucceeded"],
        ..NOTHING
    });
    pre_and_post "002-pre-and-post" => Facts::Played(Course {
        ends: &[NO_MORE],
        created: "Job/presync-job* Service/museum Deployment/museum Job/postsync-job*",
        left: "Deployment/museum Service/museum",
        ..NOTHING
    });
    chart "002-chart" => Facts::Played(Course {
        ends: &[NO_MORE],
        created: "Job/presync-job* Service/gallery Deployment/gallery Job/postsync-job*",
        left: "Deployment/gallery Service/gallery",
        ..NOTHING
    });
    // The text ends before `state`: file, line, column and a caret.
    syncfail_unreadable "002-syncfail-unreadable" => Facts::Unreadable(&[
        "app.yaml:22:28",
        "22 │             - \"payload={\\\\\"state\\\\\": \\\\\"closed\\\\\"}\"",
        "here",
        "single quotes",
    ]);
    hooks_stay "002-hooks-stay" => Facts::Played(Course {
        ends: &[NO_MORE],
        created: "Job/presync-job* Deployment/museum Job/postsync-job*",
        left: "Deployment/museum Job/postsync-job* Job/presync-job*",
        ..NOTHING
    });
    two_waves_without_spec "002-two-waves-without-spec" => Facts::Played(Course {
        ends: &["Failed: one or more objects failed to apply, reason: Job.batch \"lower-ramp\" is invalid: …"],
        not_run: &["blocked:Job/raise-flag"],
        results: &["Job/lower-ramp SyncFailed Failed Job.batch \"lower-ramp\" is invalid: …"],
        ..NOTHING
    });
    // Waves in order, one wave side by side (spec R402, R501, R520).
    two_waves "002-two-waves" => Facts::Played(Course {
        ends: &[ALL_RUN],
        created: "Job/lower-ramp Job/open-gate Job/raise-flag NetworkPolicy/ferry Deployment/ferry",
        left: "Deployment/ferry Job/lower-ramp Job/open-gate Job/raise-flag NetworkPolicy/ferry",
        ..NOTHING
    });
    // Nothing but SyncFail runs after a failed PreSync hook (spec R402, R625).
    faq_presync_fails "002-faq-presync-fails" => Facts::Played(Course {
        ends: &[UNSUCCESSFUL],
        created: "Job/presync-job* Job/syncfail-job*",
        left: "Job/presync-job* Job/syncfail-job*",
        not_run: &["blocked:Deployment/market blocked:Job/set-up-stalls blocked:Job/postsync-job*"],
        results: &[
            "Job/presync-job* Synced Failed Job has reached the specified backoff limit",
            "Job/syncfail-job* Synced Succeeded Reached expected number of succeeded pods",
        ],
        ..NOTHING
    });
    faq_ttl "002-faq-ttl" => Facts::Played(Course {
        ends: &[ALL_RUN],
        created: "Job/other-job* Job/presync-job* ConfigMap/visiting-hours",
        left: "ConfigMap/visiting-hours Job/other-job*",
        ..NOTHING
    });
    // Every object is applied again and nothing changes; hooks run (spec R420).
    faq_sync_again "002-faq-sync-again" => Facts::Played(Course {
        ends: &[NO_MORE, NO_MORE],
        created: "Job/presync-job* Deployment/pool Job/postsync-job* Job/presync-job* Job/postsync-job*",
        left: "Deployment/pool",
        not_run: &["", ""],
        results: &["Deployment/pool Synced Succeeded deployment.apps/pool unchanged"],
        ..NOTHING
    });
    faq_deploy_anyway "002-faq-deploy-anyway" => Facts::Played(Course {
        ends: &[UNSUCCESSFUL, ALL_RUN],
        created: "Job/presync-job* Deployment/kiosk",
        left: "Deployment/kiosk Job/presync-job*",
        not_run: &[
            "blocked:Service/kiosk blocked:Deployment/kiosk blocked:Job/postsync-job*",
            "selection:Job/presync-job* selection:Service/kiosk selection:Job/postsync-job*",
        ],
        results: &["Deployment/kiosk Synced Running deployment.apps/kiosk created"],
        ..NOTHING
    });
    // Terminated at once, whatever the pod does (spec R905, R906); pressing again does no harm, with nothing running it is refused.
    faq_terminate "002-faq-terminate" => Facts::Played(Course {
        ends: &[TERMINATED, TERMINATED],
        created: "Job/oil-hinges Job/presync-job* Job/oil-hinges Job/presync-job*",
        left: "Job/oil-hinges",
        not_run: &["terminated:Deployment/tower terminated:Job/ring-down", "terminated:Deployment/tower terminated:Job/ring-down"],
        results: &[
            "Job/oil-hinges Synced Succeeded Reached expected number of succeeded pods",
            "Job/presync-job* Synced Failed Terminated",
        ],
        // Nobody waits for the end of a pod that does not end.
        warnings: &["was still open when the operation ended", "was still open when the operation ended"],
        refused: &["no operation is running"],
        ..NOTHING
    });
    email "003-email" => Facts::Played(Course {
        ends: &[NO_MORE],
        created: "Secret/smtp-password Deployment/garden Job/email-*",
        left: "Deployment/garden Secret/smtp-password",
        ..NOTHING
    });
    email_without_secret "003-email-without-secret" => Facts::Played(Course {
        ends: &[UNSUCCESSFUL],
        created: "Deployment/garden Job/email-* Job/tell-gardener",
        left: "Deployment/garden Job/email-* Job/tell-gardener",
        results: &["Job/email-* Synced Failed Job was active longer than specified deadline"],
        warnings: &["needs Secret argocd/smtp-password"],
        ..NOTHING
    });
    email_relay_hangs "003-email-relay-hangs" => Facts::Played(Course {
        ends: &[UNSUCCESSFUL],
        created: "Deployment/garden Job/email-*",
        left: "Deployment/garden Job/email-*",
        results: &["Job/email-* Synced Failed Job was active longer than specified deadline"],
        ..NOTHING
    });
    slack_unreadable "003-slack-unreadable" => Facts::Unreadable(&["app.yaml:10:1", "10 │ spec", "here", "a key needs a colon"]);
    slack_notify "003-slack-notify" => Facts::Played(Course {
        ends: &[NO_MORE],
        created: "Deployment/garden Job/slack-notify-*",
        left: "Deployment/garden",
        ..NOTHING
    });
    // A 403 on one object is that task's failure (cli.md, exit codes).
    slack_forbidden "003-slack-forbidden" => Facts::Played(Course {
        ends: &["Failed: one or more objects failed to apply, reason: jobs.batch is forbidden: User \"gardener\" cannot patch…"],
        created: "Deployment/garden",
        left: "Deployment/garden",
        results: &["Job/slack-notify-* SyncFailed Failed jobs.batch is forbidden: User \"gardener\" cannot patch…"],
        ..NOTHING
    });
    every_value "003-every-value" => Facts::Played(Course {
        ends: &[NO_MORE],
        created: "Job/check-fence Job/move-herd Job/fill-trough Deployment/farm Job/milk Job/taste-milk Job/call-dairy",
        left: "Deployment/farm Job/milk",
        not_run: &[
            "notNeeded:Job/call-vet notNeeded:Job/move-herd-back deleteHook:Job/count-animals deleteHook:Job/leave-register \
             skip:ConfigMap/winter-plan",
        ],
        ..NOTHING
    });
    // SyncFail hooks start together, whatever their wave (spec R406); HookFailed deletes the hook that failed (spec R209).
    presync_fails_undo "003-presync-fails-undo" => Facts::Played(Course {
        ends: &[UNSUCCESSFUL],
        created: "Job/move-herd Job/fill-trough Job/call-vet Job/move-herd-back",
        left: "Job/call-vet Job/move-herd Job/move-herd-back",
        not_run: &["blocked:Deployment/farm"],
        ..NOTHING
    });
    misspelt_policy_key "004-misspelt-policy-key" => Facts::Played(Course {
        ends: &[NO_MORE],
        created: "ConfigMap/programme Job/dim-lights",
        left: "ConfigMap/programme Job/dim-lights",
        warnings: &["argocd.argoproj.io/hook-delete-policy"],
        ..NOTHING
    });
    integration_test "004-integration-test" => Facts::Played(Course {
        ends: &[NO_MORE],
        created: "Deployment/cinema Job/integration-test-*",
        left: "Deployment/cinema",
        ..NOTHING
    });
    slack_success "004-slack-success" => Facts::Played(Course {
        ends: &[NO_MORE],
        created: "Deployment/cinema Job/app-slack-notification-*",
        left: "Deployment/cinema",
        not_run: &["notNeeded:Job/app-slack-notification-fail-*"],
        ..NOTHING
    });
    // HookSucceeded on a SyncFail hook never deletes it (spec R210).
    slack_failure "004-slack-failure" => Facts::Played(Course {
        ends: &[UNSUCCESSFUL],
        created: "Deployment/cinema Job/app-slack-notification-fail-*",
        left: "Deployment/cinema Job/app-slack-notification-fail-*",
        not_run: &["blocked:Job/app-slack-notification-*"],
        results: &["Deployment/cinema Synced Failed Deployment \"cinema\" exceeded its progress deadline"],
        ..NOTHING
    });
    // Skip beside another value is no Skip (spec R108); a Deployment as a hook is done when it is healthy (spec R414).
    skip_presync "blue-green-skip-presync" => Facts::Played(Course {
        ends: &[NO_MORE],
        created: "Deployment/boats Service/boats Job/turn-lock",
        left: "Deployment/boats Job/turn-lock Service/boats",
        warnings: &["Skip has no effect"],
        ..NOTHING
    });
    switch_fails "blue-green-switch-fails" => Facts::Played(Course {
        ends: &[UNSUCCESSFUL],
        created: "Job/switch Job/remove-green",
        left: "Job/remove-green Job/switch",
        not_run: &["skip:Deployment/boats blocked:Job/verify"],
        services: &[("boats", "boats", "/spec/selector/colour", "blue")],
        ..NOTHING
    });
}

impl Facts {
    /// Returns what is not as reviewed.
    pub(super) fn check(&self, scene: &Scene) -> Vec<String> {
        match (self, scene) {
            (Self::Unreadable(parts), Scene::Unreadable(page)) => {
                parts.iter().filter(|part| !page.contains(**part)).map(|part| format!("the page does not say: {part}")).collect()
            }
            (Self::Played(course), Scene::Played(played)) => course.check(played),
            (Self::Unreadable(_), _) => vec!["its manifests can be read".to_owned()],
            (Self::Played(_), _) => vec!["its manifests cannot be read".to_owned()],
        }
    }
}

impl Course {
    fn check(&self, played: &Played) -> Vec<String> {
        let accounts = accounts(&played.printed);
        let mut problems = Vec::new();
        let mut compare = |what: &str, expected: Vec<String>, found: Vec<String>| {
            if expected != found {
                problems.push(format!("{what}: reviewed {expected:?}, found {found:?}"));
            }
        };
        let ends: Vec<String> = accounts.iter().map(end).collect();
        compare("ends", fit(self.ends, &ends), ends);
        compare("created", words(self.created), played.truth.created());
        compare("left", sorted(words(self.left)), sorted(played.truth.left()));
        let not_run: Vec<Vec<String>> = accounts.iter().map(not_run).collect();
        compare("operations", vec![self.not_run.len().to_string()], vec![not_run.len().to_string()]);
        for (at, (reviewed, found)) in self.not_run.iter().zip(not_run).enumerate() {
            compare(&format!("not run in operation {}", at + 1), sorted(words(reviewed)), sorted(found));
        }
        let results: Vec<String> = accounts.last().map(results).unwrap_or_default();
        for reviewed in self.results {
            let title = reviewed.split(' ').next().unwrap_or_default();
            let found: Vec<String> = results.iter().filter(|result| result.split(' ').next() == Some(title)).cloned().collect();
            compare("result", fit(&[*reviewed], &found), found);
        }
        let warnings: Vec<String> =
            accounts.iter().flat_map(|account| account.of("warning")).map(|line| text(line, "message").to_owned()).collect();
        compare("warnings", holding(self.warnings, &warnings), warnings);
        compare("refused", holding(self.refused, &played.refused), played.refused.clone());
        for (namespace, name, place, expected) in self.services {
            compare(&format!("Service/{name} {place}"), words(expected), words(&played.truth.of_service(namespace, name, place)));
        }
        problems
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn sorted(mut words: Vec<String>) -> Vec<String> {
    words.sort();
    words
}

/// Returns what was found where it begins as reviewed, else what was reviewed.
fn fit(reviewed: &[&str], found: &[String]) -> Vec<String> {
    let fits = |reviewed: &str, found: &String| reviewed.strip_suffix('…').map_or(reviewed == found, |start| found.starts_with(start));
    let pairs = reviewed
        .iter()
        .enumerate()
        .map(|(at, text)| found.get(at).filter(|found| fits(text, found)).cloned().unwrap_or((*text).to_owned()));
    pairs.collect()
}

/// Returns what was found where it has the reviewed part, else that part.
fn holding(reviewed: &[&str], found: &[String]) -> Vec<String> {
    let pairs = reviewed
        .iter()
        .enumerate()
        .map(|(at, part)| found.get(at).filter(|found| found.contains(part)).cloned().unwrap_or((*part).to_owned()));
    pairs.collect()
}

fn end(account: &Account) -> String {
    let finished = account.finished();
    format!("{}: {}", text(finished, "phase"), text(finished, "message"))
}

fn not_run(account: &Account) -> Vec<String> {
    let entries = account.finished()["notRun"].as_array().into_iter().flatten();
    entries.map(|entry| format!("{}:{}", text(entry, "code"), title(account, &entry["task"]))).collect()
}

fn results(account: &Account) -> Vec<String> {
    let entries = account.finished()["results"].as_array().into_iter().flatten();
    let shown = |entry: &Value| {
        format!("{} {} {} {}", title(account, &entry["task"]), text(entry, "status"), text(entry, "hookPhase"), text(entry, "message"))
    };
    entries.map(shown).collect()
}

/// Returns `Kind/name`, with a star for the generated part (spec R302).
fn title(account: &Account, task: &Value) -> String {
    let (kind, name) = (text(task, "kind"), text(task, "name"));
    let revision: String = text(account.started(), "revision").chars().take(7).collect();
    let tail = format!("{revision}-{}-", text(task, "phase").to_lowercase());
    match name.split_once(&tail) {
        Some((head, seconds)) if !seconds.is_empty() && seconds.bytes().all(|byte| byte.is_ascii_digit()) => format!("{kind}/{head}*"),
        _ => format!("{kind}/{name}"),
    }
}
