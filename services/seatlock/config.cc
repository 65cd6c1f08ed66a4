#include "services/seatlock/config.h"

#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/base/look_up.h"
#include "common/runtime/flags.h"

namespace seatlock {
namespace {

constexpr char kStoreHelp[] =
    "where seats are kept: sqlite:PATH, memory: (lost at exit), or one Redis for several servers, "
    "redis://HOST:PORT[,HOST:PORT...][/DB]?profile=strict|relaxed&replicas=N&sentinel=NAME"
    "&prefix=TEXT. strict (the default) loses nothing that was acknowledged; relaxed may lose the "
    "last second, and what a failover loses. User and password: SEATLOCK_REDIS_USER, "
    "SEATLOCK_REDIS_PASSWORD. Not supported: Redis Cluster, TLS to Redis";

void AddTlsFlags(TlsConfig* tls, runtime::Flags* flags) {
  flags->File(
      &tls->cert, "tls-cert",
      "PEM: the certificate of the gRPC port, then those between it and the authority. Read "
      "anew when it changes, with its key");
  flags->File(&tls->key, "tls-key", "PEM: the key of --tls-cert");
  flags->File(
      &tls->client_ca, "tls-client-ca",
      "PEM: who may have signed the certificates of clients; those without one are refused");
  flags->Bool(&tls->allow_plaintext, "allow-plaintext",
              "let gRPC listen beyond this machine without TLS");
}

absl::Status CheckTls(const Config& config) {
  const TlsConfig& tls = config.tls;
  if (tls.cert.empty() != tls.key.empty()) {
    return absl::InvalidArgumentError("--tls-cert and --tls-key go together: one is missing");
  }
  if (tls.cert.empty() && !tls.client_ca.empty()) {
    return absl::InvalidArgumentError("--tls-client-ca needs --tls-cert and --tls-key");
  }
  if (tls.cert.empty() && !tls.allow_plaintext && !base::IsLoopback(config.listen.host)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--listen=", config.listen.ToString(),
                     " is open beyond this machine: give --tls-cert and --tls-key, or "
                     "--allow-plaintext if the network is trusted"));
  }
  return absl::OkStatus();
}

}  // namespace

std::optional<int> ReadConfig(int argc, const char* const* argv, Config* config) {
  runtime::Flags flags(
      "seatlockd",
      "Owns the locks and bookings of seats, and streams their changes over gRPC. "
      "What can be done with a store's files: seatlockd store --help. Whether the one that "
      "runs with these settings is ready: seatlockd health",
      "SEATLOCK_");
  flags.Address(&config->listen, "listen", "where gRPC listens");
  flags.Address(&config->admin_listen, "admin-listen",
                "where /livez, /readyz, /metrics and /version listen");
  AddTlsFlags(&config->tls, &flags);
  flags.Check([config] { return CheckTls(*config); });
  flags.Custom(
      "store", "STORE", kStoreHelp,
      [config](std::string_view text) { return ParseStore(text, &config->store); },
      [config] { return config->store.ToString(); }, &WithoutCredentials);
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
  if (std::optional<int> exit_code = flags.Parse(argc, argv)) return exit_code;
  if (config->store.kind != StoreConfig::Kind::kRedis) return std::nullopt;
  absl::StatusOr<RedisCredentials> credentials = ReadRedisCredentials();
  if (credentials.ok()) {
    config->redis_credentials = *std::move(credentials);
    return std::nullopt;
  }
  std::fprintf(stderr, "seatlockd: %s\n", std::string(credentials.status().message()).c_str());
  return 2;
}

}  // namespace seatlock
