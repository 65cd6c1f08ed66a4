#include "services/seatlock/log/redis/installation.h"

#include <functional>
#include <regex>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/random.h"
#include "services/seatlock/log/redis/keys.h"
#include "services/seatlock/log/redis/limits.h"

namespace seatlock::log {
namespace {

constexpr size_t kInstallationIdBytes = 8;
constexpr char kScanCount[] = "1000";

// Each key of the database whose name begins with "{prefix:", in no order, some perhaps twice.
// `each` answers whether to go on.
absl::Status ScanUnder(SyncClient& client, const std::string& prefix,
                       const std::function<absl::StatusOr<bool>(const std::string&)>& each) {
  std::string cursor = "0";
  do {
    absl::StatusOr<RedisReply> page = client.Command(
        {"SCAN", cursor, "MATCH", absl::StrCat("{", prefix, ":*"), "COUNT", kScanCount});
    if (!page.ok()) return page.status();
    if (page->elements.size() != 2) return absl::UnavailableError("SCAN answers strangely");
    cursor = page->elements[0].text.value_or("0");
    for (const std::string& key : page->elements[1].Texts()) {
      const absl::StatusOr<bool> more = each(key);
      if (!more.ok()) return more.status();
      if (!*more) return absl::OkStatus();
    }
  } while (cursor != "0");
  return absl::OkStatus();
}

absl::Status WriteMarker(SyncClient& client, const std::string& prefix, const std::string& id) {
  const std::string key = InstallationKey(prefix);
  return client.Transaction(
      {{"HDEL", key, "restoring"},
       {"HSET", key, "id", id, "layout", absl::StrCat(kRedisLayout), "counter", "0"}});
}

// Whether what is under the prefix may make place for a restore.
absl::Status CheckTarget(const PrefixContent& content, const Installation& before) {
  if (!content.foreign.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("it holds the key '", content.foreign, "', which is none of ours"));
  }
  if (content.showtimes > 0 && !before.restoring) {
    return absl::FailedPreconditionError(
        absl::StrCat("it holds ", content.showtimes, " showtimes already"));
  }
  return absl::OkStatus();
}

// All but the marker: tombstones of deleted showtimes, and what a restore that was cut short
// brought.
absl::Status RemoveContent(SyncClient& client, const std::string& prefix) {
  const std::string marker = InstallationKey(prefix);
  return ScanUnder(client, prefix, [&](const std::string& key) -> absl::StatusOr<bool> {
    if (key == marker) return true;
    const absl::StatusOr<RedisReply> gone = client.Command({"UNLINK", key});
    if (!gone.ok()) return gone.status();
    return true;
  });
}

std::string NewId() {
  return base::RandomHex(kInstallationIdBytes);
}

}  // namespace

absl::StatusOr<Installation> ReadInstallation(SyncClient& client, const std::string& prefix) {
  const absl::StatusOr<RedisReply> marker =
      client.Command({"HMGET", InstallationKey(prefix), "id", "layout", "restoring"});
  if (!marker.ok()) return marker.status();
  const std::vector<std::string> texts = marker->Texts();
  if (texts.size() != 3) return absl::UnavailableError("HMGET answers strangely");
  Installation installation{.id = texts[0], .layout = 0, .restoring = !texts[2].empty()};
  if (!absl::SimpleAtoi(texts[1], &installation.layout)) installation.layout = 0;
  return installation;
}

absl::Status CheckLayout(const Installation& installation) {
  if (installation.layout <= kRedisLayout) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("the store is of a newer version (layout ",
                                                    installation.layout, ", this program knows ",
                                                    kRedisLayout, ")"));
}

absl::StatusOr<PrefixContent> LookUnder(SyncClient& client, const std::string& prefix) {
  const std::regex ours(absl::StrCat(R"(\{)", prefix, R"(:([0-9][0-9]\}:((head|log|snap):.+|)",
                                     R"(wake|changed|counter|ids)|)",
                                     R"(meta\}:(installation|servers)))"));
  PrefixContent content;
  absl::Status status =
      ScanUnder(client, prefix, [&](const std::string& key) -> absl::StatusOr<bool> {
        if (std::regex_match(key, ours)) return true;
        content.foreign = key;
        return false;
      });
  if (!status.ok()) return status;
  for (int partition = 0; partition < kRedisPartitions; ++partition) {
    const absl::StatusOr<RedisReply> count =
        client.Command({"ZCARD", PartitionKey(prefix, partition, "ids")});
    if (!count.ok()) return count.status();
    uint64_t showtimes = 0;
    if (absl::SimpleAtoi(count->text.value_or(""), &showtimes)) content.showtimes += showtimes;
  }
  return content;
}

absl::StatusOr<InitReport> InitStore(SyncClient& client, const std::string& prefix, bool accept) {
  const absl::StatusOr<Installation> before = ReadInstallation(client, prefix);
  if (!before.ok()) return before.status();
  if (absl::Status status = CheckLayout(*before); !status.ok()) return status;
  if (before->restoring) {
    return absl::FailedPreconditionError("a restore into it was cut short: run it again");
  }
  if (!before->id.empty() && !accept) {
    return absl::FailedPreconditionError(
        absl::StrCat("it is initialised already (installation ", before->id, ")"));
  }
  const absl::StatusOr<PrefixContent> content = LookUnder(client, prefix);
  if (!content.ok()) return content.status();
  if (!content->foreign.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("it holds the key '", content->foreign,
                     "', which is none of ours: choose another prefix= or database"));
  }
  if (content->showtimes > 0 && !accept) {
    return absl::FailedPreconditionError(absl::StrCat(
        "it holds ", content->showtimes,
        " showtimes and no marker, so something was lost: look with verify and history, and accept "
        "what is there with init --accept, or restore a backup"));
  }
  InitReport report{.id = NewId(),
                    .accepted = !before->id.empty() || content->showtimes > 0,
                    .showtimes = content->showtimes};
  absl::Status status = WriteMarker(client, prefix, report.id);
  if (!status.ok()) return status;
  return report;
}

absl::Status BeginRestore(SyncClient& client, const std::string& prefix) {
  const absl::StatusOr<Installation> before = ReadInstallation(client, prefix);
  if (!before.ok()) return before.status();
  if (absl::Status status = CheckLayout(*before); !status.ok()) return status;
  const std::string marker = InstallationKey(prefix);
  absl::Status status =
      client.Transaction({{"HSET", marker, "restoring", "1"}, {"HDEL", marker, "id"}});
  if (!status.ok()) return status;
  // Only now: without the marker no server says that a change is kept, so none comes behind this.
  const absl::StatusOr<PrefixContent> content = LookUnder(client, prefix);
  status = content.status();
  if (status.ok()) status = CheckTarget(*content, *before);
  if (status.ok()) return RemoveContent(client, prefix);
  if (before->restoring) return status;
  std::vector<std::vector<std::string>> undo = {{"HDEL", marker, "restoring"}};
  if (!before->id.empty()) undo.push_back({"HSET", marker, "id", before->id});
  const absl::Status undone = client.Transaction(undo);
  return undone.ok() ? status : undone;
}

absl::Status EndRestore(SyncClient& client, const std::string& prefix) {
  return WriteMarker(client, prefix, NewId());
}

}  // namespace seatlock::log
