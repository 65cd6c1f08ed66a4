// What a call that is to be reported at its end carries until then: the trace that it belongs to
// and its showtime. Other calls carry a null pointer.
//
// Written by the call's handler, read at its end: thread-compatible.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/base/trace_context.h"
#include "services/seatlock/rpc/call_observer.h"

namespace seatlock::rpc {

class CallTrace {
 public:
  // Null if `observer` wants no report of this call.
  static std::shared_ptr<CallTrace> Of(CallObserver& observer,
                                       const grpc::CallbackServerContext& context);

  explicit CallTrace(std::optional<base::TraceContext> trace) : trace_(std::move(trace)) {}

  // One that is out of bounds is not kept.
  void NoteShowtime(const std::string& showtime);
  // Who calls, if that is known.
  void NotePrincipal(std::string principal) { principal_ = std::move(principal); }
  void Report(CallObserver& observer, Method method, const grpc::Status& status, uint64_t revision,
              int64_t us) const;

 private:
  const std::optional<base::TraceContext> trace_;
  std::string showtime_;
  std::string principal_;
};

}  // namespace seatlock::rpc
