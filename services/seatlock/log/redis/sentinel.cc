#include "services/seatlock/log/redis/sentinel.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "services/seatlock/log/redis/sync_client.h"

namespace seatlock::log {
namespace {

// Whom a Sentinel names, and of which failover.
struct Named {
  RedisAddress address;
  uint64_t epoch = 0;
};

absl::Status With(const RedisAddress& sentinel, const absl::Status& why) {
  return absl::Status(why.code(), absl::StrCat("sentinel ", TextOf(sentinel), ": ", why.message()));
}

// The config-epoch in an answer to SENTINEL MASTER: names and values in turn.
uint64_t EpochIn(const RedisReply& master) {
  const std::vector<std::string> texts = master.Texts();
  uint64_t epoch = 0;
  for (size_t i = 0; i + 1 < texts.size(); i += 2) {
    if (texts[i] == "config-epoch" && absl::SimpleAtoi(texts[i + 1], &epoch)) return epoch;
  }
  return 0;
}

absl::StatusOr<Named> AskOne(const RedisAddress& sentinel, const SentinelOptions& options) {
  absl::StatusOr<SyncClient> client =
      SyncClient::Connect(sentinel, options.user, options.password, options.timeout_ms);
  if (!client.ok()) return client.status();
  absl::StatusOr<RedisReply> address =
      client->Command({"SENTINEL", "GET-MASTER-ADDR-BY-NAME", options.name});
  if (!address.ok() && absl::StrContains(address.status().message(), "unknown command")) {
    return absl::FailedPreconditionError("is no sentinel");
  }
  if (!address.ok()) return address.status();
  const std::vector<std::string> texts = address->Texts();
  uint32_t port = 0;
  if (texts.size() != 2 || !absl::SimpleAtoi(texts[1], &port) || port > UINT16_MAX) {
    return absl::FailedPreconditionError(
        absl::StrCat("knows no primary that is called ", options.name));
  }
  const absl::StatusOr<RedisReply> master = client->Command({"SENTINEL", "MASTER", options.name});
  return Named{.address = {texts[0], static_cast<uint16_t>(port)},
               .epoch = master.ok() ? EpochIn(*master) : 0};
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

// An error that somebody has to mend says more than one that passes.
void Keep(absl::Status& kept, absl::Status status) {
  const bool mend = !absl::IsUnavailable(status);
  if (kept.ok() || (mend && absl::IsUnavailable(kept))) kept = std::move(status);
}

absl::Status ToMend(const absl::Status& status) {
  if (!absl::IsPermissionDenied(status)) return status;
  return absl::FailedPreconditionError(status.message());
}

}  // namespace

absl::StatusOr<RedisAddress> AskSentinels(const SentinelOptions& options) {
  std::vector<Named> named;
  absl::Status error;
  for (const RedisAddress& sentinel : options.sentinels) {
    absl::StatusOr<Named> one = AskOne(sentinel, options);
    if (one.ok()) {
      named.push_back(*std::move(one));
    } else {
      Keep(error, With(sentinel, ToMend(one.status())));
    }
  }
  if (named.empty()) return error;
  std::stable_sort(named.begin(), named.end(),
                   [](const Named& a, const Named& b) { return a.epoch > b.epoch; });
  const RedisAddress& primary = named.front().address;
  if (absl::Status role = CheckRole(primary, options); !role.ok()) {
    return absl::Status(
        ToMend(role).code(),
        absl::StrCat("redis ", TextOf(primary), ", which the sentinels name: ", role.message()));
  }
  return primary;
}

}  // namespace seatlock::log
