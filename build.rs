//! Compiles `proto/` and embeds the revision of the source; nothing else.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

const PROTO_ROOT: &str = "proto";
const PROTOS: [&str; 9] = [
    "grpc/health/v1/health.proto",
    "postern/feed/v1/entity.proto",
    "postern/feed/v1/snapshot.proto",
    "postern/v1/authorization.proto",
    "postern/v1/credential.proto",
    "postern/v1/decision.proto",
    "postern/v1/lookup.proto",
    "postern/v1/explanation.proto",
    "postern/v1/snapshot.proto",
];

/// Types that hold a secret or its digest: their `Debug` is written by hand in `wire::proto`.
const SECRETS: [&str; 6] = [
    ".postern.v1.ListResourcesRequest",
    ".postern.v1.ListPermissionsRequest",
    ".postern.v1.AuthorizeRequest",
    ".postern.v1.VerifyKeyRequest",
    ".postern.v1.CompareSnapshotRequest",
    ".postern.feed.v1.ApiKey",
];

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    compile(&out)?;
    println!("cargo:rustc-env=POSTERN_GIT_SHA={}", git_sha());
    println!("cargo:rerun-if-env-changed=POSTERN_GIT_SHA");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={PROTO_ROOT}");
    Ok(())
}

/// Rust types for every message, and the descriptors that reflection and the decoder read.
fn compile(out: &Path) -> Result<(), Box<dyn Error>> {
    let mut compiler = protox::Compiler::new([PROTO_ROOT])?;
    compiler
        .include_imports(true)
        .include_source_info(true)
        .open_files(PROTOS)?;
    std::fs::write(
        out.join("descriptors.pb"),
        compiler.encode_file_descriptor_set(),
    )?;
    tonic_prost_build::configure()
        .build_client(true)
        .build_server(true)
        .btree_map(".")
        .skip_debug(SECRETS)
        .emit_rerun_if_changed(false)
        .compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}

/// Said by the builder, else asked of git, else unknown.
fn git_sha() -> String {
    if let Some(sha) = std::env::var_os("POSTERN_GIT_SHA") {
        return sha.to_string_lossy().into_owned();
    }
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"])
        && Path::new(&log).exists()
    {
        println!("cargo:rerun-if-changed={log}");
    }
    git(&["rev-parse", "--short=12", "HEAD"]).unwrap_or_else(|| "unknown".to_owned())
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
}
