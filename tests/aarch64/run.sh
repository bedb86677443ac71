#!/usr/bin/env bash
# Cross-builds dot_test.cpp for each of ARM's instruction sets and runs it under an emulator.
#   tests/aarch64/run.sh SOURCE BUILD ISA=FLAGS...      exit code 77: compiler or emulator is absent
set -euo pipefail
source=$1 build=$2 compiler=aarch64-linux-gnu-g++
shift 2
emulator=$(command -v qemu-aarch64-static || command -v qemu-aarch64 || true)
if ! command -v "$compiler" > /dev/null || [ -z "$emulator" ]; then
  echo "skipped: needs $compiler and qemu-aarch64 (Debian: g++-aarch64-linux-gnu, qemu-user-static)"
  exit 77
fi
for row in "$@"; do
  isa=${row%%=*}
  "$compiler" -std=c++23 -O2 -static -Wall -Wextra -Werror "${row#*=}" "-I$source" \
    "-DNIBBLE_ISA=$isa" "-DNIBBLE_ISA_$isa=1" "$source/tests/aarch64/dot_test.cpp" -o "$build/dot_test_$isa"
  "$emulator" -cpu max "$build/dot_test_$isa"
  echo "$isa: sums of products agree with plain loops"
done
