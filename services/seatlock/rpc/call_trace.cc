#include "services/seatlock/rpc/call_trace.h"

#include <iterator>
#include <string_view>
#include <utility>

#include "services/seatlock/domain/limits.h"
#include "services/seatlock/domain/validate.h"
#include "services/seatlock/rpc/status.h"

namespace seatlock::rpc {
namespace {

// The standard ignores it if there are several.
std::optional<base::TraceContext> TraceOf(const grpc::CallbackServerContext& context) {
  const auto [begin, end] = context.client_metadata().equal_range(base::kTraceparent);
  if (begin == end || std::next(begin) != end) return std::nullopt;
  return base::ParseTraceparent({begin->second.data(), begin->second.size()});
}

}  // namespace

std::shared_ptr<CallTrace> CallTrace::Of(CallObserver& observer,
                                         const grpc::CallbackServerContext& context) {
  std::optional<base::TraceContext> trace = TraceOf(context);
  if (!observer.WantsReport(trace && trace->sampled)) return nullptr;
  return std::make_shared<CallTrace>(std::move(trace));
}

void CallTrace::NoteShowtime(const std::string& showtime) {
  const bool bad = domain::CheckId("", showtime, domain::kShowtimeIdBytesMax).has_value();
  if (!bad) showtime_ = showtime;
}

void CallTrace::Report(CallObserver& observer, Method method, const grpc::Status& status,
                       uint64_t revision, int64_t us) const {
  const std::string outcome = OutcomeOf(status);
  observer.OnReport({.method = method,
                     .trace = trace_ ? &*trace_ : nullptr,
                     .showtime = showtime_,
                     .principal = principal_,
                     .revision = revision,
                     .outcome = outcome,
                     .us = us});
}

}  // namespace seatlock::rpc
