//! The engine's own builder, from before BuildKit: a tar goes up, and words come back.

use std::io;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use bollard::query_parameters::RemoveImageOptions;
use hyper::Request;

use super::steps::Steps;
use super::{ImageId, Logins, query};
use crate::advice::{advice, because};
use crate::docker::{Engine, Line, Lines, Moved, streamed};
use crate::image::context::{Context, text};
use crate::image::{Ended, Recipe};

/// The Dockerfile's name in the tar; nobody's own file is called so.
pub(super) const RESERVED: &str = ".agentctl.Dockerfile";
const IGNORE: &str = ".dockerignore";

pub(super) async fn build(
    engine: &Engine,
    context: &Context,
    recipe: &Recipe,
    logins: &Logins,
    steps: &mut Steps<'_>,
) -> Result<ImageId> {
    if !recipe.secrets.is_empty() {
        return Err(advice(
            "build.secrets are mounted by BuildKit, and the classic builder has no safe place for them",
            "build it with BuildKit: use an engine that has it, and leave DOCKER_BUILDKIT=0 out",
        ));
    }
    // It cannot ask back, so it is told beforehand.
    let known = logins.of_bases(recipe).await;
    let tar = context.tar(beside(&context.root, recipe)?);
    let own = [("dockerfile", RESERVED), ("rm", "1"), ("forcerm", "1")];
    let request = Request::post(query(recipe, &recipe.args, &own)?)
        .header("Content-Type", "application/x-tar")
        .header("X-Registry-Config", URL_SAFE.encode(known.to_string()))
        .body(streamed(tar))?;
    let answer = engine.send(request).await?;
    let image = follow(Lines::new(answer.into_body()), steps).await?;
    if let Some(platform) = &recipe.platform {
        is_for(engine, platform, &image, &recipe.tag).await?;
    }
    Ok(image)
}

/// This builder takes whatever base it has, for whichever platform that is.
async fn is_for(engine: &Engine, platform: &str, image: &ImageId, tag: &str) -> Result<()> {
    let there = engine.docker.inspect_image(&image.0).await;
    let there = there.map_err(|error| engine.failure(error))?;
    let [os, architecture] = [there.os, there.architecture].map(Option::unwrap_or_default);
    let made = format!("{os}/{architecture}");
    let more = platform.strip_prefix(&made);
    if more.is_some_and(|variant| variant.is_empty() || variant.starts_with('/')) {
        return Ok(());
    }
    let untagged = engine
        .docker
        .remove_image(tag, None::<RemoveImageOptions>, None)
        .await;
    untagged.map_err(|error| engine.failure(error))?;
    Err(because(
        format!("could not build an image for {platform}"),
        format!("the classic builder made one for {made}, from a base that is here for that"),
        "build it with BuildKit (leave DOCKER_BUILDKIT=0 out), or have the base for that platform",
    ))
}

/// The engine takes out of the image what this `.dockerignore` names: that is how `docker build`
/// hides a Dockerfile from elsewhere, too.
fn beside(root: &Path, recipe: &Recipe) -> Result<Vec<(String, Vec<u8>)>> {
    let ignore = match text(&root.join(IGNORE)) {
        Ok(own) => format!("{own}\n{RESERVED}\n"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => format!("{RESERVED}\n{IGNORE}\n"),
        Err(error) => return Err(error).context("could not read .dockerignore"),
    };
    Ok(vec![
        (RESERVED.to_owned(), recipe.dockerfile.clone().into_bytes()),
        (IGNORE.to_owned(), ignore.into_bytes()),
    ])
}

async fn follow(mut lines: Lines, steps: &mut Steps<'_>) -> Result<ImageId> {
    let mut told = Told::default();
    let mut image = None;
    loop {
        match lines.next().await {
            Ok(Some(line)) => {
                image = ImageId::named(&line).or(image);
                told.take(&line, steps);
            }
            Ok(None) => break,
            Err(error) => {
                told.end(Ended::Failed, steps);
                return Err(error);
            }
        }
    }
    told.end(Ended::Done, steps);
    match image {
        Some(id) => Ok(id),
        None => bail!("the engine ended the build without naming an image"),
    }
}

/// Where the words are in the list of steps.
#[derive(Default)]
pub(super) struct Told {
    step: Option<usize>,
    /// What was said last, and of how many.
    number: (usize, usize),
    cached: bool,
}

impl Told {
    pub(super) fn take(&mut self, line: &Line, steps: &mut Steps<'_>) {
        if let Some(text) = &line.stream {
            self.said(text, steps);
        }
        let Some(step) = self.step else { return };
        if let Moved {
            current: Some(bytes),
            total: Some(of @ 1..),
        } = line.moved
        {
            steps.moved(step, bytes, Some(of));
        } else if let Some(status) = &line.status {
            let id = line.id.as_ref().map(|id| format!("{id}: "));
            steps.say(
                step,
                format!("{}{status}\n", id.unwrap_or_default()).as_bytes(),
            );
        }
    }

    fn said(&mut self, text: &str, steps: &mut Steps<'_>) {
        if let Some((number, name)) = header(text).filter(|(number, _)| self.follows(*number)) {
            self.end(Ended::Done, steps);
            self.number = number;
            self.step = Some(steps.begin(name));
            return;
        }
        let Some(step) = self.step else { return };
        match text.trim() {
            "---> Using cache" => self.cached = true,
            own if own.starts_with("---> ") || own.starts_with("Removing intermediate") => (),
            _ => steps.say(step, text.as_bytes()),
        }
    }

    /// What a step prints may look like a step itself.
    fn follows(&self, (number, of): (usize, usize)) -> bool {
        number == self.number.0 + 1 && (self.number.1 == 0 || self.number.1 == of)
    }

    pub(super) fn end(&mut self, how: Ended, steps: &mut Steps<'_>) {
        let Some(step) = self.step.take() else { return };
        let how = match std::mem::take(&mut self.cached) {
            true if how == Ended::Done => Ended::Cached,
            _ => how,
        };
        steps.end(step, how);
    }
}

/// `Step 3/12 : RUN make`
fn header(text: &str) -> Option<((usize, usize), &str)> {
    let (numbers, name) = text.strip_prefix("Step ")?.split_once(" : ")?;
    let (number, of) = numbers.split_once('/')?;
    Some(((number.parse().ok()?, of.parse().ok()?), name.trim_end()))
}
