//! Networks, and who is on them.

use anyhow::Result;
use bollard::errors::Error;
use bollard::models::ContainerInspectResponse;

use super::Engine;

impl Engine {
    /// Its id; `None`: there is none of that name.
    pub(crate) async fn network(&self, name: &str) -> Result<Option<String>> {
        match self.docker.inspect_network(name, None).await {
            Ok(there) => Ok(there.id),
            Err(Error::DockerResponseServerError {
                status_code: 404, ..
            }) => Ok(None),
            Err(error) => Err(self.failure(error)),
        }
    }

    /// Whether the container can be reached on that network, or can once it is started. It keeps to
    /// the network that it ran on, also when another one has that name.
    pub(crate) async fn is_on(
        &self,
        network: &str,
        there: &ContainerInspectResponse,
    ) -> Result<bool> {
        let settings = there.network_settings.as_ref();
        let networks = settings.and_then(|settings| settings.networks.as_ref());
        let Some(own) = networks.and_then(|networks| networks.get(network)) else {
            return Ok(false);
        };
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let is_up = there.state.as_ref().is_some_and(|state| {
            // Between two tries it counts as running, and has no address.
            state.running == Some(true) && state.restarting != Some(true)
        });
        if is_up && given(&own.ip_address).is_none() {
            return Ok(false);
        }
        match given(&own.network_id) {
            Some(id) => Ok(self.network(network).await? == Some(id)),
            None => Ok(true),
        }
    }
}
