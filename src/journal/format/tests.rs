use serde_json::json;

use super::*;

fn record(seq: u64) -> Record {
    Record {
        seq,
        fence: 3 + seq,
        at: 1_000 * seq,
        payload: json!({ "says": "zwölf\n", "n": seq }),
    }
}

fn three() -> Vec<u8> {
    let lines = (0..3).map(|seq| line(&record(seq)).unwrap());
    lines.collect::<String>().into_bytes()
}

fn read(bytes: &[u8]) -> Result<Records> {
    records(bytes, Path::new("0007.journal"))
}

fn damage(bytes: &[u8]) -> Corrupt {
    read(bytes).unwrap_err().downcast().unwrap()
}

fn sealed(json: &str) -> String {
    format!("{:08x} {json}\n", crc32fast::hash(json.as_bytes()))
}

#[test]
fn a_line_is_what_it_was_yesterday() {
    assert_eq!(
        line(&record(0)).unwrap(),
        "8b35fc63 {\"v\":1,\"seq\":0,\"fence\":3,\"at\":0,\
         \"event\":{\"says\":\"zwölf\\n\",\"n\":0}}\n"
    );
}

#[test]
fn cut_off_at_any_byte_it_reads_what_was_whole() {
    let bytes = three();
    let ends: Vec<usize> = (1..=bytes.len())
        .filter(|n| bytes[n - 1] == b'\n')
        .collect();
    for cut in 0..=bytes.len() {
        let count = ends.iter().filter(|end| **end <= cut).count();
        let expected = Records {
            records: (0..count as u64).map(record).collect(),
            whole: count.checked_sub(1).map_or(0, |last| ends[last]),
        };
        assert_eq!(read(&bytes[..cut]).unwrap(), expected, "cut at {cut}");
    }
}

/// A block that was allocated and never written reads as zeros.
#[test]
fn a_tail_of_anything_was_never_a_record() {
    for tail in ["\0\0\0\0\0\0\0\0", "\n", "00000000 {}\n", "0", "zwölf"] {
        let bytes = [three(), tail.as_bytes().to_vec()].concat();
        assert_eq!(read(&bytes).unwrap(), read(&three()).unwrap(), "{tail:?}");
    }
}

/// The last line of all is taken for one that was cut off, whichever of its bits flipped.
#[test]
fn a_flipped_bit_is_found_wherever_it_is() {
    let whole = read(&three()).unwrap().records;
    let ends: Vec<usize> = (0..three().len())
        .filter(|n| three()[*n] == b'\n')
        .collect();
    for bit in 0..three().len() * 8 {
        let mut bytes = three();
        bytes[bit / 8] ^= 1 << (bit % 8);
        match read(&bytes) {
            Ok(Records { records, .. }) => {
                assert!(
                    bit / 8 >= ends[1],
                    "bit {bit} hides a record that another follows"
                );
                assert!(
                    whole.starts_with(&records) && records.len() < 3,
                    "bit {bit}"
                );
            }
            Err(error) => assert!(error.is::<Corrupt>(), "bit {bit}: {error}"),
        }
    }
}

#[test]
fn damage_is_named_by_file_and_line() {
    let mut bytes = three();
    let second = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 12;
    bytes[second] ^= 1;
    assert_eq!(
        damage(&bytes).to_string(),
        "0007.journal, line 2, is damaged: its checksum is wrong"
    );
}

#[test]
fn records_follow_one_another() {
    let (first, second) = (line(&record(0)).unwrap(), line(&record(1)).unwrap());
    let older = line(&Record {
        fence: 2,
        ..record(1)
    })
    .unwrap();
    let cases = [
        (second.clone(), 1),
        (format!("{first}{first}"), 2),
        (format!("{first}{second}{second}"), 3),
        (format!("{first}{older}"), 2),
    ];
    for (text, line) in cases {
        let damage = damage(text.as_bytes());
        assert_eq!(
            (damage.line, damage.says.as_str()),
            (line, "it does not follow the record before it")
        );
    }
}

#[test]
fn a_newer_format_is_refused_even_where_it_has_other_keys() {
    for json in [
        r#"{"v":2,"seq":0,"fence":1,"at":0,"event":{}}"#,
        r#"{"v":2,"n":0}"#,
    ] {
        let newer: Newer = read(sealed(json).as_bytes())
            .unwrap_err()
            .downcast()
            .unwrap();
        assert_eq!(
            newer.to_string(),
            "0007.journal was written by a newer agentctl (format 2); this one reads up to 1"
        );
    }
}

#[test]
fn what_is_sealed_and_no_record_is_damage() {
    for json in ["", "{}", "[]", r#"{"v":"1"}"#, r#"{"v":1,"seq":0}"#] {
        assert_eq!(damage(sealed(json).as_bytes()).line, 1, "{json}");
    }
}
