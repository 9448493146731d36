//! The order of SPEC 6.3.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::reference::conditions::Scene;
use crate::reference::gates::{self, Gate};
use crate::reference::grants::{self, Ask};
use crate::reference::guards;
use crate::reference::keys;
use crate::reference::names;
use crate::reference::people::{self, Who};
use crate::reference::question::{
    Answer, Attribution, Decision, KeyAnswer, KeyQuestion, Question, Subject, invalid,
};
use crate::reference::world::{AnyOr, Key, World};

/// SPEC 14: may this subject do this here?
pub(crate) fn authorize(world: &World, q: &Question) -> Answer {
    let wrong = syntax(q);
    if !wrong.is_empty() {
        return Answer::Invalid(wrong);
    }
    let (who, key) = match &q.subject {
        Subject::Anonymous => (Who::Anonymous, None),
        Subject::Principal(text) => (people::subject(world, text), None),
        Subject::Key(text) => match keys::look_up(world, text, q.now) {
            Ok((key, who)) => (who, Some(key)),
            Err((code, _)) => {
                let reason = format!("CREDENTIAL_{code}");
                return Answer::Decided(denied(&reason, "unproven", &q.resource));
            }
        },
    };
    let Some(resource) = fill_default_team(&q.resource, q.entity.as_deref(), &who) else {
        return invalid(&["resource", "entity"]);
    };
    let asked = Asked {
        world,
        q,
        who: &who,
        key: key.as_ref(),
    };
    let mut answer = match asked.narrowed(&resource) {
        Some(reason) => Answer::Decided(denied(&reason, "", &resource)),
        None => asked.steps_2_to_8(&resource, true),
    };
    if let Answer::Decided(decision) = &mut answer {
        decision.actor = actor(&who);
        decision.resource = resource;
    }
    answer
}

/// SPEC 15: every field that is malformed.
fn syntax(q: &Question) -> BTreeSet<String> {
    let mut wrong = BTreeSet::new();
    let mut check = |good: bool, field: &str| {
        if !good {
            wrong.insert(field.to_owned());
        }
    };
    if let Subject::Principal(text) = &q.subject {
        check(people::can_be_subject(text), "principal");
    }
    check(is_permission(&q.permission), "permission");
    check(
        names::well_formed_with_default_team(&q.resource),
        "resource",
    );
    check(
        q.entity.as_deref().is_none_or(names::is_team_name),
        "entity",
    );
    let good = |name: &String| names::is_account_name(name);
    // choice: how many there may be is bounded where messages are read.
    for (number, name) in q.delegates.iter().enumerate() {
        check(good(name), &format!("delegates[{number}]"));
    }
    check(
        created_by_is_good(&q.resource_attributes),
        "resource_attributes.created_by",
    );
    wrong
}

/// SPEC 3.1: `service.resource.verb`.
fn is_permission(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    parts.len() == 3
        && parts.iter().all(|part| {
            part.chars().all(|c| c.is_ascii_alphanumeric())
                && part.starts_with(|c: char| c.is_ascii_alphabetic())
        })
}

fn created_by_is_good(attributes: &Value) -> bool {
    match attributes.get("created_by") {
        None => true,
        Some(Value::String(text)) => people::is_creator(text),
        Some(_) => false,
    }
}

/// SPEC 1.4. `None`: the team cannot be told.
fn fill_default_team(resource: &str, entity: Option<&str>, who: &Who) -> Option<String> {
    if !names::has_default_team(resource) {
        return Some(resource.to_owned());
    }
    let team = match (entity, who) {
        (Some(team), _) => team.to_owned(),
        (None, Who::Account(account)) if account.scope() == "organizations" => {
            account.default_team.clone()
        }
        (None, Who::Account(account)) if account.scope() == "teams" => account.parent(),
        (None, _) => return None,
    };
    let organization = names::organization_of(resource)?;
    let head = format!("{organization}/teams/-");
    let same = names::organization_of(&team)? == organization;
    let resolved = resource.replacen(&head, &team, 1);
    // A name that grew out of bounds is no name (SPEC 1.2).
    (same && names::well_formed(&resolved)).then_some(resolved)
}

/// One question with its subject known.
#[derive(Clone, Copy)]
struct Asked<'a> {
    world: &'a World,
    q: &'a Question,
    who: &'a Who,
    key: Option<&'a Key>,
}

