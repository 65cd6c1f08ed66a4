// One connection to a Redis or a Sentinel on which each command is waited for: for questions that
// are asked seldom, on a thread that may wait. The log itself does not use it.
//
// Thread-compatible. Everything ends within the timeout, but for the name of a host, which the
// system's resolver looks up. Writing to a connection that was closed raises SIGPIPE: the program
// ignores it.
//
// Errors: UNAVAILABLE, no connection or no answer, and the connection is of no use any more;
// PERMISSION_DENIED, the password or a right; FAILED_PRECONDITION, any other error that Redis
// answers, in its words.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/seatlock/log/redis/redis_options.h"

struct redisContext;

namespace seatlock::log {

// An answer that is no error.
struct RedisReply {
  // A text, a number or a status, as text; none: nil.
  std::optional<std::string> text;
  std::vector<RedisReply> elements;  // of an array

  // The texts of the elements; nil and arrays among them are empty.
  std::vector<std::string> Texts() const;
};

class SyncClient {
 public:
  // Connects and, if there is a password, authenticates. A server that needs no password is content
  // with any.
  static absl::StatusOr<SyncClient> Connect(const RedisAddress& address, const std::string& user,
                                            const std::string& password, int64_t timeout_ms);

  absl::StatusOr<RedisReply> Command(const std::vector<std::string>& words);

  // Sends all of them before it waits, so that Redis writes its disk once for many. The first
  // error; the commands after it were done all the same.
  absl::Status Pipeline(const std::vector<std::vector<std::string>>& commands);

  // All of them at once, or none.
  absl::Status Transaction(const std::vector<std::vector<std::string>>& commands);

 private:
  struct Freed {
    void operator()(redisContext* context) const;
  };
  // Puts a command behind those that are to be sent.
  void Queue(const std::vector<std::string>& words);
  // Sends what is queued, and waits for the next answer.
  absl::StatusOr<RedisReply> Next();

  explicit SyncClient(std::unique_ptr<redisContext, Freed> context)
      : context_(std::move(context)) {}

  std::unique_ptr<redisContext, Freed> context_;
  bool was_answered_ = false;
};

// "10.0.0.1:6379", "[::1]:6379".
std::string TextOf(const RedisAddress& address);

}  // namespace seatlock::log
