use super::*;

#[test]
fn every_time_lies_below_its_bound_and_not_below_the_one_before() {
    for micros in (0..100_000).chain((17..36).map(|doubling| (1 << doubling) + 12_345)) {
        let bucket = bucket_of(micros);
        assert!(micros < bound_of(bucket), "{micros}");
        assert!(bucket == 0 || micros >= bound_of(bucket - 1), "{micros}");
    }
}

#[test]
fn bounds_rise_by_a_microsecond_or_a_sixteenth() {
    for bucket in 1..BUCKETS {
        let (low, high) = (bound_of(bucket - 1), bound_of(bucket));
        assert!(high > low);
        assert!(high - low == 1 || (high - low) * 16 <= low, "{low} {high}");
    }
}

#[test]
fn what_takes_for_ever_falls_into_the_last_bucket() {
    assert_eq!(bucket_of(u64::MAX), BUCKETS - 1);
}

#[test]
fn a_restored_histogram_reads_the_same() {
    let latency = Latency::default();
    for micros in [0, 3, 15, 16, 17, 999, 1_000_000, 3_600_000_000, u64::MAX] {
        latency.record(micros);
    }
    let buckets = latency.buckets();
    assert_eq!(Latency::restored(&buckets).buckets(), buckets);
}
