//! The options of `postern serve` about Envoy.

use clap::Args;

use crate::limits::HOST_BYTES_MAX;
use crate::model::name;
use crate::model::path::PathClass;
use crate::wire::envoy::headers::{OURS, is_header_name};
use crate::wire::envoy::settings::{NoRoute, Settings, TrustDomain};

/// What `envoy.service.auth.v3.Authorization/Check` does beyond what the snapshot says.
#[derive(Debug, Args)]
#[command(next_help_heading = "Envoy")]
pub(super) struct EnvoyArguments {
    /// A peer with a certificate of this SPIFFE trust domain is the account of the
    /// organization that has its name, spiffe://DOMAIN/..., as `federated_subject`; may be said
    /// for several domains.
    #[arg(long, value_name = "DOMAIN=organizations/ORG", value_parser = trust_domain)]
    envoy_trust_domain: Vec<TrustDomain>,
    /// What happens to calls to HOST that no route takes; * stands for every host that is not
    /// named. `allow` declares them unprotected [default: deny].
    #[arg(long, value_name = "HOST=allow|deny", value_parser = no_route)]
    envoy_no_route: Vec<NoRoute>,
    /// Let paths through that can be read in two ways; may be said for several classes.
    #[arg(long, value_name = "CLASS", value_parser = path_class)]
    envoy_allow_path: Vec<PathClass>,
    /// Leave the credential in the request that the upstream sees.
    #[arg(long)]
    envoy_keep_credential: bool,
    /// Tell errors as `error_response`; Envoy before 1.37 makes a 403 of it.
    #[arg(long)]
    envoy_error_response: bool,
    /// Header of the client with the user, by user name or e-mail, that a service account's
    /// call is attributed to [default: none].
    #[arg(long, value_name = "NAME", value_parser = header)]
    envoy_attribution_header: Option<String>,
}

impl EnvoyArguments {
    /// The settings.
    ///
    /// # Errors
    /// Something was said twice.
    pub(super) fn settings(self) -> Result<Settings, String> {
        let Self {
            envoy_trust_domain: trust_domains,
            envoy_no_route: no_route,
            envoy_allow_path: classes,
            envoy_keep_credential: keep_credential,
            envoy_error_response: error_response,
            envoy_attribution_header: attribution_header,
        } = self;
        let domains = trust_domains.iter().map(|entry| entry.domain.as_str());
        if let Some(domain) = twice(domains) {
            return Err(format!(
                "--envoy-trust-domain names `{domain}` twice: a trust domain speaks for one \
                 organization"
            ));
        }
        if let Some(host) = twice(no_route.iter().map(|entry| entry.host.as_str())) {
            return Err(format!(
                "--envoy-no-route names `{host}` twice: say it once"
            ));
        }
        Ok(Settings {
            trust_domains,
            no_route,
            paths: classes.into_iter().collect(),
            keep_credential,
            error_response,
            attribution_header,
        })
    }
}

fn twice<'t>(texts: impl Iterator<Item = &'t str>) -> Option<&'t str> {
    let mut seen = std::collections::BTreeSet::new();
    texts.into_iter().find(|text| !seen.insert(*text))
}

fn trust_domain(text: &str) -> Result<TrustDomain, String> {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let good = |domain: &str| {
        let other = |byte: u8| matches!(byte, b'.' | b'-' | b'_');
        !domain.is_empty() && domain.bytes().all(|byte| letter(byte) || other(byte))
    };
    match text.split_once('=') {
        Some((domain, organization)) if good(domain) && is_organization(organization) => {
            Ok(TrustDomain {
                domain: domain.to_owned(),
                organization: organization.to_owned(),
            })
        }
        Some(_) | None => Err(
            "expected DOMAIN=organizations/ORG with the domain in lower case, such as \
                 mesh.acme.example=organizations/acme"
                .to_owned(),
        ),
    }
}

fn is_organization(text: &str) -> bool {
    name::parse(text).is_ok() && name::organization(text) == Some(text)
}

fn no_route(text: &str) -> Result<NoRoute, String> {
    let parsed = text.split_once('=').and_then(|(host, word)| {
        let label = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
        let port = host.contains(':') && !(host.starts_with('[') && host.ends_with(']'));
        let named = !host.is_empty() && host.len() <= HOST_BYTES_MAX;
        let good = host == "*" || (named && !port && host.bytes().all(label));
        let allow = match word {
            "allow" => true,
            "deny" => false,
            _ => return None,
        };
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        good.then_some(NoRoute { host, allow })
    });
    parsed.ok_or_else(|| {
        "expected HOST=allow or HOST=deny with a host's name without a port, or *, such as \
         www.acme.example=allow"
            .to_owned()
    })
}

fn path_class(text: &str) -> Result<PathClass, String> {
    PathClass::parse(text).ok_or_else(|| {
        let words: Vec<&str> = PathClass::ALL.iter().map(|class| class.word()).collect();
        format!("expected one of {}", words.join(", "))
    })
}

fn header(text: &str) -> Result<String, String> {
    let name = text.to_ascii_lowercase();
    let reserved = ["authorization", "x-api-key", "host", "cookie"];
    if is_header_name(&name) && !reserved.contains(&name.as_str()) && !name.starts_with(OURS) {
        return Ok(name);
    }
    Err(format!(
        "expected the name of a header of the client, not one of {} or {OURS}...",
        reserved.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_good_option_is_refused() {
        for good in [
            "a.example=allow",
            "*=allow",
            "A.example.=deny",
            "[::1]=deny",
        ] {
            no_route(good).unwrap();
        }
        assert_eq!(no_route("A.example.=deny").unwrap().host, "a.example");
        for bad in [
            "",
            "a",
            "a=",
            "=allow",
            "a:80=allow",
            "a=yes",
            "a b=allow",
            "*.a=allow",
        ] {
            no_route(bad).unwrap_err();
        }
        trust_domain("mesh.example=organizations/acme").unwrap();
        for bad in [
            "",
            "m",
            "m=",
            "m=acme",
            "=organizations/a",
            "M=organizations/a",
            "m/x=organizations/a",
            "m=organizations/a/teams/t",
        ] {
            trust_domain(bad).unwrap_err();
        }
        assert_eq!(header("X-On-Behalf-Of").unwrap(), "x-on-behalf-of");
        for bad in ["", "a b", ":path", "Authorization", "x-postern-team", "a\n"] {
            header(bad).unwrap_err();
        }
        assert_eq!(
            path_class("encoded-slash").unwrap(),
            PathClass::EncodedSlash
        );
        path_class("all").unwrap_err();
    }
}
