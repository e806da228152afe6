//! What a cluster serves: its version, and the kinds that were added to it. What is applied takes the
//! forms that it knows; what it lacks is said before anything is.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{Cluster, address};
use crate::advice::because;
use crate::spec::{Network, Router};

/// The versions that this agentctl was made for.
const OLDEST: u32 = 20;
const NEWEST: u32 = 36;

const GATEWAY: &str = "gateway.networking.k8s.io";
const ISTIO: &str = "networking.istio.io";

/// What brings kinds to a cluster, and what does without them.
const BROUGHT: [(&str, &str, &str); 7] = [
    ("keda.sh", "KEDA", "scale.by = \"hpa\""),
    (
        GATEWAY,
        "the Gateway API and a controller of it",
        "network.router = \"service\"",
    ),
    (ISTIO, "Istio", "network.router = \"service\""),
    ("security.istio.io", "Istio", "network.router = \"service\""),
    (
        "external-secrets.io",
        "External Secrets",
        "secrets from the environment or a Secret",
    ),
    (
        "monitoring.coreos.com",
        "the Prometheus Operator",
        "observe.dashboards = false",
    ),
    (
        "autoscaling.k8s.io",
        "the Vertical Pod Autoscaler",
        "scale.recommend = false",
    ),
];

pub(crate) struct Served {
    /// Of Kubernetes 1.
    pub(crate) minor: u32,
    /// As `v1.20.2`.
    pub(crate) version: String,
    /// Versions by group, the newest first.
    groups: BTreeMap<String, Vec<String>>,
    /// The class of ingress-nginx is there.
    has_nginx: bool,
}

impl Cluster {
    /// Asked once.
    pub(crate) async fn served(&self) -> Result<&Served> {
        let ask = async || {
            let version = self.get("/version").await?.unwrap_or_default();
            let groups = self.get("/apis").await?.unwrap_or_default();
            let class = "/apis/networking.k8s.io/v1/ingressclasses/nginx";
            // Who may not look at classes names a router.
            let class = self.get(class).await.unwrap_or_default();
            Served::of(&version, &groups, class.is_some())
        };
        self.served.get_or_try_init(ask).await
    }
}

