//! Conditions: compiled here, so that none is refused while serving (SPEC 7.2).

use super::Check;
use crate::condition::{Condition, Site};
use crate::graph::document::{self, Place};
use crate::graph::issue::Code;

impl<'d> Check<'d> {
    /// The condition, if one is said and it is good; what is wrong with it is noted.
    pub(super) fn condition(
        &mut self,
        place: &Place,
        path: &str,
        said: Option<&'d document::Condition>,
        site: Site,
    ) -> Option<Condition> {
        let said = said?;
        let path = format!("{path}.condition");
        self.text(place, &path, "title", &said.title);
        self.text(place, &path, "description", &said.description);
        let key = (site, said.expression.as_str());
        if let Some(known) = self.conditions.get(&key) {
            return Some(known.clone());
        }
        match Condition::compile(&said.expression, site) {
            Ok(condition) => {
                self.conditions.insert(key, condition.clone());
                Some(condition)
            }
            Err(fault) => {
                let allowed = "a condition as in docs/CEL.md";
                let path = format!("{path}.expression");
                let found = fault.to_string();
                self.issue(place, path, Code::InvalidCondition, found, allowed);
                None
            }
        }
    }
}
