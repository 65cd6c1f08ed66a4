# shellcheck shell=bash
# The container images. Part of ./dev.

IMAGES=(seatlockd edge site)
BASE_IMAGE=docker.io/library/debian:12-slim

container_engine() {
  if docker info >/dev/null 2>&1; then
    echo docker
  elif command -v podman >/dev/null; then
    echo podman
  else
    die "Docker or podman is needed, and neither is here (or Docker's daemon does not run)"
  fi
}


print_image_sizes() { # ENGINE NAME...
  local engine=$1 name base bytes
  shift
  base=$("$engine" image inspect --format '{{.Size}}' "$BASE_IMAGE" 2>/dev/null) || base=
  for name in "$@"; do
    bytes=$("$engine" image inspect --format '{{.Size}}' "localhost/seatlock/$name")
    printf 'localhost/seatlock/%-10s %4d MB' "$name" $((bytes / 1000000))
    # Docker's builder does not always keep the base as an image of its own.
    [ -z "$base" ] || printf ', %3d MB over its base' $(((bytes - base) / 1000000))
    printf '\n'
  done
}

# SEATLOCK_IMAGE_FLAGS: further flags of `build`, such as those for a mirror: see the Dockerfile.
build_images() { # [NAME...]
  local engine name version revision flags=() extra=()
  engine=$(container_engine)
  # OCI's own format has no HEALTHCHECK.
  [ "$engine" = docker ] || flags=(--format docker)
  read -ra extra <<<"${SEATLOCK_IMAGE_FLAGS:-}"
  [ $# -gt 0 ] || set -- "${IMAGES[@]}"
  for name in "$@"; do
    [[ " ${IMAGES[*]} " == *" $name "* ]] || die "images are ${IMAGES[*]}, not '$name'"
  done
  version=$(sed -n 's/^project(seatlock VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
  revision=$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
  for name in "$@"; do
    "$engine" build "${flags[@]}" "${extra[@]}" -f deploy/images/Dockerfile --target "$name" \
      --build-arg "VERSION=$version" --build-arg "REVISION=$revision" \
      -t "localhost/seatlock/$name" .
  done
  print_image_sizes "$engine" "$@"
}
