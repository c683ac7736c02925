#!/usr/bin/env bash
# Compiles a program for each instruction set this processor runs, and with nvcc where it is given,
# and fails unless all builds print the same digests. The program prints lines "LANE DIGEST".
#
# usage: same_bits.sh PROGRAM.cpp SOURCE_DIR [BUILD_DIR]
#   CXX       compiler (g++);  CXXFLAGS  added to every g++ build, e.g. include paths
#   NVCC      nvcc, or empty to leave it out
set -euo pipefail

program=${1:?usage: same_bits.sh PROGRAM.cpp SOURCE_DIR [BUILD_DIR]}
source_dir=${2:?usage: same_bits.sh PROGRAM.cpp SOURCE_DIR [BUILD_DIR]}
cxx=${CXX:-g++}
read -r -a extra <<<"${CXXFLAGS:-}"
if [ $# -ge 3 ]; then
  build=$3
  mkdir -p "$build"
else
  build=$(mktemp -d)
  trap 'rm -rf "$build"' EXIT
fi

include=(-I "$source_dir" -I "$source_dir/include")
digests=()

# run NAME COMMAND...: shows the digests that the program prints, and remembers them.
run() {
  local name=$1 output lane digest
  shift
  output=$("$@")
  while read -r lane digest; do
    printf '%-12s %-20s %s\n' "$name" "$lane" "$digest"
    digests+=("$digest")
  done <<<"$output"
}

# The feature levels of the x86-64 ABI, as the dynamic linker names them.
supports() {
  local flag flags
  flags=$(grep -m1 '^flags' /proc/cpuinfo 2>/dev/null || true)
  for flag in "$@"; do
    [[ " $flags " == *" $flag "* ]] || return 1
  done
}
levels=()
case $(uname -m) in
  x86_64)
    levels=(x86-64)
    if supports avx2 bmi1 bmi2 f16c fma movbe; then
      levels+=(x86-64-v3)
    fi
    if supports avx512f avx512bw avx512cd avx512dq avx512vl; then
      levels+=(x86-64-v4)
    fi
    ;;
esac
levels+=(native)

for level in "${levels[@]}"; do
  "$cxx" -std=c++20 -O2 -march="$level" -ffp-contract=off -fno-math-errno -fno-trapping-math \
    "${extra[@]}" "${include[@]}" "$program" -o "$build/digest-$level"
  run "$level" "$build/digest-$level"
done
"$cxx" -std=c++20 -O0 -ffp-contract=off "${extra[@]}" "${include[@]}" "$program" \
  -o "$build/digest-O0"
run O0 "$build/digest-O0"

if [ -n "${NVCC:-}" ]; then
  "$NVCC" -x cu -std=c++20 -O2 -fmad=false --expt-relaxed-constexpr \
    -Werror cross-execution-space-call -Xcompiler=-ffp-contract=off "${include[@]}" "$program" \
    -o "$build/digest-nvcc"
  run nvcc-host "$build/digest-nvcc"
else
  echo "nvcc-host    not compared: NVCC is not set"
fi

for digest in "${digests[@]}"; do
  if [ "$digest" != "${digests[0]}" ]; then
    echo "the builds do not agree: $digest is not ${digests[0]}" >&2
    exit 1
  fi
done
if [ "${#digests[@]}" -lt 4 ]; then
  echo "only ${#digests[@]} digests were printed: nothing was compared" >&2
  exit 1
fi
