//! Files that are credentials, told by their names alone.

use super::Finding;

/// Whole names, and what they are.
const NAMES: [(&str, &str); 32] = [
    ("id_rsa", "a private key"),
    ("id_dsa", "a private key"),
    ("id_ecdsa", "a private key"),
    ("id_ecdsa_sk", "a private key"),
    ("id_ed25519", "a private key"),
    ("id_ed25519_sk", "a private key"),
    ("credentials.json", "credentials"),
    ("application_default_credentials.json", "credentials"),
    ("service-account.json", "credentials of a service account"),
    ("service_account.json", "credentials of a service account"),
    ("serviceaccount.json", "credentials of a service account"),
    ("client_secret.json", "a client's secret"),
    (".netrc", "passwords of hosts"),
    ("_netrc", "passwords of hosts"),
    (".pypirc", "passwords of package indexes"),
    (".pgpass", "passwords of databases"),
    (".my.cnf", "passwords of databases"),
    ("rclone.conf", "passwords of storage"),
    (".s3cfg", "passwords of storage"),
    (".boto", "passwords of storage"),
    (".databrickscfg", "tokens of Databricks"),
    ("credentials.tfrc.json", "tokens of Terraform"),
    (".vault-token", "a token of Vault"),
    ("token.json", "a token"),
    (".git-credentials", "passwords of git"),
    (".htpasswd", "passwords of a web server"),
    (".dockercfg", "passwords of registries"),
    (".dockerconfigjson", "passwords of registries"),
    ("dockerconfigjson", "passwords of registries"),
    ("kubeconfig", "access to a cluster"),
    (
        "terraform.tfvars",
        "variables of Terraform, with its secrets",
    ),
    ("terraform.tfstate", "state of Terraform, with its secrets"),
];

/// Ends of names.
const ENDS: [(&str, &str); 10] = [
    (".pk8", "a private key"),
    (".key", "a private key"),
    (".ppk", "a private key"),
    (".p12", "a private key"),
    (".pfx", "a private key"),
    (".jks", "a store of keys"),
    (".keystore", "a store of keys"),
    (".kdbx", "a store of passwords"),
    (".kubeconfig", "access to a cluster"),
    (".tfstate", "state of Terraform, with its secrets"),
];

/// Ends of paths.
const PLACES: [(&str, &str); 10] = [
    (".docker/config.json", "passwords of registries"),
    ("containers/auth.json", "passwords of registries"),
    ("helm/registry/config.json", "passwords of registries"),
    ("gcloud/credentials.db", "credentials of Google"),
    ("gcloud/access_tokens.db", "tokens of Google"),
    (".aws/credentials", "credentials of AWS"),
    (".azure/accesstokens.json", "credentials of Azure"),
    (".kube/config", "access to a cluster"),
    (".config/gh/hosts.yml", "a token of GitHub"),
    (".cargo/credentials.toml", "a token of a package index"),
];

/// Says what is in a `.env` by its name, without reading it.
const ENV: &str = "variables with secrets";
const SHOWS: [&str; 6] = [
    "example", "examples", "sample", "template", "dist", "defaults",
];

/// What editors and people put behind the name of a copy.
const COPIES: [&str; 6] = [".bak", ".backup", ".old", ".orig", ".save", "~"];

/// A `*.pem` is one only with a key in it: certificates end so too.
pub(crate) fn by_name(path: &str) -> Option<Finding> {
    let lower = path.to_ascii_lowercase();
    let copied = COPIES.iter().find_map(|end| lower.strip_suffix(end));
    let what = what(copied.unwrap_or(&lower))?;
    Some(Finding {
        what,
        path: path.to_owned(),
        line: None,
    })
}

fn what(path: &str) -> Option<&'static str> {
    let name = path.rsplit('/').next().unwrap_or_default();
    let at = |(place, _): &&(&str, &str)| {
        let before = path.strip_suffix(place);
        before.is_some_and(|before| before.is_empty() || before.ends_with('/'))
    };
    let known = NAMES.iter().find(|(whole, _)| name == *whole);
    let ends = |(end, _): &&(&str, &str)| name.ends_with(end) && !is_public(name);
    let known = known.or_else(|| ENDS.iter().find(ends));
    let known = known.or_else(|| PLACES.iter().find(at));
    match known {
        Some((_, what)) => Some(what),
        None if is_key(path, name) => Some("a private key"),
        None => is_env(name).then_some(ENV),
    }
}

/// In a folder `.ssh`; or in DER, which certificates are in too.
fn is_key(path: &str, name: &str) -> bool {
    const NONE: [&str; 4] = ["known_hosts", "authorized_keys", "config", "environment"];
    let mut folders = path.rsplit('/').skip(1);
    let is_other = NONE.iter().any(|none| name.starts_with(none)) || is_public(name);
    let is_der = name.ends_with(".der") && name.contains("key") && !name.contains("public");
    !is_other && (is_der || folders.next() == Some(".ssh"))
}

/// `archive.gpg.key`, `public.key`: what signatures are checked with.
fn is_public(name: &str) -> bool {
    name.split(['.', '-', '_'])
        .any(|part| ["gpg", "asc", "pub", "public"].contains(&part))
}

/// `.env`, `.env.production`, `.env_prod`, `.env~`, `production.env`, and not `.env.example`.
fn is_env(name: &str) -> bool {
    let shows = name
        .split(['.', '-', '_'])
        .any(|part| SHOWS.contains(&part));
    let behind = name.strip_prefix(".env");
    let is_env = behind.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphabetic()));
    let is_env = is_env || name == ".envrc";
    (is_env || name.ends_with(".env")) && !shows
}
