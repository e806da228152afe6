//! What is in an image, as CycloneDX, and the signature on it.

use std::process::Command;

use serde_json::Value;

use super::workshop::Workshop;
use crate::support::engine;
use crate::support::registry::Wanted;

const WHEEL: &str = "greeting-1.2.3-py3-none-any.whl";
const DOCKERFILE: &str = "\
FROM python:3.13-slim
COPY greeting-1.2.3-py3-none-any.whl /tmp/
RUN pip install --no-index --break-system-packages /tmp/greeting-1.2.3-py3-none-any.whl
COPY node_modules /app/node_modules
";

/// As pip makes one: three files in a zip.
fn wheel(shop: &Workshop) {
    let info = "greeting-1.2.3.dist-info";
    let record = "greeting.py,,\n".to_owned() + &format!("{info}/METADATA,,\n{info}/WHEEL,,\n");
    let metadata = "Metadata-Version: 2.1\nName: greeting\nVersion: 1.2.3\nLicense: MIT\n";
    let kind = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
    shop.place.write("wheel/greeting.py", "");
    shop.place
        .write(&format!("wheel/{info}/METADATA"), metadata);
    shop.place.write(&format!("wheel/{info}/WHEEL"), kind);
    shop.place.write(&format!("wheel/{info}/RECORD"), record);
    let mut zip = Command::new("python3");
    zip.args(["-m", "zipfile", "-c", WHEEL, "wheel/greeting.py"]);
    zip.arg(format!("wheel/{info}"));
    let zipped = zip.current_dir(shop.place.path(".")).output().unwrap();
    assert!(zipped.status.success(), "{zipped:?}");
}

fn open(more: &str) -> Option<Workshop> {
    let shop = Workshop::open(Wanted::default(), more)?;
    engine::there_is_python().then_some(())?;
    let package = r#"{"name":"@a/b","version":"4.5.6","license":"ISC"}"#;
    shop.place.write("node_modules/@a/b/package.json", package);
    shop.place
        .write(".dockerignore", "*\n!node_modules\n!*.whl\n");
    shop.place.write("Dockerfile", DOCKERFILE);
    wheel(&shop);
    Some(shop)
}

fn component<'l>(list: &'l Value, url: &str) -> &'l Value {
    let all = list["components"].as_array().unwrap();
    let found = all.iter().find(|one| {
        one["purl"]
            .as_str()
            .is_some_and(|purl| purl.starts_with(url))
    });
    found.unwrap_or_else(|| panic!("no {url} in {list:#}"))
}

#[test]
fn all_kinds_of_packages_are_listed() {
    let Some(shop) = open("") else {
        return;
    };
    shop.run(&["build", "-q", "--sbom", "sbom.json"]).ends(0);
    let list: Value = serde_json::from_str(&shop.place.read("sbom.json")).unwrap();
    let pip = component(&list, "pkg:pypi/greeting@");
    assert_eq!(
        (&pip["version"], &pip["name"]),
        (&"1.2.3".into(), &"greeting".into())
    );
    assert_eq!(pip["licenses"][0]["license"]["name"], "MIT");
    let npm = component(&list, "pkg:npm/");
    assert_eq!(npm["purl"], "pkg:npm/%40a/b@4.5.6");
    assert_eq!((&npm["group"], &npm["name"]), (&"@a".into(), &"b".into()));
    let deb = component(&list, "pkg:deb/debian/python3@");
    let url = deb["purl"].as_str().unwrap();
    assert!(url.ends_with("&distro=debian-12"), "{url}");
    is_cyclonedx(&list);

    // The same image again makes the same bytes, whoever asks for them.
    shop.run(&["build", "-q", "--sbom", "again.json"]).ends(0);
    assert_eq!(shop.place.read("again.json"), shop.place.read("sbom.json"));
}

