use super::*;

fn told(tokens: u64) -> Ending {
    Ending {
        error: tokens == 7,
        broken: false,
        micros: 1_000,
        usage: Usage {
            tokens: Some(tokens),
            ..Usage::default()
        },
    }
}

#[test]
fn a_request_counts_in_the_window_it_began_in_and_in_the_total() {
    let first = Window::new(Counters::new(1), Arc::new(Counters::new(1)));
    first.open();
    let second = first.next(2);
    first.close();
    first.end(&told(7));
    second.end(&told(5));

    assert_eq!(first.measures(0).requests, 1);
    assert_eq!(second.measures(0).requests, 1);
    assert_eq!(second.measures(0).errors, 0);
    let total = second.total();
    assert_eq!((total.requests, total.errors, total.open), (2, 1, 0));
    assert_eq!((total.tokens, total.token_requests), (12, 2));
    assert_eq!((total.cost_micros, total.cost_requests), (0, 0));
}

#[test]
fn absurd_figures_stay_the_most_there_is() {
    let window = Window::new(Counters::new(1), Arc::new(Counters::new(1)));
    let calls = Calls {
        model: u64::MAX,
        latency: vec![(1_000, u64::MAX)],
        tokens: u64::MAX,
        tool: u64::MAX,
        tool_errors: u64::MAX,
    };
    for _ in 0..3 {
        window.end(&told(u64::MAX));
        window.tell(&calls);
    }
    let total = window.total();
    let calls = &total.calls;
    let all = [
        total.tokens,
        calls.model,
        calls.latency[0].1,
        calls.tokens,
        calls.tool,
        calls.tool_errors,
    ];
    assert_eq!(all, [u64::MAX; 6]);
}

#[test]
fn restored_counts_read_the_same_without_open_requests() {
    let counts = Counters::new(5);
    counts.end(&told(9));
    counts.open.fetch_add(1, Relaxed);
    let measures = counts.measures();
    let again = Counters::restored(&measures).measures();
    assert_eq!(
        again,
        Measures {
            open: 0,
            ..measures
        }
    );
}
