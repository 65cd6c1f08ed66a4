// Redis servers and Sentinels as processes of a test, on loopback and free ports, in folders of
// their own. Killed with the object (tests/testing/process.h). Thread-compatible.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "services/seatlock/log/redis/redis_options.h"
#include "services/seatlock/log/redis/sync_client.h"
#include "tests/testing/process.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"

namespace seatlock::log {

inline constexpr std::chrono::seconds kPatience{60};

inline uint16_t FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  bind(fd, reinterpret_cast<const sockaddr*>(&address), size);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  close(fd);
  return ntohs(address.sin_port);
}

// A Redis or a Sentinel with a folder of its own, which answers.
class RedisProcess {
 public:
  RedisProcess(const std::string& binary, const std::string& config)
      : address_{"127.0.0.1", FreePort()} {
    const std::string file = dir_.File("redis.conf");
    std::ofstream(file) << "bind 127.0.0.1\nport " << address_.port << "\ndir "
                        << dir_.path().string() << "\n"
                        << config;
    process_ = *seatlock::testing::Process::Start({.binary = binary, .args = {file}});
    const auto ready = process_->WaitForLine(
        [](const std::string& line) {
          return line.find("Ready to accept") != std::string::npos ||
                 line.find("+monitor") != std::string::npos;
        },
        kPatience);
    EXPECT_THAT(ready, seatlock::testing::IsOk());
  }
  const RedisAddress& address() const { return address_; }
  RedisOptions options() const {
    RedisOptions options;
    options.addresses = {address_};
    return options;
  }
  seatlock::testing::Process& process() { return *process_; }
  absl::StatusOr<RedisReply> Command(const std::vector<std::string>& words) const {
    absl::StatusOr<SyncClient> client = SyncClient::Connect(address_, "", "", 5000);
    if (!client.ok()) return client.status();
    return client->Command(words);
  }

 private:
  const seatlock::testing::TempDir dir_;
  const RedisAddress address_;
  std::unique_ptr<seatlock::testing::Process> process_;
};

inline std::unique_ptr<RedisProcess> StartRedis(const std::string& config = "") {
  return std::make_unique<RedisProcess>("/usr/bin/redis-server", config + "\nsave \"\"\n");
}

}  // namespace seatlock::log