/// What the schema of CycloneDX 1.6 asks for in the parts that we write.
fn is_cyclonedx(list: &Value) {
    let text = r##"{
      "type": "object",
      "required": ["bomFormat", "specVersion"],
      "additionalProperties": false,
      "properties": {
        "$schema": {"const": "http://cyclonedx.org/schema/bom-1.6.schema.json"},
        "bomFormat": {"const": "CycloneDX"},
        "specVersion": {"const": "1.6"},
        "serialNumber": {"type": "string",
          "pattern": "^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"},
        "version": {"type": "integer", "minimum": 1},
        "metadata": {"type": "object", "additionalProperties": false, "properties": {
          "tools": {"type": "object", "additionalProperties": false, "properties": {
            "components": {"$ref": "#/definitions/components"}}},
          "component": {"$ref": "#/definitions/component"}}},
        "components": {"$ref": "#/definitions/components"}
      },
      "definitions": {
        "components": {"type": "array", "uniqueItems": true,
          "items": {"$ref": "#/definitions/component"}},
        "component": {"type": "object", "required": ["type", "name"],
          "additionalProperties": false, "properties": {
            "type": {"enum": ["application", "container", "library"]},
            "bom-ref": {"type": "string", "minLength": 1},
            "group": {"type": "string"},
            "name": {"type": "string"},
            "version": {"type": "string", "maxLength": 1024},
            "purl": {"type": "string", "pattern": "^pkg:[a-z]+/"},
            "licenses": {"oneOf": [
              {"type": "array", "items": {"type": "object", "required": ["license"],
                "additionalProperties": false, "properties": {
                  "license": {"type": "object", "required": ["name"]}}}},
              {"type": "array", "minItems": 1, "maxItems": 1,
                "items": {"type": "object", "required": ["expression"]}}]}}}
      }
    }"##;
    let schema = serde_json::from_str(text).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let wrong: Vec<_> = schema
        .iter_errors(list)
        .map(|one| one.to_string())
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let references = list["components"].as_array().unwrap().iter();
    let mut references: Vec<_> = references.map(|one| one["bom-ref"].as_str()).collect();
    let count = references.len();
    references.dedup();
    assert_eq!(references.len(), count, "a bom-ref names one component");
}

/// As cosign does: a signature is a tag in the same repository, and so is what it attests. It writes
/// down what it was told.
fn cosign(shop: &Workshop) {
    let kind = "application/vnd.docker.distribution.manifest.v2+json";
    let at = format!("http://{}/v2/team/bot/manifests", shop.host);
    let log = shop.place.path("cosigned");
    let script = format!(
        "printf '%s\\n' \"$*\" >>{log}\nfor image; do :; done\ndigest=${{image#*@}}\n\
         as=sig says=\n\
         [ $1 = sign ] || {{ as=att says='\"annotations\": {{\"predicateType\": \"https://cyclonedx.org/bom\"}},'; }}\n\
         curl -sf -H 'Accept: {kind}' {at}/$digest |\n\
         sed \"s|\\(\\\"size\\\"\\)|$says\\1|\" >{log}.m &&\n\
         curl -sf -X PUT -H 'Content-Type: {kind}' --data-binary @{log}.m \
         {at}/sha256-${{digest#*:}}.$as",
        log = log.display()
    );
    shop.script("cosign", &script);
}

#[test]
fn cosign_signs_what_was_pushed() {
    let Some(shop) = Workshop::open(Wanted::default(), "image.sign = \"k.key\"\n") else {
        return;
    };
    cosign(&shop);
    let told = "\
pushed 127.0.0.1:PORT/team/bot@sha256:DIGEST
tags: sha-CONTENT
";
    let args = ["push", "-q", "--sbom", "sbom.json"];
    shop.run(&args).exactly(0, "", told);
    let image = format!("{}@sha256:", shop.repository());
    let lines = shop.place.read("cosigned");
    let lines: Vec<_> = lines
        .lines()
        .map(|line| line.split_at(line.len() - 64).0)
        .collect();
    let wanted = [
        format!("sign --yes --key k.key -- {image}"),
        format!("attest --yes --type cyclonedx --predicate sbom.json --key k.key -- {image}"),
    ];
    assert_eq!(lines, wanted);
    // Once is enough.
    shop.run(&args).ends(0).says("nothing to build or push");
    assert_eq!(shop.place.read("cosigned").lines().count(), 2);
}

