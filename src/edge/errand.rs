//! One request to one replica, past the proxy: probes are in no measure and no conversation.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use http_body_util::{BodyExt, Full};
use hyper::StatusCode;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::api::{Reply, Request};

const LARGEST_BODY: usize = 1024 * 1024;

pub(super) async fn run(replica: u32, address: SocketAddr, request: Request) -> Reply {
    let begun = Instant::now();
    let within = Duration::from_millis(request.within);
    let mut first = None;
    let outcome = tokio::time::timeout(within, exchange(address, request, &mut first)).await;
    let millis = |until: Instant| until.duration_since(begun).as_millis() as u64;
    let (whole, first_millis) = (millis(Instant::now()), first.map(millis));
    let (status, body, says) = match outcome {
        Ok(Ok((status, body))) => (Some(status.as_u16()), body, None),
        Ok(Err(why)) => (None, String::new(), Some(format!("{why:#}"))),
        Err(_) => (
            None,
            String::new(),
            Some(format!(
                "no answer within {}",
                humantime::format_duration(within)
            )),
        ),
    };
    Reply {
        replica,
        status,
        body,
        millis: whole,
        first_millis,
        says,
    }
}

/// `first`: when the first bytes of the body came.
async fn exchange(
    address: SocketAddr,
    request: Request,
    first: &mut Option<Instant>,
) -> Result<(StatusCode, String)> {
    let stream = TcpStream::connect(address).await.context("no connection")?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let request = outgoing(address, request)?;
    let answer = async {
        let answer = sender
            .send_request(request)
            .await
            .context("no answer that is HTTP")?;
        let status = answer.status();
        Ok((status, text(answer.into_body(), first).await?))
    };
    tokio::pin!(answer);
    tokio::select! {
        answer = &mut answer => answer,
        // The connection may be done before its last bytes were looked at.
        _ = connection => answer.await,
    }
}

fn outgoing(address: SocketAddr, request: Request) -> Result<hyper::Request<Full<Bytes>>> {
    let mut outgoing = hyper::Request::builder()
        .method(request.method.as_str())
        .uri(&request.path);
    if !request
        .headers
        .keys()
        .any(|name| name.eq_ignore_ascii_case("host"))
    {
        outgoing = outgoing.header("host", address.to_string());
    }
    for (name, value) in &request.headers {
        outgoing = outgoing.header(name, value);
    }
    outgoing
        .body(Full::from(request.body))
        .context("not a request that can be sent")
}

/// The first MiB.
async fn text(mut body: hyper::body::Incoming, first: &mut Option<Instant>) -> Result<String> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.context("the reply broke off")?;
        first.get_or_insert_with(Instant::now);
        bytes.extend_from_slice(frame.data_ref().map_or(&[][..], |data| &data[..]));
        if bytes.len() >= LARGEST_BODY {
            bytes.truncate(LARGEST_BODY);
            break;
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
