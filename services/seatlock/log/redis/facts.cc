#include "services/seatlock/log/redis/facts.h"

#include <hiredis/hiredis.h>

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/seatlock/log/redis/judgement.h"
#include "services/seatlock/log/redis/replies.h"

namespace seatlock::log {

void AskFacts(Connection& connection, RedisAddress address,
              absl::AnyInvocable<void(absl::StatusOr<RedisFacts>) &&> done) {
  auto facts = std::make_shared<absl::StatusOr<RedisFacts>>(
      RedisFacts{.address = address, .info = {}, .config = {}});
  connection.Send(Command{"INFO"}, [facts, address](const redisReply* reply) {
    if (reply == nullptr) {
      *facts = absl::CancelledError("the connection was lost");
    } else if (absl::Status error = ErrorOf(*reply); !error.ok()) {
      *facts = absl::FailedPreconditionError(
          absl::StrCat("redis ", address.host, ":", address.port, ": ", error.message()));
    } else {
      (*facts)->info = ParseInfo(TextOf(*reply));
    }
  });
  Command config{"CONFIG", "GET"};
  for (const char* setting : kRedisSettings) config.Add(setting);
  connection.Send(config, [facts, done = std::move(done)](const redisReply* reply) mutable {
    const bool told = facts->ok() && reply != nullptr && reply->type == REDIS_REPLY_ARRAY;
    for (size_t i = 0; told && i + 1 < reply->elements; i += 2) {
      (*facts)->config.emplace(std::string(TextOf(*reply->element[i])),
                               std::string(TextOf(*reply->element[i + 1])));
    }
    if (reply == nullptr) *facts = absl::CancelledError("the connection was lost");
    std::move(done)(std::move(*facts));
  });
}

}  // namespace seatlock::log
