//! Text to syntax tree, by the parser of the crate `cel`, behind bounds on what it is given.

use cel::IdedExpr;
use cel::parser::PrattParser;

use crate::condition::Fault;
use crate::limits::{
    CONDITION_BYTES_MAX, CONDITION_PARSE_DEPTH_MAX, CONDITION_QUESTIONS_MAX, TEXT_BYTES_MAX,
};

pub(super) fn parse(expression: &str) -> Result<IdedExpr, Fault> {
    if expression.len() > CONDITION_BYTES_MAX {
        return Err(Fault::over("bytes", expression.len(), CONDITION_BYTES_MAX));
    }
    let questions = expression.matches('?').count();
    if questions > CONDITION_QUESTIONS_MAX {
        return Err(Fault::over("`?`", questions, CONDITION_QUESTIONS_MAX));
    }
    PrattParser::new()
        .max_recursion_depth(CONDITION_PARSE_DEPTH_MAX)
        .enable_ident_escape_syntax(true)
        .error_reporting_limit(1)
        .error_recovery_limit(1)
        .parse(expression)
        .map_err(|errors| {
            let Some(first) = errors.errors.first() else {
                return Fault::Syntax("this is no expression".to_owned());
            };
            let (line, column) = first.pos;
            Fault::Syntax(one_line(&format!(
                "line {line}, column {column}: {}",
                first.msg
            )))
        })
}

/// Foreign text as part of a message: one line, not too long, lower case at the start.
fn one_line(text: &str) -> String {
    text.replace("Syntax error: ", "")
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(TEXT_BYTES_MAX)
        .collect()
}
