//! Decides whether a call is tried again, and waits. Five tries within 30 s, with growing pauses that honour the server's own wish as far
//! as that goes; said once to the person who waits. A change whose answer is lost uses up all of that time, and is sent once more all the
//! same. Must not be used for anything that may not happen twice: the caller looks first.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::wire::CallError;
use super::{Cluster, Reporter};

const TRIES: u32 = 5;
/// How often credentials are asked for.
const LOGINS: u32 = 2;
const WITHIN: SignedDuration = SignedDuration::from_secs(30);
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// How long a first wish is honoured that is beyond all patience: an hour may be the difference between two clocks.
const LONGEST_WISH: Duration = Duration::from_secs(20);

/// The state of one call that may need several tries.
pub(super) struct Backoff<'a> {
    cluster: &'a Cluster,
    reporter: &'a Reporter,
    /// What is being done, for the warning: `applying Job shop/migrate`.
    doing: &'a str,
    is_change: bool,
    failures: u32,
    /// Whether a try may have been heard although there was no answer.
    is_unsure: bool,
    began: Timestamp,
}

impl<'a> Backoff<'a> {
    pub(super) fn new(cluster: &'a Cluster, reporter: &'a Reporter, doing: &'a str) -> Self {
        Self { cluster, reporter, doing, is_change: false, failures: 0, is_unsure: false, began: cluster.clock().now() }
    }

    /// The same for a request that changes something, and that may be sent a second time: whether the first one was taken decides about the
    /// operation, so one lost answer must not.
    pub(super) fn of_change(cluster: &'a Cluster, reporter: &'a Reporter, doing: &'a str) -> Self {
        Self { is_change: true, ..Self::new(cluster, reporter, doing) }
    }

    /// Waits for the next try; returns false at once if there is none, because the error will not go away or patience is at its end.
    pub(super) async fn again(&mut self, error: &CallError) -> bool {
        self.again_if(error, is_transient(error)).await
    }

    /// Returns what the caller has to say: after a try that may have been heard, one that was not sent says nothing of the outcome.
    pub(super) fn settled(&self, error: CallError) -> CallError {
        if self.is_unsure && matches!(error, CallError::Unsent) { CallError::TimedOut } else { error }
    }

    /// The same for a caller that knows better what goes away.
    pub(super) async fn again_if(&mut self, error: &CallError, goes_away: bool) -> bool {
        self.failures += 1;
        self.is_unsure |= error.is_outcome_unknown();
        let (pause, is_cut) = self.pause(error);
        let clock = self.cluster.clock();
        let passed = clock.now().duration_since(self.began);
        let is_first_silence = self.is_change && self.failures == 1 && *error == CallError::TimedOut;
        let too_late = !is_first_silence && passed.saturating_add(SignedDuration::try_from(pause).unwrap_or(SignedDuration::MAX)) > WITHIN;
        // A plugin may ask a person each time.
        let tries = if matches!(error, CallError::Credentials(_)) { LOGINS } else { TRIES };
        if !goes_away || self.failures >= tries || too_late || self.cluster.hurry.is_cancelled() {
            return false;
        }
        if self.failures == 1 {
            let cut = if is_cut { cut(pause, error) } else { String::new() };
            self.reporter.warn(format!("{}: {error}; trying again{cut}", self.doing));
        }
        tokio::select! {
            biased;
            () = self.cluster.hurry.cancelled() => false,
            () = clock.sleep(pause) => true,
        }
    }

    /// How long to wait, and whether the server wishes for more.
    fn pause(&self, error: &CallError) -> (Duration, bool) {
        let own = FIRST_PAUSE * 2_u32.pow(self.failures - 1);
        let wish = wish(error);
        if self.failures == 1 && SignedDuration::try_from(wish).unwrap_or(SignedDuration::MAX) > WITHIN {
            return (LONGEST_WISH, true);
        }
        (own.max(wish), false)
    }
}

/// How long the server wishes to be left alone.
pub(super) fn wish(error: &CallError) -> Duration {
    match error {
        CallError::Refused { retry_after, .. } => retry_after.unwrap_or_default(),
        CallError::Lost(_)
        | CallError::Unreachable(_)
        | CallError::TimedOut
        | CallError::Credentials(_)
        | CallError::Unsent
        | CallError::Withheld(_)
        | CallError::Unsure(_)
        | CallError::Unreadable(_) => Duration::ZERO,
    }
}

/// What is said when a wish is cut short.
pub(super) fn cut(pause: Duration, error: &CallError) -> String {
    format!(
        " in {} s, although the API server asks for a pause of {} s; one of the clocks may be wrong",
        pause.as_secs(),
        wish(error).as_secs()
    )
}

