use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use tar::{Builder, EntryType, Header};

use super::package::{Kind, Licence, Os, Package, os};
use super::{alpine, debian, document, node, python, saved};

type Entries = &'static [(&'static str, &'static [u8])];

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (path, bytes) in files {
        let mut header = Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, path, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn urls(image: &[u8]) -> Vec<String> {
    let packages = saved::packages(image).unwrap();
    packages.by_url.into_keys().collect()
}

const STATUS: &str = "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:2.36+b~1\nDescription: a\n b\n\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 1\n";

#[test]
fn lists_are_read() {
    let package = |kind, name: &str, version: &str, arch: Option<&str>, licence| Package {
        kind,
        name: name.to_owned(),
        version: version.to_owned(),
        arch: arch.map(str::to_owned),
        licence,
    };
    let deb = package(Kind::Deb, "libc6", "1:2.36+b~1", Some("amd64"), None);
    assert_eq!(debian::packages(STATUS), [deb]);
    let of_distroless = "Package: tzdata\nVersion: 2\n";
    assert_eq!(debian::packages(of_distroless).len(), 1);
    let name = |text: &str| Some(Licence::Name(text.to_owned()));
    let apk = package(Kind::Apk, "musl", "1.2-r4", Some("x86_64"), name("MIT"));
    let text = "C:Q1\nP:musl\nV:1.2-r4\nA:x86_64\nL:MIT\nF:lib\nR:x\n\n";
    assert_eq!(alpine::packages(text), [apk]);
    let pypi = package(Kind::Pypi, "A_b", "1", None, name("MIT"));
    let text = "Metadata-Version: 2.1\nName: A_b\nVersion: 1\nLicense: MIT\n\nName: no\n";
    assert_eq!(python::package(text), Some(pypi));
    let text = "Name: a\nVersion: 1\nLicense: UNKNOWN\nLicense-Expression: MIT OR X\n";
    let expression = Some(Licence::Expression("MIT OR X".to_owned()));
    assert_eq!(python::package(text).unwrap().licence, expression);
    let npm = package(Kind::Npm, "@a/b", "1.0", None, name("ISC"));
    let text = r#"{"name":"@a/b","version":"1.0","license":{"type":"ISC"}}"#;
    assert_eq!(node::package(text), Some(npm));
    assert_eq!(node::package("{"), None);
}

#[test]
fn only_a_package_s_own_file_tells_of_it() {
    let cases = [
        ("app/node_modules/a/package.json", true),
        ("app/node_modules/@s/a/package.json", true),
        ("node_modules/a/node_modules/b/package.json", true),
        ("app/package.json", false),
        ("app/node_modules/a/test/package.json", false),
        ("app/node_modules/a/x/y/package.json", false),
    ];
    for (path, wanted) in cases {
        assert_eq!(node::is_package(path), wanted, "{path}");
    }
}

#[test]
fn urls_are_of_the_distribution() {
    let debian = os("NAME=x\nVERSION_ID=\"12\"\nID=debian\n");
    assert_eq!(debian.as_ref().map(|os| os.id.as_str()), Some("debian"));
    assert_eq!(os(""), None);
    let found = debian::packages(STATUS);
    let plain = Os {
        id: "wolfi".to_owned(),
        version: String::new(),
    };
    let cases = [
        (
            debian,
            "pkg:deb/debian/libc6@1:2.36%2Bb~1?arch=amd64&distro=debian-12",
        ),
        (Some(plain), "pkg:deb/wolfi/libc6@1:2.36%2Bb~1?arch=amd64"),
        (None, "pkg:deb/debian/libc6@1:2.36%2Bb~1?arch=amd64"),
    ];
    for (os, wanted) in cases {
        assert_eq!(found[0].url(os.as_ref()), wanted);
    }
    let npm = node::package(r#"{"name":"@a/b","version":"1"}"#).unwrap();
    assert_eq!(npm.url(None), "pkg:npm/%40a/b@1");
    let pypi = python::package("Name: Zope.A_b\nVersion: 1\n").unwrap();
    assert_eq!(pypi.url(None), "pkg:pypi/zope.a-b@1");
}

fn package_json(name: &str) -> (String, String) {
    let path = format!("app/node_modules/{name}/package.json");
    (path, format!(r#"{{"name":"{name}","version":"1"}}"#))
}

fn layer_of(names: &[&str], markers: &[&str]) -> Vec<u8> {
    let mut files: Vec<_> = names.iter().map(|name| package_json(name)).collect();
    files.extend(markers.iter().map(|path| (path.to_string(), String::new())));
    let files = files.iter();
    let files: Vec<_> = files
        .map(|(path, text)| (path.as_str(), text.as_bytes()))
        .collect();
    tar(&files)
}

#[test]
fn what_a_later_layer_took_away_is_not_there() {
    let cases: [(&[&str], &[&str]); 5] = [
        (&[], &["a", "aa", "b", "new"]),
        (&["app/node_modules/.wh.a"], &["aa", "b", "new"]),
        (
            &["app/node_modules/b/.wh.package.json"],
            &["a", "aa", "new"],
        ),
        (&["app/.wh.node_modules"], &["new"]),
        (&["app/node_modules/.wh..wh..opq"], &["new"]),
    ];
    for (markers, wanted) in cases {
        let image = tar(&[
            ("1/layer.tar", &layer_of(&["a", "aa", "b"], &[])),
            ("2/layer.tar", &layer_of(&["new"], markers)),
            (
                "manifest.json",
                br#"[{"Layers":["1/layer.tar","2/layer.tar"]}]"#,
            ),
        ]);
        let wanted: Vec<_> = wanted
            .iter()
            .map(|name| format!("pkg:npm/{name}@1"))
            .collect();
        assert_eq!(urls(&image), wanted, "{markers:?}");
    }
}

#[test]
fn both_ways_to_save_an_image_are_read() {
    let status = tar(&[("./var/lib/dpkg/status", STATUS.as_bytes())]);
    let wanted = ["pkg:deb/debian/libc6@1:2.36%2Bb~1?arch=amd64"];
    let index = br#"{"manifests":[{"digest":"sha256:no"},{"digest":"sha256:m"}]}"#;
    let manifest = br#"{"layers":[{"digest":"sha256:l"}]}"#;
    for layer in [status.clone(), gzip(&status)] {
        let image = tar(&[
            ("blobs/sha256/l", &layer),
            ("blobs/sha256/m", manifest),
            ("index.json", index),
        ]);
        assert_eq!(urls(&image), wanted);
    }
    let mut builder = Builder::new(tar(&[("1/layer.tar", &status)])[..].to_vec());
    builder
        .get_mut()
        .truncate(512 + status.len().next_multiple_of(512));
    let mut link = Header::new_gnu();
    link.set_entry_type(EntryType::Symlink);
    link.set_size(0);
    builder
        .append_link(&mut link, "2/layer.tar", "../1/layer.tar")
        .unwrap();
    let manifest = br#"[{"Layers":["2/layer.tar"]}]"#;
    let mut header = Header::new_gnu();
    header.set_size(manifest.len() as u64);
    builder
        .append_data(&mut header, "manifest.json", &manifest[..])
        .unwrap();
    assert_eq!(urls(&builder.into_inner().unwrap()), wanted);
}

#[test]
fn what_cannot_be_read_is_told() {
    let cases: [(Entries, &str); 3] = [
        (&[], "it has neither manifest.json nor index.json"),
        (
            &[("blobs/sha256/l", &[0x28, 0xb5, 0x2f, 0xfd])],
            "its layer blobs/sha256/l is packed with zstd, which agentctl does not unpack",
        ),
        (
            &[("manifest.json", br#"[{"Layers":["1"]}]"#)],
            "its layer 1 is not in what the engine sent",
        ),
    ];
    for (files, wanted) in cases {
        let error = saved::packages(&tar(files)[..]).unwrap_err();
        assert_eq!(error.to_string(), wanted);
    }
}

#[test]
fn the_same_image_makes_the_same_document() {
    let image = tar(&[
        ("1", &layer_of(&["b", "a"], &[])),
        ("manifest.json", br#"[{"Layers":["1"]}]"#),
    ]);
    let packages = saved::packages(&image[..]).unwrap();
    let document = |digest| document::document("greeter", digest, &packages);
    assert_eq!(
        document("sha256:1").to_string(),
        document("sha256:1").to_string()
    );
    assert_ne!(
        document("sha256:1")["serialNumber"],
        document("sha256:2")["serialNumber"]
    );
    let first = json!({
        "bom-ref": "pkg:npm/a@1",
        "type": "library",
        "name": "a",
        "version": "1",
        "purl": "pkg:npm/a@1",
    });
    assert_eq!(document("sha256:1")["components"][0], first);
}
