# shellcheck shell=bash
# What a change is held to, and what can be put right without thinking. Part of ./dev.

CHECK_PACKAGES=(clang clang-format shellcheck)

cpp_files() { git ls-files -co --exclude-standard -- '*.h' '*.cc' ':!third_party' | existing; }
existing() { while IFS= read -r file; do if [ -f "$file" ]; then printf '%s\n' "$file"; fi; done; }

check_format() {
  cpp_files | xargs clang-format --dry-run -Werror
}

check_proto() {
  npx --no-install buf lint && npx --no-install buf format --diff --exit-code proto
}

# The last release; before the first one, what this branch started from, or else the last commit.
breaking_ref() {
  local tag base
  if tag=$(git describe --tags --abbrev=0 --match 'v[0-9]*' 2>/dev/null); then
    echo "$tag"
  elif base=$(git merge-base HEAD origin/HEAD 2>/dev/null) &&
    [ "$base" != "$(git rev-parse HEAD)" ]; then
    echo "$base"
  else
    git rev-parse --quiet --verify HEAD^ || git rev-parse HEAD
  fi
}

check_breaking() {
  local ref old result=0
  ref=$(breaking_ref)
  if ! git cat-file -e "$ref:buf.yaml" 2>/dev/null; then
    say "proto breaking: $ref has no protos to compare with"
    return 0
  fi
  old=$(mktemp -d)
  git archive "$ref" buf.yaml proto | tar -x -C "$old"
  npx --no-install buf breaking --against "$old" || result=$?
  rm -rf "$old"
  return "$result"
}

check_thread_safety() {
  local folder=build/thread-safety headers
  cmake --preset thread-safety >/dev/null
  mapfile -t headers < <(ninja -C "$folder" -t targets all | sed -n 's/^\(gen\/.*\.pb\.h\):.*/\1/p')
  ninja -C "$folder" -j "$JOBS" "${headers[@]}" >/dev/null
  python3 tests/checks/thread_safety.py "$folder"
}

# Against the compose specification's schema, among others.
check_containers() {
  npx --no-install dockerfile-utils lint deploy/images/Dockerfile &&
    npx --no-install dclint -c deploy/compose/.dclintrc.json deploy/compose/*.yaml
}

# The site's are checked where it is built.
check_types() {
  local folder
  pack_clients  # tests/web takes the packages as they are built
  for folder in clients/typescript clients/react tests/web tests/e2e; do
    npx --no-install tsc -p "$folder" || return 1
  done
}

# Of what is built: that the compiler was told so proves nothing about a program.
check_hardening() {
  local programs=(seatlockd seatlock-edge seatctl)
  build_release "${programs[@]}" >/dev/null &&
    python3 tests/checks/hardening.py "${programs[@]/#/build/release/bin/}"
}

# The API's schemas are npm packages of its own: nothing else needs them.
check_kubernetes() {
  install_npm
  (
    cd tests/kube
    [ node_modules/.package-lock.json -nt package-lock.json ] || npm_ci
  )
  mkdir -p build
  node --test tests/kube/rules.test.mjs >build/kube.log 2>&1 || {
    cat build/kube.log
    return 1
  }
  node tests/kube/check.mjs
}

CHECKS_FAILED=0

run_check() { # NAME WAY_OUT COMMAND...
  local name=$1 way_out=$2 started=$SECONDS
  shift 2
  # A function of this script runs in another bash, because `set -e` does not hold in a condition.
  [ "$(type -t "$1")" != function ] || set -- ./dev "$@"
  if "$@"; then
    say "ok      $name ($((SECONDS - started)) s)"
  else
    say "FAILED  $name: $way_out"
    CHECKS_FAILED=1
  fi
}

check() {
  install_packages "${BUILD_PACKAGES[@]}" "${CHECK_PACKAGES[@]}"
  install_npm
  run_check "format" "./dev fix" check_format
  run_check "proto lint" "./dev fix for the format; else what buf names" check_proto
  run_check "proto breaking" "add fields and messages, never change or remove them" check_breaking
  run_check "checks' own tests" "see tests/checks" python3 tests/checks/checks_test.py
  run_check "arrows" "as it says above" python3 tests/checks/arrows.py
  run_check "links" "as it says above" python3 tests/checks/links.py
  run_check "TypeScript's arrows" "as it says above" python3 tests/checks/arrows_ts.py
  run_check "files" "as it says above" python3 tests/checks/files.py
  run_check "monitoring" "as it says above" python3 tests/checks/monitoring.py
  run_check "guarantees" "name a test that is there" python3 tests/checks/guarantees.py
  run_check "commands in the docs" "as it says above" python3 tests/checks/commands.py
  run_check "shell" "as shellcheck says" shellcheck -x dev .ci/run deploy/debian/*/p* \
    deploy/compose/*.sh deploy/images/*.sh deploy/secrets/*.sh
  run_check "images and compose" "as the linter says" check_containers
  run_check "npm format and lint" "./dev fix; else as biome says" \
    npx --no-install biome ci --error-on-warnings
  run_check "types" "as tsc says" check_types
  run_check "kubernetes" "as it says above" check_kubernetes
  run_check "hardening" "as it says above" check_hardening
  run_check "thread safety" "hold the lock that it names" check_thread_safety
  [ "$CHECKS_FAILED" -eq 0 ] || die "some checks failed"
  say "every check passed"
}

fix() {
  install_packages git clang-format
  install_npm
  cpp_files | xargs clang-format -i
  npx --no-install biome check --write --log-level=error
  npx --no-install buf format -w proto
}
