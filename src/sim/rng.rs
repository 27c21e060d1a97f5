//! Random numbers of the embedded cluster: uids, name suffixes, jitter. The same seed gives the same names, so
//! that a story plays the same way each time. Knows nothing of objects; nothing here is fit for secrets.

use std::fmt::Write as _;

/// The characters of generated names: no vowels and no look-alikes, as the API server has them.
const SUFFIX: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// A small seeded generator (SplitMix64).
#[derive(Clone, Debug)]
pub(crate) struct Rng {
    state: u64,
}

impl Rng {
    /// Returns a generator whose whole sequence depends on `seed` alone.
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed ^ 0x5eed_ca11_ab1e_5eed }
    }

    /// Returns the next 64 random bits.
    pub(crate) fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a random (version 4) UUID as objects carry it.
    pub(crate) fn uid(&mut self) -> String {
        let high = (self.next_u64() & !0xf000) | 0x4000;
        let low = (self.next_u64() & !(0b11 << 62)) | (0b10 << 62);
        let mut hex = String::with_capacity(36);
        let groups = [(high >> 32, 8), ((high >> 16) & 0xffff, 4), (high & 0xffff, 4), (low >> 48, 4), (low & 0xffff_ffff_ffff, 12)];
        for (index, (bits, width)) in groups.into_iter().enumerate() {
            let dash = if index == 0 { "" } else { "-" };
            write!(hex, "{dash}{bits:0width$x}").expect("writing to a String cannot fail");
        }
        hex
    }

    /// Returns `length` characters as `generateName` appends them.
    pub(crate) fn suffix(&mut self, length: usize) -> String {
        (0..length).map(|_| char::from(SUFFIX[(self.next_u64() % SUFFIX.len() as u64) as usize])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_uids_and_suffixes_each_time() {
        let draw = |seed| {
            let mut rng = Rng::new(seed);
            (rng.uid(), rng.suffix(5), rng.next_u64())
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn a_uid_is_a_version_4_uuid() {
        let mut rng = Rng::new(1);
        for _ in 0..100 {
            let uid = rng.uid();
            let widths: Vec<usize> = uid.split('-').map(str::len).collect();
            assert_eq!(widths, [8, 4, 4, 4, 12], "{uid}");
            assert_eq!(&uid[14..15], "4", "{uid}");
            assert!("89ab".contains(&uid[19..20]), "{uid}");
        }
    }
}
