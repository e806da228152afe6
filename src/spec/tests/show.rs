use super::full::FULL;
use super::{SMALL, load};
use crate::spec::show;

#[test]
fn each_value_names_its_origin() {
    let shown = show(&load(FULL, Some("production")).unwrap()).unwrap();
    let line = |start: &str| {
        let found = shown.lines().find(|line| line.starts_with(start));
        found
            .unwrap_or_else(|| panic!("{start} in\n{shown}"))
            .to_owned()
    };
    assert!(line("port = 8080").ends_with(" # agent.toml:12"));
    assert!(line("env.LOG = \"warn\"").ends_with(" # environment production, agent.toml:73"));
    assert!(line("timeout = ").ends_with(" # default"));
    assert!(line("approve = true").ends_with(" # environment production, agent.toml:69"));
    assert!(line("DB_PASSWORD.file").ends_with(" # agent.toml:35"));
    assert!(line("env.DB").contains("${secret:DB_PASSWORD}"));
}

#[test]
fn what_is_shown_loads_to_the_same() {
    for (text, environment) in [
        (FULL, None),
        (FULL, Some("staging")),
        (FULL, Some("production")),
        (SMALL, None),
    ] {
        let first = load(text, environment).unwrap();
        let shown = show(&first).unwrap();
        let again =
            load(&shown, environment).unwrap_or_else(|problems| panic!("{shown}\n{problems}"));
        assert_eq!(again.spec, first.spec, "{shown}");
        assert_eq!((again.target, again.approve), (first.target, first.approve));
    }
}

#[test]
fn comments_stand_below_one_another() {
    let shown = show(&load(SMALL, None).unwrap()).unwrap();
    let columns = shown.lines().filter_map(|line| line.find(" # "));
    assert!(columns.into_iter().all(|column| column == 48), "{shown}");
}
