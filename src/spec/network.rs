use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How users reach the agent, and what it may reach.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Network {
    /// The name that users call it by.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "hostname"))]
    pub(crate) host: Option<String>,
    /// What splits the traffic on Kubernetes; auto: gateway where one is named (istio where the cluster
    /// has no Gateway API), nginx where `host` is given and the cluster has its class, else service.
    pub(crate) router: Router,
    /// The Gateway that routes hang on, as `name` or `namespace/name`; for gateway and istio.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "object-path"))]
    pub(crate) gateway: Option<String>,
    /// The Secret with the certificate of `host`, for nginx.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "object-name"))]
    pub(crate) tls: Option<String>,
    /// What the agent may reach, as `host:port` or `10.0.0.0/8:port`; not given: all. Names of
    /// `[services]` and `[tools]` are kept to exactly, a name outside the cluster to its port.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("items" = {"type": "string", "format": "endpoint"}))]
    pub(crate) allow: Option<Vec<String>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Router {
    #[default]
    Auto,
    Service,
    Gateway,
    Istio,
    Nginx,
}
