#include "services/seatlock/log/redis/inspection.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "services/seatlock/log/redis/installation.h"
#include "services/seatlock/log/redis/keys.h"
#include "services/seatlock/log/redis/limits.h"
#include "services/seatlock/log/verify.h"

namespace seatlock::log {
namespace {

using domain::Revision;
using domain::ShowtimeId;

// Records may be large: the first question of a page is for a few.
constexpr size_t kFirstRecords = 16;
constexpr const char* kSlots[] = {"a", "b"};

bool ChainIn(const std::string& text, Chain* chain) {
  if (text.size() < chain->size()) return false;
  std::memcpy(chain->data(), text.data(), chain->size());
  return true;
}

bool RevisionIn(const std::string& text, Revision* revision) {
  uint64_t number = 0;
  if (!absl::SimpleAtoi(text, &number)) return false;
  *revision = Revision(number);
  return true;
}

std::string EntryId(Revision revision) {
  return absl::StrCat(revision.value(), "-0");
}

// An entry of the stream: its id, and its fields with their values.
absl::StatusOr<StoredRecord> RecordIn(const RedisReply& entry, const ShowtimeId& showtime) {
  StoredRecord record;
  if (entry.elements.size() != 2 ||
      !RevisionIn(entry.elements[0].text.value_or("").substr(
                      0, entry.elements[0].text.value_or("").find('-')),
                  &record.revision)) {
    return absl::UnavailableError("XRANGE answers strangely");
  }
  std::string sealed;
  bool has_time = false;
  std::vector<std::string> fields = entry.elements[1].Texts();
  for (size_t i = 0; i + 1 < fields.size(); i += 2) {
    if (fields[i] == "t") has_time = absl::SimpleAtoi(fields[i + 1], &record.commit_ms);
    if (fields[i] == "c") sealed = std::move(fields[i + 1]);
    if (fields[i] == "b") record.bytes = std::move(fields[i + 1]);
  }
  const bool whole = ChainIn(sealed, &record.chain) && has_time;
  const Seal seal = SealOf(record.chain, record.commit_ms);
  if (!whole || sealed.size() != record.chain.size() + seal.size() ||
      std::memcmp(sealed.data() + record.chain.size(), seal.data(), seal.size()) != 0) {
    return DataLoss(showtime, record.revision, "the record does not fit its seal");
  }
  return record;
}

size_t BytesOf(const std::vector<StoredRecord>& records) {
  size_t bytes = 0;
  for (const StoredRecord& record : records) bytes += record.bytes.size();
  return bytes;
}

}  // namespace

absl::StatusOr<std::unique_ptr<RedisInspection>> RedisInspection::Open(
    const RedisOptions& options) {
  absl::StatusOr<Primary> primary = ConnectToPrimary(options);
  if (!primary.ok()) return primary.status();
  const absl::StatusOr<Installation> found = ReadInstallation(primary->client, options.prefix);
  if (!found.ok()) return found.status();
  if (absl::Status layout = CheckLayout(*found); !layout.ok()) return layout;
  return std::unique_ptr<RedisInspection>(new RedisInspection(*std::move(primary), options.prefix));
}

// A tool can do nothing about an error but say it: it is one of the store.
absl::StatusOr<RedisReply> RedisInspection::Ask(const std::vector<std::string>& words) {
  absl::StatusOr<RedisReply> answer = primary_.client.Command(words);
  if (answer.ok()) return answer;
  return absl::UnavailableError(
      absl::StrCat("redis ", TextOf(primary_.address), ": ", answer.status().message()));
}

absl::StatusOr<int64_t> RedisInspection::ShowtimeCount() {
  int64_t sum = 0;
  for (int partition = 0; partition < kRedisPartitions; ++partition) {
    const absl::StatusOr<RedisReply> count =
        Ask({"ZCARD", PartitionKey(prefix_, partition, "ids")});
    if (!count.ok()) return count.status();
    int64_t showtimes = 0;
    if (absl::SimpleAtoi(count->text.value_or(""), &showtimes)) sum += showtimes;
  }
  return sum;
}

absl::StatusOr<std::vector<std::string>> RedisInspection::IdsOf(int partition,
                                                                const std::string& after,
                                                                size_t limit) {
  const absl::StatusOr<RedisReply> ids =
      Ask({"ZRANGEBYLEX", PartitionKey(prefix_, partition, "ids"),
           after.empty() ? "-" : absl::StrCat("(", after), "+", "LIMIT", "0", absl::StrCat(limit)});
  if (!ids.ok()) return ids.status();
  return ids->Texts();
}

absl::StatusOr<std::vector<ShowtimeId>> RedisInspection::Showtimes(const ShowtimeId& after,
                                                                   size_t limit) {
  // A share of each partition, and of all these what lies before the first that was not told.
  const size_t share = std::max<size_t>(2, 2 * limit / kRedisPartitions);
  std::vector<std::string> all;
  std::optional<std::string> last;  // the least of the last ones of partitions that have more
  for (int partition = 0; partition < kRedisPartitions; ++partition) {
    absl::StatusOr<std::vector<std::string>> ids = IdsOf(partition, after.value(), share);
    if (!ids.ok()) return ids.status();
    if (ids->size() == share && (!last || ids->back() < *last)) last = ids->back();
    std::move(ids->begin(), ids->end(), std::back_inserter(all));
  }
  std::sort(all.begin(), all.end());
  std::vector<ShowtimeId> showtimes;
  for (std::string& id : all) {
    if (showtimes.size() == limit || (last && id > *last)) break;
    showtimes.emplace_back(std::move(id));
  }
  return showtimes;
}

absl::StatusOr<std::optional<Histories::History>> RedisInspection::Find(
    const ShowtimeId& showtime) {
  const absl::StatusOr<RedisReply> stored = Ask(
      {"HMGET", ShowtimeKey(prefix_, showtime, "head"), "epoch", "rev", "chain", "oldest", "base"});
  if (!stored.ok()) return stored.status();
  const std::vector<std::string> head = stored->Texts();
  if (head.size() != 5) return absl::UnavailableError("HMGET answers strangely");
  if (head[1].empty()) return std::optional<History>();
  History history;
  history.head.epoch = domain::Epoch(head[0]);
  if (head[0].empty() || !RevisionIn(head[1], &history.head.revision) ||
      !ChainIn(head[2], &history.head.chain) || !RevisionIn(head[3], &history.oldest) ||
      (history.oldest.value() > 1 && !ChainIn(head[4], &history.base))) {
    return DataLoss(showtime, history.head.revision, "the head is incomplete");
  }
  for (const char* slot : kSlots) {
    const absl::StatusOr<RedisReply> snapshot =
        Ask({"HMGET", ShowtimeKey(prefix_, showtime, "snap"), absl::StrCat(slot, ":epoch"),
             absl::StrCat(slot, ":rev"), absl::StrCat(slot, ":chain")});
    if (!snapshot.ok()) return snapshot.status();
    const std::vector<std::string> texts = snapshot->Texts();
    Head position;
    if (texts.size() != 3 || !RevisionIn(texts[1], &position.revision)) continue;
    position.epoch = domain::Epoch(texts[0]);
    if (ChainIn(texts[2], &position.chain)) history.snapshots.push_back(position);
  }
  std::sort(history.snapshots.begin(), history.snapshots.end(),
            [](const Head& a, const Head& b) { return a.revision > b.revision; });
  const absl::StatusOr<RedisReply> wake =
      Ask({"ZSCORE", PartitionKey(prefix_, PartitionOf(showtime), "wake"), showtime.value()});
  if (!wake.ok()) return wake.status();
  double wake_ms = 0;
  if (wake->text && absl::SimpleAtod(*wake->text, &wake_ms)) {
    history.wake_ms = static_cast<int64_t>(wake_ms);
  }
  return std::optional<History>(std::move(history));
}

absl::StatusOr<std::vector<StoredRecord>> RedisInspection::Range(const ShowtimeId& showtime,
                                                                 Revision from, size_t count) {
  const absl::StatusOr<RedisReply> entries =
      Ask({"XRANGE", ShowtimeKey(prefix_, showtime, "log"), EntryId(from), "+", "COUNT",
           absl::StrCat(count)});
  if (!entries.ok()) return entries.status();
  std::vector<StoredRecord> records;
  for (const RedisReply& entry : entries->elements) {
    absl::StatusOr<StoredRecord> record = RecordIn(entry, showtime);
    if (!record.ok()) return record.status();
    records.push_back(*std::move(record));
  }
  return records;
}

absl::StatusOr<Chain> RedisInspection::ChainAt(const ShowtimeId& showtime, const History& history,
                                               Revision revision) {
  if (revision.value() == 0) return ChainStart(showtime, history.head.epoch);
  if (revision.Next() == history.oldest) return history.base;
  const absl::StatusOr<std::vector<StoredRecord>> record = Range(showtime, revision, 1);
  if (!record.ok()) return record.status();
  if (record->empty() || (*record)[0].revision != revision) {
    return DataLoss(showtime, revision, "the record is missing");
  }
  return (*record)[0].chain;
}

absl::StatusOr<Page> RedisInspection::Records(const ShowtimeId& showtime, const History& history,
                                              Revision from) {
  Page page{.head = history.head, .oldest = history.oldest, .records = {}};
  if (from < history.oldest || from > history.head.revision) return page;
  const absl::StatusOr<Chain> before = ChainAt(showtime, history, Revision(from.value() - 1));
  if (!before.ok()) return before.status();
  const size_t wanted =
      std::min<uint64_t>(kPageRecordsMax, history.head.revision.value() - from.value() + 1);
  size_t count = kFirstRecords;
  size_t bytes = 0;
  Revision next = from;
  while (page.records.size() < wanted && next <= history.head.revision && bytes < kPageBytesMax) {
    absl::StatusOr<std::vector<StoredRecord>> some =
        Range(showtime, next, std::min(count, wanted - page.records.size()));
    if (!some.ok()) return some.status();
    if (some->empty()) return DataLoss(showtime, next, "the record is missing");
    bytes += BytesOf(*some);
    next = some->back().revision.Next();
    std::move(some->begin(), some->end(), std::back_inserter(page.records));
    // As many as fit by the mean of those that came.
    const size_t mean = bytes / page.records.size() + 1;
    count = std::max<size_t>(1, (kPageBytesMax - std::min(bytes, kPageBytesMax)) / mean);
  }
  absl::Status status = VerifyRecords(showtime, *before, from, page.records);
  if (status.ok() && page.records.back().revision == history.head.revision &&
      page.records.back().chain != history.head.chain) {
    status = DataLoss(showtime, history.head.revision, "the record does not fit the head");
  }
  if (!status.ok()) return status;
  return page;
}

absl::StatusOr<StoredSnapshot> RedisInspection::Snapshot(const ShowtimeId& showtime,
                                                         const History& history,
                                                         const Head& position) {
  const bool inside = position.epoch == history.head.epoch &&
                      position.revision.Next() >= history.oldest &&
                      position.revision <= history.head.revision;
  if (!inside) return absl::NotFoundError("a snapshot of another history");
  const absl::StatusOr<Chain> chain = ChainAt(showtime, history, position.revision);
  if (!chain.ok()) return chain.status();
  if (*chain != position.chain) return absl::NotFoundError("a snapshot of another history");
  for (const char* slot : kSlots) {
    const absl::StatusOr<RedisReply> stored =
        Ask({"HMGET", ShowtimeKey(prefix_, showtime, "snap"), absl::StrCat(slot, ":rev"),
             absl::StrCat(slot, ":hash"), absl::StrCat(slot, ":bytes")});
    if (!stored.ok()) return stored.status();
    const std::vector<std::string> texts = stored->Texts();
    Revision revision;
    if (texts.size() != 3 || !RevisionIn(texts[0], &revision) || revision != position.revision) {
      continue;
    }
    Chain hash{};
    if (!ChainIn(texts[1], &hash) || hash != ChainNext(position.chain, revision, texts[2])) {
      return DataLoss(showtime, revision, "the snapshot does not fit its hash");
    }
    return StoredSnapshot{.head = position, .bytes = texts[2]};
  }
  return absl::NotFoundError("the snapshot is not kept any more");
}

absl::Status RedisInspection::CheckStore() {
  absl::StatusOr<Installation> found = ReadInstallation(primary_.client, prefix_);
  if (!found.ok()) return absl::UnavailableError(found.status().message());
  if (found->restoring) {
    return absl::DataLossError("a restore into it was cut short: run it again");
  }
  if (!found->id.empty()) return absl::OkStatus();
  return absl::DataLossError(
      "the installation's marker is missing, so no server serves it (seatlockd store init)");
}

}  // namespace seatlock::log
