// Several servers on one store, all real processes. Thread-compatible.
#pragma once

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/integration/looks.h"
#include "tests/integration/test_server.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::testing {

class ServerGroup {
 public:
  // Starts nothing.
  ServerGroup(int count, const std::string& store, const std::vector<std::string>& args = {}) {
    for (int i = 0; i < count; ++i) {
      servers_.push_back(std::make_unique<TestServer>(args, store));
    }
  }

  // Starts all and waits until each serves; a failure is the test's.
  void Start() {
    for (const auto& server : servers_) ASSERT_THAT(server->Start(), IsOk());
    for (const auto& server : servers_) ASSERT_TRUE(BecomesReady(*server));
  }

  TestServer& operator[](size_t index) { return *servers_[index]; }
  size_t size() const { return servers_.size(); }
  const std::string& store() const { return servers_[0]->store(); }
  // After Start.
  std::vector<std::string> addresses() const {
    std::vector<std::string> addresses;
    for (const auto& server : servers_) addresses.push_back(server->address());
    return addresses;
  }

 private:
  std::vector<std::unique_ptr<TestServer>> servers_;
};

// What an operator does to a new store.
inline void InitStore(const std::string& store) {
  auto init =
      Process::Start({.binary = SEATLOCKD_BINARY, .args = {"store", "init", "--store=" + store}});
  ASSERT_THAT(init, IsOk());
  ASSERT_EQ((*init)->Wait(kStartTimeout)->code, 0);
}

}  // namespace seatlock::testing
