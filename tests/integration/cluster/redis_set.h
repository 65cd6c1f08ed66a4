// A primary with replicas and three Sentinels, all real processes, set up as `profile=strict` asks.
// Whoever is primary at the moment, and whatever died before: the servers keep their numbers.
//
// Thread-compatible.
#pragma once

#include <gmock/gmock.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/testing/eventually.h"
#include "tests/testing/redis_server.h"
#include "tests/testing/tcp_link.h"

namespace seatlock::testing {

class RedisSet {
 public:
  struct Options {
    int replicas = 1;
    // Of each server, after those that `replicas` brings.
    std::vector<std::vector<std::string>> settings = {};
    // Whether the replicas reach the primary through link().
    bool behind_link = false;
  };

  // Starts all. Server 0 is the primary.
  explicit RedisSet(const Options& options) {
    const std::string replicas = std::to_string(options.replicas);
    settings_ = {{"min-replicas-to-write", replicas},
                 {"min-replicas-max-lag", "2"},
                 {"replica-serve-stale-data", "no"}};
    settings_.insert(settings_.end(), options.settings.begin(), options.settings.end());
    AddServer(0);
    if (options.behind_link) link_ = std::make_unique<TcpLink>(servers_[0]->port());
    for (int i = 0; i < options.replicas; ++i) {
      AddServer(link_ == nullptr ? servers_[0]->port() : link_->port());
    }
    for (int i = 0; i < kSentinels; ++i) {
      sentinels_.push_back(
          std::make_unique<RedisSentinel>(servers_[0]->port(), kQuorum, kDownAfterMs));
    }
    // Sentinel has a replica leave the link after the same time, so it is longer than a test then.
    SetSentinels("failover-timeout", link_ == nullptr ? kFailoverTimeoutMs : "600000");
  }

  // Adds one that replicates `replica_of`'s port.
  RedisServer& AddServer(uint16_t replica_of,
                         const std::vector<std::vector<std::string>>& more = {}) {
    std::vector<std::vector<std::string>> settings = settings_;
    settings.insert(settings.end(), more.begin(), more.end());
    servers_.push_back(std::make_unique<RedisServer>(
        RedisServer::Options{.settings = settings, .replica_of = replica_of}));
    return *servers_.back();
  }

  TcpLink& link() { return *link_; }
  RedisServer& operator[](size_t index) { return *servers_[index]; }
  // Whom the first Sentinel names.
  RedisServer& primary() {
    const uint16_t port = sentinels_[0]->Primary();
    for (const auto& server : servers_) {
      if (server->port() == port) return *server;
    }
    ADD_FAILURE() << "the primary is a stranger: " << port;
    return *servers_[0];
  }

  // Makes `server` a replica of the primary, as an operator does. One that is loading takes no
  // command, and Sentinel may have been quicker.
  bool Follow(RedisServer& server) {
    const std::string port = std::to_string(primary().port());
    return Eventually([&] {
      return absl::StartsWith(server.Run({"REPLICAOF", "127.0.0.1", port}), "OK");
    });
  }

  // The address for seatlockd: the Sentinels, and `parameters` after "sentinel=seats".
  std::string Store(const std::string& parameters) const {
    std::string hosts;
    for (const auto& sentinel : sentinels_) {
      absl::StrAppend(&hosts, hosts.empty() ? "" : ",", "127.0.0.1:", sentinel->port());
    }
    return absl::StrCat("redis://", hosts, "?sentinel=seats", parameters);
  }

  // Waits until the primary has `replicas` that are in step with it. False: not within 60 s.
  bool AwaitLinked(int replicas) {
    return Eventually([&] { return OnlineReplicas(primary()) >= replicas; });
  }

  // Waits until each Sentinel knows so too, and could promote one: Sentinels ask every 10 s.
  bool AwaitWhole(int replicas) {
    return AwaitLinked(replicas) && Eventually([&] {
             return std::all_of(sentinels_.begin(), sentinels_.end(), [&](const auto& sentinel) {
               return CouldFailOver(*sentinel, replicas);
             });
           });
  }

  // Has Sentinel put the replica in the primary's place, though that one is well.
  bool BeginFailover() {
    // Not soon after another failover.
    return Eventually([&] {
      return sentinels_[0]->Run({"SENTINEL", "FAILOVER", "seats"}) == "OK";
    });
  }

  // Of all Sentinels.
  void SetSentinels(const std::string& name, const std::string& value) {
    for (const auto& sentinel : sentinels_) {
      EXPECT_EQ(sentinel->Run({"SENTINEL", "SET", "seats", name, value}), "OK");
    }
  }

  // Waits until all Sentinels name another primary than `before`, and it is one.
  bool AwaitOtherPrimary(const RedisServer& before) {
    return Eventually([&] {
      for (const auto& sentinel : sentinels_) {
        if (sentinel->Primary() == before.port()) return false;
      }
      return primary().Info("role") == "master";
    });
  }

  static int OnlineReplicas(const RedisServer& server) {
    int online = 0;
    for (int i = 0; i < kServersMax; ++i) {
      const std::string line = server.Info(absl::StrCat("slave", i));
      online += absl::StrContains(line, "state=online") ? 1 : 0;
    }
    return online;
  }

 private:
  static constexpr int kSentinels = 3;
  static constexpr int kQuorum = 2;
  // As short as it may be on a machine that does other things too.
  static constexpr int kDownAfterMs = 1'500;
  // Two failovers are at least twice as far apart.
  static constexpr char kFailoverTimeoutMs[] = "2000";
  static constexpr int kServersMax = 8;

  static bool CouldFailOver(const RedisSentinel& sentinel, int replicas) {
    if (!absl::StrContains(sentinel.Run({"SENTINEL", "CKQUORUM", "seats"}), "OK 3 usable")) {
      return false;
    }
    // Each replica is a text of fields and values, one a line.
    const std::string known = sentinel.Run({"SENTINEL", "REPLICAS", "seats"});
    int linked = 0;
    for (size_t at = 0; (at = known.find("master-link-status\nok", at)) != std::string::npos;
         ++at) {
      ++linked;
    }
    return linked >= replicas;
  }

  std::unique_ptr<TcpLink> link_;  // null: none
  std::vector<std::vector<std::string>> settings_;
  std::vector<std::unique_ptr<RedisServer>> servers_;
  std::vector<std::unique_ptr<RedisSentinel>> sentinels_;
};

}  // namespace seatlock::testing
