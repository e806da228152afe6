//! What cosign left beside an image: its older versions in tags made from the digest, its newer ones
//! as what refers to it, in the registry's own list or in the tag that stands for one.

use anyhow::Result;
use serde_json::Value;

use super::client::manifests;
use super::{Digest, Registry};

const BUNDLE: &str = "application/vnd.dev.sigstore.bundle";
/// What a bundle, or a layer of the older form, says that it vouches for.
const BUNDLE_SAYS: &str = "dev.sigstore.bundle.predicateType";
const LAYER_SAYS: &str = "predicateType";
const SIGNATURE: &str = "https://sigstore.dev/cosign/sign";
const PACKAGES: &str = "https://cyclonedx.org/bom";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Vouched {
    pub(crate) is_signed: bool,
    /// The list of its packages is.
    pub(crate) is_attested: bool,
}

impl Registry {
    /// A list that the registry does not have is an empty one: to sign twice does no harm.
    pub(crate) async fn vouched(&self, image: &Digest) -> Result<Vouched> {
        let tag = image.as_str().replace(':', "-");
        let older = Vouched {
            is_signed: self.head(&format!("{tag}.sig")).await?.is_some(),
            is_attested: attested(&self.listed(manifests(&format!("{tag}.att"))).await),
        };
        let referrers = self.listed(format!("referrers/{image}")).await;
        let all = [
            referred(&referrers),
            referred(&self.listed(manifests(&tag)).await),
        ];
        Ok(all.into_iter().fold(older, Vouched::or))
    }

    async fn listed(&self, path: String) -> Value {
        self.list(path).await.unwrap_or_default()
    }
}

impl Vouched {
    fn or(self, other: Self) -> Self {
        Self {
            is_signed: self.is_signed || other.is_signed,
            is_attested: self.is_attested || other.is_attested,
        }
    }
}

/// Bundles that say nothing of what they are for are signatures, as cosign's first ones did not.
fn referred(list: &Value) -> Vouched {
    let is_bundle = |one: &&Value| {
        let kind = one["artifactType"].as_str();
        kind.is_some_and(|kind| kind.starts_with(BUNDLE))
    };
    let bundles = entries(list, "manifests").filter(is_bundle);
    let says = bundles.map(|one| one["annotations"][BUNDLE_SAYS].as_str());
    says.fold(Vouched::default(), |all, what| {
        all.or(Vouched {
            is_signed: what.is_none_or(|what| what.starts_with(SIGNATURE)),
            is_attested: what.is_some_and(|what| what.starts_with(PACKAGES)),
        })
    })
}

fn attested(manifest: &Value) -> bool {
    entries(manifest, "layers").any(|layer| {
        let what = layer["annotations"][LAYER_SAYS].as_str();
        what.is_some_and(|what| what.starts_with(PACKAGES))
    })
}

fn entries<'a>(list: &'a Value, of: &str) -> impl Iterator<Item = &'a Value> {
    list[of].as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn bundle(what: Option<&str>) -> Value {
        let kind = "application/vnd.dev.sigstore.bundle.v0.3+json";
        let annotations = what.map(|what| json!({ BUNDLE_SAYS: what }));
        json!({ "artifactType": kind, "annotations": annotations })
    }

    #[test]
    fn what_refers_to_an_image_says_what_it_vouches_for() {
        let signature = "https://sigstore.dev/cosign/sign/v1";
        let packages = "https://cyclonedx.org/bom";
        let other = "https://slsa.dev/provenance/v1";
        for (referrers, is_signed, is_attested) in [
            (vec![], false, false),
            (vec![bundle(None)], true, false),
            (vec![bundle(Some(signature))], true, false),
            (vec![bundle(Some(packages))], false, true),
            (vec![bundle(Some(other))], false, false),
            (vec![json!({ "artifactType": "text/plain" })], false, false),
            (
                vec![bundle(Some(packages)), bundle(Some(signature))],
                true,
                true,
            ),
        ] {
            let wanted = Vouched {
                is_signed,
                is_attested,
            };
            let list = json!({ "manifests": referrers });
            assert_eq!(referred(&list), wanted, "{list}");
        }
        assert_eq!(referred(&Value::Null), Vouched::default());
    }

    #[test]
    fn an_older_attestation_is_told_by_its_layer() {
        let layer = |what: &str| json!({ "layers": [{ "annotations": { LAYER_SAYS: what } }] });
        assert!(attested(&layer("https://cyclonedx.org/bom")));
        assert!(!attested(&layer("https://slsa.dev/provenance/v0.2")));
        assert!(!attested(&Value::Null));
    }
}
