//! Organization-policy constraints: the closed list of SPEC 8 (FACTS B4.1).

/// A constraint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the variants are the words of SPEC 8")]
pub enum Constraint {
    AllowServiceAccountCredentialLifetimeExtension,
    AutomaticIamGrantsForDefaultServiceAccounts,
    DisableCrossProjectServiceAccountUsage,
    DisableServiceAccountCreation,
    DisableServiceAccountKeyCreation,
    DisableServiceAccountKeyUpload,
    DisableWorkloadIdentityClusterCreation,
    RestrictCrossProjectServiceAccountLienRemoval,
    ServiceAccountKeyExpiryHours,
    ServiceAccountKeyExposureResponse,
    WorkloadIdentityPoolAwsAccounts,
    WorkloadIdentityPoolProviders,
}

/// What kind of value a constraint has, and the value where no policy sets one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// On or off.
    Boolean {
        /// On without a policy.
        enforced: bool,
    },
    /// Values that are allowed.
    List {
        /// Allowed without a policy; nothing is denied then.
        allowed: Allowed,
        /// What a value is.
        values: Values,
    },
}

/// What a list constraint allows without a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowed {
    /// Everything.
    Any,
    /// Just these.
    Only(&'static [&'static str]),
}

/// What the values of a list constraint are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the message of `expected` says it")]
pub enum Values {
    Hours,
    ExposureResponse,
    Issuer,
    AwsAccount,
    Email,
}

/// The values of `serviceAccountKeyExpiryHours` (FACTS B4.1), and their hours.
pub const EXPIRY_HOURS: [(&str, u64); 8] = [
    ("1h", 1),
    ("8h", 8),
    ("24h", 24),
    ("168h", 168),
    ("336h", 336),
    ("720h", 720),
    ("1440h", 1_440),
    ("2160h", 2_160),
];
/// An exposed key is disabled: the default of `serviceAccountKeyExposureResponse`.
pub const DISABLE_KEY: &str = "DISABLE_KEY";
/// An exposed key goes on until somebody abuses it.
pub const WAIT_FOR_ABUSE: &str = "WAIT_FOR_ABUSE";
/// The issuer that an AWS provider stands for (FACTS B4.1).
pub const AWS_ISSUER: &str = "https://sts.amazonaws.com";

impl Constraint {
    /// All of them, by name.
    pub const ALL: [Self; 12] = [
        Self::AllowServiceAccountCredentialLifetimeExtension,
        Self::AutomaticIamGrantsForDefaultServiceAccounts,
        Self::DisableCrossProjectServiceAccountUsage,
        Self::DisableServiceAccountCreation,
        Self::DisableServiceAccountKeyCreation,
        Self::DisableServiceAccountKeyUpload,
        Self::DisableWorkloadIdentityClusterCreation,
        Self::RestrictCrossProjectServiceAccountLienRemoval,
        Self::ServiceAccountKeyExpiryHours,
        Self::ServiceAccountKeyExposureResponse,
        Self::WorkloadIdentityPoolAwsAccounts,
        Self::WorkloadIdentityPoolProviders,
    ];

