// What a gRPC client needs for TLS, from files that may be replaced while it runs. Thread-safe.
#pragma once

#include <grpcpp/security/credentials.h>

#include <memory>
#include <string>

namespace seatlock::tls {

// PEM files. A value.
struct ChannelFiles {
  std::string ca;    // who may have signed the server's certificate; empty: whom the system trusts
  std::string cert;  // the client's own, if the server asks for one; goes together with `key`
  std::string key;
};

// gRPC reads the files now and once a second; connections made afterwards use what they say, those
// that are open stay. A file that is away or half-written costs no connection that is open: new
// ones wait until the files are whole. The server is known by a certificate of `ca` that names the
// channel's authority: a host name or an IP address.
std::shared_ptr<grpc::ChannelCredentials> ChannelCredentials(const ChannelFiles& files);

}  // namespace seatlock::tls