impl Served {
    fn of(version: &Value, groups: &Value, has_nginx: bool) -> Result<Self> {
        let digits = |text: &str| text.trim_end_matches(|c: char| !c.is_ascii_digit()).parse();
        let minor = version["minor"]
            .as_str()
            .map(digits)
            .context("it tells no version")??;
        let all = groups["groups"].as_array().map_or(&[][..], Vec::as_slice);
        let groups = all.iter().filter_map(|group| {
            let versions = group["versions"].as_array()?.iter();
            let versions = versions.filter_map(|one| one["version"].as_str().map(str::to_owned));
            Some((group["name"].as_str()?.to_owned(), versions.collect()))
        });
        Ok(Self {
            minor,
            version: version["gitVersion"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            groups: groups.collect(),
            has_nginx,
        })
    }

    pub(crate) fn serves(&self, group: &str) -> bool {
        self.groups.contains_key(group)
    }

    pub(super) fn has(&self, group: &str, version: &str) -> bool {
        let versions = self.groups.get(group);
        versions.is_some_and(|all| all.iter().any(|one| one == version))
    }

    /// Whether it is one of the versions that agentctl is made for.
    pub(crate) fn is_known(&self) -> bool {
        (OLDEST..=NEWEST).contains(&self.minor)
    }

    /// What `auto` means here.
    ///
    /// # Errors
    /// Where a Gateway is named and nothing has such.
    pub(crate) fn router(&self, network: &Network) -> Result<Router> {
        let host = network.host.is_some();
        match (network.router, &network.gateway) {
            (Router::Auto, Some(_)) if self.serves(GATEWAY) => Ok(Router::Gateway),
            (Router::Auto, Some(_)) if self.serves(ISTIO) => Ok(Router::Istio),
            (Router::Auto, Some(name)) => Err(lacks(
                &format!("Gateway {name}, which network.gateway names"),
                GATEWAY,
            )),
            (Router::Auto, None) if host && self.has_nginx => Ok(Router::Nginx),
            (Router::Auto, None) => Ok(Router::Service),
            (router, _) => Ok(router),
        }
    }

    /// Objects in the newest form that the cluster has of their kind.
    ///
    /// # Errors
    /// A kind that it lacks, and what brings it.
    pub(crate) fn fit(&self, objects: &mut [Value]) -> Result<()> {
        for object in objects {
            let wanted = object["apiVersion"].as_str().unwrap_or_default();
            let Some((group, version)) = wanted.split_once('/') else {
                continue;
            };
            match self.groups.get(group) {
                // The cluster's own kinds are there, also where one that just began does not say so yet.
                None if !is_added(group) => {}
                None => return Err(lacks(&address::title(object), group)),
                Some(there) if there.iter().any(|one| one == version) => {}
                Some(there) => {
                    let newest = there.first().map_or(version, String::as_str);
                    object["apiVersion"] = json!(format!("{group}/{newest}"));
                }
            }
        }
        Ok(())
    }
}

/// Groups of what was added to a cluster have names of whoever made it.
fn is_added(group: &str) -> bool {
    let is_known = BROUGHT.iter().any(|(known, _, _)| *known == group);
    is_known || (group.contains('.') && !group.ends_with(".k8s.io"))
}

fn lacks(what: &str, group: &str) -> anyhow::Error {
    let brought = BROUGHT.iter().find(|(known, _, _)| *known == group);
    let hint = match brought {
        Some((_, by, without)) => format!("install {by}; or do without: {without}"),
        None => "install what brings it, or do without".to_owned(),
    };
    because(
        format!("the cluster has no {what}"),
        format!("it does not serve {group}"),
        hint,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served(groups: &[(&str, &[&str])]) -> Served {
        let groups: Vec<Value> = groups
            .iter()
            .map(|(name, versions)| {
                let versions: Vec<Value> = versions
                    .iter()
                    .map(|one| json!({ "version": one }))
                    .collect();
                json!({ "name": name, "versions": versions })
            })
            .collect();
        let version = json!({ "minor": "20+", "gitVersion": "v1.20.2" });
        Served::of(&version, &json!({ "groups": groups }), true).unwrap()
    }

    fn network(router: Router, host: Option<&str>, gateway: Option<&str>) -> Network {
        Network {
            router,
            host: host.map(str::to_owned),
            gateway: gateway.map(str::to_owned),
            ..Network::default()
        }
    }

    #[test]
    fn auto_is_what_the_cluster_serves() {
        let both = served(&[(GATEWAY, &["v1"]), (ISTIO, &["v1"])]);
        let istio = served(&[(ISTIO, &["v1"])]);
        let none = served(&[]);
        let named = network(Router::Auto, None, Some("front"));
        assert_eq!(both.router(&named).unwrap(), Router::Gateway);
        assert_eq!(istio.router(&named).unwrap(), Router::Istio);
        let error = none.router(&named).unwrap_err();
        assert_eq!(
            format!("{error:#}"),
            "the cluster has no Gateway front, which network.gateway names: it does not serve \
             gateway.networking.k8s.io"
        );
        let host = network(Router::Auto, Some("bot.example.com"), None);
        assert_eq!(none.router(&host).unwrap(), Router::Nginx);
        let plain = network(Router::Auto, None, None);
        assert_eq!(both.router(&plain).unwrap(), Router::Service);
        let asked = network(Router::Istio, None, None);
        assert_eq!(none.router(&asked).unwrap(), Router::Istio);
    }

    #[test]
    fn an_older_form_is_taken_and_a_kind_that_is_missing_is_said() {
        let object = |version: &str, kind: &str| json!({ "apiVersion": version, "kind": kind, "metadata": { "name": "bot" } });
        let cluster = served(&[("apps", &["v1"]), (GATEWAY, &["v1beta1", "v1alpha2"])]);
        let mut objects = [
            object("v1", "Service"),
            object("apps/v1", "Deployment"),
            object("gateway.networking.k8s.io/v1", "HTTPRoute"),
        ];
        cluster.fit(&mut objects).unwrap();
        assert_eq!(objects[1]["apiVersion"], "apps/v1");
        assert_eq!(
            objects[2]["apiVersion"],
            "gateway.networking.k8s.io/v1beta1"
        );
        let keda = cluster.fit(&mut [object("keda.sh/v1alpha1", "ScaledObject")]);
        let keda = keda.unwrap_err();
        assert_eq!(
            format!("{keda:#}"),
            "the cluster has no ScaledObject bot: it does not serve keda.sh"
        );
    }

    #[test]
    fn the_version_is_read_and_known() {
        let cluster = served(&[]);
        assert_eq!((cluster.minor, cluster.is_known()), (20, true));
    }
}
