//! How many writes are under way at once: more while the server keeps up, half as many when it says that it is busy (performance.md
//! 2.5, point 8). Knows nothing of what is written; fairness among users is the server's own business.

use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use super::locked;
use crate::clock::Clock;

const START: usize = 16;
const CAP: usize = 64;
/// How many of the writes under way may be ones that nobody waits for.
const ASIDE: usize = 4;
/// Differences below this are noise, not a server that slows down.
const NOISE: SignedDuration = SignedDuration::from_millis(5);

/// The limit and those who keep to it.
pub(crate) struct Pool {
    clock: Clock,
    permits: Arc<Semaphore>,
    aside: Semaphore,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    limit: usize,
    /// Permits that are out and will not come back, because the limit was lowered meanwhile.
    debt: usize,
    /// Of this round trip: how many ended, and how long they took together.
    ended: usize,
    took: SignedDuration,
    fastest: Option<SignedDuration>,
    lowered_at: Option<Timestamp>,
}

/// The right to send one write.
pub(crate) struct Turn<'a> {
    pool: &'a Pool,
    permit: Option<OwnedSemaphorePermit>,
    began: Timestamp,
}

/// What the server's answer says of its load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    Fine,
    /// 429, 503, or a `Retry-After`.
    Busy,
}

impl Pool {
    pub(crate) fn new(clock: Clock) -> Self {
        let state = State { limit: START, debt: 0, ended: 0, took: SignedDuration::ZERO, fastest: None, lowered_at: None };
        Self { clock, permits: Arc::new(Semaphore::new(START)), aside: Semaphore::new(ASIDE), state: Mutex::new(state) }
    }

    /// Waits for a turn, first come, first served.
    pub(crate) async fn turn(&self) -> Turn<'_> {
        // The semaphore is never closed; without a permit the write would only be unlimited.
        let permit = self.permits.clone().acquire_owned().await.ok();
        Turn { pool: self, permit, began: self.clock.now() }
    }

    /// Waits until one of the few places of writes that nobody waits for is free; such a write takes its turn then. The place is kept
    /// until the permit is dropped.
    pub(crate) async fn aside(&self) -> Option<SemaphorePermit<'_>> {
        self.aside.acquire().await.ok()
    }

    fn end(&self, permit: Option<OwnedSemaphorePermit>, began: Timestamp, load: Load) {
        let mut state = locked(&self.state);
        match load {
            Load::Fine => self.note_answer(&mut state, began),
            Load::Busy => self.lower(&mut state, began),
        }
        if state.debt > 0 {
            state.debt -= 1;
            if let Some(permit) = permit {
                permit.forget();
            }
        }
    }

    fn note_answer(&self, state: &mut State, began: Timestamp) {
        state.ended += 1;
        state.took += self.clock.now().duration_since(began);
        if state.ended < state.limit {
            return;
        }
        let mean = state.took / i32::try_from(state.ended).unwrap_or(i32::MAX);
        let fastest = state.fastest.map_or(mean, |fastest| fastest.min(mean));
        if mean <= fastest * 2 + NOISE && state.limit < CAP {
            state.limit += 1;
            if state.debt > 0 {
                state.debt -= 1;
            } else {
                self.permits.add_permits(1);
            }
        }
        (state.fastest, state.ended, state.took) = (Some(fastest), 0, SignedDuration::ZERO);
    }

    /// Halves the limit, once for all writes that were under way at the same time.
    fn lower(&self, state: &mut State, began: Timestamp) {
        if state.lowered_at.is_some_and(|at| began < at) {
            return;
        }
        let limit = (state.limit / 2).max(1);
        let surplus = state.limit - limit;
        let free = self.permits.forget_permits(surplus);
        state.debt += surplus - free;
        (state.limit, state.lowered_at) = (limit, Some(self.clock.now()));
        (state.ended, state.took) = (0, SignedDuration::ZERO);
    }

    #[cfg(test)]
    fn limit(&self) -> usize {
        locked(&self.state).limit
    }
}

impl Turn<'_> {
    /// Ends the turn with what the answer said.
    pub(crate) fn end(mut self, load: Load) {
        self.pool.end(self.permit.take(), self.began, load);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cluster::fake::epoch;

    async fn round(pool: &Pool, count: usize, takes: u64, load: Load) {
        let writes = (0..count).map(|_| async {
            let turn = pool.turn().await;
            tokio::time::sleep(Duration::from_millis(takes)).await;
            turn.end(load);
        });
        futures::future::join_all(writes).await;
    }

    fn pool() -> Pool {
        Pool::new(Clock::starting_at(epoch(), 1.0))
    }

    #[tokio::test(start_paused = true)]
    async fn the_limit_grows_by_one_for_each_round_trip_up_to_its_cap() {
        let pool = pool();
        round(&pool, 16, 10, Load::Fine).await;
        assert_eq!(pool.limit(), 17);
        round(&pool, 17, 10, Load::Fine).await;
        assert_eq!(pool.limit(), 18);
        round(&pool, 10_000, 10, Load::Fine).await;
        assert_eq!((pool.limit(), pool.permits.available_permits()), (CAP, CAP));
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_slows_down_stops_the_growth() {
        let pool = pool();
        round(&pool, 16, 10, Load::Fine).await;
        round(&pool, 17, 80, Load::Fine).await;
        assert_eq!(pool.limit(), 17);
    }

    #[tokio::test(start_paused = true)]
    async fn a_busy_server_halves_the_limit_once_for_everything_under_way() {
        let pool = pool();
        round(&pool, 16, 10, Load::Busy).await;
        assert_eq!((pool.limit(), pool.permits.available_permits()), (8, 8));
        round(&pool, 8, 10, Load::Busy).await;
        assert_eq!((pool.limit(), pool.permits.available_permits()), (4, 4));
        for _ in 0..9 {
            round(&pool, 1, 10, Load::Busy).await;
        }
        assert_eq!((pool.limit(), pool.permits.available_permits()), (1, 1), "one write is always allowed");
    }

    #[tokio::test(start_paused = true)]
    async fn writes_that_nobody_waits_for_leave_room_for_the_others() {
        let pool = pool();
        let beside = |_| async {
            let _place = pool.aside().await;
            let turn = pool.turn().await;
            tokio::time::sleep(Duration::from_millis(10)).await;
            turn.end(Load::Fine);
        };
        let began = pool.clock.now();
        let group = async {
            tokio::task::yield_now().await;
            round(&pool, START - ASIDE, 10, Load::Fine).await;
            pool.clock.now().duration_since(began)
        };
        let (group, _) = futures::future::join(group, async { futures::future::join_all((0..20).map(beside)).await }).await;
        assert_eq!(group.as_millis(), 10, "twenty that came before do not keep a group waiting");
        assert_eq!(pool.clock.now().duration_since(began).as_millis(), 50);
    }

    #[tokio::test(start_paused = true)]
    async fn never_more_are_under_way_than_the_limit_says() {
        let pool = pool();
        let under_way = std::sync::atomic::AtomicUsize::new(0);
        let most = std::sync::atomic::AtomicUsize::new(0);
        let writes = (0..100).map(|_| async {
            let turn = pool.turn().await;
            let now = 1 + under_way.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            most.fetch_max(now, std::sync::atomic::Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(10)).await;
            under_way.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
            turn.end(Load::Busy);
        });
        futures::future::join_all(writes).await;
        assert_eq!(most.load(std::sync::atomic::Ordering::SeqCst), START);
    }
}
