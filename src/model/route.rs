//! Words of a route (SPEC 2.1).

/// What a route matches (SPEC 13.1): it is said, never read off a request's content type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RouteKind {
    /// HTTP calls, by method and path.
    Http,
    /// gRPC calls, by service and method.
    Grpc,
}

/// What a route does without a credential.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Anonymous {
    /// Decides as anonymous.
    Allow,
    /// Denies.
    #[default]
    Deny,
}

/// Whether a route's deny is a deny.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// It is.
    #[default]
    Enforce,
    /// It is logged, and the call passes.
    Shadow,
}

impl RouteKind {
    /// The word of the schema: `HTTP`, `GRPC`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Http => "HTTP",
            Self::Grpc => "GRPC",
        }
    }
}

impl Anonymous {
    /// The word of the schema: `ALLOW`, `DENY`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Allow => "ALLOW",
            Self::Deny => "DENY",
        }
    }
}

impl Mode {
    /// The word of the schema: `ENFORCE`, `SHADOW`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Enforce => "ENFORCE",
            Self::Shadow => "SHADOW",
        }
    }
}
