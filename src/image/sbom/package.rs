//! One package, and its URL: `pkg:deb/debian/libc6@2.36-9`.

use std::fmt::Write;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Deb,
    Apk,
    Pypi,
    Npm,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Package {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) arch: Option<String>,
    pub(super) licence: Option<Licence>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Licence {
    /// In SPDX's words.
    Expression(String),
    Name(String),
}

/// The distribution, as `/etc/os-release` tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Os {
    pub(super) id: String,
    pub(super) version: String,
}

impl Package {
    pub(super) fn url(&self, os: Option<&Os>) -> String {
        let version = encoded(&self.version);
        let name = encoded(&self.name);
        match self.kind {
            Kind::Deb => self.of_distribution("deb", "debian", os),
            Kind::Apk => self.of_distribution("apk", "alpine", os),
            Kind::Pypi => {
                let name = self.name.to_lowercase().replace('_', "-");
                format!("pkg:pypi/{}@{version}", encoded(&name))
            }
            Kind::Npm => match self.name.split_once('/') {
                Some((scope, name)) => {
                    format!("pkg:npm/{}/{}@{version}", encoded(scope), encoded(name))
                }
                None => format!("pkg:npm/{name}@{version}"),
            },
        }
    }

    fn of_distribution(&self, kind: &str, usual: &str, os: Option<&Os>) -> String {
        let id = os.map_or(usual, |os| &os.id);
        let (name, version) = (encoded(&self.name), encoded(&self.version));
        let mut url = format!("pkg:{kind}/{}/{name}@{version}", encoded(id));
        let arch = self.arch.as_ref().map(|arch| ("arch", encoded(arch)));
        let versioned = os.filter(|os| !os.version.is_empty());
        let distro = versioned.map(|os| ("distro", encoded(&format!("{}-{}", os.id, os.version))));
        for (index, (key, value)) in arch.into_iter().chain(distro).enumerate() {
            let mark = if index == 0 { '?' } else { '&' };
            let _ = write!(url, "{mark}{key}={value}");
        }
        url
    }
}

fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' | b':' => {
                out.push(byte.into());
            }
            _ => _ = write!(out, "%{byte:02X}"),
        }
    }
    out
}

/// `KEY=value` in quotes or not, as `/etc/os-release` has it.
pub(super) fn os(text: &str) -> Option<Os> {
    let value = |key: &str| {
        let mut values = text.lines().filter_map(|line| line.strip_prefix(key));
        let value = values.next()?.strip_prefix('=')?;
        Some(value.trim().trim_matches(['"', '\'']).to_owned())
    };
    Some(Os {
        id: value("ID")?,
        version: value("VERSION_ID").unwrap_or_default(),
    })
}
