// A test with a Redis of its own and logs on it. For tests of the Redis log.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/base/mutex.h"
#include "common/base/random.h"
#include "services/seatlock/log/redis/keys.h"
#include "services/seatlock/log/redis/redis_log.h"
#include "tests/testing/eventually.h"
#include "tests/testing/log_calls.h"
#include "tests/testing/redis_server.h"

namespace seatlock::testing {

class RedisLogFixture : public ::testing::Test {
 protected:
  RedisServer& server() { return server_; }

  // On server(), kStrict without replicas; what it says goes to Errors() and Notices().
  log::RedisOptions Options() {
    log::RedisOptions options;
    options.addresses = {{.host = "127.0.0.1", .port = server_.port()}};
    options.on_error = [this](const absl::Status& why) {
      base::MutexLock lock(mu_);
      errors_.emplace_back(why.message());
    };
    return options;
  }

  // Writes an installation's marker, as `seatlockd store init` does.
  void Install(const std::string& prefix = "sl") { Install(server_, prefix); }
  static void Install(RedisServer& server, const std::string& prefix = "sl") {
    server.Run({"HSET", log::InstallationKey(prefix), "id", base::RandomHex(8), "layout", "1",
                "counter", "0"});
  }

  static std::unique_ptr<log::RedisLog> MustOpen(log::RedisOptions options) {
    absl::StatusOr<std::unique_ptr<log::RedisLog>> log = log::RedisLog::Open(std::move(options));
    if (log.ok()) return *std::move(log);
    ADD_FAILURE() << log.status();
    std::abort();
  }

  template <typename F>
  static bool Comes(F done) {
    return Eventually(done);
  }
  static bool AwaitHealthy(const log::ShowtimeLog& log) {
    return Eventually([&] { return log.Healthy(); });
  }
  static bool AwaitUnhealthy(const log::ShowtimeLog& log) {
    return Eventually([&] { return !log.Healthy(); });
  }
  // Appends again and again until it is done.
  static bool AwaitAppended(log::ShowtimeLog& log, const log::AppendRequest& request) {
    return Eventually(
        [&] { return Append(log, request).outcome == log::AppendResult::Outcome::kAppended; });
  }

  std::vector<std::string> Errors() {
    base::MutexLock lock(mu_);
    return errors_;
  }

 private:
  RedisServer server_;
  base::Mutex mu_;
  std::vector<std::string> errors_ ABSL_GUARDED_BY(mu_);
};

}  // namespace seatlock::testing
