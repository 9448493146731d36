//! The checks that several kinds share.

use std::fmt::Arguments;

use prost_types::Timestamp;

use crate::graph::document::AnyOr;
use crate::graph::issue::Code;
use crate::wire::feed::flaw::Flaw;
use crate::wire::feed::scalar;
use crate::wire::feed::value::Word;
use crate::wire::proto::postern::feed::v1::AnyOrList;

/// Notes what is wrong with one entity. After a flaw the caller goes on with any value: the
/// entity is refused at the end.
#[derive(Debug, Default)]
pub(super) struct Check {
    flaws: Vec<Flaw>,
}

impl Check {
    /// What was noted.
    pub(super) fn end(self) -> Vec<Flaw> {
        self.flaws
    }

    /// Notes a flaw at `path` below the entity.
    pub(super) fn flaw(
        &mut self,
        path: Arguments<'_>,
        code: Code,
        found: impl Into<String>,
        allowed: impl Into<String>,
    ) {
        let (path, found, allowed) = (path.to_string(), found.into(), allowed.into());
        self.flaws.push(Flaw {
            line: 0,
            path,
            code,
            found,
            allowed,
        });
    }

    /// The word of a number; `None`: it has none.
    pub(super) fn word<E: Word>(&mut self, path: Arguments<'_>, number: i32) -> Option<E> {
        let Ok(word) = E::try_from(number) else {
            self.flaw(
                path,
                Code::InvalidValue,
                format!("the number {number}"),
                E::allowed(),
            );
            return None;
        };
        Some(word)
    }

    /// The same for a word that must be said.
    pub(super) fn said<E: Word + PartialEq>(
        &mut self,
        path: Arguments<'_>,
        number: i32,
        unspecified: E,
    ) -> Option<E> {
        let word = self.word(path, number)?;
        if word == unspecified {
            self.flaw(path, Code::Missing, "nothing", E::allowed());
            return None;
        }
        Some(word)
    }

    /// A moment in whole seconds: the rest would be lost.
    pub(super) fn second(&mut self, path: Arguments<'_>, moment: Option<Timestamp>) -> Option<i64> {
        let moment = moment?;
        if !scalar::is_timestamp(&moment) {
            let found = format!(
                "{} seconds and {} nanoseconds",
                moment.seconds, moment.nanos
            );
            self.flaw(
                path,
                Code::OutOfBounds,
                found,
                "a moment in the years 1 to 9999",
            );
        } else if moment.nanos != 0 {
            self.flaw(
                path,
                Code::InvalidValue,
                moment.to_string(),
                "whole seconds",
            );
        }
        Some(moment.seconds)
    }

    /// "Any, or just these", where absent means any.
    pub(super) fn any_or_absent(
        &mut self,
        path: Arguments<'_>,
        list: Option<AnyOrList>,
    ) -> AnyOr<String> {
        let Some(AnyOrList { any, values }) = list else {
            return AnyOr::Any;
        };
        match (any, values.is_empty()) {
            (true, true) => AnyOr::Any,
            (true, false) => {
                let found = "`any` and values";
                self.flaw(
                    path,
                    Code::InvalidValue,
                    found,
                    "either `any: true` or `values`",
                );
                AnyOr::List(values)
            }
            (false, _) => AnyOr::List(values),
        }
    }

    /// "Any, or just these", which must be said.
    pub(super) fn any_or_said(
        &mut self,
        path: Arguments<'_>,
        list: Option<AnyOrList>,
    ) -> AnyOr<String> {
        if list.is_none() {
            self.flaw(path, Code::Missing, "nothing", "`any: true`, or `values`");
        }
        self.any_or_absent(path, list)
    }
}

/// 32 bytes. What stands in their place may be the key itself: never repeated.
pub(super) fn digest(path: Arguments<'_>, bytes: &[u8], check: &mut Check) -> [u8; 32] {
    let Ok(digest) = bytes.try_into() else {
        check.flaw(
            path,
            Code::InvalidValue,
            format!("{} bytes", bytes.len()),
            scalar::DIGEST_FORM,
        );
        return [0; 32];
    };
    digest
}
