//! Members of policies and groups, and subjects of requests (SPEC 6.1, 6.2).
