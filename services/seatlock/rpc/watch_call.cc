#include "services/seatlock/rpc/watch_call.h"

#include <grpcpp/impl/codegen/proto_utils.h>

#include <utility>
#include <variant>

#include "seatlock/v1/seatlock_service.pb.h"
#include "services/seatlock/domain/limits.h"
#include "services/seatlock/domain/validate.h"
#include "services/seatlock/rpc/limits.h"
#include "services/seatlock/rpc/status.h"

namespace seatlock::rpc {
namespace {

// A buffer that shares `bytes` with everybody else who is sent them.
grpc::ByteBuffer Share(engine::Bytes bytes) {
  auto* owner = new engine::Bytes(std::move(bytes));
  grpc::Slice slice(
      const_cast<char*>((*owner)->data()), (*owner)->size(),
      [](void* data) { delete static_cast<engine::Bytes*>(data); }, owner);
  return grpc::ByteBuffer(&slice, 1);
}

bool Parse(const grpc::ByteBuffer& bytes, v1::WatchShowtimeRequest* request) {
  grpc::ByteBuffer copy(bytes);  // shares the slices
  return grpc::SerializationTraits<v1::WatchShowtimeRequest>::Deserialize(&copy, request).ok();
}

}  // namespace

WatchCall* WatchCall::Start(engine::Engine& engine, CallObserver& observer,
                            const base::Clock& clock, base::Gate& calls,
                            const grpc::ByteBuffer& request) {
  auto* call = new WatchCall(observer, clock, calls);
  call->Open(engine, request);
  return call;
}

WatchCall::WatchCall(CallObserver& observer, const base::Clock& clock, base::Gate& calls)
    : observer_(observer), clock_(clock), calls_(calls), started_us_(clock.MonotonicUs()) {
  calls_.Enter();
  observer_.OnStarted(Method::kWatchShowtime);
}

void WatchCall::Open(engine::Engine& engine, const grpc::ByteBuffer& bytes) {
  v1::WatchShowtimeRequest request;
  if (!Parse(bytes, &request)) {
    // What gRPC 1.51 itself answers for the other methods, whose requests it parses.
    return FinishWith({grpc::StatusCode::UNIMPLEMENTED, ""});
  }
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
  watcher_ = engine.Watch(domain::ShowtimeId(request.showtime_id()), std::move(resume),
                          [this] { Pump(); });
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
  delete this;
}

void WatchCall::Pump() {
  engine::Watcher::Item item = watcher_->Next();
  if (auto* bytes = std::get_if<engine::Bytes>(&item)) {
    writing_ = Share(std::move(*bytes));
    return StartWrite(&writing_);
  }
  if (auto* failure = std::get_if<engine::Failure>(&item)) FinishWith(ToStatus(*failure));
}

void WatchCall::FinishWith(const grpc::Status& status) {
  observer_.OnHandled(Method::kWatchShowtime, status.error_code(),
                      clock_.MonotonicUs() - started_us_);
  base::Gate& calls = calls_;
  Finish(status);  // may end the call, and this with it
  calls.Leave();
}

}  // namespace seatlock::rpc
