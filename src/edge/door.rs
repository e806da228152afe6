//! The public address: at most one is open.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use anyhow::{Context, Result};

use super::table::Table;

#[derive(Default)]
pub(super) struct Door(Option<Open>);

struct Open {
    address: SocketAddr,
    _listener: TcpListener,
}

impl Door {
    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.0.as_ref().map(|open| open.address)
    }

    /// Opens this address before the one that was open is closed.
    pub(super) fn open(&mut self, address: SocketAddr, table: &Arc<Table>) -> Result<()> {
        if self.address().is_some_and(|open| is_met(address, open)) {
            return Ok(());
        }
        let listener =
            TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))?;
        let address = listener.local_addr()?;
        let _ = table;
        self.0 = Some(Open {
            address,
            _listener: listener,
        });
        Ok(())
    }
}

/// Port 0 asks for any port, which the open one is.
fn is_met(wanted: SocketAddr, open: SocketAddr) -> bool {
    wanted == open || (wanted.port() == 0 && wanted.ip() == open.ip())
}
