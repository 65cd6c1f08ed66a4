// The connections to one primary, from the first until one of them is lost: one for reads and for
// what is asked of the server, two for appends that take turns (WAIT blocks its connection), one
// for hints.
//
//   preparing: log in -> what the server says of itself -> our functions are there -> the user may
//              do all that is needed -> (kRelaxed: the marker) -> the other connections, hints are
//              subscribed to -> prepared
//
// Whatever fails in there, or any connection that is lost, ends the session: on_lost, once.
//
// For the loop's thread alone. Destroyed by a task of the loop, never in one of its callbacks.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "services/seatlock/log/redis/connection.h"
#include "services/seatlock/log/redis/event_loop.h"
#include "services/seatlock/log/redis/limits.h"
#include "services/seatlock/log/redis/primary_finder.h"
#include "services/seatlock/log/redis/redis_options.h"

namespace seatlock::log {

class Session {
 public:
  struct Handlers {
    // Whether a server that says this of itself can be served; not OK ends the session, but for
    // ABORTED: ask again. Asked while preparing and whenever Look is called.
    std::function<absl::Status(const RedisFacts&)> judge;
    std::function<void()> on_prepared;
    // FAILED_PRECONDITION: somebody has to change something.
    std::function<void(absl::Status)> on_lost;
    std::function<void(const std::string& text)> on_hint;
  };

  // `loop` and `options` outlive this.
  Session(EventLoop& loop, const RedisOptions& options, PrimaryFinder::Found server,
          Handlers handlers);

  // Once prepared.
  Connection& lane(size_t index) { return *lanes_[index]; }
  Connection& reads() { return *reads_; }
  // Asks the server anew what it says of itself; at most one question at a time.
  void Look();

  // Ends it for a reason from outside.
  void End(absl::Status why);
  // Ends it if a connection does not answer. Call it every kRedisTickMs.
  void CheckSilence();

 private:
  std::unique_ptr<Connection> Connect(std::function<void()> on_ready);
  void OnFacts(absl::StatusOr<RedisFacts> facts);
  // The steps of preparing, each called by the one before.
  void AskVersion();
  void OnVersion(const redisReply& reply);
  void LoadFunctions();
  void ProbeKeys();
  void ProbeRights();
  void ProbeConnection();
  void LookForData();
  void Install();
  void ConnectOthers();
  void OnOtherReady();
  // Sends a step's command; an error ends the session, with `what` and Redis's words.
  void Step(const Command& command, std::function<void(const redisReply&)> next,
            absl::string_view what = "refuses what is needed");
  // The same, but `next` gets errors too.
  void StepWithErrors(const Command& command, std::function<void(const redisReply&)> next);
  absl::Status Refused(absl::string_view what, const redisReply& reply) const;
  std::string Scratch(absl::string_view part, absl::string_view name) const;

  EventLoop& loop_;
  const RedisOptions& options_;
  const PrimaryFinder::Found server_;
  const Handlers handlers_;
  const std::string name_;
  const std::string probe_;  // in the names of the keys that are written to probe rights

  bool prepared_ = false;
  bool ended_ = false;
  bool looking_ = false;
  bool look_again_ = false;  // at the next CheckSilence
  size_t others_ready_ = 0;
  int partitions_seen_ = 0;
  bool has_data_ = false;
  std::unique_ptr<Connection> reads_;
  std::array<std::unique_ptr<Connection>, kRedisLanes> lanes_;
  std::unique_ptr<Connection> hints_;
};

}  // namespace seatlock::log