impl Asked<'_> {
    /// SPEC 9.5: what the credential itself forbids.
    fn narrowed(&self, resource: &str) -> Option<String> {
        let permission = Some(self.q.permission.as_str());
        let key = self.key?;
        let code = keys::narrowing(
            self.world,
            key,
            permission,
            Some(resource),
            self.q.source_ip,
        )?;
        Some(format!("CREDENTIAL_{code}"))
    }

    /// Steps 2 to 8.
    fn steps_2_to_8(&self, resource: &str, gated: bool) -> Answer {
        let deny = |reason: &str| Answer::Decided(denied(reason, "", resource));
        let (world, q) = (self.world, self.q);
        if self.who.is_idle(world) {
            return deny("PRINCIPAL_DISABLED");
        }
        let Some(place) = names::find(world, resource) else {
            return deny("RESOURCE_NOT_FOUND");
        };
        if !world.permissions.contains_key(&q.permission) {
            return deny("PERMISSION_UNKNOWN");
        }
        if self.service_is_off(&place.node) {
            return deny("SERVICE_DISABLED");
        }
        let scene = Scene {
            world,
            who: self.who,
            resource,
            place: &place,
            resource_attributes: &q.resource_attributes,
            context: &q.context,
            source_ip: q.source_ip,
            now: q.now,
        };
        if let Some(reason) = guards::check(&q.permission, &scene) {
            return deny(reason);
        }
        let created_by = q
            .resource_attributes
            .get("created_by")
            .and_then(Value::as_str);
        let owns = created_by.is_some_and(|text| people::owns(world, text, self.who));
        if gated && let Some(answer) = self.gated(owns, &scene) {
            return answer;
        }
        let ask = Ask {
            world,
            who: self.who,
            permission: &q.permission,
            place: &place,
            owns,
            scene: &scene,
        };
        let (allow, reason) = grants::decide(&ask);
        Answer::Decided(Decision {
            allow,
            reason: reason.to_owned(),
            actor: String::new(),
            resource: resource.to_owned(),
            attribution: Some(self.attribution(&place.node)),
            obligation: gates::obligation(&q.permission, &scene).filter(|_| allow && gated),
        })
    }

    /// Steps 5 and 6. `None`: on to the grants.
    fn gated(&self, owns: bool, scene: &Scene<'_>) -> Option<Answer> {
        let (q, deny) = (self.q, |reason: &str| {
            Some(Answer::Decided(denied(reason, "", scene.resource)))
        });
        if !q.delegates.is_empty() && !gates::is_of_tokens(&q.permission) {
            let mut wrong = BTreeSet::from(["delegates".to_owned()]);
            // Whatever else is wrong may be told as well.
            if let Gate::Invalid(fields) = gates::check(&q.permission, owns, scene) {
                wrong.extend(fields);
            }
            return Some(Answer::Invalid(wrong));
        }
        match gates::check(&q.permission, owns, scene) {
            Gate::Pass if q.delegates.is_empty() => None,
            Gate::Pass => Some(self.through_delegates(scene.resource)),
            Gate::Invalid(fields) => Some(Answer::Invalid(fields)),
            Gate::Deny(reason) => deny(reason),
            Gate::AlsoOn(destination) => self.forbidden_at(scene.place, &destination),
        }
    }

    /// SPEC 10.1: caller to each delegate, the last one to the target.
    fn through_delegates(&self, target: &str) -> Answer {
        let broken = Answer::Decided(denied("DELEGATION_BROKEN", "", target));
        let hop = Question {
            permission: "iam.serviceAccounts.implicitDelegation".to_owned(),
            resource_attributes: Value::Object(serde_json::Map::new()),
            delegates: Vec::new(),
            ..self.q.clone()
        };
        let mut from = self.who.clone();
        for (number, name) in self.q.delegates.iter().enumerate() {
            let asked = Asked {
                q: &hop,
                who: &from,
                key: self.key.filter(|_| number == 0),
                ..*self
            };
            if asked.narrowed(name).is_some() || !allows(&asked.steps_2_to_8(name, true)) {
                return broken;
            }
            from = Who::Account(self.world.account_named(name).unwrap().clone());
        }
        let last = Question {
            delegates: Vec::new(),
            ..self.q.clone()
        };
        let asked = Asked {
            q: &last,
            who: &from,
            key: None,
            ..*self
        };
        match asked.steps_2_to_8(target, true) {
            Answer::Decided(mut decision) if decision.allow => {
                let place = names::find(self.world, target).unwrap();
                decision.attribution = Some(self.attribution(&place.node));
                Answer::Decided(decision)
            }
            _ => broken,
        }
    }

    /// SPEC 4.4: what the destination of a move says against it.
    /// choice: a key that may not be used on the destination learns nothing else of it, and
    /// `ORG_SCOPED_KEY_REQUIRED` counts there as everywhere.
    fn forbidden_at(&self, place: &names::Place, destination: &str) -> Option<Answer> {
        if let Some(reason) = self.narrowed(destination) {
            return Some(Answer::Decided(denied(&reason, "", destination)));
        }
        if let Gate::Deny(reason) = gates::destination(self.world, place, destination) {
            return Some(Answer::Decided(denied(reason, "", destination)));
        }
        match self.steps_2_to_8(destination, false) {
            Answer::Decided(there) if !there.allow => {
                Some(Answer::Decided(denied(&there.reason, "", destination)))
            }
            answer => matches!(answer, Answer::Invalid(_)).then_some(answer),
        }
    }

    /// SPEC 5.6.
    fn service_is_off(&self, node: &str) -> bool {
        let service = self.q.permission.split('.').next().unwrap();
        let mut projects: Vec<String> = names::project_of(self.world, node).into_iter().collect();
        if let Who::Account(account) = self.who
            && account.scope() == "projects"
        {
            projects.push(account.parent());
        }
        projects
            .iter()
            .any(|p| match &self.world.projects[p].services {
                AnyOr::Any => false,
                AnyOr::List(list) => !list.iter().any(|s| s == service),
            })
    }

    /// SPEC 5.5.
    fn attribution(&self, node: &str) -> Attribution {
        let Some(name) = &self.q.attribution else {
            return Attribution::NotAsked;
        };
        let Who::Account(account) = self.who else {
            return Attribution::NotAServiceAccount;
        };
        let parent = Some(account.parent()).filter(|_| account.scope() == "teams");
        let Some(team) = names::team_of(self.world, node).or(parent) else {
            return Attribution::NoTeam;
        };
        let user = if name.contains('@') {
            people::user_of(self.world, name)
        } else {
            self.world
                .users
                .iter()
                .find(|u| u.username == *name)
                .cloned()
        };
        match user {
            Some(user) if !user.disabled => {
                let email = user.email.clone();
                let member = grants::is_team_member(self.world, &Who::User(user), &team);
                if member {
                    Attribution::To(email)
                } else {
                    Attribution::NotAMember
                }
            }
            _ => Attribution::NotAMember,
        }
    }
}

