//! What the gates read of `context`. Everything that is missing, of another type or out of
//! range makes the request `INVALID_ARGUMENT` (SPEC 8).

use std::time::Duration;

use crate::decide::shape::expected;
use crate::decide::{Asked, Refusal, refuse};
use crate::limits;
use crate::model::constraint::Values;
use crate::model::node::Visibility;
use crate::model::principal::AccountKind;
use crate::model::value::Value;
use crate::model::{email, name};

/// How long a key or credential is to live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lifetime {
    /// This long; more than nothing.
    For(Duration),
    /// For ever: it exceeds every limit.
    Never,
}

/// What an identity provider trusts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Provider<'q> {
    /// An issuer of tokens.
    Issuer(&'q str),
    /// An AWS account.
    AwsAccount(&'q str),
}

/// A string of the context, if it is there.
fn text<'q>(
    asked: &Asked<'q, '_>,
    key: &str,
    field: &'static str,
    expectation: &str,
) -> Result<Option<&'q str>, Refusal> {
    match asked.query.context.get(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => refuse(field, format!("expected a string: {expectation}")),
    }
}

fn missing<T>(field: &'static str, expectation: &str) -> Result<T, Refusal> {
    refuse(field, format!("missing; expected {expectation}"))
}

/// `visibility` (SPEC 4.4).
pub(super) fn visibility(asked: &Asked<'_, '_>) -> Result<Visibility, Refusal> {
    const FIELD: &str = "context.visibility";
    const EXPECTED: &str = "TEAM, RESTRICTED, PUBLIC or OPEN";
    let Some(word) = text(asked, "visibility", FIELD, EXPECTED)? else {
        return missing(FIELD, EXPECTED);
    };
    match Visibility::parse(word) {
        Some(visibility) => Ok(visibility),
        None => refuse(FIELD, expected(word, EXPECTED)),
    }
}

/// `destination`: the name of a project (SPEC 4.4).
pub(super) fn destination<'q>(asked: &Asked<'q, '_>) -> Result<&'q str, Refusal> {
    const FIELD: &str = "context.destination";
    const EXPECTED: &str = "the name of a project";
    let Some(destination) = text(asked, "destination", FIELD, EXPECTED)? else {
        return missing(FIELD, EXPECTED);
    };
    match name::parse(destination) {
        Err(fault) => refuse(FIELD, fault.to_string()),
        Ok(parsed) if parsed.default_team || !name::is_of_form(destination, "projects") => {
            refuse(FIELD, expected(destination, EXPECTED))
        }
        Ok(_) => Ok(destination),
    }
}

/// `attached_resource`: a resource name (SPEC 8).
pub(super) fn attached_resource<'q>(asked: &Asked<'q, '_>) -> Result<&'q str, Refusal> {
    const FIELD: &str = "context.attached_resource";
    const EXPECTED: &str = "a resource name";
    let Some(attached) = text(asked, "attached_resource", FIELD, EXPECTED)? else {
        return missing(FIELD, EXPECTED);
    };
    match name::parse(attached) {
        Err(fault) => refuse(FIELD, fault.to_string()),
        Ok(parsed) if parsed.default_team => {
            let description = "`-` cannot be resolved here; name the team";
            refuse(FIELD, description.to_owned())
        }
        Ok(_) => Ok(attached),
    }
}

/// `count`: how many are to be created (SPEC 5.4).
pub(super) fn count(asked: &Asked<'_, '_>) -> Result<u32, Refusal> {
    let bad = || {
        let max = limits::CREATE_COUNT_MAX;
        refuse(
            "context.count",
            format!("expected a whole number from 1 to {max}"),
        )
    };
    let number = match asked.query.context.get("count") {
        None => return Ok(1),
        Some(Value::Number(number)) => *number,
        Some(_) => return bad(),
    };
    // Of the whole numbers from 1 to 1,000 each is equal to exactly one f64.
    match (1..=limits::CREATE_COUNT_MAX).find(|count| f64::from(*count) == number) {
        Some(count) => Ok(count),
        None => bad(),
    }
}

/// `kind` of an account to be made (`docs/SEMANTICS.md` 5.4).
pub(super) fn account_kind(asked: &Asked<'_, '_>) -> Result<AccountKind, Refusal> {
    const FIELD: &str = "context.kind";
    const EXPECTED: &str = "USER_MANAGED, DEFAULT or SERVICE_AGENT";
    let Some(word) = text(asked, "kind", FIELD, EXPECTED)? else {
        return Ok(AccountKind::UserManaged);
    };
    match AccountKind::parse(word) {
        Some(kind) => Ok(kind),
        None => refuse(FIELD, expected(word, EXPECTED)),
    }
}

/// `email` of the one account to be made (`docs/SEMANTICS.md` 5.4).
pub(super) fn account_email<'q>(asked: &Asked<'q, '_>) -> Result<&'q str, Refusal> {
    const FIELD: &str = "context.email";
    const EXPECTED: &str = "the e-mail address of the account to be made";
    match text(asked, "email", FIELD, EXPECTED)? {
        Some(address) if email::is_well_formed(address) => Ok(address),
        Some(address) => refuse(FIELD, expected(address, EXPECTED)),
        None => missing(FIELD, EXPECTED),
    }
}

