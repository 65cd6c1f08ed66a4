// A unary call under way, of any service of the server: answers it once and reports it.
//
// Its constructor is where callers are asked who they are: a handler that goes on although the call
// is refused() would answer it twice, which gRPC ends the process for.
//
// A copyable handle, kept by the callbacks that the answer comes from. Thread-compatible.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/base/clock.h"
#include "common/base/gate.h"
#include "services/seatlock/guard/rates.h"
#include "services/seatlock/rpc/call_observer.h"
#include "services/seatlock/rpc/call_trace.h"
#include "services/seatlock/rpc/caller.h"
#include "services/seatlock/rpc/convert.h"
#include "services/seatlock/rpc/status.h"

namespace seatlock::rpc {

// What the services of one server share. Outlives every call. Thread-safe.
struct Calls {
  const base::Clock& clock;
  CallObserver& observer;
  guard::Rates rates;
  guard::Authenticator* guard = nullptr;  // null: everybody may do everything
  base::Gate open{};                      // from a call's start until it was handed its answer
};

// The refusal of a call that comes too fast; none: it may go on.
inline std::optional<grpc::Status> TooFast(const Calls& calls,
                                           const std::optional<guard::Rates::Refused>& refused) {
  if (!refused) return std::nullopt;
  calls.observer.OnRateLimited(refused->rate);
  return RateLimited(*refused);
}

class UnaryCall {
 public:
  UnaryCall(Calls& calls, Method method, grpc::CallbackServerContext* context)
      : UnaryCall(calls, method, context, context->DefaultReactor()) {}
  UnaryCall(Calls& calls, Method method, grpc::CallbackServerContext* context,
            grpc::ServerUnaryReactor* reactor)
      : calls_(&calls),
        method_(method),
        started_us_(calls.clock.MonotonicUs()),
        context_(context),
        reactor_(reactor),
        trace_(CallTrace::Of(calls.observer, *context)) {
    calls.open.Enter();
    calls.observer.OnStarted(method);
    if (calls.guard != nullptr) {
      Admission admission = Admit(*calls.guard, method, *context);
      caller_ = std::move(admission.caller);
      if (trace_) trace_->NotePrincipal(principal());
      if (!admission.refusal.ok()) {
        Refuse(admission.refusal);
        return;
      }
    }
    if (auto refusal = TooFast(calls, calls.rates.TakeCall(principal()))) Refuse(*refusal);
  }

  // Whether the caller is not known, may not do this, or calls too often. It has its answer then:
  // return `reactor`.
  bool refused() const { return refused_; }
  // Who calls, for the record of a change. Empty without identity.
  std::string principal() const { return caller_ ? caller_->principal : std::string(); }

  Calls& calls() const { return *calls_; }
  grpc::ServerUnaryReactor* reactor() const { return reactor_; }
  // Whether nobody waits for the answer any more: cancelled, or the deadline passed.
  bool Gone() const { return context_->IsCancelled(); }

  // Which showtime it asks about, if the request has been read.
  void NoteShowtime(const std::string& showtime) const {
    if (trace_) trace_->NoteShowtime(showtime);
  }

  template <typename Response>
  void Succeed(Response* response) const {
    SetTime(calls_->clock.NowMs(), response->mutable_server_time());
    if constexpr (requires { response->revision(); }) {
      Finish(grpc::Status::OK, response->revision());
    } else {
      Finish(grpc::Status::OK);
    }
  }

  // `revision`: the one that the answer is of, if there is one.
  void Finish(const grpc::Status& status, uint64_t revision = 0) const {
    const int64_t us = calls_->clock.MonotonicUs() - started_us_;
    calls_->observer.OnHandled(method_, status.error_code(), us);
    if (trace_) trace_->Report(calls_->observer, method_, status, revision, us);
    Calls* const calls = calls_;
    reactor_->Finish(status);  // may end the call, and this with it
    calls->open.Leave();
  }

 private:
  void Refuse(const grpc::Status& refusal) {
    refused_ = true;
    Finish(refusal);
  }

  Calls* calls_;
  Method method_;
  int64_t started_us_;
  grpc::CallbackServerContext* context_;
  grpc::ServerUnaryReactor* reactor_;
  std::shared_ptr<CallTrace> trace_;      // null: nobody wants a report
  std::shared_ptr<const Caller> caller_;  // null: not known
  bool refused_ = false;
};

}  // namespace seatlock::rpc