/// Returns whether the same request may well succeed a moment later. A 500 without a reason is the server's way to say that a typed
/// value cannot be built from the manifest; that does not go away.
pub(super) fn is_transient(error: &CallError) -> bool {
    match error {
        CallError::Refused { code: 429 | 502 | 503 | 504, .. } => true,
        CallError::Refused { code: 500, reason, message, .. } => !reason.is_empty() || message.starts_with("etcdserver:"),
        // Credentials that are got anew for each request fail for a moment, too, and nothing was sent.
        CallError::Credentials(lack) => lack.may_pass,
        CallError::Lost(_) | CallError::Unreachable(_) | CallError::TimedOut => true,
        CallError::Refused { .. } | CallError::Unsent | CallError::Withheld(_) | CallError::Unsure(_) | CallError::Unreadable(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::cluster::wire::Lack;
    use crate::cluster::{Outbox, fake};
    use crate::operation::Event;

    fn refused(code: u16, reason: &str, retry_after: Option<u64>) -> CallError {
        CallError::Refused {
            code,
            reason: reason.into(),
            message: "busy".into(),
            causes: Vec::new(),
            retry_after: retry_after.map(Duration::from_secs),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn r904_what_was_not_sent_says_nothing_after_a_try_that_may_have_been_heard() {
        let cluster = fake::cluster(|_| fake::status(503, "", ""));
        let reporter = Reporter::default();
        let mut backoff = Backoff::new(&cluster, &reporter, "deleting Job shop/migrate");
        assert_eq!(backoff.settled(CallError::Unsent), CallError::Unsent);
        assert!(backoff.again(&refused(429, "TooManyRequests", None)).await);
        assert_eq!(backoff.settled(CallError::Unsent), CallError::Unsent, "a refusal was an answer");
        assert!(backoff.again(&CallError::TimedOut).await);
        assert_eq!(backoff.settled(CallError::Unsent), CallError::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn five_tries_with_growing_pauses_and_one_warning() {
        let cluster = fake::cluster(|_| fake::status(503, "", ""));
        let outbox = Arc::new(Outbox::default());
        let reporter = Reporter::new(&outbox, None);
        let mut backoff = Backoff::new(&cluster, &reporter, "applying Job shop/migrate");
        let began = cluster.clock().now();
        let error = refused(503, "ServiceUnavailable", None);
        let mut tries = 1;
        while backoff.again(&error).await {
            tries += 1;
        }
        assert_eq!(tries, 5);
        assert_eq!(cluster.clock().now().duration_since(began).as_millis(), 250 + 500 + 1000 + 2000);
        let text = "applying Job shop/migrate: busy; trying again".to_owned();
        assert_eq!(outbox.drain(), [Event::Warned { task: None, text }]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_servers_wish_is_honoured_but_not_for_longer_than_30_s() {
        let cluster = fake::cluster(|_| fake::status(429, "", ""));
        let reporter = Reporter::default();
        let mut backoff = Backoff::new(&cluster, &reporter, "x");
        let began = cluster.clock().now();
        assert!(backoff.again(&refused(429, "TooManyRequests", Some(20))).await);
        assert_eq!(cluster.clock().now().duration_since(began).as_secs(), 20);
        assert!(!backoff.again(&refused(429, "TooManyRequests", Some(20))).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wish_for_an_hour_is_cut_to_20_s_and_said() {
        let cluster = fake::cluster(|_| fake::status(429, "", ""));
        let outbox = Arc::new(Outbox::default());
        let reporter = Reporter::new(&outbox, None);
        for hours in [1, u64::MAX / 3600] {
            let mut backoff = Backoff::new(&cluster, &reporter, "x");
            let began = cluster.clock().now();
            assert!(backoff.again(&refused(429, "TooManyRequests", Some(hours * 3600))).await);
            assert_eq!(cluster.clock().now().duration_since(began).as_secs(), 20);
            assert!(!backoff.again(&refused(429, "TooManyRequests", Some(hours * 3600))).await, "once");
        }
        let text = "x: busy; trying again in 20 s, although the API server asks for a pause of 3600 s; one of the clocks may be wrong";
        assert_eq!(outbox.drain()[0], Event::Warned { task: None, text: text.to_owned() });
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_that_got_no_answer_in_time_is_sent_once_more() {
        for (is_change, tries) in [(true, 2), (false, 1)] {
            let cluster = fake::cluster(|_| fake::status(504, "", ""));
            let reporter = Reporter::default();
            let mut backoff = if is_change { Backoff::of_change(&cluster, &reporter, "x") } else { Backoff::new(&cluster, &reporter, "x") };
            let mut sent = 0;
            loop {
                sent += 1;
                cluster.clock().sleep(Duration::from_secs(30)).await;
                if !backoff.again(&CallError::TimedOut).await {
                    break;
                }
            }
            assert_eq!(sent, tries, "{is_change}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_will_not_go_away_is_not_tried_again() {
        let cluster = fake::cluster(|_| fake::status(500, "", ""));
        let reporter = Reporter::default();
        for error in [refused(500, "", None), refused(403, "Forbidden", None), refused(422, "Invalid", None)] {
            assert!(!Backoff::new(&cluster, &reporter, "x").again(&error).await, "{error:?}");
        }
        let passing = [
            refused(500, "InternalError", None),
            CallError::TimedOut,
            CallError::Lost("reset".into()),
            CallError::Credentials(Lack { text: "x".into(), may_pass: true }),
        ];
        for error in passing {
            assert!(Backoff::new(&cluster, &reporter, "x").again(&error).await, "{error:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_another_try_once_hurried() {
        let hurry = tokio_util::sync::CancellationToken::new();
        let cluster = fake::cluster(|_| fake::status(503, "", "")).with_hurry(hurry.clone());
        hurry.cancel();
        assert!(!Backoff::new(&cluster, &Reporter::default(), "x").again(&CallError::TimedOut).await);
    }
}
