use super::api::State;
pub(crate) fn text(_state: &State) -> String {
    String::new()
}
