//! Images that single files are taken from: `COPY --from=IMAGE`, `RUN --mount=from=IMAGE,…`.

use std::collections::BTreeSet;

use super::{Base, Instruction};

/// Neither stages nor what a variable stands for, which no engine allows there.
pub(super) fn all(instructions: &[Instruction]) -> Vec<Base> {
    let mut stages = BTreeSet::new();
    let mut found = Vec::new();
    for one in instructions {
        if one.keyword == "FROM" {
            stages.extend(super::from::name(one).map(|name| name.to_lowercase()));
            continue;
        }
        let images = flags(one).flat_map(|flag| named(&one.keyword, flag));
        let images = images.map(|image| image.trim_matches(['"', '\'']));
        let images = images.filter(|image| is_image(image, &stages));
        found.extend(images.filter_map(|image| one.base(image)));
    }
    found
}

fn flags(one: &Instruction) -> impl Iterator<Item = &str> {
    let words = one.text.split_whitespace();
    words.take_while(|word| word.starts_with("--"))
}

fn named<'a>(keyword: &str, flag: &'a str) -> Option<&'a str> {
    match keyword {
        "COPY" => flag.strip_prefix("--from="),
        "RUN" => {
            let mut options = flag.strip_prefix("--mount=")?.split(',');
            options.find_map(|option| option.strip_prefix("from="))
        }
        _ => None,
    }
}

fn is_image(name: &str, stages: &BTreeSet<String>) -> bool {
    let is_number = name.bytes().all(|byte| byte.is_ascii_digit());
    !is_number && !name.contains('$') && !stages.contains(&name.to_lowercase())
}
