//! Services and tools: started before the agent, kept up by the engine, and left alone by every
//! rollout in which nothing of theirs has changed.
//!
//! One that has changed gives way to its successor only when that is well; else it comes back.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context, Result};
use bollard::container::LogOutput;
use bollard::exec::StartExecResults;
use bollard::models::{
    ContainerInspectResponse, ContainerSummary, ContainerSummaryStateEnum, ExecConfig,
};
use bollard::query_parameters::RenameContainerOptionsBuilder;
use futures_util::{Stream, StreamExt};
use tokio::time::{Instant, sleep, timeout};

use super::Host;
use super::leaving::not_needed;
use super::names::{DEFINITION, SERVICE};
use super::objects::is_missing;
use super::service::{CHECK_WITHIN, Service};
use super::wake::label;
use crate::advice::because;
use crate::render::beside;
use crate::spec::Spec;
use crate::target::SeenBeside;
use crate::target::secrets::Values;

/// How often one that starts is looked at.
const AGAIN: Duration = Duration::from_millis(200);
/// One that nothing is known of runs this long before it counts as started.
const STEADY: Duration = Duration::from_secs(1);
/// One that has ended so often before it was well is not waited for any longer.
const RESTARTS: i64 = 3;
/// What has to be done with one.
enum Due {
    Nothing,
    Start,
    Make,
    Replace,
}

impl Host {
    /// What a deploy would do with services and tools, in words.
    pub(crate) async fn due_beside(&self, spec: &Spec) -> Result<Vec<String>> {
        let mut due = Vec::new();
        for service in self.services(spec)? {
            match self.due(&service).await? {
                Due::Nothing => {}
                Due::Start | Due::Make => due.push(format!("{} is started first", service.name)),
                Due::Replace => due.push(replaced(&service)),
            }
        }
        let gone = self.not_needed(spec).await?;
        due.extend(gone.into_iter().map(|(name, _)| not_needed(&name)));
        Ok(due)
    }

    /// Services and tools run as they are described, one after the other; what is right already is
    /// left alone.
    pub(crate) async fn stand_by(
        &self,
        spec: &Spec,
        values: &Values,
        say: &mut dyn FnMut(String),
    ) -> Result<()> {
        let services = self.services(spec)?;
        for service in &services {
            let pulled = self.pulled(&service.image).await;
            pulled.with_context(|| format!("could not start {}", service.name))?;
        }
        self.put_back().await?;
        if !services.is_empty() {
            self.make_network().await?;
        }
        for service in &services {
            let stood = self.stand(service, values, say).await;
            stood.with_context(|| format!("could not start {}", service.name))?;
        }
        Ok(())
    }

    fn services(&self, spec: &Spec) -> Result<Vec<Service>> {
        let all = beside(spec);
        let all = all.iter().map(|one| Service::new(one, &self.names));
        all.collect()
    }

    async fn due(&self, service: &Service) -> Result<Due> {
        Ok(match self.inspected(&service.container).await? {
            None => Due::Make,
            Some(there) if label(&there, DEFINITION) != Some(&service.definition) => Due::Replace,
            Some(there) if !is_running(&there) || !self.is_on_network(&there).await? => Due::Start,
            Some(_) => Due::Nothing,
        })
    }

    async fn stand(
        &self,
        service: &Service,
        values: &Values,
        say: &mut dyn FnMut(String),
    ) -> Result<()> {
        match self.due(service).await? {
            Due::Nothing => return self.is_well(service).await,
            Due::Start => {
                self.wake(&service.container).await?;
                self.is_well(service).await?;
            }
            Due::Make => self.made(service, values).await?,
            Due::Replace => {
                say(replaced(service));
                return self.replaced(service, values).await;
            }
        }
        say(format!("{} is started", service.name));
        Ok(())
    }

    /// Well, or not there.
    async fn made(&self, service: &Service, values: &Values) -> Result<()> {
        let made = async {
            self.created(service, values).await?;
            self.wake(&service.container).await?;
            self.is_well(service).await
        };
        let outcome = made.await;
        if outcome.is_err() {
            self.remove(&service.container).await?;
        }
        outcome
    }

    async fn created(&self, service: &Service, values: &Values) -> Result<()> {
        if let Some(disk) = &service.disk {
            self.make_volume(disk, HashMap::new()).await?;
        }
        self.create(&service.container, service.body(values)?).await
    }

    async fn replaced(&self, service: &Service, values: &Values) -> Result<()> {
        let (name, aside) = (&service.container, aside(&service.container));
        self.end(name).await?;
        self.rename(name, &aside).await?;
        let made = self.made(service, values).await;
        match made {
            Ok(()) => self.remove(&aside).await,
            Err(error) => {
                self.rename(&aside, name).await?;
                self.wake(name).await?;
                Err(error.context(format!("{} runs on as it was", service.name)))
            }
        }
    }

    /// Replacements that were cut off begin again.
    pub(super) async fn put_back(&self) -> Result<()> {
        for (name, _) in self.containers_beside(aside).await? {
            let container = self.names.service(&name);
            self.remove(&container).await?;
            self.rename(&aside(&container), &container).await?;
        }
        Ok(())
    }

    async fn is_well(&self, service: &Service) -> Result<()> {
        let begun = Instant::now();
        loop {
            let there = self.inspected(&service.container).await?;
            let there = there.context("its container was removed meanwhile")?;
            let Err(why) = self.look(service, &there).await? else {
                return Ok(());
            };
            let is_over = begun.elapsed() > service.startup;
            if is_over || there.restart_count.unwrap_or(0) >= RESTARTS {
                return Err(self.unwell(service, &why).await);
            }
            sleep(AGAIN).await;
        }
    }

