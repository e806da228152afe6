//! Looking again and again, until Ctrl-C.

use anyhow::Result;
use tokio::time::sleep;

use super::look::Look;
use super::{Exit, Followed, Scaler};
use crate::advice::in_a_line;
use crate::cli::stop_signal::StopSignal;
use crate::spec::Period;

impl Scaler<'_> {
    pub(super) async fn watch(&mut self, every: Period) -> Result<Exit> {
        let mut stop = StopSignal::new()?;
        // So that the same is not said twice.
        let mut told = None;
        loop {
            let work = tokio::select! {
                work = self.ask() => work,
                () = stop.said() => return Ok(Exit::Done),
            };
            let followed = match work {
                Ok(work) => self.follow(&work).await,
                Err(error) => Err(error),
            };
            self.tell(followed, &mut told);
            tokio::select! {
                () = sleep(every.get()) => {}
                () = stop.said() => return Ok(Exit::Done),
            }
        }
    }

    fn tell(&mut self, followed: Result<Followed>, told: &mut Option<Look>) {
        let look = match followed {
            Ok(Followed::Told(look)) => Some(look),
            Ok(Followed::Walked(_)) => None,
            Err(error) => Some(Look::Busy(in_a_line(&error))),
        };
        let is_news = |look: &&Look| told.as_ref().is_none_or(|told| !told.is_like(look));
        if let Some(look) = look.as_ref().filter(is_news) {
            let (outcome, says) = (look.outcome(), look.says());
            self.shown.decision("scale", outcome, &says, look.as_json());
        }
        *told = look;
    }
}
