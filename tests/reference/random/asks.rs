//! Random questions: mostly about things that are there, sometimes about things that are not.

mod near;
mod said;

use crate::random::dice::Dice;
use crate::random::graph::cased;
use crate::random::rules;
use crate::random::stock::Stock;
use crate::reference::question::{KeyQuestion, Question, Subject};
use crate::reference::time;

/// Everything a gate reads (SPEC 6.3 step 5).
const GATED: [&str; 18] = [
    "resourcemanager.projects.setVisibility",
    "resourcemanager.projects.create",
    "models.runs.move",
    "models.runs.move",
    "iam.serviceAccounts.create",
    "iam.serviceAccountKeys.create",
    "iam.serviceAccountKeys.upload",
    "iam.serviceAccountApiKeyBindings.create",
    "iam.serviceAccountApiKeyBindings.create",
    "iam.serviceAccounts.actAs",
    "iam.serviceAccounts.getAccessToken",
    "iam.serviceAccounts.getOpenIdToken",
    "iam.serviceAccounts.signJwt",
    "iam.serviceAccounts.implicitDelegation",
    "iam.workloadIdentityPoolProviders.create",
    "iam.workloadIdentityPoolProviders.update",
    "resourcemanager.projects.updateLiens",
    "container.clusters.create",
];
const TEAMS: [&str; 6] = [
    "resourcemanager.teams.inviteMembers",
    "resourcemanager.teams.join",
    "resourcemanager.teams.setIamPolicy",
    "resourcemanager.projects.getIamPolicy",
    "resourcemanager.projects.get",
    "iam.serviceAccountKeys.disable",
];

pub(crate) fn now() -> i64 {
    time::seconds("2026-06-01T00:00:00Z")
}

pub(crate) fn question(dice: &Dice, stock: &Stock) -> Question {
    let mut permission = permission(dice, stock);
    let mut resource = resource(dice, stock, &permission);
    let mut subject = subject(dice, stock);
    let mut delegates = Vec::new();
    let near = match dice.below(100) {
        0..=39 => near::a_binding(dice, stock),
        40..=49 => near::home(dice, stock),
        50..=57 => near::a_deny(dice, stock),
        58..=61 => near::a_boundary(dice, stock),
        62..=69 => near::a_constraint(dice, stock),
        70..=75 => near::a_chain(dice, stock, &mut delegates),
        _ => None,
    };
    if let Some((who, what, place)) = near {
        (subject, resource) = (who, place);
        permission = what.unwrap_or(permission);
        if delegates.is_empty() && dice.percent(12) {
            permission = dice.pick(&GATED).to_string();
            resource = self::resource(dice, stock, &permission);
        }
    }
    // SPEC 1.4
    if dice.percent(6) {
        let organization = dice.pick(&stock.organizations);
        let rest = dice.pick(&[
            "",
            "/projects/p",
            "/projects/q",
            "/projects/p/runs/1",
            "/teams/t",
        ]);
        resource = format!("{organization}/teams/-{rest}");
    }
    let entity = (dice.percent(if resource.contains("/-") { 40 } else { 3 })).then(|| {
        match dice.below(10) {
            0 => "organizations/a/teams/gone".to_owned(),
            1 => dice
                .pick(&["organizations/a", "teams/t", "", "organizations/a/teams/-"])
                .to_string(),
            _ => dice.pick(&stock.teams).clone(),
        }
    });
    let attribution = dice.percent(20).then(|| match dice.below(6) {
        0 => "nobody".to_owned(),
        1..=2 => {
            let email = dice.pick(&stock.users).clone();
            cased(dice, &email)
        }
        _ => dice.pick(&stock.user_ids).0.replace("users/", ""),
    });
    if dice.percent(2) {
        delegates.push(match dice.below(4) {
            0 => "organizations/a".to_owned(),
            1 => "organizations/a/serviceAccounts/gone".to_owned(),
            _ => dice.pick(&stock.accounts).name.clone(),
        });
    }
    Question {
        context: said::context(dice, stock, &permission, &resource),
        resource_attributes: said::attributes(dice, stock, &subject),
        subject,
        permission,
        resource,
        entity,
        attribution,
        delegates,
        source_ip: said::source_ip(dice),
        now: now(),
    }
}

pub(crate) fn key_question(dice: &Dice, stock: &Stock) -> KeyQuestion {
    let permission = dice.percent(50).then(|| permission(dice, stock));
    let resource = dice.percent(60).then(|| {
        if dice.percent(12) {
            return format!("{}/teams/-/projects/p", dice.pick(&stock.organizations));
        }
        resource(dice, stock, permission.as_deref().unwrap_or_default())
    });
    KeyQuestion {
        key: key(dice, stock),
        permission,
        resource,
        source_ip: said::source_ip(dice),
        now: now(),
    }
}

