// What every actor of an engine stands on. Owned by the Engine, outlives its actors' calls.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/executor.h"
#include "common/base/gate.h"
#include "common/base/mutex.h"
#include "services/seatlock/domain/decide.h"
#include "services/seatlock/engine/lane.h"
#include "services/seatlock/engine/limits.h"
#include "services/seatlock/engine/message.h"
#include "services/seatlock/engine/observer.h"
#include "services/seatlock/engine/recipient.h"
#include "services/seatlock/engine/slots.h"
#include "services/seatlock/engine/store_tries.h"
#include "services/seatlock/engine/wakes.h"
#include "services/seatlock/engine/watch_encoder.h"
#include "services/seatlock/log/showtime_log.h"

namespace seatlock::engine {

class Actor;
class Registry;

// For the whole process, in bytes unless said otherwise.
struct MemoryBounds {
  int64_t state = kStateBytesMax;
  int64_t held_for_readers = kHeldForReadersMax;
  size_t showtimes = kLiveShowtimesMax;  // a number, not bytes
};

struct Context {
  log::ShowtimeLog& log;
  const base::Clock& clock;
  const WatchEncoder& encoder;
  Observer& observer;
  domain::Rules rules;
  // Mints epochs: unguessable, never the same twice.
  std::function<std::string()> new_epoch;
  MemoryBounds memory;
  // Runs what follows an append. One thread at most.
  base::Executor& completions;
  // The same of an append that somebody of the selling lane waits for. One thread at most.
  base::Executor& selling_completions;
  // Runs loads, pages of history and parts of seat maps, which may take milliseconds. One thread
  // at most.
  base::Executor& background;
  // Runs what may take long and hurts nobody by it: building snapshots. One thread at most.
  base::Executor& maintenance;

  base::Gate gate{};  // calls into the log
  std::atomic<bool> draining{false};
  LaneCounts pending{};                 // commands and reads that have no answer yet
  std::atomic<size_t> watchers{0};      // open watches
  std::atomic<int64_t> state_bytes{0};  // held by showtimes in memory, estimated
  const std::shared_ptr<ByteAccount> bytes = std::make_shared<ByteAccount>();
  StoreTries tries{};
  Recipients recipients{};
  Slots history{kHistoryPagesMax};
  Slots snapshots{kSnapshotsAtOnce};
  Slots lists{kListsAtOnce};
  std::weak_ptr<Registry> registry{};

  base::Mutex resend_mu{};
  // Showtimes that wait for a tick, each once: those that yield, and those whose batch is to be
  // sent again (HoldsBatch).
  std::vector<std::weak_ptr<Actor>> resend ABSL_GUARDED_BY(resend_mu){};

  // Earliest expiries of the showtimes in memory, if the store is shared.
  Wakes wakes{};

  // Whether other servers write the store too, so that memory alone proves nothing.
  bool shared() const { return !log.exclusive(); }

  // Whether one more of `lane`, which is counted already, is more than may wait on this server.
  bool HasTooManyPending(Lane lane) const {
    return pending.total() > (lane == Lane::kSelling ? kPendingMax : kPendingButSellingMax);
  }

  // The epoch as callers know it: of the showtime's history and of the store's `generation`, so
  // that a store whose history may have become another one voids every position. Empty before the
  // first change.
  static domain::Epoch PublicEpoch(const domain::Epoch& own, const std::string& generation) {
    if (own.empty()) return own;
    return domain::Epoch(absl::StrCat(own.value(), "-", generation));
  }
};

}  // namespace seatlock::engine
