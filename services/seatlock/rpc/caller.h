// Who calls. A value.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <string>

namespace seatlock::rpc {

struct Caller {
  // The id of a key or of a client certificate, or a token's subject: at most
  // domain::kPrincipalBytesMax bytes, as ids are (domain::CheckId). It goes into the record of each
  // change. Empty without identity.
  std::string principal;
};

// The caller of `context`. Nobody's identity is known without identity configured.
inline Caller CallerOf(const grpc::CallbackServerContext& /*context*/) {
  return {};
}

}  // namespace seatlock::rpc
