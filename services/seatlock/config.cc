#include "services/seatlock/config.h"

#include <cstdio>
#include <string_view>

#include "common/runtime/flags.h"

namespace seatlock {
namespace {

constexpr std::string_view kSqlitePrefix = "sqlite:";

// None: not a store.
std::optional<StoreConfig> ParseStore(std::string_view text) {
  if (text == "memory:") return StoreConfig{StoreConfig::Kind::kMemory, ""};
  if (!text.starts_with(kSqlitePrefix) || text.size() == kSqlitePrefix.size()) return std::nullopt;
  return StoreConfig{StoreConfig::Kind::kSqlite, std::string(text.substr(kSqlitePrefix.size()))};
}

}  // namespace

std::optional<int> ReadConfig(int argc, const char* const* argv, Config* config) {
  std::string store = "sqlite:seatlock.db";
  runtime::Flags flags("seatlockd",
                       "Owns the locks and bookings of seats, and streams their changes over gRPC.",
                       "SEATLOCK_");
  flags.Address(&config->listen, "listen", "where gRPC listens");
  flags.Address(&config->admin_listen, "admin-listen",
                "where /livez, /readyz, /metrics and /version listen");
  flags.String(&store, "store", "where seats are kept: sqlite:PATH, or memory: (lost at exit)");
  flags.Int(&config->max_session_seats, "max-session-seats", 1, domain::kSeatsPerShowtimeMax,
            "how many seats a session may have locked in one showtime");
  flags.DurationMs(&config->max_lock_age_ms, "max-lock-age", domain::kTtlMsMin,
                   24 * 60 * domain::kMinuteMs, "how long a lock may be held, extensions included");
  flags.DurationMs(&config->drain_ms, "drain-timeout", 0, 10 * domain::kMinuteMs,
                   "how long calls under way may take after SIGTERM");
  runtime::AddLoggingFlags(&config->logging, &flags);
  if (std::optional<int> exit_code = flags.Parse(argc, argv)) return exit_code;
  std::optional<StoreConfig> parsed = ParseStore(store);
  if (!parsed) {
    std::fprintf(stderr, "seatlockd: --store is '%s': must be sqlite:PATH or memory:\n",
                 store.c_str());
    return 2;
  }
  config->store = *parsed;
  return std::nullopt;
}

}  // namespace seatlock
