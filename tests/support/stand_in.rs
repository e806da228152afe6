//! Images of services by the names that presets give them, made of what Debian has installed here:
//! the same programs, started as the preset says. Where the real image is there, it is used.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::engine::{PYTHON, docker, run, skipped};

const POSTGRES: &str = "/usr/lib/postgresql";
const SHARE: &str = "/usr/share/postgresql";

/// What the image of the same name does with its first start.
const POSTGRES_ENTRY: &str = r#"#!/bin/sh
set -e
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    mkdir -p "$PGDATA"
    printf %s "$POSTGRES_PASSWORD" >/tmp/password
    initdb -D "$PGDATA" -U postgres --pwfile=/tmp/password --auth-host=scram-sha-256 \
        --auth-local=scram-sha-256 --no-locale --encoding=UTF8
    rm /tmp/password
    echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
    echo "listen_addresses = '*'" >>"$PGDATA/postgresql.conf"
fi
exec "$@"
"#;

/// False: it cannot be had here, which is said.
pub(crate) fn there_is_redis(name: &str) -> bool {
    let programs = ["/usr/bin/redis-server", "/usr/bin/redis-cli"].map(PathBuf::from);
    made(name, &programs, |_| {})
}

/// False: it cannot be had here, which is said.
pub(crate) fn there_is_postgres(name: &str) -> bool {
    let versions = fs::read_dir(POSTGRES).into_iter().flatten().flatten();
    let Some(version) = versions.map(|entry| entry.file_name()).max() else {
        skipped("PostgreSQL is not installed");
        return false;
    };
    let folder = Path::new(POSTGRES).join(&version).join("bin");
    let programs = ["postgres", "initdb", "pg_isready", "psql"].map(|name| folder.join(name));
    made(name, &programs, |tree| {
        let lib = Path::new(POSTGRES).join(&version).join("lib");
        copy(&lib, tree);
        copy(&Path::new(SHARE).join(&version), tree);
        let entry = tree.join("usr/local/bin/docker-entrypoint.sh");
        fs::write(&entry, POSTGRES_ENTRY).unwrap();
        fs::set_permissions(&entry, fs::Permissions::from_mode(0o755)).unwrap();
        let users =
            "root:x:0:0:root:/root:/bin/sh\npostgres:x:999:999::/var/lib/postgresql:/bin/sh\n";
        fs::create_dir_all(tree.join("etc")).unwrap();
        fs::write(tree.join("etc/passwd"), users).unwrap();
        fs::create_dir_all(tree.join("var/lib/postgresql")).unwrap();
    })
}

fn made(name: &str, programs: &[PathBuf], more: impl FnOnce(&Path)) -> bool {
    if docker(&["image", "inspect", name]).is_ok() {
        return true;
    }
    if let Some(missing) = programs.iter().find(|program| !program.exists()) {
        skipped(&format!("{} is not installed", missing.display()));
        return false;
    }
    let tree = tempfile::tempdir().unwrap();
    let commands = tree.path().join("usr/local/bin");
    fs::create_dir_all(&commands).unwrap();
    let mut files = BTreeSet::new();
    for program in programs {
        let real = program.canonicalize().unwrap();
        files.extend(libraries(&real));
        let name = program.file_name().unwrap();
        std::os::unix::fs::symlink(&real, commands.join(name)).unwrap();
        files.insert(real);
    }
    files.iter().for_each(|file| copy(file, tree.path()));
    more(tree.path());
    commit(tree.path(), name);
    true
}

fn libraries(program: &Path) -> Vec<PathBuf> {
    let said = run(Command::new("ldd").arg(program)).unwrap();
    let paths = said.lines().filter_map(|line| line.split("=> ").nth(1));
    let paths = paths.filter_map(|path| path.split(' ').next());
    paths.map(|path| in_place(Path::new(path))).collect()
}

/// By its own name in the folder that it is really in: `/lib` may be a link.
fn in_place(path: &Path) -> PathBuf {
    let folder = path.parent().unwrap().canonicalize().unwrap();
    folder.join(path.file_name().unwrap())
}

/// To the same place, with links followed.
fn copy(path: &Path, tree: &Path) {
    let to = tree.join(path.strip_prefix("/").unwrap());
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    run(Command::new("cp")
        .args(["--recursive", "--dereference"])
        .arg(path)
        .arg(&to))
    .unwrap();
}

fn commit(tree: &Path, name: &str) {
    let made = docker(&["create", PYTHON[1], "true"]).unwrap();
    let from = format!("{}/.", tree.display());
    docker(&["cp", &from, &format!("{made}:/")]).unwrap();
    docker(&["commit", &made, name]).unwrap();
    docker(&["rm", &made]).unwrap();
}
