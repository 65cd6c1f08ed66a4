// A server on a port where a Redis or a Sentinel is expected: another program, or one that lies.
//
// Thread-safe. Serves on a thread of its own until destroyed.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace seatlock::testing {

class FakeRedis {
 public:
  // What goes back on one command, as bytes of the protocol; "" for nothing.
  using Answer = std::function<std::string(const std::vector<std::string>& words)>;

  struct Options {
    bool closes_at_once = false;
    // Goes back on the first bytes, whatever they are. Empty: they are read as commands.
    std::string says = {};
    // Called on the server's thread. None: commands get no answer.
    Answer answer = {};
  };

  // Listens on 127.0.0.1, on a port that is free.
  explicit FakeRedis(Options options);
  ~FakeRedis();
  FakeRedis(const FakeRedis&) = delete;
  FakeRedis& operator=(const FakeRedis&) = delete;

  uint16_t port() const { return port_; }

 private:
  void Serve();
  void Accept();
  // False: the connection is over.
  bool Read(int fd, std::string& buffer);

  const Options options_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::map<int, std::string> connections_;  // what each has sent and is no whole command; Serve's
  std::thread thread_;
};

// Answers of the protocol.
std::string RespError(const std::string& text);
std::string RespText(const std::string& text);
std::string RespArray(const std::vector<std::string>& texts);

// What a Sentinel says that names 127.0.0.1:`primary`, as of the failover `epoch`.
FakeRedis::Answer SentinelThatNames(uint16_t primary, uint64_t epoch);

}  // namespace seatlock::testing
