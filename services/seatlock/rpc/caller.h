// Who calls, and whether they may. The only place that looks at a call's credentials.
#pragma once

#include <grpcpp/support/server_callback.h>
#include <grpcpp/support/status.h>

#include <memory>
#include <string>

#include "services/seatlock/guard/authenticator.h"
#include "services/seatlock/rpc/call_observer.h"

namespace seatlock::rpc {

struct Caller {
  // The id of a key or of a client certificate, or a token's subject: at most
  // domain::kPrincipalBytesMax bytes, as ids are (domain::CheckId). It goes into the record of each
  // change.
  std::string principal;
};

struct Admission {
  std::shared_ptr<const Caller> caller;  // null: not known
  // TOKEN_MISSING, TOKEN_INVALID or TOKEN_EXPIRED; SCOPE_MISSING if the caller is known; else OK.
  grpc::Status refusal;
};

// Thread-safe; does not block.
Admission Admit(guard::Authenticator& guard, Method method,
                const grpc::CallbackServerContext& context);

}  // namespace seatlock::rpc
