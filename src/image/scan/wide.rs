//! Text of two bytes a letter, as Windows writes it (UTF-16), made one byte a letter: no secret's
//! format has any other letters.

/// In the place of a letter that one byte does not hold.
const OTHER: u8 = 0xff;
/// So many plain letters at the beginning are no chance.
const LETTERS: usize = 16;

pub(super) struct Wide {
    is_big_endian: bool,
    /// A letter's first byte, where the second comes with the next piece.
    half: Option<u8>,
}

impl Wide {
    /// By the mark that such a file begins with, or else by its first letters.
    pub(super) fn of(start: &[u8]) -> Option<Self> {
        let is_big_endian = match start {
            [0xfe, 0xff, ..] => true,
            [0xff, 0xfe, ..] => false,
            _ => unmarked(start)?,
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

/// Whether the first byte of a letter is the high one.
fn unmarked(start: &[u8]) -> Option<bool> {
    let letters = start.get(..2 * LETTERS)?.chunks_exact(2);
    let is_text = |byte: u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    let mut are = [true, false].into_iter();
    are.find(|is_big_endian| {
        letters.clone().all(|letter| match *is_big_endian {
            true => letter[0] == 0 && is_text(letter[1]),
            false => letter[1] == 0 && is_text(letter[0]),
        })
    })
}
