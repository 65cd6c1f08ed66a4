#include "services/seatlock/log/redis/primary.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/seatlock/log/redis/sentinel.h"

namespace seatlock::log {
namespace {

absl::StatusOr<SyncClient> ConnectToOne(const RedisAddress& address, const RedisOptions& options,
                                        int64_t timeout_ms) {
  absl::StatusOr<SyncClient> client =
      SyncClient::Connect(address, options.user, options.password, timeout_ms);
  if (!client.ok()) return client.status();
  const absl::StatusOr<RedisReply> role = client->Command({"ROLE"});
  if (!role.ok()) return role.status();
  const std::vector<std::string> texts = role->Texts();
  if (!texts.empty() && texts[0] == "sentinel") {
    return absl::FailedPreconditionError("is a sentinel: the address needs sentinel=NAME");
  }
  if (texts.empty() || texts[0] != "master") return absl::UnavailableError("is no primary");
  const absl::StatusOr<RedisReply> selected =
      client->Command({"SELECT", absl::StrCat(options.database)});
  if (!selected.ok()) return selected.status();
  return client;
}

}  // namespace

absl::StatusOr<Primary> ConnectToPrimary(const RedisOptions& options, int64_t timeout_ms) {
  std::vector<RedisAddress> addresses = options.addresses;
  if (!options.sentinel.empty()) {
    absl::StatusOr<RedisAddress> named = AskSentinels({.sentinels = options.addresses,
                                                       .name = options.sentinel,
                                                       .user = options.user,
                                                       .password = options.password});
    if (!named.ok()) return named.status();
    addresses = {*std::move(named)};
  }
  absl::Status error = absl::InvalidArgumentError("no address of Redis");
  for (const RedisAddress& address : addresses) {
    absl::StatusOr<SyncClient> client = ConnectToOne(address, options, timeout_ms);
    if (client.ok()) return Primary{address, *std::move(client)};
    error =
        absl::Status(absl::IsUnavailable(client.status()) ? absl::StatusCode::kUnavailable
                                                          : absl::StatusCode::kFailedPrecondition,
                     absl::StrCat("redis ", TextOf(address), ": ", client.status().message()));
  }
  return error;
}

}  // namespace seatlock::log
