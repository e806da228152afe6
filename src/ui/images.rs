//! `agentctl images list` and `prune`: what a repository holds, the newest first as handed in.

use serde::Serialize;

use super::console::View;
use super::line::{Line, Tone};
use super::table::{Align, table};
use super::words::Clock;

/// One image that agentctl pushed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct ImageView {
    pub(crate) digest: String,
    /// The tag made from its contents.
    pub(crate) content: String,
    pub(crate) tags: Vec<String>,
    /// When it was built.
    pub(crate) created: String,
    /// Why it stays; `None`: it goes.
    pub(crate) kept: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct ImagesView {
    pub(crate) repository: String,
    pub(crate) images: Vec<ImageView>,
}

impl View for ImagesView {
    fn lines(&self, _: &Clock) -> Vec<Line> {
        if self.images.is_empty() {
            let says = format!("{} has no image that agentctl pushed", self.repository);
            return vec![Line::from(says)];
        }
        let columns = [
            (Align::Left, "created"),
            (Align::Left, "image"),
            (Align::Left, "tags"),
            (Align::Left, ""),
        ];
        table(&columns, self.images.iter().map(row).collect())
    }
}

fn row(image: &ImageView) -> Vec<Line> {
    let short = |text: &str, length| text.chars().take(length).collect::<String>();
    vec![
        Line::from(short(&image.created, 16).replace('T', " ")),
        Line::from(short(&image.content, 16)),
        Line::from(image.tags.join(", ")),
        match &image.kept {
            Some(why) => Line::from(why.as_str()),
            None => Line::new(Tone::Wait, "goes"),
        },
    ]
}
