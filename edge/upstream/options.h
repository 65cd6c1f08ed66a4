// What following showtimes over gRPC needs. All that is pointed at outlives the WatchClient.
#pragma once

#include <grpcpp/security/credentials.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/executor.h"
#include "edge/stats.h"
#include "edge/timers.h"
#include "edge/upstream/resolver.h"

namespace seatlock::edge {

struct UpstreamOptions {
  // Servers of one store: host:port or [v6]:port each, distinct, at least one. A name stands for
  // all of its addresses.
  std::vector<std::string> targets;
  std::shared_ptr<grpc::ChannelCredentials> credentials = nullptr;  // null: plaintext
  const base::Clock* clock = nullptr;
  base::Executor* executor = nullptr;
  Timers* timers = nullptr;
  Stats* stats = nullptr;
  Resolver* resolver = nullptr;  // May be null if no target is a name.
  // Told when the service is lost and when it is back, at most once a second. May be null.
  std::function<void(bool up)> on_upstream = nullptr;
  // The same of one of several servers. May be null.
  std::function<void(const std::string& server, bool up)> on_server = nullptr;
  // Told when a name's addresses can't be found, and why, and (`problem` is empty) when they are
  // found again. May be null.
  std::function<void(const std::string& name, const std::string& problem)> on_name = nullptr;
};

}  // namespace seatlock::edge
