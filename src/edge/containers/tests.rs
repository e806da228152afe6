use super::*;

#[test]
fn an_end_is_told_in_words() {
    let state = |code, oom_killed, error: &str| ContainerState {
        exit_code: Some(code),
        oom_killed: Some(oom_killed),
        error: Some(error.to_owned()),
        ..ContainerState::default()
    };
    let cases = [
        (state(3, false, ""), "exited with status 3"),
        (state(137, false, ""), "killed by signal 9"),
        (
            state(137, true, ""),
            "used more memory than its limit, and was killed",
        ),
        (state(127, false, "no such program"), "no such program"),
    ];
    for (state, says) in cases {
        assert_eq!(how_it_ended(Some(&state)), says);
    }
}
