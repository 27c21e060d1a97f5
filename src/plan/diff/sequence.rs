//! Which lines, or items of a list, are the same on both sides, in order. What stands once on each side is matched first, in the longest
//! order that both have; between these, small gaps are matched as well as can be, and large ones not at all. So the work grows with the
//! number of lines, and not with their square, whatever they are.

use std::collections::HashMap;
use std::hash::Hash;
use std::ops::Range;

/// How many pairs of lines are weighed in a gap.
const WEIGHED: usize = 1 << 18;

/// What becomes of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Its place before and after.
    Both(usize, usize),
    Removed(usize),
    Added(usize),
}

/// Returns the steps from one list to the other.
pub(super) fn steps<T: Eq + Hash>(before: &[T], after: &[T]) -> Vec<Step> {
    let mut numbers: HashMap<&T, u32> = HashMap::new();
    let mut number = |item| {
        let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
        *numbers.entry(item).or_insert(next)
    };
    let before: Vec<u32> = before.iter().map(&mut number).collect();
    let after: Vec<u32> = after.iter().map(&mut number).collect();
    let distinct = numbers.len();
    let mut sides = Sides { before: &before, after: &after, steps: Vec::with_capacity(before.len().max(after.len())) };
    sides.all(distinct);
    sides.steps
}

struct Sides<'a> {
    before: &'a [u32],
    after: &'a [u32],
    steps: Vec<Step>,
}

/// A part of both sides.
#[derive(Clone)]
struct Gap {
    before: Range<usize>,
    after: Range<usize>,
}

impl Sides<'_> {
    fn all(&mut self, distinct: usize) {
        let (middle, end) = self.trimmed(Gap { before: 0..self.before.len(), after: 0..self.after.len() });
        let mut from = (middle.before.start, middle.after.start);
        for (before, after) in self.anchors(&middle, distinct) {
            self.gap(Gap { before: from.0..before, after: from.1..after });
            self.steps.push(Step::Both(before, after));
            from = (before + 1, after + 1);
        }
        self.gap(Gap { before: from.0..middle.before.end, after: from.1..middle.after.end });
        self.steps.extend(end);
    }

    /// Takes what is the same at the start of a gap, and returns what is between it and what is the same at the end.
    fn trimmed(&mut self, gap: Gap) -> (Gap, Vec<Step>) {
        let (before, after) = (&self.before[gap.before.clone()], &self.after[gap.after.clone()]);
        let start = before.iter().zip(after).take_while(|(before, after)| before == after).count();
        let rest = before[start..].iter().rev().zip(after[start..].iter().rev());
        let end = rest.take_while(|(before, after)| before == after).count();
        self.steps.extend((0..start).map(|at| Step::Both(gap.before.start + at, gap.after.start + at)));
        let middle = Gap { before: gap.before.start + start..gap.before.end - end, after: gap.after.start + start..gap.after.end - end };
        let tail = (0..end).map(|at| Step::Both(middle.before.end + at, middle.after.end + at)).collect();
        (middle, tail)
    }

    /// Returns what stands once on each side, as many of them as are in the same order on both.
    fn anchors(&self, gap: &Gap, distinct: usize) -> Vec<(usize, usize)> {
        let once = |items: &[u32], start: usize| {
            let mut seen = vec![(0_u8, 0_usize); distinct];
            for (at, item) in items.iter().enumerate() {
                let (count, place) = &mut seen[*item as usize];
                (*count, *place) = (count.saturating_add(1), start + at);
            }
            seen
        };
        let before = once(&self.before[gap.before.clone()], gap.before.start);
        let after = once(&self.after[gap.after.clone()], gap.after.start);
        let pairs = self.before[gap.before.clone()].iter().filter_map(|item| {
            let ((1, before), (1, after)) = (before[*item as usize], after[*item as usize]) else { return None };
            Some((before, after))
        });
        rising(&pairs.collect::<Vec<_>>())
    }

    fn gap(&mut self, gap: Gap) {
        let (middle, end) = self.trimmed(gap);
        let (rows, columns) = (middle.before.len(), middle.after.len());
        if rows > 0 && columns > 0 && rows.saturating_mul(columns) <= WEIGHED {
            self.weigh(&middle);
        } else {
            self.steps.extend(middle.before.map(Step::Removed));
            self.steps.extend(middle.after.map(Step::Added));
        }
        self.steps.extend(end);
    }

    /// Matches as many as can be: the longest common sequence, by a table of what is left from each pair on.
    fn weigh(&mut self, gap: &Gap) {
        let (before, after) = (&self.before[gap.before.clone()], &self.after[gap.after.clone()]);
        let width = after.len() + 1;
        let mut best = vec![0_u32; (before.len() + 1) * width];
        for (row, old) in before.iter().enumerate().rev() {
            for (column, new) in after.iter().enumerate().rev() {
                let at = row * width + column;
                best[at] = if old == new { best[at + width + 1] + 1 } else { best[at + width].max(best[at + 1]) };
            }
        }
        let (mut row, mut column) = (0, 0);
        while row < before.len() || column < after.len() {
            let at = row * width + column;
            let is_old_left = row < before.len();
            if is_old_left && column < after.len() && before[row] == after[column] {
                self.steps.push(Step::Both(gap.before.start + row, gap.after.start + column));
                (row, column) = (row + 1, column + 1);
            } else if is_old_left && (column == after.len() || best[at + width] >= best[at + 1]) {
                self.steps.push(Step::Removed(gap.before.start + row));
                row += 1;
            } else {
                self.steps.push(Step::Added(gap.after.start + column));
                column += 1;
            }
        }
    }
}

