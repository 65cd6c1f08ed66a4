# shellcheck shell=bash
# The fuzzers of tests/fuzz. Part of ./dev.

FUZZ_PACKAGES=(clang libclang-rt-14-dev)

fuzz_names() {
  local file
  for file in tests/fuzz/*_fuzzer.cc; do basename "$file" _fuzzer.cc; done
}

# Inputs that reach new code go into FINDS/NAME; one that fails stays in build/fuzz.
fuzz_one() { # NAME SECONDS FINDS
  local program=build/fuzz/tests/$1_fuzzer corpus=tests/fuzz/corpus/$1 log=build/fuzz/$1.log
  local finds=$3/$1 code=0 failing
  mkdir -p "$finds"
  say "fuzzing $1 for $2 s; its log is $log"
  "$program" "-max_total_time=$2" -max_len=16384 -timeout=10 "-artifact_prefix=build/fuzz/$1-" \
    "$finds" "$corpus" >"$log" 2>&1 || code=$?
  if [ "$code" -eq 0 ]; then
    local found
    found=$(find "$finds" -type f | wc -l)
    say "ok      $1: $(sed -n 's/^Done //p' "$log"), $found inputs reach new code"
    return
  fi
  failing=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
  grep -E -A 20 'does not hold|ERROR:|runtime error:' "$log" | head -n 40 >&2 ||
    tail -n 20 "$log" >&2
  say "FAILED  $1 (code $code): the whole story is in $log; to see it again:"
  say "        $program ${failing:-$corpus/*}"
  return 1
}

fuzz() {
  local seconds=60 target='' names=() name finds='' temporary='' failed=0
  while [ $# -gt 0 ]; do
    case $1 in
      --seconds) seconds=${2:-} && shift ;;
      --seconds=*) seconds=${1#*=} ;;
      --finds) finds=${2:-} && shift ;;
      --finds=*) finds=${1#*=} ;;
      *) target=$1 ;;
    esac
    [ $# -eq 0 ] || shift
  done
  [[ $seconds =~ ^[1-9][0-9]*$ ]] || die "--seconds wants a number of 1 or more, not '$seconds'"
  mapfile -t names < <(fuzz_names)
  [[ " all ${names[*]} " == *" ${target:-?} "* ]] || die "what to fuzz: all, or one of ${names[*]}"
  [ "$target" = all ] || names=("$target")

  install_packages "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}" "${FUZZ_PACKAGES[@]}"
  cmake --preset fuzz -DSEATLOCK_TESTS=ON >/dev/null
  build fuzz "${names[@]/%/_fuzzer}"
  [ -n "$finds" ] || finds=$(mktemp -d) temporary=$finds
  for name in "${names[@]}"; do
    fuzz_one "$name" "$seconds" "$finds" || failed=1
  done
  [ -z "$temporary" ] || rm -rf "$temporary"
  return "$failed"
}
