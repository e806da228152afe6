//! Text of two bytes a letter, as Windows writes it (UTF-16), made one byte a letter: no secret's
//! format has any other letters.

/// In the place of a letter that one byte does not hold.
const OTHER: u8 = 0xff;

pub(super) struct Wide {
    is_big_endian: bool,
    /// A letter's first byte, where the second comes with the next piece.
    half: Option<u8>,
}

impl Wide {
    /// By the mark that such a file begins with.
    pub(super) fn of(start: &[u8]) -> Option<Self> {
        let is_big_endian = match start {
            [0xfe, 0xff, ..] => true,
            [0xff, 0xfe, ..] => false,
            _ => return None,
        };
        Some(Self {
            is_big_endian,
            half: None,
        })
    }

    /// In place; says how many bytes are left.
    pub(super) fn narrow(&mut self, bytes: &mut [u8]) -> usize {
        let mut left = 0;
        for at in 0..bytes.len() {
            let Some(first) = self.half.take() else {
                self.half = Some(bytes[at]);
                continue;
            };
            let (high, low) = match self.is_big_endian {
                true => (first, bytes[at]),
                false => (bytes[at], first),
            };
            bytes[left] = if high == 0 { low } else { OTHER };
            left += 1;
        }
        left
    }
}
