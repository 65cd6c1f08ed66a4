# shellcheck shell=bash
# What the tests of tests/deploy need. Part of ./dev.

# A line for each of them.
DEPLOY_TEST_PACKAGES=(
  aardvark-dns
  ccache
  debootstrap
  iptables
  netavark
  perl
  podman
  podman-compose
  python3
  runc
)
# Programs with a service of their own, which the system must not start.
UNSTARTED_DEPLOY_TEST_PACKAGES=()

prepare_deploy_tests() {
  install_packages "${DEPLOY_TEST_PACKAGES[@]}"
  [ ${#UNSTARTED_DEPLOY_TEST_PACKAGES[@]} -eq 0 ] ||
    install_unstarted "${UNSTARTED_DEPLOY_TEST_PACKAGES[@]}"
}
