//! The generated types of `proto/`, and what must not be generated.

use std::fmt;

/// Every file of `proto/` and what it imports, as an encoded
/// `google.protobuf.FileDescriptorSet`.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.pb"));

/// Package `postern`.
pub mod postern {
    /// The API.
    #[expect(clippy::allow_attributes, reason = "generated code: what holds varies")]
    #[allow(warnings, clippy::all, clippy::restriction, reason = "generated code")]
    pub mod v1 {
        include!(concat!(env!("OUT_DIR"), "/postern.v1.rs"));
    }

    /// Package `postern.feed`.
    pub mod feed {
        /// The schema of snapshots.
        #[expect(clippy::allow_attributes, reason = "generated code: what holds varies")]
        #[allow(warnings, clippy::all, clippy::restriction, reason = "generated code")]
        pub mod v1 {
            include!(concat!(env!("OUT_DIR"), "/postern.feed.v1.rs"));
        }
    }
}

/// Package `grpc`.
pub mod grpc {
    /// Package `grpc.health`.
    pub mod health {
        /// The health checking protocol.
        #[expect(clippy::allow_attributes, reason = "generated code: what holds varies")]
        #[allow(warnings, clippy::all, clippy::restriction, reason = "generated code")]
        pub mod v1 {
            include!(concat!(env!("OUT_DIR"), "/grpc.health.v1.rs"));
        }
    }
}

// === no secret in `Debug` ===

impl fmt::Debug for postern::v1::authorize_request::Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Principal(principal) => f.debug_tuple("Principal").field(principal).finish(),
            Self::Credential(_) => f.write_str("Credential(..)"),
            Self::Anonymous(()) => f.write_str("Anonymous"),
        }
    }
}

impl fmt::Debug for postern::v1::AuthorizeRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            subject,
            permission,
            resource,
            resource_attributes,
            context,
            entity,
            attribution,
            delegates,
            source_ip,
            min_revision,
            max_staleness,
            request_id,
        } = self;
        f.debug_struct("AuthorizeRequest")
            .field("subject", subject)
            .field("permission", permission)
            .field("resource", resource)
            .field("resource_attributes", resource_attributes)
            .field("context", context)
            .field("entity", entity)
            .field("attribution", attribution)
            .field("delegates", delegates)
            .field("source_ip", source_ip)
            .field("min_revision", min_revision)
            .field("max_staleness", max_staleness)
            .field("request_id", request_id)
            .finish()
    }
}

impl fmt::Debug for postern::v1::CompareSnapshotRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompareSnapshotRequest")
            .field("bytes", &self.snapshot.len())
            .field("form", &self.form)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for postern::v1::list_resources_request::Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Principal(principal) => f.debug_tuple("Principal").field(principal).finish(),
            Self::Credential(_) => f.write_str("Credential(..)"),
            Self::Anonymous(()) => f.write_str("Anonymous"),
        }
    }
}

impl fmt::Debug for postern::v1::ListResourcesRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListResourcesRequest")
            .field("subject", &self.subject)
            .field("permission", &self.permission)
            .field("parent", &self.parent)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for postern::v1::list_permissions_request::Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Principal(principal) => f.debug_tuple("Principal").field(principal).finish(),
            Self::Credential(_) => f.write_str("Credential(..)"),
            Self::Anonymous(()) => f.write_str("Anonymous"),
        }
    }
}

impl fmt::Debug for postern::v1::ListPermissionsRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListPermissionsRequest")
            .field("subject", &self.subject)
            .field("resource", &self.resource)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for postern::v1::VerifyKeyRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            key: _,
            source_ip,
            permission,
            resource,
            cost,
        } = self;
        f.debug_struct("VerifyKeyRequest")
            .field("source_ip", source_ip)
            .field("permission", permission)
            .field("resource", resource)
            .field("cost", cost)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for postern::feed::v1::ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { digest } = self;
        f.debug_struct("ApiKey").field("digest", digest).finish()
    }
}

impl fmt::Debug for postern::feed::v1::api_key::Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sha256(_) => "Sha256(..)",
            Self::HmacSha256(_) => "HmacSha256(..)",
        })
    }
}