/// `lifetime` (SPEC 8), if it is there.
pub(super) fn lifetime(asked: &Asked<'_, '_>) -> Result<Option<Lifetime>, Refusal> {
    let Some(text) = text(asked, "lifetime", LIFETIME, LIFETIME_EXPECTED)? else {
        return Ok(None);
    };
    match parse_lifetime(text) {
        Some(lifetime) => Ok(Some(lifetime)),
        None => refuse(LIFETIME, expected(text, LIFETIME_EXPECTED)),
    }
}

/// The same where it must be there.
pub(super) fn lifetime_said(asked: &Asked<'_, '_>) -> Result<Lifetime, Refusal> {
    match lifetime(asked)? {
        Some(lifetime) => Ok(lifetime),
        None => missing(LIFETIME, LIFETIME_EXPECTED),
    }
}

pub(super) const LIFETIME: &str = "context.lifetime";
const LIFETIME_EXPECTED: &str = "a duration over 0 such as 3600s or 24h, or never";

/// `never`; seconds as protobuf has them (`3600s`, `0.5s`); whole minutes or hours (`24h`).
fn parse_lifetime(text: &str) -> Option<Lifetime> {
    if text == "never" {
        return Some(Lifetime::Never);
    }
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let (whole, nanos) = match (unit, number.split_once('.')) {
        ("s", Some((whole, fraction))) => (whole, nanos(fraction)?),
        (_, None) => (number, 0),
        (_, Some(_)) => return None,
    };
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => return None,
    };
    if whole.is_empty() || !whole.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let seconds = whole.parse::<u64>().ok()?.checked_mul(factor)?;
    let lifetime = Duration::new(seconds, nanos);
    let fits = lifetime <= Duration::from_secs(limits::LIFETIME_SECONDS_MAX);
    (fits && !lifetime.is_zero()).then_some(Lifetime::For(lifetime))
}

/// One to nine digits after the point.
fn nanos(fraction: &str) -> Option<u32> {
    let digits = fraction.bytes().all(|b| b.is_ascii_digit());
    if !digits || fraction.is_empty() || fraction.len() > 9 {
        return None;
    }
    format!("{fraction:0<9}").parse().ok()
}

/// `issuer` or `aws_account`: exactly one of them (SPEC 8).
pub(super) fn provider<'q>(asked: &Asked<'q, '_>) -> Result<Provider<'q>, Refusal> {
    const ISSUER: &str = "context.issuer";
    const ACCOUNT: &str = "context.aws_account";
    let (issuer, account) = (Values::Issuer, Values::AwsAccount);
    let said = (
        text(asked, "issuer", ISSUER, issuer.expected())?,
        text(asked, "aws_account", ACCOUNT, account.expected())?,
    );
    match said {
        (Some(text), None) if issuer.is_one(text) => Ok(Provider::Issuer(text)),
        (None, Some(text)) if account.is_one(text) => Ok(Provider::AwsAccount(text)),
        (Some(text), None) => refuse(ISSUER, expected(text, issuer.expected())),
        (None, Some(text)) => refuse(ACCOUNT, expected(text, account.expected())),
        (None, None) => missing(ISSUER, "exactly one of issuer, aws_account"),
        (Some(_), Some(_)) => {
            let description = "stands beside context.issuer; a provider has exactly one of them";
            refuse(ACCOUNT, description.to_owned())
        }
    }
}

/// `workload_identity` (SPEC 8).
pub(super) fn workload_identity(asked: &Asked<'_, '_>) -> Result<bool, Refusal> {
    const FIELD: &str = "context.workload_identity";
    match asked.query.context.get("workload_identity") {
        Some(Value::Bool(on)) => Ok(*on),
        Some(_) => refuse(FIELD, "expected true or false".to_owned()),
        None => missing(FIELD, "true or false"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // SPEC 8: a duration over 0, or `never`.
    #[test]
    fn a_lifetime_is_a_duration_or_never() {
        let seconds = |seconds, nanos| Some(Lifetime::For(Duration::new(seconds, nanos)));
        for (text, lifetime) in [
            ("never", Some(Lifetime::Never)),
            ("3600s", seconds(3_600, 0)),
            ("0.5s", seconds(0, 500_000_000)),
            ("3600.000000001s", seconds(3_600, 1)),
            ("24h", seconds(86_400, 0)),
            ("90m", seconds(5_400, 0)),
            ("315576000000s", seconds(315_576_000_000, 0)),
        ] {
            assert_eq!(parse_lifetime(text), lifetime, "{text}");
        }
        for bad in [
            "",
            "s",
            "h",
            "0s",
            "0.0s",
            "0h",
            "3600",
            "-1s",
            "+1s",
            "1 s",
            "1S",
            "1d",
            ".5s",
            "1.s",
            "1.0000000001s",
            "1.5h",
            "Never",
            "NEVER",
            "315576000001s",
            "315576000000.1s",
            "99999999999999999999s",
            "9999999999999999999h",
            "1h30m",
            "1\u{e9}",
            "\u{e9}",
        ] {
            assert_eq!(parse_lifetime(bad), None, "{bad}");
        }
        assert!(Lifetime::Never > Lifetime::For(Duration::MAX));
    }
}
