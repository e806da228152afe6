//! Which arm of an A/B test a request belongs to, by what it says.

use hyper::http::request::Parts;

use super::api::{Arms, Key};
use super::conversation::{self, ConversationId};

impl Arms {
    /// The pool. One who says no user and nothing that is looked for belongs to the rest.
    pub(super) fn pool_of(&self, head: &Parts) -> &str {
        let says = |(key, value): &(Key, String)| {
            conversation::said(key, head).is_some_and(|said| said == value.as_bytes())
        };
        match self.says.iter().any(says) || self.draws(head) {
            true => &self.pool,
            false => &self.rest,
        }
    }

    fn draws(&self, head: &Parts) -> bool {
        let user = self
            .user
            .as_ref()
            .and_then(|key| conversation::said(key, head));
        // With a name of its own, so that it has nothing to do with what becomes of conversations.
        let lot = user.map(|user| ConversationId::new("user", &self.pool, user).lot());
        lot.is_some_and(|lot| lot < u64::from(self.share))
    }
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;

    fn head(headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().uri("/?beta=yes&u=1");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn arms(says: &[(Key, &str)], user: Option<Key>, share: u16) -> Arms {
        let says = says
            .iter()
            .map(|(key, value)| (key.clone(), (*value).to_owned()));
        Arms {
            pool: "b".into(),
            rest: "a".into(),
            says: says.collect(),
            user,
            share,
        }
    }

    #[test]
    fn what_is_said_decides() {
        let beta = Key::Header("x-beta".into());
        let cases = [
            (arms(&[(beta.clone(), "true")], None, 0), "b"),
            (arms(&[(beta.clone(), "tru")], None, 0), "a"),
            (arms(&[(Key::Cookie("beta".into()), "1")], None, 0), "b"),
            (arms(&[(Key::Query("beta".into()), "yes")], None, 0), "b"),
            (
                arms(
                    &[(Key::Query("beta".into()), "no"), (beta, "true")],
                    None,
                    0,
                ),
                "b",
            ),
            (arms(&[], None, 10_000), "a"),
            (arms(&[], Some(Key::Query("u".into())), 10_000), "b"),
            (arms(&[], Some(Key::Query("u".into())), 0), "a"),
        ];
        for (arms, pool) in cases {
            let head = head(&[("X-Beta", "true"), ("Cookie", "a=2; beta=1")]);
            assert_eq!(arms.pool_of(&head), pool, "{arms:?}");
        }
    }

    #[test]
    fn a_user_has_one_arm_and_users_are_split() {
        let arms = arms(&[], Some(Key::Header("x-user".into())), 3_000);
        let of = |user: u32| {
            arms.pool_of(&head(&[("x-user", &user.to_string())]))
                .to_owned()
        };
        let here = (0..1_000).filter(|user| of(*user) == "b").count();
        assert!((240..360).contains(&here), "{here}");
        assert_eq!(of(7), of(7));
    }
}
