#include "services/seatlock/log/redis/import.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "services/seatlock/log/redis/keys.h"

namespace seatlock::log {
namespace {

template <typename Bytes>
std::string Text(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

// A page is about 1 MiB at most (kPageBytesMax), so one pipeline takes it.
absl::Status RedisImport::AddRecords(const domain::ShowtimeId& showtime,
                                     const std::vector<StoredRecord>& records) {
  const std::string key = ShowtimeKey(prefix_, showtime, "log");
  std::vector<std::vector<std::string>> commands;
  commands.reserve(records.size());
  for (const StoredRecord& record : records) {
    const std::string sealed = Text(record.chain) + Text(SealOf(record.chain, record.commit_ms));
    commands.push_back({"XADD", key, absl::StrCat(record.revision.value(), "-0"), "t",
                        absl::StrCat(record.commit_ms), "c", sealed, "b", record.bytes});
  }
  return client_.Pipeline(commands);
}

absl::Status RedisImport::AddSnapshot(const domain::ShowtimeId& showtime,
                                      const StoredSnapshot& snapshot, int slot) {
  const std::string name = slot == 0 ? "a" : "b";
  const Head& head = snapshot.head;
  return client_
      .Command({"HSET", ShowtimeKey(prefix_, showtime, "snap"), name + ":rev",
                absl::StrCat(head.revision.value()), name + ":epoch", head.epoch.value(),
                name + ":chain", Text(head.chain), name + ":hash",
                Text(ChainNext(head.chain, head.revision, snapshot.bytes)), name + ":bytes",
                snapshot.bytes})
      .status();
}

absl::Status RedisImport::Finish(const domain::ShowtimeId& showtime,
                                 const Histories::History& history, int64_t last_commit_ms) {
  const int partition = PartitionOf(showtime);
  const auto key = [&](absl::string_view name) { return PartitionKey(prefix_, partition, name); };
  const absl::StatusOr<RedisReply> count = client_.Command({"INCR", key("counter")});
  if (!count.ok()) return count.status();
  const bool trimmed = history.oldest.value() > 1;
  std::vector<std::vector<std::string>> commands = {
      {"HSET", ShowtimeKey(prefix_, showtime, "head"), "epoch", history.head.epoch.value(), "rev",
       absl::StrCat(history.head.revision.value()), "chain", Text(history.head.chain), "ms",
       absl::StrCat(last_commit_ms), "oldest", absl::StrCat(history.oldest.value()), "base",
       trimmed ? Text(history.base) : ""},
      {"ZADD", key("ids"), "0", showtime.value()},
      {"ZADD", key("changed"), count->text.value_or("0"), showtime.value()}};
  if (history.wake_ms) {
    commands.push_back({"ZADD", key("wake"), absl::StrCat(*history.wake_ms), showtime.value()});
  }
  return client_.Transaction(commands);
}

}  // namespace seatlock::log
