#include "services/seatlock/store_opening.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/mutex.h"
#include "common/base/random.h"
#include "common/runtime/logging.h"
#include "services/seatlock/log/memory/memory_log.h"
#include "services/seatlock/log/redis/redis_log.h"
#include "services/seatlock/log/redis/server_limits.h"
#include "services/seatlock/log/sqlite/sqlite_log.h"

namespace seatlock {
namespace {

// A store that was reached once and does not answer this is asked again a few times: the notice is
// worth no more.
constexpr int kLimitsTries = 5;
constexpr int64_t kLimitsPauseMs = 2000;
constexpr size_t kStartIdBytes = 8;

absl::StatusOr<std::unique_ptr<log::ShowtimeLog>> OpenSqlite(const std::string& path,
                                                             ServiceMetrics& metrics,
                                                             runtime::LogThrottle& errors) {
  log::SqliteLog::Options options;
  options.path = path;
  options.on_commit = [&metrics](const log::CommitStats& stats) {
    metrics.OnCommit(stats.appends, stats.latency_us);
  };
  options.on_error = [&errors](const absl::Status& status) { errors.Log(status.ToString()); };
  options.on_notice = [path](const std::string& notice) {
    runtime::LogWarn("store", {{"file", path}, {"notice", notice}});
  };
  return log::SqliteLog::Open(std::move(options));
}

// What is said of a store in Redis: one error line when it ceases to be served, a warning for each
// other reason meanwhile, one info line when it is served again. In that order, so no line goes
// through a throttle; how many come in is bounded (RedisOptions).
//
//   | state    | OnError           | OnServed              | Opened                           |
//   |----------|-------------------|-----------------------|----------------------------------|
//   | opening  | kept              | what is kept goes     | served if nothing is kept; else   |
//   |          |                   |                       | said, and late if the store is    |
//   |          |                   |                       | served by then, or else starting  |
//   | starting | said as a warning | served; said          |                                   |
//   | late     | unserved; said    | served; said          |                                   |
//   | served   | unserved; said    | served                |                                   |
//   | unserved | said as a warning | served; said: "again" |                                   |
//
// While it is opened errors are kept: the one that ends the program is told by Open, in one line.
// What is kept is an error line only if the store is not served by then: of several addresses the
// first may be away, and the next one the primary.
class RedisLines {
 public:
  void OnError(const absl::Status& why) {
    const std::string reason(why.message());
    base::MutexLock lock(mu_);
    switch (state_) {
      case State::kOpening:
        kept_ = reason;  // an earlier one is out of date
        return;
      case State::kLate:
      case State::kServed:
        state_ = State::kUnserved;
        return SayUnserved(reason);
      case State::kStarting:
      case State::kUnserved:
        return runtime::LogWarn("the store is still not served", {{"reason", reason}});
    }
  }
  void OnServed() {
    base::MutexLock lock(mu_);
    kept_.clear();
    const bool first = state_ == State::kStarting || state_ == State::kLate;
    if (first) runtime::LogInfo("the store is served");
    if (state_ == State::kUnserved) runtime::LogInfo("the store is served again");
    if (state_ != State::kOpening) state_ = State::kServed;
  }
  void Opened(bool served) {
    base::MutexLock lock(mu_);
    state_ = kept_.empty() ? State::kServed : served ? State::kLate : State::kStarting;
    if (kept_.empty()) return;
    if (!served) return SayUnserved(kept_);
    runtime::LogWarn("the store could not be served at first", {{"reason", kept_}});
  }

 private:
  enum class State { kOpening, kStarting, kLate, kServed, kUnserved };

  static void SayUnserved(const std::string& reason) {
    runtime::LogError("the store is not served", {{"reason", reason}});
  }

