#include "services/seatlock/watched.h"

#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace seatlock {
namespace {

// Nothing is due then: the question costs the store a look at its index.
constexpr int64_t kLongAgoMs = 0;

using Answer = runtime::Watchdog::Answer;

// An error is an answer as well: the thread has got to the question. Only one that was not taken,
// because too much waits, says nothing.
bool Ran(const absl::Status& status) {
  return !absl::IsResourceExhausted(status);
}

}  // namespace

std::vector<runtime::Watchdog::Watched> WatchedOf(const WatchedParts& parts) {
  log::ShowtimeLog& log = parts.log;
  rpc::Server& server = parts.server;
  return {
      runtime::Watchdog::Of("completions", parts.completions),
      runtime::Watchdog::Of("selling completions", parts.selling_completions),
      runtime::Watchdog::Of("background", parts.background),
      runtime::Watchdog::Of("maintenance", parts.maintenance),
      {"store writer",
       [&log](Answer answer) {
         log.Recover([answer = std::move(answer)](const absl::Status& status) mutable {
           std::move(answer)(Ran(status));
         });
       }},
      {"store reader",
       [&log](Answer answer) {
         log.Due(kLongAgoMs, 1, {}, [answer = std::move(answer)](const auto& due) mutable {
           std::move(answer)(Ran(due.status()));
         });
       }},
      {"gRPC",
       [&server](Answer answer) {
         server.AskOwnThreads([answer = std::move(answer)]() mutable { std::move(answer)(true); });
       }},
  };
}

}  // namespace seatlock
