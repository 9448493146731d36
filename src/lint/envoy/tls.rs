//! What TLS proves, on both sides.

use crate::lint::envoy::collect::Here;
use crate::lint::tree::at::At;

/// What a listener knows of its clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Peers {
    /// The listener is not in this file.
    Unknown,
    /// No TLS.
    Clear,
    /// TLS that verifies no certificate.
    NotVerified,
    /// A certificate is verified if one is shown.
    NotRequired,
    /// Every client shows a verified certificate.
    Verified,
}

impl Peers {
    /// By the transport socket of the filter chain.
    pub(super) fn of(here: &Here<'_>) -> Self {
        let Some(chain) = &here.chain else {
            return Self::Unknown;
        };
        let Some((name, context)) = chain
            .find(&["transport_socket", "typed_config"])
            .and_then(|at| at.typed())
        else {
            return Self::Clear;
        };
        let context = match name.ends_with(".QuicDownstreamTransport") {
            true => context.get("downstream_tls_context"),
            false if name.ends_with(".DownstreamTlsContext") => Some(context),
            false if name.ends_with(".RawBuffer") => return Self::Clear,
            false => return Self::Unknown,
        };
        let Some(context) = context else {
            return Self::NotVerified;
        };
        let required = context
            .get("require_client_certificate")
            .and_then(|at| at.flag());
        match (verifies(&context), required) {
            (false, _) => Self::NotVerified,
            (true, Some(true)) => Self::Verified,
            (true, _) => Self::NotRequired,
        }
    }
}

/// Whether a TLS context says whose certificates it believes.
pub(super) fn verifies(context: &At<'_>) -> bool {
    let Some(common) = context.get("common_tls_context") else {
        return false;
    };
    // Secrets by discovery: what they hold is not in the file.
    let by_discovery = common.get("validation_context_sds_secret_config").is_some()
        || common
            .find(&[
                "combined_validation_context",
                "validation_context_sds_secret_config",
            ])
            .is_some();
    let inline = common
        .get("validation_context")
        .or_else(|| common.find(&["combined_validation_context", "default_validation_context"]));
    let Some(inline) = inline else {
        return by_discovery;
    };
    let accepts_all = matches!(
        inline.text_of("trust_chain_verification"),
        Some("ACCEPT_UNTRUSTED" | "1")
    );
    let has_anchor = [
        "trusted_ca",
        "ca_certificate_provider_instance",
        "system_root_certs",
        "custom_validator_config",
        "verify_certificate_spki",
        "verify_certificate_hash",
    ]
    .iter()
    .any(|field| inline.get(field).is_some());
    !accepts_all && (has_anchor || by_discovery)
}