    /// The inner error says why it is not well yet.
    async fn look(
        &self,
        service: &Service,
        there: &ContainerInspectResponse,
    ) -> Result<Result<(), String>> {
        if !is_running(there) {
            return Ok(Err("it does not run".to_owned()));
        }
        if !service.healthy.is_empty() {
            let check = self.succeeds(&service.container, &service.healthy);
            let checked = timeout(CHECK_WITHIN, check).await;
            return checked.unwrap_or_else(|_| Ok(Err("its check takes too long".to_owned())));
        }
        sleep(STEADY).await;
        let later = self.inspected(&service.container).await?;
        let is_steady = later
            .as_ref()
            .is_some_and(|later| is_running(later) && later.restart_count == there.restart_count);
        Ok(match is_steady {
            true => Ok(()),
            false => Err("it does not go on running".to_owned()),
        })
    }

    async fn succeeds(&self, container: &str, command: &[String]) -> Result<Result<(), String>> {
        let config = ExecConfig {
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            cmd: Some(command.to_vec()),
            ..ExecConfig::default()
        };
        let docker = &self.engine.docker;
        // It may end at any moment.
        let Ok(exec) = docker.create_exec(container, config).await else {
            return Ok(Err("it does not run".to_owned()));
        };
        let said = match docker.start_exec(&exec.id, None).await {
            Ok(StartExecResults::Attached { output, .. }) => text(output).await,
            Ok(StartExecResults::Detached) => String::new(),
            Err(error) => self.engine.failure(error).to_string(),
        };
        let code = match docker.inspect_exec(&exec.id).await {
            Ok(ended) => ended.exit_code,
            // It went with its container.
            Err(error) if is_missing(&error) => return Ok(Err("it does not run".to_owned())),
            Err(error) => return Err(self.engine.failure(error)),
        };
        Ok(match code {
            Some(0) => Ok(()),
            _ => Err(failed(&said)),
        })
    }

    async fn unwell(&self, service: &Service, why: &str) -> anyhow::Error {
        let lines = self.last_lines(&service.container, 5).await;
        let lines = lines.unwrap_or_default().join("\n");
        let cause = match lines.is_empty() {
            true => why.to_owned(),
            false => format!("{why}; its last lines:\n{lines}"),
        };
        because(
            format!("{} did not get well", service.container),
            cause,
            format!(
                "mend what agent.toml says of {}, and deploy again",
                service.name
            ),
        )
    }

    /// How each of them stands, as the engine says it.
    pub(crate) async fn beside(&self) -> Result<Vec<SeenBeside>> {
        let mut all: Vec<SeenBeside> = self
            .containers_beside(str::to_owned)
            .await?
            .map(seen)
            .collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(all)
    }

    /// Every service and tool that was ever started here, and not removed: its name and its id.
    pub(super) async fn all_beside(&self) -> Result<Vec<(String, String)>> {
        let all = self.containers_beside(str::to_owned).await?;
        Ok(all
            .filter_map(|(name, one)| Some((name, one.id?)))
            .collect())
    }

    /// Those that are called so, by the name that a service's container has.
    pub(super) async fn containers_beside(
        &self,
        called: impl Fn(&str) -> String,
    ) -> Result<impl Iterator<Item = (String, ContainerSummary)>> {
        let own = self.containers(self.names.own()).await?;
        Ok(own.into_iter().filter_map(move |one| {
            let labels = one.labels.as_ref()?;
            labels.get(DEFINITION)?;
            let name = labels.get(SERVICE)?.clone();
            // The engine writes names as paths.
            let wanted = format!("/{}", called(&self.names.service(&name)));
            one.names.as_ref()?.contains(&wanted).then_some((name, one))
        }))
    }

    pub(super) async fn rename(&self, container: &str, name: &str) -> Result<()> {
        let options = RenameContainerOptionsBuilder::new().name(name).build();
        let renamed = self
            .engine
            .docker
            .rename_container(container, options)
            .await;
        renamed.map_err(|error| self.engine.failure(error))
    }
}

fn seen((name, one): (String, ContainerSummary)) -> SeenBeside {
    let says = one.status.unwrap_or_default();
    let is_running = one.state == Some(ContainerSummaryStateEnum::RUNNING);
    SeenBeside {
        name,
        is_well: is_running && !says.contains("unhealthy"),
        says,
    }
}

fn failed(said: &str) -> String {
    match said.is_empty() {
        true => "its check fails".to_owned(),
        false => format!("its check says: {said}"),
    }
}

/// What a container is called while another one is tried in its place.
fn aside(container: &str) -> String {
    format!("{container}-before")
}

fn replaced(service: &Service) -> String {
    format!(
        "{} is replaced: agent.toml says something else of it",
        service.name
    )
}

fn is_running(there: &ContainerInspectResponse) -> bool {
    let state = there.state.as_ref();
    state.is_some_and(|state| state.running == Some(true) && state.restarting != Some(true))
}

async fn text<E>(mut output: impl Stream<Item = Result<LogOutput, E>> + Unpin) -> String {
    let mut bytes = Vec::new();
    while let Some(Ok(piece)) = output.next().await {
        bytes.extend_from_slice(&piece.into_bytes());
    }
    String::from_utf8_lossy(&bytes).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_that_says_nothing_is_not_cited() {
        assert_eq!(failed(""), "its check fails");
        assert_eq!(failed("no such disk"), "its check says: no such disk");
    }
}
