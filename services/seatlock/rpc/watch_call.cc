#include "services/seatlock/rpc/watch_call.h"

#include <utility>
#include <variant>

#include "seatlock/v1/seatlock_service.pb.h"
#include "services/seatlock/domain/limits.h"
#include "services/seatlock/domain/validate.h"
#include "services/seatlock/rpc/limits.h"
#include "services/seatlock/rpc/raw_message.h"
#include "services/seatlock/rpc/status.h"

namespace seatlock::rpc {

WatchCall* WatchCall::Start(engine::Engine& engine, CallObserver& observer,
                            const base::Clock& clock, base::Gate& calls,
                            grpc::CallbackServerContext& context, const grpc::ByteBuffer& request,
                            const std::optional<grpc::Status>& refusal) {
  auto* call = new WatchCall(observer, clock, calls, context);
  refusal ? call->FinishWith(*refusal) : call->Open(engine, request);
  return call;
}

WatchCall::WatchCall(CallObserver& observer, const base::Clock& clock, base::Gate& calls,
                     grpc::CallbackServerContext& context)
    : observer_(observer),
      clock_(clock),
      calls_(calls),
      started_us_(clock.MonotonicUs()),
      trace_(CallTrace::Of(observer, context)),
      cutter_(std::make_shared<Cutter>(context)) {
  calls_.Enter();
  observer_.OnStarted(Method::kWatchShowtime);
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
  const int64_t us = clock_.MonotonicUs() - started_us_;
  observer_.OnHandled(Method::kWatchShowtime, status.error_code(), us);
  if (trace_) {
    const uint64_t revision = watcher_ ? watcher_->sent_upto().value() : 0;
    trace_->Report(observer_, Method::kWatchShowtime, status, revision, us);
  }
  base::Gate& calls = calls_;
  Finish(status);  // may end the call, and this with it
  calls.Leave();
}

}  // namespace seatlock::rpc
