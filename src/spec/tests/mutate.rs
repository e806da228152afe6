//! A small fuzzer with a fixed seed; `fuzz/` holds the large one.

use super::full::FULL;

struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }

    /// A piece of `bytes`, at most 40 long.
    fn piece(&mut self, bytes: &[u8]) -> std::ops::Range<usize> {
        let from = self.below(bytes.len());
        from..(from + self.below(40)).min(bytes.len())
    }

    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        let piece = self.piece(bytes);
        let at = self.below(bytes.len());
        match self.below(5) {
            0 => bytes[at] ^= 1 << self.below(8),
            1 => bytes[at] = b"\"'[]{}=.,#\n\\$\x1b0"[self.below(15)],
            2 => drop(bytes.drain(piece)),
            3 => drop(bytes.splice(at..at, bytes[piece].to_vec())),
            _ => drop(bytes.splice(at..at, bytes[piece].repeat(20))),
        }
    }
}

#[test]
fn a_changed_file_loads_or_is_refused_with_reasons() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..2000 {
        let mut bytes = FULL.as_bytes().to_vec();
        (0..=random.below(4)).for_each(|_| random.mutate(&mut bytes));
        crate::fuzzing::agent_toml(&bytes);
    }
}
