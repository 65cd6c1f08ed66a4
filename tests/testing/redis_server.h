// Redis servers, replicas and Sentinels of a test: real processes on free ports of the loopback
// interface, each with its data in a temporary folder.
//
// Thread-compatible. Start them from a thread that outlives them (process.h). A server that does
// not start ends the test.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/testing/process.h"
#include "tests/testing/temp_dir.h"

namespace seatlock::testing {

class RedisServer {
 public:
  struct Options {
    // Of redis.conf, each as {name, value}; after the usual ones: no snapshots, AOF on, fsync
    // always, eviction off.
    std::vector<std::vector<std::string>> settings = {};
    // The port of the primary, if it is a replica from the start. 0: none.
    uint16_t replica_of = 0;
  };

  // Starts a server and waits until it answers.
  RedisServer() : RedisServer(Options{}) {}
  explicit RedisServer(Options options);
  ~RedisServer();

  uint16_t port() const { return port_; }
  pid_t pid() const { return process_->pid(); }

  // kill -9.
  void Kill();
  // SIGTERM, and waits for its end.
  void Stop();
  // Starts it again, on the same port and with the same data. It must not run. `more` are settings
  // of this run.
  void Start(const std::vector<std::vector<std::string>>& more = {});
  // Removes its data. It must not run.
  void WipeData();
  // Removes one file or folder of its data; it may run.
  void RemoveData(const std::string& name);
  void Pause();     // SIGSTOP
  void Continue();  // SIGCONT

  // Runs a command and returns its answer as text: elements a line each, an error with "-" before
  // it, "" for nothing. Ends the test if the server does not answer.
  std::string Run(const std::vector<std::string>& command) const;
  // The field of INFO.
  std::string Info(const std::string& field) const;
  // Waits until the field of INFO has this value, for 20 s at most; false if it never has.
  bool AwaitInfo(const std::string& field, const std::string& value) const;

 private:
  bool TryStart(const std::vector<std::vector<std::string>>& more = {});

  const Options options_;
  const TempDir dir_;
  uint16_t port_;
  std::unique_ptr<Process> process_;
};

// Its address for seatlockd. `parameters` as "?replicas=1".
inline std::string UrlOf(const RedisServer& redis, const std::string& parameters = "") {
  return "redis://127.0.0.1:" + std::to_string(redis.port()) + parameters;
}

// A Sentinel of the primary that it calls "seats".
class RedisSentinel {
 public:
  // `quorum` Sentinels must agree that the primary is away, for `down_after_ms`.
  // `password` is its own and the primary's; empty for none.
  RedisSentinel(uint16_t primary, int quorum, int down_after_ms, const std::string& password = "");

  uint16_t port() const { return port_; }
  void Kill() { process_->Kill(); }
  // The port of the primary that it names.
  uint16_t Primary() const;
  // As RedisServer's.
  std::string Run(const std::vector<std::string>& command) const;

 private:
  const TempDir dir_;
  const std::string password_;
  uint16_t port_ = 0;
  std::unique_ptr<Process> process_;
};

}  // namespace seatlock::testing
