use serde_json::json;

use super::*;
use crate::render::secret_command;

const STORES: &str = "[stores.vault]\nvault = { server = \"https://v\", role = \"bot\", mount = \"kv\" }\n[stores.cloud]\naws = { region = \"eu-1\", role = \"arn:aws:iam::1:role/x\" }\n[secrets]\nA = { vault = \"kv/data/team/bot#key\" }\nB = { external = \"cloud/team/b\" }\nC = { external = \"shared/c\" }";

#[test]
fn each_comes_from_its_store() {
    let spec = one(&input(STORES), "ExternalSecret")["spec"].clone();
    assert_eq!(spec["target"]["name"], "bot-external");
    let store = |name: &str, kind: &str| json!({ "storeRef": { "name": name, "kind": kind } });
    let wanted = json!([
        {
            "secretKey": "A",
            "remoteRef": { "key": "team/bot", "property": "key" },
            "sourceRef": store("bot-vault", "SecretStore"),
        },
        {
            "secretKey": "B",
            "remoteRef": { "key": "team/b" },
            "sourceRef": store("bot-cloud", "SecretStore"),
        },
        {
            "secretKey": "C",
            "remoteRef": { "key": "c" },
            "sourceRef": store("shared", "ClusterSecretStore"),
        },
    ]);
    assert_eq!(spec["data"], wanted);
}

#[test]
fn stores_are_opened_without_a_token_in_any_pod() {
    let objects = rendered(&input(STORES));
    let provider = |file: &str| {
        let found = objects.iter().find(|object| object.file == file);
        found.unwrap().value["spec"]["provider"].clone()
    };
    let kubernetes = json!({
        "mountPath": "kubernetes", "role": "bot", "serviceAccountRef": { "name": "bot" },
    });
    let vault = provider("secret-store-vault");
    assert_eq!(vault["vault"]["path"], "kv");
    assert_eq!(vault["vault"]["auth"]["kubernetes"], kubernetes);
    let aws = json!({ "aws": {
        "service": "SecretsManager", "region": "eu-1", "role": "arn:aws:iam::1:role/x",
    } });
    assert_eq!(provider("secret-store-cloud"), aws);
    let without = STORES.replace(", role = \"arn:aws:iam::1:role/x\"", "");
    let store = rendered(&input(&without)).into_iter();
    let mut store = store.filter(|object| object.file == "secret-store-cloud");
    let aws = json!({ "aws": { "service": "SecretsManager", "region": "eu-1" } });
    assert_eq!(store.next().unwrap().value["spec"]["provider"], aws);
    let account = one(&input(STORES), "ServiceAccount");
    assert_eq!(account["automountServiceAccountToken"], false);
}

#[test]
fn the_agent_gets_references_alone() {
    let text = format!("{STORES}\nD = {{ env = \"D\" }}\nE = {{ kubernetes = \"theirs/e\" }}");
    let agent = agent(&input(&text));
    let reference = |name: &str| {
        let all = agent["env"].as_array().unwrap();
        let found = all
            .iter()
            .find(|variable| variable["name"] == name)
            .unwrap();
        found["valueFrom"]["secretKeyRef"].clone()
    };
    assert_eq!(
        reference("A"),
        json!({ "name": "bot-external", "key": "A" })
    );
    assert_eq!(reference("D"), json!({ "name": "bot-secrets", "key": "D" }));
    assert_eq!(reference("E"), json!({ "name": "theirs", "key": "e" }));
    let kinds = list(&input(&text));
    assert!(
        !kinds.iter().any(|one| one.starts_with("Secret ")),
        "{kinds:?}"
    );
}

#[test]
fn what_is_to_do_by_hand_is_said() {
    let text = "[secrets]\nA = { env = \"HOST_A\" }\nB = { file = \"it's b\" }\nC = { kubernetes = \"s/c\" }\n[environments.x.target.kubernetes]\nnamespace = \"agents\"";
    let wanted = "kubectl create secret generic bot-secrets --namespace agents \\\n    --from-file=A=<(printf %s \"$HOST_A\") \\\n    --from-file=B=<(printf %s \"$(cat 'it'\\''s b')\")";
    assert_eq!(secret_command(&input(text)).unwrap(), wanted);
    assert_eq!(
        secret_command(&input("[secrets]\nC = { kubernetes = \"s/c\" }")),
        None
    );
}

/// What the cluster makes of a value: `$$` is one `$`, `$(NAME)` the variable NAME.
fn expanded(value: &str) -> String {
    let mut rest = value;
    let mut all = String::new();
    while let Some((before, after)) = rest.split_once('$') {
        all += before;
        rest = match (after.strip_prefix('$'), after.split_once([')'])) {
            (Some(after), _) => {
                all += "$";
                after
            }
            (None, Some((name, after))) if name.starts_with('(') => {
                all += &format!("<{}>", &name[1..]);
                after
            }
            _ => {
                all += "$";
                after
            }
        };
    }
    all + rest
}

#[test]
fn a_dollar_stays_a_dollar_in_a_cluster() {
    let texts = ["pa$$word", "$$(PORT)", "$(PORT)", "a$", "$$$", "$HOME ${x"];
    for text in texts {
        let input = input(&format!(
            "[run]\nenv = {{ A = '{}' }}\n[tools.t]\nimage = \"t:1\"\ncommand = ['{text}']",
            text.replace("${", "$${")
        ));
        let pod = one(&input, "Deployment")["spec"]["template"]["spec"].clone();
        // A ConfigMap's values are not expanded.
        assert_eq!(variable(&input, "A"), text);
        let command = &pod["initContainers"][0]["command"][0];
        assert_eq!(expanded(command.as_str().unwrap()), text);
    }
}

#[test]
fn a_secret_behind_a_dollar_is_put_in() {
    let text = "[secrets]\nS = { env = \"S\" }\n[run]\nenv = { A = 'US$-$${secret:S}' , B = '$(${secret:S})' }";
    let input = input(text);
    assert_eq!(variable(&input, "A"), "US$-${secret:S}");
    let b = variable(&input, "B");
    assert_eq!(expanded(b.as_str().unwrap()), "$(<S>)");
}

#[test]
fn a_release_names_a_secret_of_its_own_values_and_what_it_shares_another() {
    let text = "[secrets]\nK = { env = \"K\" }\n[services.db]\nimage = \"db:1\"\nport = 1\nenv.PW = \"${secret:K}\"";
    let values = Some(crate::release::Identity::of(b"values"));
    let given = Input {
        secret_values: values.clone(),
        ..released(text)
    };
    let own = crate::render::secret_of("bot", values.as_ref());
    assert!(own.starts_with("bot-secrets-"), "{own}");
    let of = |object: &Value| object.to_string().contains(&format!("\"{own}\""));
    let objects = rendered(&given);
    let naming: Vec<&str> = objects
        .iter()
        .filter(|object| of(&object.value))
        .map(|object| object.value["metadata"]["name"].as_str().unwrap())
        .collect();
    assert_eq!(naming, ["bot-r7"]);
    let db = objects.iter().find(|object| {
        object.value["metadata"]["name"] == "db" && object.value["kind"] != "Service"
    });
    assert!(db.unwrap().value.to_string().contains("\"bot-secrets\""));
}
