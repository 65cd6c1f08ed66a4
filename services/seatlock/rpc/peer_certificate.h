// The certificate that a caller's connection has shown, for those who decide what callers may do.
// Pure; thread-safe.
#pragma once

#include <grpcpp/security/auth_context.h>

#include <optional>
#include <string>

namespace seatlock::rpc {

// SHA-256 of the caller's own certificate, over its DER, in lower-case hex: what `cert:HEX` names
// in a keys file. Nothing if the connection has shown none, which includes every connection without
// TLS. gRPC has checked by then that an authority of --tls-client-ca has signed it and that the
// caller has its key. Takes some 10 µs.
std::optional<std::string> PeerCertificateSha256(const grpc::AuthContext& context);

}  // namespace seatlock::rpc
