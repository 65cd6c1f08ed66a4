// A server under test: seatlock-edge or one of its peers, as a child process on loopback, and the
// way in which it hears of changes. All are given the same text for a change and deliver it to
// every connection of a room. Thread-compatible.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/bench/crowd.h"
#include "tests/testing/process.h"

namespace seatlock::bench {

class Contestant {
 public:
  virtual ~Contestant() = default;
  virtual Dialect dialect() const { return {}; }
  // Hands `changes` changes to one room over at once.
  virtual void Say(const std::string& room, int changes) = 0;
  // Where the WebSocket is, and which process serves it.
  virtual std::string address() const = 0;
  virtual pid_t pid() const = 0;
  // The value of a metric; none but the edge has any.
  virtual double Metric(const std::string& /*name*/) const { return 0; }
};

struct StartOptions {
  // The cores that the server may run on, as taskset(1) names them.
  std::string cores;
  // The edge alone.
  std::string edge_binary = {};
  std::vector<std::string> edge_args = {};
  // This room holds so many locked seats before anybody comes.
  std::string room = {};
  int locked_seats = 0;
};

using Starter = absl::StatusOr<std::unique_ptr<Contestant>> (*)(const StartOptions& options);

// kNotFound, and what is missing, for a server that is not installed.
absl::StatusOr<std::unique_ptr<Contestant>> StartEdge(const StartOptions& options);
absl::StatusOr<std::unique_ptr<Contestant>> StartWs(const StartOptions& options);
absl::StatusOr<std::unique_ptr<Contestant>> StartBun(const StartOptions& options);
absl::StatusOr<std::unique_ptr<Contestant>> StartNchan(const StartOptions& options);
absl::StatusOr<std::unique_ptr<Contestant>> StartNats(const StartOptions& options);

struct Entry {
  const char* name;   // on the command line
  const char* title;  // in tables
  Starter start;
};
inline constexpr Entry kContestants[] = {{"edge", "seatlock-edge", StartEdge},
                                         {"bun", "bun", StartBun},
                                         {"ws", "Node `ws`", StartWs},
                                         {"nchan", "nginx + nchan", StartNchan},
                                         {"nats", "nats-server", StartNats}};

// A change of a bench: seats are locked one after the other, then freed in the same order.
struct SeatChange {
  std::string seat;
  bool lock = true;
};
SeatChange NthChange(uint64_t number);

// The `number`th change of a room, from 0, as the edge encodes it.
std::string ChangeText(const std::string& room, uint64_t number);

// A child under taskset(1), on these cores. `args` begin with the program's path.
absl::StatusOr<std::unique_ptr<testing::Process>> StartOnCores(const std::string& cores,
                                                               std::vector<std::string> args,
                                                               const std::string& dir = {});

}  // namespace seatlock::bench