    /// Its name: `iam.disableServiceAccountCreation`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AllowServiceAccountCredentialLifetimeExtension => {
                "iam.allowServiceAccountCredentialLifetimeExtension"
            }
            Self::AutomaticIamGrantsForDefaultServiceAccounts => {
                "iam.automaticIamGrantsForDefaultServiceAccounts"
            }
            Self::DisableCrossProjectServiceAccountUsage => {
                "iam.disableCrossProjectServiceAccountUsage"
            }
            Self::DisableServiceAccountCreation => "iam.disableServiceAccountCreation",
            Self::DisableServiceAccountKeyCreation => "iam.disableServiceAccountKeyCreation",
            Self::DisableServiceAccountKeyUpload => "iam.disableServiceAccountKeyUpload",
            Self::DisableWorkloadIdentityClusterCreation => {
                "iam.disableWorkloadIdentityClusterCreation"
            }
            Self::RestrictCrossProjectServiceAccountLienRemoval => {
                "iam.restrictCrossProjectServiceAccountLienRemoval"
            }
            Self::ServiceAccountKeyExpiryHours => "iam.serviceAccountKeyExpiryHours",
            Self::ServiceAccountKeyExposureResponse => "iam.serviceAccountKeyExposureResponse",
            Self::WorkloadIdentityPoolAwsAccounts => "iam.workloadIdentityPoolAwsAccounts",
            Self::WorkloadIdentityPoolProviders => "iam.workloadIdentityPoolProviders",
        }
    }

    /// The constraint of a name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    /// Its kind of value and its default.
    #[must_use]
    pub const fn form(self) -> Form {
        const OFF: Form = Form::Boolean { enforced: false };
        match self {
            Self::AutomaticIamGrantsForDefaultServiceAccounts
            | Self::DisableServiceAccountCreation
            | Self::DisableServiceAccountKeyCreation
            | Self::DisableServiceAccountKeyUpload
            | Self::DisableWorkloadIdentityClusterCreation
            | Self::RestrictCrossProjectServiceAccountLienRemoval => OFF,
            Self::DisableCrossProjectServiceAccountUsage => Form::Boolean { enforced: true },
            Self::AllowServiceAccountCredentialLifetimeExtension => Form::List {
                allowed: Allowed::Only(&[]),
                values: Values::Email,
            },
            Self::ServiceAccountKeyExpiryHours => Form::List {
                allowed: Allowed::Any,
                values: Values::Hours,
            },
            Self::ServiceAccountKeyExposureResponse => Form::List {
                allowed: Allowed::Only(&[DISABLE_KEY]),
                values: Values::ExposureResponse,
            },
            Self::WorkloadIdentityPoolAwsAccounts => Form::List {
                allowed: Allowed::Any,
                values: Values::AwsAccount,
            },
            Self::WorkloadIdentityPoolProviders => Form::List {
                allowed: Allowed::Any,
                values: Values::Issuer,
            },
        }
    }

    /// Only policies of projects may set it: it is read on an account's own project
    /// (FACTS B4.1).
    #[must_use]
    pub const fn projects_only(self) -> bool {
        matches!(self, Self::DisableCrossProjectServiceAccountUsage)
    }
}

impl Values {
    /// Whether `text` is such a value.
    #[must_use]
    pub fn is_one(self, text: &str) -> bool {
        match self {
            Self::Hours => EXPIRY_HOURS.iter().any(|(word, _)| *word == text),
            Self::ExposureResponse => matches!(text, DISABLE_KEY | WAIT_FOR_ABUSE),
            Self::Issuer => is_issuer(text),
            Self::AwsAccount => text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()),
            Self::Email => crate::model::email::is_well_formed(text),
        }
    }

    /// Exactly one allowed value a policy, and none denied (FACTS B4.1).
    #[must_use]
    pub const fn is_choice(self) -> bool {
        matches!(self, Self::Hours | Self::ExposureResponse)
    }

    /// What is expected of a value, for people.
    #[must_use]
    pub const fn expected(self) -> &'static str {
        match self {
            Self::Hours => "one of 1h, 8h, 24h, 168h, 336h, 720h, 1440h, 2160h",
            Self::ExposureResponse => "DISABLE_KEY or WAIT_FOR_ABUSE",
            Self::Issuer => "an issuer such as https://issuer.example",
            Self::AwsAccount => "the 12 digits of an AWS account",
            Self::Email => "the e-mail address of a service account",
        }
    }
}

/// An issuer is compared byte for byte; so only its form is looked at.
fn is_issuer(text: &str) -> bool {
    text.len() <= crate::limits::TEXT_BYTES_MAX
        && text.bytes().all(|b| b.is_ascii_graphic())
        && text
            .strip_prefix("https://")
            .is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    // SPEC 8: twelve, each of them by one name.
    #[test]
    fn every_constraint_is_found_by_its_name() {
        for constraint in Constraint::ALL {
            assert_eq!(Constraint::find(constraint.name()), Some(constraint));
        }
        assert!(Constraint::ALL.is_sorted());
        for other in [
            "",
            "disableServiceAccountCreation",
            "constraints/iam.disableServiceAccountCreation",
        ] {
            assert_eq!(Constraint::find(other), None);
        }
    }

    #[test]
    fn values_have_the_form_of_their_constraint() {
        for (values, good, bad) in [
            (Values::Hours, "24h", "25h"),
            (Values::ExposureResponse, WAIT_FOR_ABUSE, "wait_for_abuse"),
            (Values::Issuer, AWS_ISSUER, "http://issuer.example"),
            (Values::Issuer, "https://a", "https://"),
            (Values::Issuer, "https://a/b?c", "https://a b"),
            (Values::AwsAccount, "012345678901", "12345678901"),
            (Values::AwsAccount, "012345678901", "01234567890a"),
            (Values::Email, "a@b.example", "serviceAccount:a"),
        ] {
            assert!(values.is_one(good), "{good}");
            assert!(!values.is_one(bad), "{bad}");
            assert!(!values.is_one(""));
        }
        let defaults = EXPIRY_HOURS
            .iter()
            .map(|(word, hours)| (*word, format!("{hours}h")));
        assert!(defaults.into_iter().all(|(word, hours)| word == hours));
    }
}
