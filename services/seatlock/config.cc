#include "services/seatlock/config.h"

#include <string_view>

#include "absl/status/status.h"
#include "common/runtime/flags.h"

namespace seatlock {

std::optional<int> ReadConfig(int argc, const char* const* argv, Config* config) {
  runtime::Flags flags("seatlockd",
                       "Owns the locks and bookings of seats, and streams their changes over gRPC. "
                       "What can be done with a store's files: seatlockd store --help",
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
  flags.DurationMs(&config->drain_delay_ms, "drain-delay", 0, 10 * domain::kMinuteMs,
                   "how long /readyz and gRPC health say that it goes before it drains; calls are "
                   "taken until then");
  flags.DurationMs(&config->drain_ms, "drain-timeout", 0, 10 * domain::kMinuteMs,
                   "how long calls under way may take after SIGTERM");
  runtime::AddLoggingFlags(&config->logging, &flags);
  return flags.Parse(argc, argv);
}

}  // namespace seatlock
