// Which servers there are and how they are, for whoever serves pages and metrics: written on the
// strand, read anywhere. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/base/mutex.h"

namespace seatlock::edge {

enum class ServerState {
  kUnknown,     // Not heard of yet.
  kServing,     // It takes calls.
  kNotServing,  // It says that it drains, or that it can't use its store. It may still answer.
  kAway,        // There is no connection to it, or nobody who speaks for it.
};

// "serving", "not serving", "away", "not known yet".
inline const char* NameOf(ServerState state) {
  switch (state) {
    case ServerState::kServing:
      return "serving";
    case ServerState::kNotServing:
      return "not serving";
    case ServerState::kAway:
      return "away";
    case ServerState::kUnknown:
      break;
  }
  return "not known yet";
}

struct ServerStatus {
  std::string address;
  ServerState state = ServerState::kUnknown;
  int64_t streams = 0;
};

// What one server's part of the program counts and says.
struct ServerEntry {
  explicit ServerEntry(std::string of) : address(std::move(of)) {}

  const std::string address;
  std::atomic<ServerState> state{ServerState::kUnknown};
  std::atomic<int64_t> streams{0};
};

class ServerBoard {
 public:
  void Set(std::vector<std::shared_ptr<const ServerEntry>> servers) {
    base::MutexLock lock(mu_);
    servers_ = std::move(servers);
  }
  std::vector<ServerStatus> Read() const {
    base::MutexLock lock(mu_);
    std::vector<ServerStatus> read;
    for (const auto& server : servers_) {
      read.push_back({server->address, server->state, server->streams});
    }
    return read;
  }

 private:
  mutable base::Mutex mu_;
  std::vector<std::shared_ptr<const ServerEntry>> servers_ ABSL_GUARDED_BY(mu_);
};

}  // namespace seatlock::edge
