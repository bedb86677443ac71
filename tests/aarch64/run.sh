#!/usr/bin/env bash
# Runs a test program of the preset aarch64 on an emulated processor.
#   tests/aarch64/run.sh SOURCE PROGRAM CPU ABSENT [arguments of the program]
# CPU: QEMU's name of the processor. ABSENT: the instruction sets that it lacks, space separated: the
# program must say of these, and of no other, that it cannot run them. Exit code 77: not built.
set -euo pipefail
source=$1 program=$2 cpu=$3 absent=$4
shift 4
build=$source/build/aarch64
emulator=$(command -v qemu-aarch64-static || command -v qemu-aarch64 || true)
if [ ! -f "$build/build.ninja" ] || [ -z "$emulator" ]; then
  echo "skipped: needs qemu-user-static and the preset aarch64 (cmake --preset aarch64; scripts/test does it)"
  exit 77
fi
flock "$build" cmake --build "$build" --target "$program" > "$build/$program.log" 2>&1 ||
  { cat "$build/$program.log"; exit 1; }
log=$build/$program.$cpu.$$.log
trap 'rm -f "$log"' EXIT
"$emulator" -cpu "$cpu" -L /usr/aarch64-linux-gnu "$build/tests/$program" "$@" 2>&1 | tee "$log"
cannot=$(sed -n 's/.*this machine cannot run \([a-z0-9]*\).*/\1/p' "$log" | xargs)
if [ "$cannot" != "$absent" ]; then
  echo "$cpu: cannot run '$cannot', expected '$absent'"
  exit 1
fi
