//! Bytes in hexadecimal, as hashes are written.

/// In small letters, two for each byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
