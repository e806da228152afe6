use ring::hmac::{HMAC_SHA256, Key, sign};

use crate::hex::hex;

pub(super) const HEADER: &str = "x-agentctl-signature";

/// `t=SECONDS,v1=HEX`: the HMAC-SHA256 of `SECONDS.BODY`. The time is signed too, so that a message
/// that was overheard cannot be sent again later.
pub(super) fn signature(key: &str, seconds: u64, body: &[u8]) -> String {
    let key = Key::new(HMAC_SHA256, key.as_bytes());
    let signed = [format!("{seconds}.").as_bytes(), body].concat();
    let mac = hex(sign(&key, &signed).as_ref());
    format!("t={seconds},v1={mac}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed by another program.
    #[test]
    fn vector() {
        assert_eq!(
            signature("key", 1_795_225_848, br#"{"v":1}"#),
            "t=1795225848,v1=30c6b022a51d844cde740356421ad8a87f3f1ee620529d7373230e66db3ef58c"
        );
    }
}
