//! Where a person is in a list: the chosen row and the row at the top of the screen. Owns two numbers and the rules for moving them;
//! knows neither the rows nor the keys.

use std::ops::Range;

/// A position in a list. The length and the height come with every call, because both change without the person's doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) selected: usize,
    pub(crate) top: usize,
}

impl Cursor {
    /// Moves the choice by `delta` rows, at most to the ends.
    pub(crate) fn move_by(&mut self, delta: isize, len: usize) {
        self.selected = self.selected.saturating_add_signed(delta).min(len.saturating_sub(1));
    }

    /// Moves by `pages` screens, one row less so that a row of the old screen stays in sight.
    pub(crate) fn page(&mut self, pages: isize, height: usize, len: usize) {
        let step = isize::try_from(height.saturating_sub(1).max(1)).unwrap_or(isize::MAX);
        let delta = step.saturating_mul(pages);
        self.top = self.top.saturating_add_signed(delta);
        self.move_by(delta, len);
        self.keep_visible(height, len);
    }

    /// Moves by half a screen.
    pub(crate) fn half(&mut self, halves: isize, height: usize, len: usize) {
        let delta = isize::try_from((height / 2).max(1)).unwrap_or(isize::MAX).saturating_mul(halves);
        self.top = self.top.saturating_add_signed(delta);
        self.move_by(delta, len);
        self.keep_visible(height, len);
    }

    /// Chooses the first row.
    pub(crate) fn home(&mut self) {
        *self = Self::default();
    }

    /// Chooses the last row.
    pub(crate) fn end(&mut self, height: usize, len: usize) {
        self.selected = len.saturating_sub(1);
        self.keep_visible(height, len);
    }

    /// Chooses a row; one behind the end counts as the last.
    pub(crate) fn select(&mut self, row: usize, len: usize) {
        self.selected = row.min(len.saturating_sub(1));
    }

    /// Follows rows that vanished at the front, so that the same rows stay chosen and in sight.
    pub(crate) fn forget_front(&mut self, rows: usize) {
        self.selected = self.selected.saturating_sub(rows);
        self.top = self.top.saturating_sub(rows);
    }

    /// Scrolls as little as needed to show the chosen row, and never leaves a part of the screen empty that rows could fill.
    pub(crate) fn keep_visible(&mut self, height: usize, len: usize) {
        self.selected = self.selected.min(len.saturating_sub(1));
        let lowest = (self.selected + 1).saturating_sub(height.max(1));
        self.top = self.top.clamp(lowest, self.selected).min(len.saturating_sub(height));
    }

    /// Returns the rows that a screen of this height shows.
    pub(crate) fn visible(&self, height: usize, len: usize) -> Range<usize> {
        let start = self.top.min(len);
        start..start.saturating_add(height).min(len)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn moving_past_the_edge_scrolls_by_one_row() {
        let mut cursor = Cursor { selected: 4, top: 0 };
        cursor.move_by(1, 10);
        cursor.keep_visible(5, 10);
        assert_eq!(cursor, Cursor { selected: 5, top: 1 });
        assert_eq!(cursor.visible(5, 10), 1..6);
    }

    #[test]
    fn half_a_page_moves_row_and_screen_and_stops_at_the_ends() {
        let mut cursor = Cursor::default();
        cursor.half(1, 10, 30);
        assert_eq!(cursor, Cursor { selected: 5, top: 5 });
        cursor.half(-1, 10, 30);
        assert_eq!(cursor, Cursor { selected: 0, top: 0 });
        cursor.half(9, 10, 30);
        assert_eq!(cursor.selected, 29);
    }

    #[test]
    fn a_page_keeps_one_row_in_sight() {
        let mut cursor = Cursor::default();
        cursor.page(1, 5, 20);
        assert_eq!(cursor, Cursor { selected: 4, top: 4 });
        cursor.page(9, 5, 20);
        assert_eq!(cursor, Cursor { selected: 19, top: 15 });
        cursor.page(-1, 5, 20);
        assert_eq!(cursor, Cursor { selected: 15, top: 11 });
    }

    #[test]
    fn rows_that_vanish_in_front_do_not_move_the_choice() {
        let mut cursor = Cursor { selected: 7, top: 5 };
        cursor.forget_front(3);
        assert_eq!(cursor, Cursor { selected: 4, top: 2 });
    }

    proptest! {
        #[test]
        fn the_choice_is_always_in_sight(moves in prop::collection::vec((-50_isize..50, 0_usize..40, 0_usize..12, any::<bool>()), 1..30)) {
            let mut cursor = Cursor::default();
            for (delta, len, height, paging) in moves {
                if paging { cursor.page(delta, height, len) } else { cursor.move_by(delta, len) }
                cursor.keep_visible(height, len);
                let visible = cursor.visible(height, len);
                prop_assert!(visible.len() == height.min(len));
                prop_assert!(visible.is_empty() || visible.contains(&cursor.selected));
            }
        }
    }
}
