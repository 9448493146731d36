//! The text of a condition, read into a tree.

use crate::reference::conditions::value::Val;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expression {
    Literal(Val),
    List(Vec<Expression>),
    /// `request.attributes.level`.
    Path(Vec<String>),
    /// `has(path)`.
    Has(Vec<String>),
    Not(Box<Expression>),
    Choose(Box<Expression>, Box<Expression>, Box<Expression>),
    Binary(String, Box<Expression>, Box<Expression>),
    /// `receiver.name(arguments)` or `name(arguments)`.
    Call(Option<Box<Expression>>, String, Vec<Expression>),
}

/// Words and signs, and what is left of them.
struct Reader {
    tokens: Vec<String>,
    at: usize,
}

/// Reads an expression; the text must be one.
pub(crate) fn expression(text: &str) -> Expression {
    let mut reader = Reader {
        tokens: tokens(text),
        at: 0,
    };
    let whole = reader.choice();
    assert_eq!(reader.at, reader.tokens.len(), "cannot read {text}");
    whole
}

const SIGNS: [&str; 8] = ["&&", "||", "==", "!=", "<=", ">=", "<", ">"];

fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let length = if first == '"' || first == '\'' {
            rest[1..].find(first).unwrap() + 2
        } else if first.is_ascii_digit() {
            let number = |c: char| c.is_ascii_digit() || c == '.';
            rest.find(|c| !number(c)).unwrap_or(rest.len())
        } else if word(first) {
            rest.find(|c| !word(c)).unwrap_or(rest.len())
        } else {
            let sign = SIGNS.iter().find(|s| rest.starts_with(**s));
            sign.map_or(1, |s| s.len())
        };
        tokens.push(rest[..length].to_owned());
        rest = rest[length..].trim_start();
    }
    tokens
}

impl Reader {
    fn next(&self) -> &str {
        self.tokens.get(self.at).map_or("", String::as_str)
    }

    /// Steps over the token if it is that one.
    fn take(&mut self, token: &str) -> bool {
        let found = self.next() == token;
        self.at += usize::from(found);
        found
    }

    fn word(&mut self) -> String {
        let word = self.next().to_owned();
        self.at += 1;
        word
    }

    fn choice(&mut self) -> Expression {
        let condition = self.operators(0);
        if !self.take("?") {
            return condition;
        }
        let yes = self.operators(0);
        assert!(self.take(":"));
        let no = self.choice();
        Expression::Choose(Box::new(condition), Box::new(yes), Box::new(no))
    }

    /// Binary operators, the weakest first.
    fn operators(&mut self, level: usize) -> Expression {
        const LEVELS: [&[&str]; 4] = [
            &["||"],
            &["&&"],
            &["==", "!=", "<", "<=", ">", ">=", "in"],
            &["+", "-"],
        ];
        let Some(signs) = LEVELS.get(level) else {
            return self.unary();
        };
        let mut left = self.operators(level + 1);
        while signs.contains(&self.next()) {
            let sign = self.word();
            let right = self.operators(level + 1);
            left = Expression::Binary(sign, Box::new(left), Box::new(right));
        }
        left
    }

    fn unary(&mut self) -> Expression {
        if self.take("!") {
            return Expression::Not(Box::new(self.unary()));
        }
        if self.take("-") {
            let digits: f64 = self.word().parse().unwrap();
            return Expression::Literal(Val::Number(-digits));
        }
        let mut at = self.primary();
        while self.take(".") {
            let name = self.word();
            at = if self.take("(") {
                Expression::Call(Some(Box::new(at)), name, self.arguments(")"))
            } else {
                match at {
                    Expression::Path(mut path) => {
                        path.push(name);
                        Expression::Path(path)
                    }
                    other => panic!("the reference reads no field {name} of {other:?}"),
                }
            };
        }
        at
    }

    fn primary(&mut self) -> Expression {
        let token = self.word();
        let first = token.chars().next().unwrap();
        match token.as_str() {
            "(" => {
                let inner = self.choice();
                assert!(self.take(")"));
                inner
            }
            "[" => Expression::List(self.arguments("]")),
            "true" => Expression::Literal(Val::Bool(true)),
            "false" => Expression::Literal(Val::Bool(false)),
            "null" => Expression::Literal(Val::Null),
            _ if first == '"' || first == '\'' => {
                Expression::Literal(Val::Text(token[1..token.len() - 1].to_owned()))
            }
            _ if first.is_ascii_digit() => Expression::Literal(Val::Number(token.parse().unwrap())),
            "has" => {
                assert!(self.take("("));
                match self.arguments(")").pop() {
                    Some(Expression::Path(path)) => Expression::Has(path),
                    other => panic!("has() of {other:?}"),
                }
            }
            _ if self.take("(") => Expression::Call(None, token, self.arguments(")")),
            _ => Expression::Path(vec![token]),
        }
    }

    fn arguments(&mut self, end: &str) -> Vec<Expression> {
        let mut list = Vec::new();
        while !self.take(end) {
            list.push(self.choice());
            self.take(",");
        }
        list
    }
}
