#include "services/seatlock/log/redis/sentinel.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "services/seatlock/log/redis/sentinel_answer.h"
#include "services/seatlock/log/redis/sync_client.h"

namespace seatlock::log {
namespace {

absl::Status With(const RedisAddress& sentinel, const absl::Status& why) {
  return absl::Status(why.code(), absl::StrCat("sentinel ", TextOf(sentinel), ": ", why.message()));
}

absl::StatusOr<NamedPrimary> AskOne(const RedisAddress& sentinel, const SentinelOptions& options) {
  absl::StatusOr<SyncClient> client =
      SyncClient::Connect(sentinel, options.user, options.password, options.timeout_ms);
  if (!client.ok()) return client.status();
  absl::StatusOr<RedisReply> address =
      client->Command({"SENTINEL", "GET-MASTER-ADDR-BY-NAME", options.name});
  if (absl::IsFailedPrecondition(address.status())) {
    return SentinelError(address.status().message());
  }
  if (!address.ok()) return address.status();
  const absl::StatusOr<RedisReply> master = client->Command({"SENTINEL", "MASTER", options.name});
  return ReadNamed(address->Texts(), master.ok() ? master->Texts() : std::vector<std::string>(),
                   options.name);
}

absl::Status CheckRole(const RedisAddress& primary, const SentinelOptions& options) {
  absl::StatusOr<SyncClient> client =
      SyncClient::Connect(primary, options.user, options.password, options.timeout_ms);
  if (!client.ok()) return client.status();
  const absl::StatusOr<RedisReply> role = client->Command({"ROLE"});
  if (!role.ok()) return role.status();
  const std::vector<std::string> texts = role->Texts();
  if (!texts.empty() && texts[0] == "master") return absl::OkStatus();
  return absl::UnavailableError("it is no primary (yet, or any more)");
}

absl::Status ToMend(const absl::Status& status) {
  if (!absl::IsPermissionDenied(status)) return status;
  return absl::FailedPreconditionError(status.message());
}

}  // namespace

absl::StatusOr<RedisAddress> AskSentinels(const SentinelOptions& options) {
  std::vector<NamedPrimary> named;
  absl::Status error;
  for (const RedisAddress& sentinel : options.sentinels) {
    absl::StatusOr<NamedPrimary> one = AskOne(sentinel, options);
    if (one.ok()) {
      named.push_back(*std::move(one));
    } else {
      KeepTelling(error, With(sentinel, ToMend(one.status())));
    }
  }
  if (named.empty()) return error;
  const RedisAddress& primary = NewestOf(named).address;
  if (absl::Status role = CheckRole(primary, options); !role.ok()) {
    return absl::Status(
        ToMend(role).code(),
        absl::StrCat("redis ", TextOf(primary), ", which the sentinels name: ", role.message()));
  }
  return primary;
}

}  // namespace seatlock::log
