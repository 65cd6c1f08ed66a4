// What the calls of a run do, and what came of them: which seats the run holds, what sessions were
// told, and how calls ended. Thread-compatible. Times are microseconds since the start.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "clients/cli/bench/histogram.h"
#include "clients/cli/bench/judge.h"
#include "clients/cli/bench/options.h"

namespace seatlock::cli::bench {

// One call to make.
struct Plan {
  uint64_t number = 0;  // of the call; its request_id
  uint64_t order = 0;   // book, cancel: the number of the call that books
  int64_t sent_us = 0;
  int64_t lapses_us = 0;  // what is used after this may have lapsed
  uint32_t showtime = 0;
  uint32_t seat = 0;
  uint32_t session = 0;
  Kind kind = Kind::kLock;
};

// How it ended.
struct Outcome {
  std::string reason = "OK";  // or a refusal's, or a gRPC code's name
  std::string message;        // of a failure
  uint64_t revision = 0;
  int64_t expire_ms = 0;
  int64_t server_ms = 0;
  uint64_t fence = 0;  // lock: that of the grant
  int retries = 0;
};

// Of all calls.
struct Tally {
  std::array<Histogram, kKinds.size()> times;  // from the time that each was due
  std::array<std::map<std::string, uint64_t>, kKinds.size()> results;
  Histogram never_sent;  // how long those waited
  uint64_t done = 0;
  uint64_t failed = 0;  // neither done nor refused for a good reason
  uint64_t retries = 0;
  std::vector<std::string> failures;  // messages of the first few

  // Those that were never sent, too.
  Histogram AllTimes() const;
};

class Workload {
 public:
  // `seed` chooses what is random.
  Workload(const Options& options, uint64_t seed);

  // What call `number` does. If there is nothing to unlock, extend, book or cancel, it locks.
  Plan Next(uint64_t number, int64_t now_us);
  // It ended `now_us`, and had been due `due_us`.
  void Done(const Plan& plan, const Outcome& outcome, int64_t due_us, int64_t now_us);
  // It was never sent: it would have taken at least until `now_us`.
  void NeverSent(int64_t due_us, int64_t now_us);

  const Tally& tally() const { return tally_; }
  // By showtime.
  const std::vector<std::vector<Told>>& told() const { return told_; }
  std::vector<Told> TakeTold(uint32_t showtime) { return std::move(told_[showtime]); }

 private:
  uint32_t Below(uint64_t bound) { return static_cast<uint32_t>(random_() % bound); }
  Kind Draw();
  void PlanLock(Plan* plan);
  // Takes one that has not lapsed out of `pool`, in random order; false if there is none.
  bool TakeFrom(std::vector<Plan>& pool, int64_t now_us, Plan* plan);
  // The success that it was, for the judge and for later calls.
  void Keep(const Plan& plan, const Outcome& outcome);
  // The failure that it was, for the judge: it may have happened.
  void KeepFailure(const Plan& plan);
  void Pool(const Plan& plan, const Outcome& outcome);
  // When a lock that is granted or extended by a call that was sent then is used no more.
  int64_t LapsesUs(int64_t sent_us) const;
  // A refusal that the service rightly gives.
  static bool Rightly(const Plan& plan, const std::string& reason, int64_t now_us);

  const Options options_;
  std::mt19937_64 random_;
  std::vector<Plan> held_;
  std::vector<Plan> booked_;
  // By showtime and seat: the last grant that held_ was told of. A session that locks what it holds
  // is told the same grant again, which must not be held twice.
  std::unordered_map<uint64_t, uint64_t> fences_;
  std::vector<std::vector<Told>> told_;
  Tally tally_;
};

}  // namespace seatlock::cli::bench