  base::Mutex mu_;
  State state_ ABSL_GUARDED_BY(mu_) = State::kOpening;
  std::string kept_ ABSL_GUARDED_BY(mu_);
};

absl::StatusOr<std::unique_ptr<log::ShowtimeLog>> OpenRedis(const Config& config,
                                                            ServiceClock& clock,
                                                            ServiceMetrics& metrics) {
  log::RedisOptions options = OptionsOf(config.store.redis, config.redis_credentials);
  auto lines = std::make_shared<RedisLines>();
  options.on_error = [lines](const absl::Status& why) { lines->OnError(why); };
  options.on_served = [lines] { lines->OnServed(); };
  options.on_notice = [](const std::string& notice) {
    runtime::LogWarn("store", {{"notice", notice}});
  };
  options.on_commit = [&metrics](size_t appends, int64_t us) { metrics.OnCommit(appends, us); };
  options.on_time = [&clock](const log::RedisTime& time) {
    clock.Heard(time.store_us, time.sent_us, time.received_us);
  };
  absl::StatusOr<std::unique_ptr<log::RedisLog>> log = log::RedisLog::Open(std::move(options));
  if (!log.ok()) return log.status();
  if (config.store.redis.profile == log::RedisProfile::kRelaxed) {
    runtime::LogWarn(
        "profile=relaxed: a crash of Redis may lose the last second, and a failover what its "
        "replica lacks; such seats are sold again");
  }
  lines->Opened((*log)->Healthy());
  return log;
}

const char* KindName(StoreConfig::Kind kind) {
  switch (kind) {
    case StoreConfig::Kind::kMemory:
      return "memory";
    case StoreConfig::Kind::kSqlite:
      return "sqlite";
    case StoreConfig::Kind::kRedis:
      return "redis";
  }
  return "";
}

// Empty if the store has none.
const char* ProfileName(const StoreConfig& config) {
  if (config.kind != StoreConfig::Kind::kRedis) return "";
  return config.redis.profile == log::RedisProfile::kStrict ? "strict" : "relaxed";
}

void AddReplicaGauges(const StoreConfig& config, const log::RedisLog& log,
                      runtime::Metrics& metrics) {
  metrics.AddGauge("seatlock_store_replicas_wanted", "`replicas` of --store.")
      .Set(config.redis.replicas);
  metrics.AddGaugeCallback("seatlock_store_replicas",
                           "Replicas of the primary, as of its latest answer.",
                           [&log] { return static_cast<double>(log.Replicas()); });
}

// As an operator would type them.
std::string LimitsOf(const Config& config) {
  return absl::StrCat("--max-session-seats=", config.max_session_seats,
                      " --max-lock-age=", config.max_lock_age_ms, "ms");
}

runtime::ClockWatch::Rule OursWatched(ServiceClock& clock) {
  return clock.is_stores() ? runtime::StoreAwayFromOurs(clock.clock())
                           : runtime::MachineAwayFromOurs(clock.clock());
}

}  // namespace

absl::StatusOr<std::unique_ptr<log::ShowtimeLog>> OpenStore(const Config& config,
                                                            ServiceClock& clock,
                                                            ServiceMetrics& metrics,
                                                            runtime::LogThrottle& errors) {
  switch (config.store.kind) {
    case StoreConfig::Kind::kMemory:
      return std::make_unique<log::MemoryLog>();
    case StoreConfig::Kind::kSqlite:
      return OpenSqlite(config.store.path, metrics, errors);
    case StoreConfig::Kind::kRedis:
      return OpenRedis(config, clock, metrics);
  }
  return absl::InternalError("no such kind of store");
}

void AddClockGauges(ServiceClock& clock, runtime::Metrics& metrics) {
  metrics.AddGaugeCallback(
      "seatlock_clock_offset_seconds",
      "The clock that the service follows slowly (the machine's, or a shared store's) minus the "
      "one that it goes by.",
      [&clock] { return static_cast<double>(clock.clock().OffsetUs()) / 1e6; });
  if (!clock.is_stores()) return;
  metrics.AddGaugeCallback("seatlock_store_clock_skew_seconds",
                           "The machine's clock minus the shared store's.",
                           [&clock] { return static_cast<double>(clock.store().SkewUs()) / 1e6; });
}

void AddStoreGauges(const StoreConfig& config, const log::ShowtimeLog& log,
                    runtime::Metrics& metrics) {
  metrics
      .AddGauge("seatlock_store_info", "Always 1; the labels say what kind of store it is.",
                {{"store", KindName(config.kind)}, {"profile", ProfileName(config)}})
      .Set(1);
  metrics.AddGaugeCallback("seatlock_store_healthy", "1 if the store can be written, else 0.",
                           [&log] { return log.Healthy() ? 1.0 : 0.0; });
  metrics.AddGaugeCallback("seatlock_store_queue_bytes",
                           "What waits for the store; for Redis also what is under way.",
                           [&log] { return static_cast<double>(log.QueuedBytes()); });
  metrics.AddGaugesCallback(
      "seatlock_store_generation_info",
      "Always 1; another generation: the store's history may have become another one.",
      "generation", [&log]() -> std::vector<std::pair<std::string, double>> {
        const std::string generation = log.Generation();
        // A shared store that was not heard of yet.
        if (generation.find_first_not_of('0') == std::string::npos) return {};
        return {{generation, 1}};
      });
  if (config.kind == StoreConfig::Kind::kRedis) {
    AddReplicaGauges(config, static_cast<const log::RedisLog&>(log), metrics);
  }
  if (config.kind != StoreConfig::Kind::kSqlite) return;
  metrics.AddGaugeCallback(
      "seatlock_store_wal_bytes",
      "The write-ahead log's length at the last commit; it begins anew after a checkpoint.",
      [&log] { return static_cast<double>(log.WalBytes()); });
}

StoreWatch::StoreWatch(const Config& config, ServiceClock& clock, const log::ShowtimeLog& log)
    : config_(config),
      clock_(clock),
      log_(log),
      clock_watch_(clock.clock(), OursWatched(clock)),
      skew_watch_(clock.clock(), runtime::MachineAwayFromStore(clock.store())),
      start_id_(base::RandomHex(kStartIdBytes)),
      limits_tries_left_(clock.is_stores() ? kLimitsTries : 0) {
  if (clock.is_stores()) asker_ = std::make_unique<base::ThreadExecutor>();
}

void StoreWatch::Tick() {
  clock_watch_.Tick();
  skew_watch_.Tick();
  NoteLimits();
}

void StoreWatch::NoteLimits() {
  const int64_t now_ms = clock_.clock().MonotonicMs();
  const bool due = limits_tries_left_ > 0 && now_ms >= limits_next_ms_;
  if (!due || limits_noted_ || !log_.Healthy()) return;
  --limits_tries_left_;
  limits_next_ms_ = now_ms + kLimitsPauseMs;
  asker_->Post([this, wall_ms = clock_.clock().NowMs()] {
    if (limits_noted_) return;
    const std::string ours = LimitsOf(config_);
    const absl::StatusOr<std::optional<std::string>> other = log::NoteServerLimits(
        OptionsOf(config_.store.redis, config_.redis_credentials), start_id_, ours, wall_ms);
    limits_noted_ = other.ok();
    if (!other.ok()) {
      runtime::LogDebug("limits of other servers", {{"error", other.status().ToString()}});
    } else if (*other) {
      runtime::LogWarn(
          "another server on this store was started with other limits: what one of them allows "
          "the other refuses",
          {{"ours", ours}, {"other", **other}});
    }
  });
}

}  // namespace seatlock
