#include "services/seatlock/rpc/watch_call.h"

#include <string>
#include <utility>
#include <variant>

#include "seatlock/v1/seatlock_service.pb.h"
#include "services/seatlock/domain/limits.h"
#include "services/seatlock/domain/validate.h"
#include "services/seatlock/rpc/limits.h"
#include "services/seatlock/rpc/raw_message.h"
#include "services/seatlock/rpc/status.h"

namespace seatlock::rpc {

WatchCall* WatchCall::Start(engine::Engine& engine, Calls& calls,
                            grpc::CallbackServerContext& context, const grpc::ByteBuffer& request) {
  auto* call = new WatchCall(calls, context);
  if (call->Admitted(context)) call->Open(engine, request);
  return call;
}

WatchCall::WatchCall(Calls& calls, grpc::CallbackServerContext& context)
    : calls_(calls),
      started_us_(calls.clock.MonotonicUs()),
      trace_(CallTrace::Of(calls.observer, context)),
      cutter_(std::make_shared<Cutter>(context)) {
  calls_.open.Enter();
  calls_.observer.OnStarted(Method::kWatchShowtime);
}

bool WatchCall::Admitted(const grpc::CallbackServerContext& context) {
  std::string principal;
  if (calls_.guard != nullptr) {
    const Admission admission = Admit(*calls_.guard, Method::kWatchShowtime, context);
    if (admission.caller) principal = admission.caller->principal;
    if (trace_) trace_->NotePrincipal(principal);
    if (!admission.refusal.ok()) {
      FinishWith(admission.refusal);
      return false;
    }
  }
  const auto too_fast = TooFast(calls_, calls_.rates.TakeCall(principal));
  if (too_fast) FinishWith(*too_fast);
  return !too_fast;
}

void WatchCall::Open(engine::Engine& engine, const grpc::ByteBuffer& bytes) {
  v1::WatchShowtimeRequest request;
  if (!Parse(bytes, &request)) {
    return FinishWith(Unparsed());
  }
  if (trace_) trace_->NoteShowtime(request.showtime_id());
  auto violation =
      domain::CheckId("showtime_id", request.showtime_id(), domain::kShowtimeIdBytesMax);
  if (violation) return FinishWith(InvalidFields({*violation}));
  if (bytes.Length() > kWatchRequestBytesMax) {
    return FinishWith(InvalidFields({{"resume.epoch", "the request must have at most 8 KiB"}}));
  }
  std::optional<engine::Position> resume;
  if (request.has_resume()) {
    resume = engine::Position{domain::Epoch(request.resume().epoch()),
                              domain::Revision(request.resume().revision())};
  }
  watcher_ = engine.Watch(
      domain::ShowtimeId(request.showtime_id()), std::move(resume), [this] { Pump(); },
      [cutter = cutter_] { cutter->Cut(); });
  Pump();
}

void WatchCall::OnWriteDone(bool ok) {
  if (!ok) watcher_->Close();
  Pump();
}

void WatchCall::OnCancel() {
  if (watcher_) watcher_->Close();
}

void WatchCall::OnDone() {
  cutter_->OnDone();
  delete this;
}

void WatchCall::Pump() {
  engine::Watcher::Item item = watcher_->Next();
  if (auto* message = std::get_if<engine::MessagePtr>(&item)) {
    writing_ = Share((*message)->parts);
    return StartWrite(&writing_);
  }
  if (auto* failure = std::get_if<engine::Failure>(&item)) FinishWith(ToStatus(*failure));
}

void WatchCall::FinishWith(const grpc::Status& status) {
  const int64_t us = calls_.clock.MonotonicUs() - started_us_;
  calls_.observer.OnHandled(Method::kWatchShowtime, status.error_code(), us);
  if (trace_) {
    const uint64_t revision = watcher_ ? watcher_->sent_upto().value() : 0;
    trace_->Report(calls_.observer, Method::kWatchShowtime, status, revision, us);
  }
  base::Gate& open = calls_.open;
  Finish(status);  // may end the call, and this with it
  open.Leave();
}

}  // namespace seatlock::rpc