/// Returns the longest part of pairs, sorted by their first number, in which the second one rises too.
fn rising(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    // Of each length the pair with the smallest end, and for each pair the one before it.
    let (mut ends, mut previous): (Vec<usize>, Vec<Option<usize>>) = (Vec::new(), Vec::with_capacity(pairs.len()));
    for (at, (_, after)) in pairs.iter().enumerate() {
        let length = ends.partition_point(|end| pairs[*end].1 < *after);
        previous.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        if length == ends.len() {
            ends.push(at);
        } else {
            ends[length] = at;
        }
    }
    let mut found: Vec<(usize, usize)> = std::iter::successors(ends.last().copied(), |at| previous[*at]).map(|at| pairs[at]).collect();
    found.reverse();
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Writes steps as `=`, `-` and `+`.
    fn told(before: &str, after: &str) -> String {
        let (before, after): (Vec<char>, Vec<char>) = (before.chars().collect(), after.chars().collect());
        let line = |step: &Step| match step {
            Step::Both(at, _) => format!("={}", before[*at]),
            Step::Removed(at) => format!("-{}", before[*at]),
            Step::Added(at) => format!("+{}", after[*at]),
        };
        steps(&before, &after).iter().map(line).collect()
    }

    #[test]
    fn the_same_lines_are_matched_in_order() {
        for (before, after, expected) in [
            ("", "", ""),
            ("abc", "abc", "=a=b=c"),
            ("abc", "axc", "=a-b+x=c"),
            ("abc", "ac", "=a-b=c"),
            ("ac", "abc", "=a+b=c"),
            ("", "ab", "+a+b"),
            ("ab", "", "-a-b"),
            ("abcd", "bcda", "-a=b=c=d+a"),
            ("xaxbx", "xbxax", "=x-a-x=b+x+a=x"),
            ("aabb", "bbaa", "-a-a=b=b+a+a"),
        ] {
            assert_eq!(told(before, after), expected, "{before} {after}");
        }
    }

    #[test]
    fn twenty_thousand_lines_in_any_order_are_no_work_that_grows_with_their_square() {
        let forward: Vec<usize> = (0..20_000).collect();
        let backward: Vec<usize> = (0..20_000).rev().collect();
        let other: Vec<usize> = (20_000..40_000).collect();
        let twice: Vec<usize> = (0..20_000).map(|at| at % 5_000).collect();
        let twice_backward: Vec<usize> = twice.iter().rev().copied().collect();
        for (before, after, same) in
            [(&forward, &backward, 1), (&forward, &other, 0), (&twice, &twice_backward, 0), (&forward, &forward, 20_000)]
        {
            let both = steps(before, after).iter().filter(|step| matches!(step, Step::Both(..))).count();
            assert_eq!(both, same);
        }
    }

    proptest! {
        #[test]
        fn steps_lead_from_one_side_to_the_other(before in "[a-d]{0,12}", after in "[a-d]{0,12}") {
            let (old, new): (Vec<char>, Vec<char>) = (before.chars().collect(), after.chars().collect());
            let steps = steps(&old, &new);
            let left = steps.iter().filter_map(|step| match step { Step::Both(at, _) | Step::Removed(at) => Some(old[*at]), Step::Added(_) => None });
            let right = steps.iter().filter_map(|step| match step { Step::Both(_, at) | Step::Added(at) => Some(new[*at]), Step::Removed(_) => None });
            prop_assert_eq!(left.collect::<String>(), before);
            prop_assert_eq!(right.collect::<String>(), after);
            let is_same = |step: &Step| !matches!(step, Step::Both(before, after) if old[*before] != new[*after]);
            prop_assert!(steps.iter().all(is_same));
        }
    }
}
