# shellcheck shell=bash
# What the tests of tests/deploy need. Part of ./dev.

# A line for each of them.
DEPLOY_TEST_PACKAGES=(
  aardvark-dns
  bash-completion
  ccache
  debootstrap
  default-jdk-headless
  dpkg-dev
  file
  golang-github-golang-protobuf-1-5-dev
  golang-go
  golang-google-genproto-dev
  golang-google-grpc-dev
  iproute2
  iptables
  libgeronimo-annotation-1.3-spec-java
  libgrpc-java
  libguava-java
  libnetty-java
  libperfmark-java
  libprotobuf-java
  mandoc
  netavark
  openssl
  perl
  podman
  podman-compose
  protobuf-compiler
  protobuf-compiler-grpc-java-plugin
  protoc-gen-go
  protoc-gen-go-grpc
  python3
  python3-grpcio
  python3-protobuf
  runc
  systemd
  systemd-container
  zsh
)
# Programs with a service of their own, which the system must not start.
UNSTARTED_DEPLOY_TEST_PACKAGES=(
  haproxy
  nginx
  prometheus
  redis-server
)

prepare_deploy_tests() {
  install_packages "${DEPLOY_TEST_PACKAGES[@]}"
  install_unstarted "${UNSTARTED_DEPLOY_TEST_PACKAGES[@]}"
  install_npm  # buf; and Node on the tests' PATH
}
