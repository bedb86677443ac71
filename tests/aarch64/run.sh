#!/usr/bin/env bash
# Cross-builds dot_test.cpp for each of ARM's instruction sets and runs it under an emulator.
#   tests/aarch64/run.sh SOURCE BUILD      exit code 77: compiler or emulator is absent
set -euo pipefail
source=$1 build=$2 compiler=aarch64-linux-gnu-g++
emulator=$(command -v qemu-aarch64-static || command -v qemu-aarch64 || true)
if ! command -v "$compiler" > /dev/null || [ -z "$emulator" ]; then
  echo "skipped: needs $compiler and qemu-aarch64 (Debian: g++-aarch64-linux-gnu, qemu-user-static)"
  exit 77
fi
for row in neon=armv8.2-a+dotprod i8mm=armv8.2-a+dotprod+i8mm; do
  isa=${row%%=*}
  "$compiler" -std=c++23 -O2 -static -Wall -Wextra -Werror "-march=${row#*=}" "-I$source" \
    "-DNIBBLE_ISA=$isa" "-DNIBBLE_ISA_$isa=1" "$source/tests/aarch64/dot_test.cpp" -o "$build/dot_test_$isa"
  "$emulator" -cpu max "$build/dot_test_$isa"
  echo "$isa: sums of products agree with plain loops"
done