/// Built here of the same contents, as another machine did that pushed it: what the tag names here is
/// another image.
#[test]
fn the_list_is_of_what_the_registry_has() {
    let Some(shop) = Workshop::open(Wanted::default(), "") else {
        return;
    };
    let package = |version| {
        let comment = shop.unique(0);
        let package = serde_json::json!({"name": "a", "version": version, "comment": comment});
        shop.place.write("text", package.to_string());
    };
    let dockerfile = "FROM scratch\nCOPY text /app/node_modules/a/package.json\n";
    shop.place.write("Dockerfile", dockerfile);
    package("1.0.0");
    let pushed = shop.place.read("text");
    shop.run(&["push", "-q"]).ends(0);
    shop.forget();
    package("2.0.0");
    let content = &shop.in_registry()[0];
    let (name, label) = (
        format!("{}:{content}", shop.repository()),
        format!("dev.agentctl.content={content}"),
    );
    let folder = shop.place.path(".").display().to_string();
    engine::docker(&["build", "-q", "-t", &name, "--label", &label, &folder]).unwrap();
    shop.place.write("text", pushed);
    for verb in ["push", "build"] {
        let ran = shop.run(&[verb, "-q", "--sbom", "sbom.json"]).ends(0);
        ran.says("nothing to build");
        let list: Value = serde_json::from_str(&shop.place.read("sbom.json")).unwrap();
        assert_eq!(component(&list, "pkg:npm/a@")["version"], "1.0.0", "{verb}");
    }
}

/// A deploy signs without a list of the packages; who asks for it later gets it vouched for.
#[test]
fn what_was_signed_before_is_attested_by_the_next_push_that_lists_it() {
    let Some(shop) = Workshop::open(Wanted::default(), "image.sign = \"k.key\"\n") else {
        return;
    };
    cosign(&shop);
    shop.run(&["push", "-q"]).ends(0);
    for _ in 0..2 {
        shop.run(&["push", "-q", "--sbom", "sbom.json"]).ends(0);
    }
    let lines = shop.place.read("cosigned");
    let verbs: Vec<_> = lines
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(verbs, ["sign", "attest"]);
}

/// Killed in between, or pushed where no cosign was.
#[test]
fn what_was_pushed_unsigned_is_signed_by_the_next_push() {
    let Some(shop) = Workshop::open(Wanted::default(), "image.sign = \"k.key\"\n") else {
        return;
    };
    let warned = "warning: image.sign asks for a signature";
    shop.run(&["push", "-q"]).ends(0).says(warned);
    shop.run(&["push", "-q"]).ends(0).says(warned);
    cosign(&shop);
    shop.run(&["push"]).exactly(
        0,
        "",
        "\
signed 127.0.0.1:PORT/team/bot@sha256:DIGEST
nothing to build or push: 127.0.0.1:PORT/team/bot@sha256:DIGEST
",
    );
    shop.run(&["push", "-q"]).ends(0);
    assert_eq!(shop.place.read("cosigned").lines().count(), 1);
}

#[test]
fn a_signature_that_cannot_be_is_said_so() {
    let Some(shop) = Workshop::open(Wanted::default(), "image.sign = \"keyless\"\n") else {
        return;
    };
    let told = "\
warning: image.sign asks for a signature, and there is no cosign on PATH: not signed
pushed 127.0.0.1:PORT/team/bot@sha256:DIGEST
tags: sha-CONTENT
";
    shop.run(&["push", "-q"]).exactly(0, "", told);
    shop.script(
        "cosign",
        "echo 'getting signer: no identity token' >&2; exit 1",
    );
    shop.place.write("text", shop.unique(2));
    shop.run(&["push", "-q"]).exactly(
        2,
        "",
        "\
error: could not sign 127.0.0.1:PORT/team/bot@sha256:DIGEST
  caused by: cosign said: getting signer: no identity token
hint: \"keyless\" signs as whom cosign is logged in as: SIGSTORE_ID_TOKEN, or the identity of a CI; the image is pushed: the same again signs it, and so does cosign sign 127.0.0.1:PORT/team/bot@sha256:DIGEST
",
    );
}

#[test]
fn a_list_without_a_place_stops_before_anything_is_built() {
    let Some(shop) = Workshop::open(Wanted::default(), "") else {
        return;
    };
    for verb in ["build", "push"] {
        shop.run(&[verb, "--sbom", "none/list.json"]).exactly(
            2,
            "",
            "\
error: could not write none/list.json
hint: name a file in a folder that is there: --sbom FILE
",
        );
    }
    shop.nothing_was_made();
}
