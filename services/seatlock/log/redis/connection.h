// One connection to a Redis server: logs in, sends commands, hands out their answers in order.
//
//   | state      | Send                     | Redis or the network fails, Close, silence      |
//   |------------|--------------------------|-------------------------------------------------|
//   | connecting | goes out once it is open | lost: on_lost; each answer that is owed is none |
//   | logging in | goes out                 | the same                                        |
//   | ready      | goes out                 | the same                                        |
//   | lost       | answered with none       | nothing                                         |
//
// For the loop's thread alone. Destroyed by a task of the loop, never in one of its own callbacks;
// answers that are still owed come (none) in the destructor.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "common/base/clock.h"
#include "services/seatlock/log/redis/command.h"
#include "services/seatlock/log/redis/event_loop.h"
#include "services/seatlock/log/redis/redis_options.h"

struct redisAsyncContext;
struct redisReply;

namespace seatlock::log {

class Connection {
 public:
  // nullptr: the connection was lost before the answer; nobody knows what was done.
  using AnswerCallback = absl::AnyInvocable<void(const redisReply*) &&>;
  using MessageCallback = std::function<void(const std::string& message)>;

  static constexpr int kNoDatabase = -1;  // a Sentinel has none

  struct Login {
    std::string user = {};
    std::string password = {};
    int database = 0;
  };
  struct Handlers {
    // Once: it is open and logged in.
    std::function<void()> on_ready;
    // Once: it is lost. FAILED_PRECONDITION: Redis refuses the login or a channel, or it is no
    // Redis. Else UNAVAILABLE.
    std::function<void(absl::Status)> on_lost;
  };

  // Connects to `ip`, an address in digits. `loop` and `clock` outlive this.
  Connection(EventLoop& loop, const base::Clock& clock, const std::string& ip, uint16_t port,
             Login login, Handlers handlers);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void Send(const Command& command, AnswerCallback done) { Send(command.Bytes(), std::move(done)); }
  void Send(const std::string& bytes, AnswerCallback done);

  // From now on `on_message` gets what is published on `channels`; `on_subscribed` is called once
  // Redis has taken all of them. If it refuses, the connection is lost. It is of no other use
  // afterwards.
  void Subscribe(const std::vector<std::string>& channels, MessageCallback on_message,
                 std::function<void()> on_subscribed);

  // Gives it up, with this reason.
  void Close(absl::Status why);

  // Closes the connection if it owes an answer and has given none for `silence_ms`, or is not ready
  // after that time.
  void CheckSilence(int64_t silence_ms);

  bool ready() const { return state_ == State::kReady; }
  bool lost() const { return state_ == State::kLost; }
  // Answers owed.
  size_t owed() const { return owed_.size(); }

 private:
  enum class State { kConnecting, kLoggingIn, kReady, kLost };

  void Attach();
  void LogIn(const Login& login);
  void OnLogin(const redisReply* reply, bool may_fail);
  void OnConnected(int status);
  void OnReply(const redisReply* reply);
  void OnPublished(const redisReply& reply);
  absl::Status WhyClosed() const;
  void OnCleanup();
  void Lose(absl::Status why);

  EventLoop& loop_;
  const base::Clock& clock_;
  Handlers handlers_;
  const std::string name_;  // for operators

  State state_ = State::kConnecting;
  redisAsyncContext* context_ = nullptr;
  EventLoop::Socket socket_;
  int logins_owed_ = 0;
  size_t channels_owed_ = 0;
  std::deque<AnswerCallback> owed_;
  MessageCallback on_message_;
  std::function<void()> on_subscribed_;
  absl::Status why_lost_;
  int64_t heard_ms_;  // when it last answered, or began to owe an answer
};

}  // namespace seatlock::log
