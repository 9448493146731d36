//! Random expressions, most of them well-formed, on requests as large as conditions look at:
//! no panic, the same answer twice, and never more than was foreseen (a debug build of the
//! evaluator panics when a cost was foreseen too low).

use postern::model::value::{Struct, Value};

/// A small generator of numbers (xorshift*): seeded, the same on every machine.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(high).unwrap() % bound
    }

    fn pick<'t>(&mut self, words: &[&'t str]) -> &'t str {
        words[self.below(words.len())]
    }

    /// An expression; `variables` are the macros around.
    pub(crate) fn expression(&mut self, depth: usize, variables: usize) -> String {
        if depth == 0 || self.below(8) == 0 {
            return self.leaf(variables);
        }
        let sub = |random: &mut Self| random.expression(depth - 1, variables);
        match self.below(12) {
            0 | 1 => {
                let (left, right) = (sub(self), sub(self));
                let operators = [
                    "==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "in", "&&", "||",
                ];
                format!("({left} {} {right})", self.pick(&operators))
            }
            2 => format!("({} in {})", sub(self), sub(self)),
            3 => format!("({} == {})", sub(self), sub(self)),
            4 => {
                let tests = ["startsWith", "endsWith", "contains"];
                let (left, right) = (sub(self), sub(self));
                format!("{left}.{}({right})", self.pick(&tests))
            }
            5 => {
                let functions = [
                    "size",
                    "int",
                    "uint",
                    "double",
                    "string",
                    "bytes",
                    "bool",
                    "dyn",
                    "type",
                    "timestamp",
                    "duration",
                    "!",
                    "-",
                ];
                format!("{}({})", self.pick(&functions), sub(self))
            }
            6 => format!("({} ? {} : {})", sub(self), sub(self), sub(self)),
            7 => format!("[{}, {}]", sub(self), sub(self)),
            8 => format!("{{{}: {}, 'k': {}}}", sub(self), sub(self), sub(self)),
            9 => format!("{}[{}]", sub(self), sub(self)),
            _ => self.quantified(depth, variables),
        }
    }

    fn quantified(&mut self, depth: usize, variables: usize) -> String {
        let range = self.expression(depth - 1, variables);
        if variables > 1 {
            return range;
        }
        let body = self.expression(depth - 1, variables + 1);
        let name = self.pick(&["all", "exists", "exists_one", "filter", "map"]);
        let variable = ["x", "y"][variables];
        format!("{range}.{name}({variable}, {body})")
    }

    fn leaf(&mut self, variables: usize) -> String {
        if variables > 0 && self.below(2) == 0 {
            return ["x", "y"][self.below(variables)].to_owned();
        }
        let leaves = [
            "request.attributes.list",
            "request.attributes.list",
            "request.attributes.text",
            "request.attributes.map",
            "request.attributes.number",
            "request.attributes",
            "resource.attributes.list",
            "resource.attributes.map",
            "resource.attributes.text",
            "resource.name",
            "request.time",
            "principal.subject",
            "true",
            "false",
            "null",
            "1",
            "0",
            "-1",
            "9223372036854775807",
            "1.5",
            "1e308",
            "2u",
            "'text'",
            "''",
            "b'\\xff'",
            "[]",
            "['a', 'b', 'c']",
            "{'a': 1}",
            "duration('1h')",
            "has(request.attributes.text)",
            "resource.matchTag('env', 'prod')",
            "request.attributes.text.matches('^(a|b)*c')",
            "cidr('10.0.0.0/8').containsIP(source.ip)",
            "request.time.getHours('Europe/Berlin')",
        ];
        self.pick(&leaves).to_owned()
    }

    /// A text of tokens in no order.
    pub(crate) fn noise(&mut self) -> String {
        let tokens = [
            "(",
            ")",
            "[",
            "]",
            "{",
            "}",
            ".",
            ",",
            ":",
            "?",
            "!",
            "-",
            "+",
            "&&",
            "||",
            "==",
            "in",
            "a",
            "request",
            "time",
            "attributes",
            "has",
            "all",
            "map",
            "1",
            "1u",
            "0x",
            "1e",
            "'",
            "\"",
            "'''",
            "r'",
            "b'",
            "\\",
            "`",
            "//",
            "\n",
            "\u{e9}",
            "\u{1f600}",
            "true",
            "if",
            "_",
            "@",
            "$",
            "\0",
            "\\u",
            "\\x",
        ];
        let count = self.below(24);
        (0..count).map(|_| self.pick(&tokens)).collect()
    }

    /// Fields as large as they may be, in a shape of chance.
    pub(crate) fn fields(&mut self) -> Struct {
        let (bytes, count) = [(0, 250), (60, 240), (120, 100), (7_000, 2), (1, 3)][self.below(5)];
        let text = |extra: &str| Value::String("a".repeat(bytes) + extra);
        let list = |count: usize| Value::List((0..count).map(|at| text(&at.to_string())).collect());
        let pairs = |count: usize| (0..count).map(|at| (format!("k{at}"), Value::Number(1.0)));
        let list = match self.below(3) {
            0 => Value::List(vec![Value::Struct(Struct(pairs(8).collect())); count / 10]),
            1 => Value::List(vec![Value::List(vec![Value::Null; 20]); count / 22]),
            _ => list(count),
        };
        let named = |name: &str, value| (name.to_owned(), value);
        Struct(vec![
            named("list", list),
            named("text", text("c")),
            named("number", Value::Number(3.0)),
            named("map", Value::Struct(Struct(pairs(1 + bytes % 9).collect()))),
        ])
    }
}
