//! Regular expressions in the syntax of RE2, compiled when loaded into an automaton that looks
//! at each byte once: no backtracking, no cache, no lock, no allocation while it searches.

use std::fmt;

use regex_automata::dfa::{Automaton, dense};
use regex_automata::nfa::thompson;
use regex_automata::{Input, MatchKind};
use regex_syntax::ast::{
    self, Ast, ClassAscii, ClassAsciiKind, ClassBracketed, ClassPerl, ClassPerlKind, ClassSet,
    ClassSetItem, Flag, FlagsItemKind, GroupKind,
};
use regex_syntax::hir::translate;

use crate::condition::Fault;
use crate::limits::{
    CONDITION_PATTERN_BUILD_BYTES_MAX, CONDITION_PATTERN_BYTES_MAX, CONDITION_PATTERN_DEPTH_MAX,
    CONDITION_PATTERN_TABLE_BYTES_MAX,
};

/// A compiled regular expression.
pub(super) struct Pattern {
    table: dense::DFA<Vec<u32>>,
}

impl Pattern {
    /// Compiles a pattern.
    pub(super) fn compile(pattern: &str) -> Result<Self, Fault> {
        if pattern.len() > CONDITION_PATTERN_BYTES_MAX {
            return Err(Fault::over(
                "bytes of a regular expression",
                pattern.len(),
                CONDITION_PATTERN_BYTES_MAX,
            ));
        }
        let wrong = |error: &dyn fmt::Display| {
            Fault::Syntax(format!(
                "the regular expression `{pattern}` cannot be used: {error}"
            ))
        };
        let mut ast = ast::parse::ParserBuilder::new()
            .nest_limit(CONDITION_PATTERN_DEPTH_MAX)
            .build()
            .parse(pattern)
            .map_err(|error| wrong(&error.kind()))?;
        restrict(&mut ast).map_err(|extension| wrong(&extension))?;
        // Bytes that are no UTF-8 do not occur in a haystack, so `(?-u:\B)` may look for them.
        let hir = translate::TranslatorBuilder::new()
            .utf8(false)
            .build()
            .translate(pattern, &ast)
            .map_err(|error| wrong(&error.kind()))?;
        let nfa = thompson::Compiler::new()
            .configure(
                thompson::Config::new()
                    .nfa_size_limit(Some(CONDITION_PATTERN_BUILD_BYTES_MAX))
                    .which_captures(thompson::WhichCaptures::None),
            )
            .build_from_hir(&hir)
            .map_err(|_| too_large(pattern))?;
        let table = dense::Builder::new()
            .configure(
                dense::Config::new()
                    .match_kind(MatchKind::LeftmostFirst)
                    .start_kind(regex_automata::dfa::StartKind::Unanchored)
                    .dfa_size_limit(Some(CONDITION_PATTERN_TABLE_BYTES_MAX))
                    .determinize_size_limit(Some(CONDITION_PATTERN_BUILD_BYTES_MAX)),
            )
            .build_from_nfa(&nfa)
            .map_err(|_| too_large(pattern))?;
        Ok(Self { table })
    }

    /// Is there a match anywhere? `None` cannot happen with these tables, and is no answer.
    pub(super) fn is_match(&self, text: &str) -> Option<bool> {
        let input = Input::new(text).earliest(true);
        Some(self.table.try_search_fwd(&input).ok()?.is_some())
    }
}

fn too_large(pattern: &str) -> Fault {
    Fault::Syntax(format!(
        "the regular expression `{pattern}` needs a table of more than \
         {CONDITION_PATTERN_TABLE_BYTES_MAX} bytes; give a simpler one"
    ))
}

/// Makes the pattern mean what RE2 says, or refuses it: `\d \s \w \b` are ASCII, and what RE2
/// does not have is not accepted here.
fn restrict(ast: &mut Ast) -> Result<(), &'static str> {
    match ast {
        Ast::Empty(_) | Ast::Literal(_) | Ast::Dot(_) | Ast::ClassUnicode(_) => Ok(()),
        Ast::Flags(set) => flags(&set.flags),
        Ast::Assertion(assertion) => {
            use ast::AssertionKind as Kind;
            match assertion.kind {
                Kind::StartLine | Kind::EndLine | Kind::StartText | Kind::EndText => Ok(()),
                Kind::WordBoundary | Kind::NotWordBoundary => {
                    let span = assertion.span;
                    *ast = Ast::group(ascii_only(span, ast.clone()));
                    Ok(())
                }
                _ => Err("word boundaries other than \\b and \\B are not in RE2"),
            }
        }
        Ast::ClassPerl(perl) => {
            let class = ClassBracketed {
                span: perl.span,
                negated: perl.negated,
                kind: ClassSet::Item(ClassSetItem::Ascii(ascii(perl, false))),
            };
            *ast = Ast::class_bracketed(class);
            Ok(())
        }
        Ast::ClassBracketed(class) => set(&mut class.kind),
        Ast::Repetition(repetition) => restrict(&mut repetition.ast),
        Ast::Group(group) => {
            if let GroupKind::NonCapturing(inline) = &group.kind {
                flags(inline)?;
            }
            restrict(&mut group.ast)
        }
        Ast::Alternation(alternation) => alternation.asts.iter_mut().try_for_each(restrict),
        Ast::Concat(concat) => concat.asts.iter_mut().try_for_each(restrict),
    }
}

