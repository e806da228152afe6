//! A way to the engine that breaks and is mended.

use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use super::Hosted;
use crate::builders::ssh::Machine;
use crate::support::eventually;

const ENGINE: &str = "/var/run/docker.sock";

#[derive(Default)]
struct Way {
    is_broken: AtomicBool,
    refused: AtomicUsize,
    open: Mutex<Vec<TcpStream>>,
}

impl Way {
    /// It, and the address that leads to the engine.
    fn open() -> (Arc<Self>, String) {
        let way = Arc::<Self>::default();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("tcp://{}", listener.local_addr().unwrap());
        let own = Arc::clone(&way);
        thread::spawn(move || {
            for stream in listener.incoming() {
                own.lead(stream.unwrap());
            }
        });
        (way, address)
    }

    fn lead(&self, stream: TcpStream) {
        if self.is_broken.load(Ordering::SeqCst) {
            self.refused.fetch_add(1, Ordering::SeqCst);
            return;
        }
        let engine = UnixStream::connect(ENGINE).unwrap();
        self.open.lock().unwrap().push(stream.try_clone().unwrap());
        let (mut from, mut to) = (stream.try_clone().unwrap(), engine.try_clone().unwrap());
        thread::spawn(move || {
            let _ = io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Write);
        });
        let (mut from, mut to) = (engine, stream);
        thread::spawn(move || {
            let _ = io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Both);
        });
    }

    /// For those on it, and for who comes.
    fn is_cut(&self) {
        self.is_broken.store(true, Ordering::SeqCst);
        for stream in self.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn is_mended(&self) {
        self.is_broken.store(false, Ordering::SeqCst);
    }
}

#[test]
fn a_rollout_goes_on_when_it_is_mended() {
    let Some(host) = Hosted::deployed("way", "") else {
        return;
    };
    host.spec(
        "run.env.ANSWER = \"two\"\nrollout.strategy = \"blue-green\"\nrollout.bake = \"2s\"\n",
    );
    let (way, address) = Way::open();
    let mut deploy = host.command(&["deploy"]);
    let deploy = host.place.spawn(deploy.env("DOCKER_HOST", &address));
    deploy.until("holding at 100 %");
    way.is_cut();
    eventually("it is tried again", || {
        assert_eq!(host.place.ask("release"), "r2");
        way.refused.load(Ordering::SeqCst) >= 2
    });
    way.is_mended();
    deploy
        .wait()
        .ends(0)
        .says("r2 is live at http://127.0.0.1:");
    host.whole("r2", &["edge", "r2-1"]);
}

#[test]
fn by_ssh() {
    let Some(host) = Hosted::new("by-ssh", "") else {
        return;
    };
    let Some(machine) = Machine::start() else {
        return;
    };
    let run = |args| {
        let mut command = host.command(args);
        command.env("DOCKER_HOST", machine.address());
        host.place.finish(command.env("PATH", machine.path()))
    };
    run(&["deploy"])
        .ends(0)
        .says("r1 is live at http://127.0.0.1:");
    host.spec("run.env.ANSWER = \"two\"");
    run(&["deploy"]).ends(0).says("r2 is live");
    assert_eq!(host.place.ask("reply"), "two");
    run(&["logs"]).ends(0).says("r2-1 │ agent r2 starts");
    run(&["rollback"]).ends(0).says("r1 is live");
    host.whole("r1", &["edge", "r1-1"]);
}
