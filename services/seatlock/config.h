// What seatlockd can be told, by flag or environment variable. A value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/runtime/logging.h"
#include "common/runtime/net.h"
#include "services/seatlock/domain/limits.h"
#include "services/seatlock/store/address.h"

namespace seatlock {

// TLS of the gRPC port: PEM files, all empty without it.
struct TlsConfig {
  std::string cert;
  std::string key;
  std::string client_ca;  // empty: clients are not asked for a certificate
  // Whether the port may be open beyond this machine without TLS.
  bool allow_plaintext = false;
};

struct Config {
  runtime::HostPort listen{"127.0.0.1", 50051};
  runtime::HostPort admin_listen{"127.0.0.1", 9101};
  TlsConfig tls;
  StoreConfig store;
  RedisCredentials redis_credentials;  // of the environment; never printed
  int64_t max_session_seats = domain::kSessionSeatsDefault;
  int64_t max_lock_age_ms = domain::kLockAgeMsMax;
  int64_t drain_delay_ms = 0;
  // Below the 10 s after which `docker stop` kills, with time left to close the store.
  int64_t drain_ms = 8'000;
  runtime::LoggingOptions logging;
};

// Reads the environment and the arguments into `config`. A value: exit with it, the reason or what
// was asked for is printed.
std::optional<int> ReadConfig(int argc, const char* const* argv, Config* config);

}  // namespace seatlock