/// `(?-u:..)` around an assertion.
fn ascii_only(span: ast::Span, inner: Ast) -> ast::Group {
    let item = |kind| ast::FlagsItem { span, kind };
    ast::Group {
        span,
        kind: GroupKind::NonCapturing(ast::Flags {
            span,
            items: vec![
                item(FlagsItemKind::Negation),
                item(FlagsItemKind::Flag(Flag::Unicode)),
            ],
        }),
        ast: Box::new(inner),
    }
}

fn ascii(perl: &ClassPerl, negated: bool) -> ClassAscii {
    ClassAscii {
        span: perl.span,
        kind: match perl.kind {
            ClassPerlKind::Digit => ClassAsciiKind::Digit,
            ClassPerlKind::Space => ClassAsciiKind::Space,
            ClassPerlKind::Word => ClassAsciiKind::Word,
        },
        negated,
    }
}

fn set(kind: &mut ClassSet) -> Result<(), &'static str> {
    match kind {
        ClassSet::Item(item) => set_item(item),
        ClassSet::BinaryOp(_) => Err("class operations are not in RE2"),
    }
}

fn set_item(item: &mut ClassSetItem) -> Result<(), &'static str> {
    match item {
        ClassSetItem::Empty(_)
        | ClassSetItem::Literal(_)
        | ClassSetItem::Range(_)
        | ClassSetItem::Ascii(_)
        | ClassSetItem::Unicode(_) => Ok(()),
        ClassSetItem::Perl(perl) => {
            *item = ClassSetItem::Ascii(ascii(perl, perl.negated));
            Ok(())
        }
        ClassSetItem::Bracketed(_) => Err("nested classes are not in RE2"),
        ClassSetItem::Union(union) => union.items.iter_mut().try_for_each(set_item),
    }
}

fn flags(flags: &ast::Flags) -> Result<(), &'static str> {
    for item in &flags.items {
        if let FlagsItemKind::Flag(Flag::Unicode | Flag::CRLF | Flag::IgnoreWhitespace) = item.kind
        {
            return Err("flags other than i, m, s and U are not in RE2");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::compile(pattern).unwrap().is_match(text).unwrap()
    }

    #[test]
    fn classes_and_boundaries_are_ascii_as_in_re2() {
        assert!(matches(r"^\d+$", "123"));
        assert!(!matches(r"^\d+$", "\u{663}"), "an arabic three");
        assert!(!matches(r"^\w+$", "\u{e9}"));
        assert!(matches(r"^\W+$", "\u{e9}"));
        assert!(matches(r"^[^\w]+$", "\u{e9}"));
        assert!(matches(r"^[\W]+$", "\u{e9}"));
        assert!(matches(r"\bcat\b", "a cat."));
        assert!(!matches(r"\bcat\b", "concat"));
        assert!(matches(r"a\b\x{e9}", "a\u{e9}"));
        assert!(matches(r"\p{Greek}", "\u{3bb}"));
        assert!(matches("(?i)ACME", "acme"));
        assert!(matches("", "anything") && matches("", ""));
        assert!(matches("a.c", "a\u{1f600}c"), "a dot is one character");
        assert!(!matches("^a..c$", "a\u{e9}c"), "and not one byte");
    }

    #[test]
    fn what_re2_does_not_have_is_refused() {
        for pattern in [
            "(a",
            "a**b(",
            r"(a)\1",
            "(?=a)",
            "(?!a)",
            "[a&&b]",
            "[a[b]]",
            "(?x)a b",
            "(?u)a",
            r"\b{start}a",
            "a{2000}{2000}",
            "(?-u:a)",
        ] {
            assert!(Pattern::compile(pattern).is_err(), "{pattern}");
        }
        let deep = format!("{}a{}", "(".repeat(100), ")".repeat(100));
        assert!(Pattern::compile(&deep).is_err());
        // Determinized, this has 2^k states.
        assert!(Pattern::compile("(a|b)*a(a|b){20}").is_err());
        assert!(Pattern::compile(&"a".repeat(257)).is_err());
    }
}
