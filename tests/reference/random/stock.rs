//! What a random snapshot holds, as far as policies and questions want to name it.

use std::collections::BTreeMap;

use serde_json::Value;

/// A service account in the making.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) uid: String,
    pub(crate) email: String,
    pub(crate) deleted: bool,
    /// Disabled or deleted.
    pub(crate) idle: bool,
    pub(crate) federated: bool,
}

/// A custom role.
#[derive(Debug, Clone)]
pub(crate) struct Role {
    pub(crate) name: String,
    pub(crate) owner: String,
    pub(crate) membership: bool,
}

/// An organization policy, and what its constraint gates.
#[derive(Debug, Clone)]
pub(crate) struct OrgPolicy {
    pub(crate) name: String,
    pub(crate) attachment: String,
    pub(crate) permission: String,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Stock {
    pub(crate) entities: Vec<Value>,
    pub(crate) organizations: Vec<String>,
    pub(crate) teams: Vec<String>,
    pub(crate) projects: Vec<String>,
    pub(crate) restricted: Vec<String>,
    pub(crate) accounts: Vec<Account>,
    /// E-mail addresses.
    pub(crate) users: Vec<String>,
    /// Name and uid of each user.
    pub(crate) user_ids: Vec<(String, String)>,
    /// E-mail addresses.
    pub(crate) groups: Vec<String>,
    pub(crate) roles: Vec<Role>,
    /// Plain names, built in and added.
    pub(crate) permissions: Vec<String>,
    /// How many of them are built in.
    pub(crate) built_in: usize,
    /// Texts of keys that exist.
    pub(crate) keys: Vec<String>,
    pub(crate) key_names: Vec<String>,
    /// What each role carries, for one's own things too.
    pub(crate) carried: BTreeMap<String, Vec<String>>,
    pub(crate) pools: Vec<String>,
    /// Deny policies.
    pub(crate) denies: Vec<Value>,
    /// Principal sets that are bound to a boundary.
    pub(crate) bound: Vec<String>,
    pub(crate) org_policies: Vec<OrgPolicy>,
    /// Who may go by whom to whom: a subject, then names of accounts.
    pub(crate) chains: Vec<(String, Vec<String>)>,
}

impl Stock {
    pub(crate) fn file(&self) -> Value {
        serde_json::json!({ "entities": self.entities })
    }

    /// Whether a bare `serviceAccount:E` would be ambiguous in a policy (SPEC 1.5).
    pub(crate) fn is_shared(&self, email: &str) -> bool {
        self.accounts.iter().filter(|a| a.email == email).count() > 1
    }

    /// Organizations, teams and projects.
    pub(crate) fn containers(&self) -> Vec<String> {
        let all = [&self.organizations, &self.teams, &self.projects];
        all.into_iter().flatten().cloned().collect()
    }

    /// Organizations, teams, projects, and account names, each once.
    pub(crate) fn nodes(&self) -> Vec<String> {
        let mut nodes: Vec<String> = self.accounts.iter().map(|a| a.name.clone()).collect();
        nodes.extend(self.organizations.iter().cloned());
        nodes.extend(self.teams.iter().cloned());
        nodes.extend(self.projects.iter().cloned());
        nodes.sort();
        nodes.dedup();
        nodes
    }
}
