//! A registry that has nothing to say to the engine: the engine lives, and would wait for ever.

use std::pin::pin;
use std::time::Duration;

use anyhow::Result;
use tokio::time::timeout;

use crate::image::progress::Progress;
use crate::image::registry::Registry;

/// A push that works tells of each piece it sends. A registry may take its time with a layer that it
/// has whole.
pub(super) const TELLS_AFTER: Duration = Duration::from_secs(60);
pub(super) const GONE_AFTER: Duration = Duration::from_secs(300);

/// The news, or an error where there is none for long; in between it is said what is waited for.
pub(super) async fn heard<T>(
    news: impl Future<Output = Result<T>>,
    registry: &Registry,
    watch: &mut dyn FnMut(Progress),
) -> Result<T> {
    let mut news = pin!(news);
    if let Ok(news) = timeout(TELLS_AFTER, &mut news).await {
        return news;
    }
    let left = GONE_AFTER - TELLS_AFTER;
    let text = format!(
        "the registry {} has not answered the engine for {} s; the push waits for {} s more",
        registry.repository().host,
        TELLS_AFTER.as_secs(),
        left.as_secs()
    );
    watch(Progress::Warned { text });
    let news = timeout(left, news).await;
    news.unwrap_or_else(|_| Err(registry.silent(GONE_AFTER)))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use tokio::time::{Instant, sleep};

    use super::*;
    use crate::image::push::failure::is_passing;
    use crate::image::registry::{Repository, Surroundings};

    fn registry() -> Registry {
        let surroundings = Surroundings {
            docker_config: None,
            certificates: PathBuf::from("/nowhere"),
            pause: Duration::ZERO,
        };
        let repository = Repository::parse("localhost:1/team/agent").unwrap();
        Registry::new(repository, surroundings).unwrap()
    }

    /// What comes of a wait for news that come after so many seconds, what was said meanwhile, and
    /// the seconds that it took.
    async fn waited(seconds: u64) -> (Result<()>, Vec<Progress>, u64) {
        let (begun, mut said) = (Instant::now(), Vec::new());
        let news = async {
            sleep(Duration::from_secs(seconds)).await;
            Ok(())
        };
        let came = heard(news, &registry(), &mut |progress| said.push(progress)).await;
        (came, said, begun.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn a_registry_that_says_nothing_is_told_of_and_then_given_up() {
        for (seconds, warnings) in [(59, 0), (61, 1), (299, 1)] {
            let (came, said, took) = waited(seconds).await;
            assert!(came.is_ok());
            assert_eq!((said.len(), took), (warnings, seconds));
        }
        let (came, said, took) = waited(100_000).await;
        let text = "the registry localhost:1 has not answered the engine for 60 s; the push waits \
                    for 240 s more";
        let text = text.to_owned();
        assert_eq!((said, took), (vec![Progress::Warned { text }], 300));
        let error = came.unwrap_err();
        let says = "the registry localhost:1 does not answer: it was silent for 300 s";
        assert_eq!(format!("{error:#}"), says);
        assert!(crate::advice::hint(&error).is_some());
        assert!(!is_passing(&error));
    }
}
