#include "tests/bench/log_load.h"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "common/base/mutex.h"
#include "services/seatlock/log/redis/redis_log.h"

namespace seatlock::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kRecordBytes = 150;

// Appends to one showtime at a time in each slot; a slot's showtimes are its own.
class Appends {
 public:
  Appends(log::ShowtimeLog& log, uint64_t showtimes, int in_flight, Clock::time_point deadline)
      : log_(log), in_flight_(static_cast<uint64_t>(in_flight)), deadline_(deadline) {
    for (uint64_t i = 0; i < showtimes; ++i) {
      const domain::ShowtimeId showtime(fmt::format("bare-{}", i));
      showtimes_.push_back({showtime, {}});
    }
  }

  // Appends that went in.
  absl::StatusOr<uint64_t> Run() {
    running_ = static_cast<int>(in_flight_);
    for (uint64_t slot = 0; slot < in_flight_; ++slot) Next(slot, slot);
    base::MutexLock lock(mu_);
    while (running_ > 0) ended_.Wait(mu_);
    if (!error_.ok()) return error_;
    return appended_;
  }

 private:
  struct Showtime {
    domain::ShowtimeId id;
    log::Head head;
  };

  void Next(uint64_t slot, uint64_t index) {
    if (index >= showtimes_.size()) index = slot;
    Showtime& showtime = showtimes_[index];
    log::AppendRequest request;
    request.showtime = showtime.id;
    request.expected = showtime.head;
    const bool first = showtime.head.revision.value() == 0;
    request.epoch = first ? domain::Epoch("bench") : showtime.head.epoch;
    const log::Chain before =
        first ? log::ChainStart(showtime.id, request.epoch) : showtime.head.chain;
    log::StoredRecord record;
    record.revision = showtime.head.revision.Next();
    record.commit_ms = static_cast<int64_t>(record.revision.value());
    record.bytes = std::string(kRecordBytes, 'x');
    record.chain = log::ChainNext(before, record.revision, record.bytes);
    request.records.push_back(std::move(record));
    request.takes_room = true;
    log_.Append(std::move(request), [this, slot, index](log::AppendResult result) {
      Done(slot, index, std::move(result));
    });
  }

  void Done(uint64_t slot, uint64_t index, log::AppendResult result) {
    const bool appended = result.outcome == log::AppendResult::Outcome::kAppended;
    if (appended) showtimes_[index].head = result.head;
    {
      base::MutexLock lock(mu_);
      if (appended) ++appended_;
      if (!appended && error_.ok()) error_ = result.status;
      if (!appended || Clock::now() >= deadline_) {
        if (--running_ == 0) ended_.NotifyAll();
        return;
      }
    }
    Next(slot, index + in_flight_);
  }

  log::ShowtimeLog& log_;
  const uint64_t in_flight_;
  const Clock::time_point deadline_;
  std::vector<Showtime> showtimes_;  // each is used by one slot
  base::Mutex mu_;
  base::CondVar ended_;
  int running_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t appended_ ABSL_GUARDED_BY(mu_) = 0;
  absl::Status error_ ABSL_GUARDED_BY(mu_);
};

}  // namespace

absl::StatusOr<double> AppendToLog(uint16_t port, uint64_t showtimes, int in_flight,
                                   std::chrono::milliseconds duration) {
  log::RedisOptions options;
  options.addresses = {{"127.0.0.1", port}};
  auto log = log::RedisLog::Open(std::move(options));
  if (!log.ok()) return log.status();
  const auto start = Clock::now();
  Appends appends(**log, showtimes, in_flight, start + duration);
  absl::StatusOr<uint64_t> appended = appends.Run();
  if (!appended.ok()) return appended.status();
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return static_cast<double>(*appended) / seconds;
}

}  // namespace seatlock::bench