fn key(dice: &Dice, stock: &Stock) -> String {
    let kind = dice.below(100);
    if kind < 3 || stock.keys.is_empty() {
        return "foreign_key_of_nobody_here".to_owned();
    }
    let good = dice.pick(&stock.keys).clone();
    match kind {
        // A wrong check sum, one byte too many, a character that no key has.
        3 => format!("{}x", good),
        4 => format!("{} ", good),
        5 => "pst_short_but_of_our_prefix".to_owned(),
        6 => "short".to_owned(),
        7 => "k".repeat(257),
        _ => good,
    }
}

fn subject(dice: &Dice, stock: &Stock) -> Subject {
    Subject::Principal(match dice.below(100) {
        0..=29 => {
            let email = dice.pick(&stock.users).clone();
            format!("user:{}", cased(dice, &email))
        }
        30..=54 => {
            let account = near::an_account(dice, stock).clone();
            let uid = if dice.percent(90) {
                account.uid
            } else {
                "uid-gone".to_owned()
            };
            if dice.percent(30) {
                format!("serviceAccount:{}?uid={uid}", account.email)
            } else {
                format!("serviceAccount:{}", cased(dice, &account.email))
            }
        }
        55..=81 => return Subject::Key(key(dice, stock)),
        82..=89 => return Subject::Anonymous,
        90..=92 => "user:stranger@x.example".to_owned(),
        93..=94 => "serviceAccount:stranger@svc.example".to_owned(),
        95..=96 => rules::federated(dice, stock),
        97 => dice
            .pick(&["group:g0@groups.example", "allUsers", "user:ann", ""])
            .to_string(),
        98 => dice
            .pick(&["domain:x.example", "user:ann@x.example?uid=1", "ann"])
            .to_string(),
        _ => "deleted:serviceAccount:sa0@svc.example?uid=uid-sa0".to_owned(),
    })
}

fn permission(dice: &Dice, stock: &Stock) -> String {
    match dice.below(100) {
        0..=29 => dice.pick(&stock.permissions).clone(),
        30..=59 => {
            let product = |p: &&String| p.starts_with("models.") || p.starts_with("weave.");
            let all: Vec<String> = stock.permissions.iter().filter(product).cloned().collect();
            dice.pick(&all).clone()
        }
        60..=81 => dice.pick(&GATED).to_string(),
        82..=95 => dice.pick(&TEAMS).to_string(),
        96..=98 => dice
            .pick(&[
                "models.runs.fly",
                "nothing.at.all",
                "labels.batches.approve",
            ])
            .to_string(),
        _ => dice
            .pick(&["", "models.runs", "models.runs.*", "a.b.c.d", "models..get"])
            .to_string(),
    }
}

/// Whether the permission is asked on service accounts.
fn on_accounts(permission: &str) -> bool {
    permission.contains("serviceAccount") && permission != "iam.serviceAccounts.create"
}

fn resource(dice: &Dice, stock: &Stock, permission: &str) -> String {
    let fitting = match permission {
        "models.runs.move" | "resourcemanager.projects.setVisibility" => &stock.projects,
        "resourcemanager.projects.create" => &stock.teams,
        "iam.serviceAccounts.create" if dice.percent(50) => &stock.projects,
        "iam.serviceAccounts.create" => &stock.teams,
        _ if permission.contains(".teams.") && dice.percent(60) => &stock.teams,
        _ if permission.starts_with("models.") || permission.starts_with("weave.") => {
            &stock.projects
        }
        _ => &stock.organizations,
    };
    match dice.below(100) {
        0..=49 if on_accounts(permission) => dice.pick(&stock.accounts).name.clone(),
        0..=49 if !fitting.is_empty() => dice.pick(fitting).clone(),
        0..=74 => dice.pick(&stock.nodes()).clone(),
        75..=84 => {
            let node = dice.pick(&stock.nodes()).clone();
            format!(
                "{node}{}",
                dice.pick(&["/runs/1", "/artifacts/x/versions/2", "/groups/g0"])
            )
        }
        85..=88 if !stock.key_names.is_empty() => dice.pick(&stock.key_names).clone(),
        85..=93 => {
            let node = dice.pick(&stock.nodes()).clone();
            let missing = [
                "/teams/gone",
                "/projects/gone",
                "/serviceAccounts/gone",
                "/keys/gone",
            ];
            format!("{node}{}", dice.pick(&missing))
        }
        94 => format!("{}/runs/1/projects/p", dice.pick(&stock.nodes())),
        95 => "users/ann".to_owned(),
        96 => "organizations/gone/teams/t".to_owned(),
        97 => format!("{}/teams/x/teams/-", dice.pick(&stock.organizations)),
        98 => {
            let ends = ["/", "//runs/1", "/runs", "/runs/%41"];
            format!("{}{}", dice.pick(&stock.nodes()), dice.pick(&ends))
        }
        _ => dice
            .pick(&[
                "",
                "/",
                "organizations/-",
                "organizations/a/runs/..",
                "organizations/ä",
            ])
            .to_string(),
    }
}
