//! The public address: at most one is open.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::num::NonZero;
use std::sync::Arc;
use std::thread;

use anyhow::{Context, Result};
use rustix::net::Shutdown;

use super::proxy::{self, Server};
use super::table::Table;

#[derive(Default)]
pub(super) struct Door(Option<Open>);

struct Open {
    address: SocketAddr,
    listener: TcpListener,
    server: Server,
}

/// Clients that may wait to be accepted.
const BACKLOG: i32 = 4096;
const MOST_WORKERS: usize = 8;

impl Door {
    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.0.as_ref().map(|open| open.address)
    }

    /// Opens this address before the one that was open is closed, unless that has the same port:
    /// `127.0.0.1:80` and `0.0.0.0:80` cannot be had at once. On an error the old one may be closed.
    pub(super) fn open(&mut self, address: SocketAddr, table: &Arc<Table>) -> Result<()> {
        if self.address().is_some_and(|open| is_met(address, open)) {
            return Ok(());
        }
        if let Some(open) = self.0.take_if(|open| open.address.port() == address.port()) {
            // Dropping the server frees the port a little later.
            rustix::net::shutdown(&open.listener, Shutdown::Both)?;
        }
        let opened = serve_at(address, table);
        self.0 = Some(opened.with_context(|| format!("cannot listen on {address}"))?);
        Ok(())
    }

    /// Goes on with a socket that a predecessor listened on.
    pub(super) fn adopt(&mut self, listener: TcpListener, table: &Arc<Table>) -> Result<()> {
        self.0 = Some(serve_with(listener, table).context("cannot take over what is open")?);
        Ok(())
    }

    /// Takes no more clients. The socket is for a successor; the server has those that it has.
    pub(super) fn rest(&mut self) -> Option<(TcpListener, Server)> {
        let open = self.0.take()?;
        open.server.rest();
        Some((open.listener, open.server))
    }

    pub(super) fn socket(&self) -> Option<&TcpListener> {
        self.0.as_ref().map(|open| &open.listener)
    }

    /// Waits until the last reply has ended.
    pub(super) async fn close(self) {
        if let Some(open) = self.0 {
            drop(open.listener);
            open.server.stop().await;
        }
    }
}

fn serve_at(address: SocketAddr, table: &Arc<Table>) -> io::Result<Open> {
    let listener = TcpListener::bind(address)?;
    rustix::net::listen(&listener, BACKLOG)?;
    serve_with(listener, table)
}

fn serve_with(listener: TcpListener, table: &Arc<Table>) -> io::Result<Open> {
    let address = listener.local_addr()?;
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    let served = listener.try_clone()?;
    let server = proxy::serve(served, table, workers.min(MOST_WORKERS))?;
    Ok(Open {
        address,
        listener,
        server,
    })
}

/// Port 0 asks for any port, which the open one is.
fn is_met(wanted: SocketAddr, open: SocketAddr) -> bool {
    wanted == open || (wanted.port() == 0 && wanted.ip() == open.ip())
}
