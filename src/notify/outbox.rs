//! The box that messages lie in, and the thread that empties it.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::deliver::Place;
use super::message::Message;

/// Messages that lie in the box at most, for each place: a rollout has a handful.
const ROOM: usize = 64;

/// Puts messages into the box, and never waits.
#[derive(Clone)]
pub(crate) struct Sender(Vec<mpsc::Sender<Message>>);

/// Open until [`Outbox::close`].
pub(crate) struct Outbox {
    sender: Sender,
    /// Disconnected once everything was tried.
    heard: Receiver<Heard>,
    names: Vec<&'static str>,
}

/// What becomes of what lies in the box.
enum Heard {
    /// In words.
    Failed(String),
    /// All of this place was tried.
    Emptied(&'static str),
}

impl Sender {
    /// Whose messages are only kept.
    #[cfg(test)]
    pub(super) fn kept() -> (Self, mpsc::Receiver<Message>) {
        let (sender, receiver) = mpsc::channel(ROOM);
        (Self(vec![sender]), receiver)
    }

    pub(super) fn send(&self, message: &Message) {
        for place in &self.0 {
            // A box that is full has a place that is down: what is lost is named by the one before.
            let _ = place.try_send(message.clone());
        }
    }
}

impl Outbox {
    /// # Errors
    /// Where no thread can be had.
    pub(crate) fn open(places: Vec<Place>) -> std::io::Result<Self> {
        let (hears, heard) = channel();
        let names = places.iter().map(Place::name).collect();
        let (senders, boxes): (Vec<_>, Vec<_>) = places
            .into_iter()
            .map(|place| {
                let (sender, receiver) = mpsc::channel(ROOM);
                (sender, (place, receiver))
            })
            .unzip();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        thread::Builder::new()
            .name("notify".to_owned())
            .spawn(move || runtime.block_on(empty_all(boxes, hears)))?;
        Ok(Self {
            sender: Sender(senders),
            heard,
            names,
        })
    }

    pub(crate) fn sender(&self) -> Sender {
        self.sender.clone()
    }

    /// Waits for what still lies in it, this long at most. The answer is what was not delivered.
    pub(crate) fn close(self, patience: Duration) -> Vec<String> {
        let Self {
            sender,
            heard,
            mut names,
        } = self;
        drop(sender);
        let deadline = Instant::now() + patience;
        let mut undelivered = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match heard.recv_timeout(left) {
                Ok(Heard::Failed(says)) => undelivered.push(says),
                Ok(Heard::Emptied(place)) => names.retain(|name| *name != place),
                Err(RecvTimeoutError::Disconnected) => return undelivered,
                Err(RecvTimeoutError::Timeout) => {
                    let says = format!(
                        "not all messages to {} were delivered in time",
                        names.join(", ")
                    );
                    undelivered.push(says);
                    return undelivered;
                }
            }
        }
    }
}

type Hears = std::sync::mpsc::Sender<Heard>;

async fn empty_all(boxes: Vec<(Place, mpsc::Receiver<Message>)>, hears: Hears) {
    let all = boxes
        .into_iter()
        .map(|(place, messages)| empty(place, messages, hears.clone()));
    futures_util::future::join_all(all).await;
}

/// In their order: what came later is told later.
async fn empty(place: Place, mut messages: mpsc::Receiver<Message>, hears: Hears) {
    while let Some(message) = messages.recv().await {
        if let Err(why) = place.deliver(&message).await {
            let name = message.name();
            // Nobody listens any more where the process ends.
            let says = format!("could not tell {} of \"{name}\": {why}", place.name());
            let _ = hears.send(Heard::Failed(says));
        }
    }
    let _ = hears.send(Heard::Emptied(place.name()));
}
