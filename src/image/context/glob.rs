//! One pattern of a `.dockerignore`, matched as Docker's own patternmatcher does.
//!
//! Pure. A pattern is read once; matching takes time in proportion to pattern times path, whatever
//! the pattern.

#[derive(Clone, Debug)]
pub(crate) struct Glob {
    text: String,
    tokens: Vec<Token>,
    /// What every match begins with: most paths are told by it alone.
    start: String,
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Just(char),
    /// `?`
    One,
    /// `*`
    Star,
    /// `[a-z]`, or with `true` all but these.
    Class(Vec<(char, char)>, bool),
    /// `**/`, followed by its own `Inside`: no folder, or any number of them.
    Folders,
    Inside,
    /// `**` at the end.
    Rest,
}

impl Glob {
    /// An error says what is wrong with the pattern.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let tokens = Parser::new(text).tokens()?;
        let literal = tokens.iter().map_while(|token| match token {
            Token::Just(c) => Some(*c),
            _ => None,
        });
        Ok(Self {
            text: text.to_owned(),
            start: literal.collect(),
            tokens,
        })
    }

    pub(crate) fn matches(&self, path: &str) -> bool {
        let Some(rest) = path.strip_prefix(self.start.as_str()) else {
            return false;
        };
        let tokens = &self.tokens[self.start.chars().count()..];
        match tokens {
            [] => rest.is_empty(),
            tokens => is_match(tokens, rest),
        }
    }

    /// Whether it could match something below this folder; true where that is not easily told.
    pub(super) fn may_match_below(&self, folder: &str) -> bool {
        if self.text.contains(['[', '\\']) {
            return true;
        }
        let mut parts = self.text.split('/');
        for name in folder.split('/') {
            match parts.next() {
                None => return false,
                Some(part) if part.contains("**") => return true,
                Some(part) if !Self::parse(part).is_ok_and(|glob| glob.matches(name)) => {
                    return false;
                }
                Some(_) => {}
            }
        }
        parts.next().is_some()
    }
}

/// Walks all ways through the pattern at once, so that none is tried twice.
fn is_match(tokens: &[Token], path: &str) -> bool {
    let mut at = vec![false; tokens.len() + 1];
    let mut next = at.clone();
    enter(tokens, &mut at, 0);
    for c in path.chars() {
        next.fill(false);
        for (index, token) in tokens.iter().enumerate().filter(|(index, _)| at[*index]) {
            step(tokens, &mut next, index, token, c);
        }
        std::mem::swap(&mut at, &mut next);
    }
    at[tokens.len()]
}

fn step(tokens: &[Token], next: &mut [bool], index: usize, token: &Token, c: char) {
    let (stays, goes) = match token {
        Token::Just(wanted) => (false, c == *wanted),
        Token::One => (false, c != '/'),
        Token::Star => (c != '/', false),
        Token::Class(ranges, but) => (false, within(ranges, c) != *but),
        Token::Folders => (false, false),
        Token::Inside => (true, c == '/'),
        Token::Rest => (true, false),
    };
    if stays {
        enter(tokens, next, index);
    }
    if goes {
        enter(tokens, next, index + 1);
    }
}

/// With all that is reached without reading a character.
fn enter(tokens: &[Token], at: &mut [bool], index: usize) {
    at[index] = true;
    match tokens.get(index) {
        Some(Token::Star | Token::Rest) => enter(tokens, at, index + 1),
        Some(Token::Folders) => {
            enter(tokens, at, index + 1);
            enter(tokens, at, index + 2);
        }
        _ => {}
    }
}

fn within(ranges: &[(char, char)], c: char) -> bool {
    ranges.iter().any(|(low, high)| (*low..=*high).contains(&c))
}

struct Parser<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    found: Vec<Token>,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            rest: text.chars().peekable(),
            found: Vec::new(),
        }
    }

    fn tokens(mut self) -> Result<Vec<Token>, String> {
        while let Some(c) = self.rest.next() {
            match c {
                '*' if self.rest.next_if_eq(&'*').is_some() => self.folders(),
                '*' => self.found.push(Token::Star),
                '?' => self.found.push(Token::One),
                '[' => self.class()?,
                '\\' => self.escaped()?,
                c => self.found.push(Token::Just(c)),
            }
        }
        Ok(self.found)
    }

    fn folders(&mut self) {
        let slash = self.rest.next_if_eq(&'/').is_some();
        let plain = |c: char| !"*?[]\\".contains(c);
        // `**name` alone is any path that ends so; anywhere else `**` stands for whole folders.
        let is_suffix = self.found.is_empty() && !slash && self.rest.clone().all(plain);
        match self.rest.peek() {
            None => self.found.push(Token::Rest),
            Some(_) if is_suffix => self.found.push(Token::Rest),
            Some(_) => self.found.extend([Token::Folders, Token::Inside]),
        }
    }

    fn escaped(&mut self) -> Result<(), String> {
        let c = self.rest.next().ok_or("nothing follows the last \\")?;
        self.found.push(Token::Just(c));
        Ok(())
    }

    fn class(&mut self) -> Result<(), String> {
        let but = self.rest.next_if_eq(&'^').is_some();
        let mut ranges = Vec::new();
        while ranges.is_empty() || self.rest.next_if_eq(&']').is_none() {
            let low = self.member()?;
            let high = match self.rest.next_if_eq(&'-') {
                Some(_) => self.member()?,
                None => low,
            };
            if high < low {
                return Err(format!("{low}-{high} is a range from its end to its start"));
            }
            ranges.push((low, high));
        }
        self.found.push(Token::Class(ranges, but));
        Ok(())
    }

    fn member(&mut self) -> Result<char, String> {
        let open = "a [ is not closed, or holds no range";
        match self.rest.next().ok_or(open)? {
            '\\' => self.rest.next().ok_or_else(|| open.to_owned()),
            '-' | ']' => Err(open.to_owned()),
            c => Ok(c),
        }
    }
}
