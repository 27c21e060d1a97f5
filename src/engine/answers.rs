//! Answers that are worth waiting for, but not for long: an advice must not hold up what it is about. Owns the loop; knows neither what is
//! asked nor how long is too long.

use futures::{Stream, StreamExt as _};

/// How waiting for answers ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    All,
    /// The time was over before.
    Some,
}

/// Hands over answers as they come, until there are no more or until `end`.
pub(super) async fn until<T>(end: impl Future<Output = ()>, answers: impl Stream<Item = T>, mut take: impl FnMut(T)) -> Heard {
    tokio::pin!(end, answers);
    loop {
        let next = tokio::select! {
            biased;
            next = answers.next() => next,
            () = &mut end => return Heard::Some,
        };
        match next {
            Some(answer) => take(answer),
            None => return Heard::All,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::sleep;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_has_come_is_kept_when_the_time_is_over() {
        for (patience, heard) in [(5, (vec![1, 3], Heard::Some)), (9, (vec![1, 3, 8], Heard::All))] {
            let waits = [3, 1, 8].map(|second| async move {
                sleep(Duration::from_secs(second)).await;
                second
            });
            let mut seen = Vec::new();
            let answers = futures::stream::iter(waits).buffer_unordered(3);
            let end = until(sleep(Duration::from_secs(patience)), answers, |second| seen.push(second)).await;
            assert_eq!((seen, end), heard);
        }
    }
}
