use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use futures_util::future::{Either, Pending};
use hyper::Response;
use kube::client::Body as Bytes;
use tower_service::Service;

use super::*;

/// A cluster that answers the first request, and then hangs for so many.
#[derive(Clone)]
struct Hangs {
    hangs: u64,
    asked: Arc<AtomicU64>,
}

type Answer = Ready<Result<Response<Bytes>, std::io::Error>>;

impl Service<Request<Bytes>> for Hangs {
    type Response = Response<Bytes>;
    type Error = std::io::Error;
    type Future = Either<Pending<<Answer as Future>::Output>, Answer>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Bytes>) -> Self::Future {
        let asked = self.asked.fetch_add(1, Ordering::SeqCst);
        match (1..=self.hangs).contains(&asked) {
            true => Either::Left(futures_util::future::pending()),
            false => Either::Right(ready(Ok(Response::new(Bytes::from(b"{}".to_vec()))))),
        }
    }
}

fn hangs(hangs: u64) -> Cluster {
    let asked = Arc::default();
    let reached = Reached {
        client: Client::new(Hangs { hangs, asked }, "agents"),
        url: "https://cluster".to_owned(),
        namespace: "agents".to_owned(),
    };
    Cluster::of(reached, "bot", "bot".to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_request_that_gets_no_answer_is_asked_again() {
    let cluster = hangs(2);
    cluster.get("/a").await.unwrap();
    cluster.get("/a").await.unwrap();
    assert_eq!(cluster.requests(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_stays_silent_is_given_up() {
    let cluster = hangs(100);
    cluster.get("/a").await.unwrap();
    let error = cluster.get("/a").await.unwrap_err();
    assert!(format!("{error:#}").contains("did not answer in time"));
    assert_eq!(cluster.requests(), 5);
}
