//! What follows an accepted upgrade (WebSocket, or whatever both sides speak): bytes, both ways.

use hyper::upgrade::OnUpgrade;
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;

use super::in_flight::InFlight;
use super::{Answer, Reply, forward, own_answer};

/// Passes the 101 on, and bytes from then on; in flight until both sides have ended.
pub(super) fn join(
    mut in_flight: InFlight,
    answer: Answer,
    client: Option<OnUpgrade>,
) -> Response<Reply> {
    let Some(client) = client else {
        in_flight.fail();
        let says = "the agent switched protocols without being asked\n".to_owned();
        return own_answer(StatusCode::BAD_GATEWAY, says);
    };
    let Answer {
        mut reply,
        mut connection,
    } = answer;
    connection.let_go();
    let replica = hyper::upgrade::on(&mut reply);
    tokio::task::spawn_local(pass_on(in_flight, client, replica));
    forward::to_client_switching(&mut reply);
    reply.map(|_| Reply::Own(None))
}

/// Errors are the end of one side; the other one is closed with it.
async fn pass_on(in_flight: InFlight, client: OnUpgrade, replica: OnUpgrade) {
    if let (Ok(client), Ok(replica)) = (client.await, replica.await) {
        let (mut client, mut replica) = (TokioIo::new(client), TokioIo::new(replica));
        let _ = copy_bidirectional(&mut client, &mut replica).await;
    }
    drop(in_flight);
}