fn allows(answer: &Answer) -> bool {
    matches!(answer, Answer::Decided(decision) if decision.allow)
}

fn denied(reason: &str, actor: &str, resource: &str) -> Decision {
    Decision {
        allow: false,
        reason: reason.to_owned(),
        actor: actor.to_owned(),
        resource: resource.to_owned(),
        attribution: None,
        obligation: None,
    }
}

fn actor(who: &Who) -> String {
    match who {
        Who::Anonymous => "anonymous".to_owned(),
        Who::Unknown(text) | Who::Federated(text, _) => text.clone(),
        Who::User(user) => format!("uid {}", user.uid),
        Who::Account(account) => format!("uid {}", account.uid),
    }
}

/// SPEC 9.2: is this key valid, for this, here?
pub(crate) fn verify_key(world: &World, q: &KeyQuestion) -> KeyAnswer {
    let mut wrong = BTreeSet::new();
    if !q.permission.as_deref().is_none_or(is_permission) {
        wrong.insert("permission".to_owned());
    }
    if !q
        .resource
        .as_deref()
        .is_none_or(names::well_formed_with_default_team)
    {
        wrong.insert("resource".to_owned());
    }
    if !wrong.is_empty() {
        return KeyAnswer::Invalid(wrong);
    }
    let (key, who) = match keys::look_up(world, &q.key, q.now) {
        Ok(found) => found,
        Err((code, name)) => return KeyAnswer::Code(code.to_owned(), name),
    };
    let resource = match &q.resource {
        None => None,
        Some(resource) => match fill_default_team(resource, None, &who) {
            None => return KeyAnswer::Invalid(BTreeSet::from(["resource".to_owned()])),
            resolved => resolved,
        },
    };
    let code = keys::narrowing(
        world,
        &key,
        q.permission.as_deref(),
        resource.as_deref(),
        q.source_ip,
    );
    KeyAnswer::Code(code.unwrap_or("VALID").to_owned(), Some(key.name))
}
