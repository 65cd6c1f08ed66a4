#include "services/seatlock/config.h"

#include <string_view>

#include "absl/status/status.h"
#include "common/runtime/flags.h"

namespace seatlock {
namespace {

constexpr std::string_view kSqlitePrefix = "sqlite:";

absl::Status ParseStore(std::string_view text, StoreConfig* store) {
  if (text == "memory:") {
    *store = {StoreConfig::Kind::kMemory, ""};
    return absl::OkStatus();
  }
  if (!text.starts_with(kSqlitePrefix) || text.size() == kSqlitePrefix.size()) {
    return absl::InvalidArgumentError("must be sqlite:PATH or memory:");
  }
  const std::string_view path = text.substr(kSqlitePrefix.size());
  // SQLite would take :memory: for a store that is lost, and file: for a URI with options.
  if (path.starts_with(':') || path.starts_with("file:")) {
    return absl::InvalidArgumentError(
        "must be sqlite:PATH with the path of a file, which cannot begin with ':' or 'file:'");
  }
  *store = {StoreConfig::Kind::kSqlite, std::string(path)};
  return absl::OkStatus();
}

}  // namespace

std::string StoreConfig::ToString() const {
  return kind == Kind::kMemory ? "memory:" : std::string(kSqlitePrefix) + path;
}

std::optional<int> ReadConfig(int argc, const char* const* argv, Config* config) {
  runtime::Flags flags("seatlockd",
                       "Owns the locks and bookings of seats, and streams their changes over gRPC.",
                       "SEATLOCK_");
  flags.Address(&config->listen, "listen", "where gRPC listens");
  flags.Address(&config->admin_listen, "admin-listen",
                "where /livez, /readyz, /metrics and /version listen");
  flags.Custom(
      "store", "STORE", "where seats are kept: sqlite:PATH, or memory: (lost at exit)",
      [config](std::string_view text) { return ParseStore(text, &config->store); },
      [config] { return config->store.ToString(); });
  flags.Int(&config->max_session_seats, "max-session-seats", 1, domain::kSessionSeatsMax,
            "how many seats a session may have locked in one showtime");
  flags.DurationMs(&config->max_lock_age_ms, "max-lock-age", domain::kTtlMsMin,
                   24 * 60 * domain::kMinuteMs, "how long a lock may be held, extensions included");
  flags.DurationMs(&config->drain_ms, "drain-timeout", 0, 10 * domain::kMinuteMs,
                   "how long calls under way may take after SIGTERM");
  runtime::AddLoggingFlags(&config->logging, &flags);
  return flags.Parse(argc, argv);
}

}  // namespace seatlock
