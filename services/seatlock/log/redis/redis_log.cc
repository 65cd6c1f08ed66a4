#include "services/seatlock/log/redis/redis_log.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/numbers.h"
#include "services/seatlock/log/redis/calls.h"
#include "services/seatlock/log/redis/keys.h"
#include "services/seatlock/log/redis/redis_store.h"
#include "services/seatlock/log/redis/replies.h"
#include "services/seatlock/log/verify.h"

struct redisReply;

namespace seatlock::log {
namespace {

using domain::Revision;
using domain::ShowtimeId;

// Sends one command; `read` makes its answer a T. The answer belongs to the store's thread alone:
// who asks keeps no share of it, so that what may be a page of 1 MiB is never freed on its thread.
template <typename T, typename Callback>
void AskOne(RedisStore& store, Command command, std::function<T(const redisReply&)> read,
            Callback done) {
  auto answer = std::make_shared<std::optional<T>>();
  ReadCall call;
  call.commands.push_back(std::move(command));
  call.heard = [answer, read = std::move(read)](size_t, const redisReply& reply) {
    *answer = read(reply);
  };
  call.done = [answer = std::move(answer), done = std::move(done)](absl::Status status) mutable {
    if (!status.ok()) return std::move(done)(std::move(status));
    std::move(done)(*std::move(*answer));
  };
  store.Read(std::move(call));
}

// One command a partition; the answers become parts, or the first error.
template <typename Part>
using Parts = absl::StatusOr<std::vector<Part>>;

template <typename Part>
void AskAll(RedisStore& store, std::vector<Command> commands,
            std::function<absl::StatusOr<Part>(const redisReply&)> read,
            absl::AnyInvocable<void(Parts<Part>) &&> done) {
  auto parts = std::make_shared<Parts<Part>>(std::vector<Part>(commands.size()));
  ReadCall call;
  call.commands = std::move(commands);
  call.heard = [parts, read = std::move(read)](size_t index, const redisReply& reply) {
    if (!parts->ok()) return;
    absl::StatusOr<Part> part = read(reply);
    if (!part.ok()) {
      *parts = part.status();
    } else {
      (**parts)[index] = *std::move(part);
    }
  };
  call.done = [parts = std::move(parts), done = std::move(done)](absl::Status status) mutable {
    if (!status.ok()) *parts = std::move(status);
    std::move(done)(std::move(*parts));
  };
  store.Read(std::move(call));
}

template <typename F>
std::vector<Command> OfEachPartition(F command) {
  std::vector<Command> commands;
  for (int partition = 0; partition < kRedisPartitions; ++partition) {
    commands.push_back(command(partition));
  }
  return commands;
}

using Scores = std::vector<std::pair<std::string, int64_t>>;

// In the order of DueCursor, those after `after`, at most `limit`.
std::vector<DueShowtime> MergeDue(std::vector<Scores> parts, size_t limit, const DueCursor& after) {
  std::vector<DueShowtime> due;
  for (Scores& part : parts) {
    for (auto& [id, wake_ms] : part) {
      due.push_back({.showtime = ShowtimeId(std::move(id)), .wake_ms = wake_ms});
    }
  }
  const auto place = [](const DueShowtime& each) { return std::tie(each.wake_ms, each.showtime); };
  std::erase_if(due, [&](const DueShowtime& each) {
    return place(each) <= std::tie(after.wake_ms, after.showtime);
  });
  std::sort(due.begin(), due.end(), [&](const DueShowtime& left, const DueShowtime& right) {
    return place(left) < place(right);
  });
  if (due.size() > limit) due.resize(limit);
  return due;
}

ListedShowtime ReadListed(const ShowtimeId& showtime, const std::vector<std::string>& head) {
  ListedShowtime listed{.showtime = showtime, .head = {}, .last_commit_ms = 0};
  uint64_t revision = 0;
  if (head.size() != 4 || !absl::SimpleAtoi(head[1], &revision) ||
      head[2].size() != listed.head.chain.size() ||
      !absl::SimpleAtoi(head[3], &listed.last_commit_ms)) {
    return listed;
  }
  listed.head.epoch = domain::Epoch(head[0]);
  listed.head.revision = Revision(revision);
  std::copy(head[2].begin(), head[2].end(), listed.head.chain.begin());
  return listed;
}

}  // namespace

absl::StatusOr<std::unique_ptr<RedisLog>> RedisLog::Open(RedisOptions options) {
  if (options.addresses.empty()) return absl::InvalidArgumentError("redis: no address");
  auto store = std::make_unique<RedisStore>(std::move(options));
  const absl::Status first = store->AwaitFirst(2 * kRedisConnectMs);
  if (absl::IsFailedPrecondition(first)) return first;
  return std::unique_ptr<RedisLog>(new RedisLog(std::move(store)));
}

RedisLog::RedisLog(std::unique_ptr<RedisStore> store)
    : store_(std::move(store)), prefix_(store_->options().prefix) {}

RedisLog::~RedisLog() = default;

void RedisLog::Append(AppendRequest request, AppendCallback done) {
  absl::Status status = VerifyAppend(request);
  if (!status.ok()) return std::move(done)(NotAppended(std::move(status)));
  const size_t lane = LaneOf(request.showtime);
  store_->Write(lane, MakeAppend(prefix_, std::move(request), std::move(done)));
}

void RedisLog::Read(ShowtimeId showtime, Revision from, size_t max_records, PageCallback done) {
  max_records = std::min(max_records, kPageRecordsMax);
  Command command = PageCommand(prefix_, showtime, from, max_records);
  AskOne<absl::StatusOr<Page>>(
      *store_, std::move(command),
      [showtime, from, max_records](const redisReply& reply) {
        return ReadPage(reply, showtime, from, max_records);
      },
      std::move(done));
}

void RedisLog::Load(ShowtimeId showtime, LoadCallback done) {
  Command command = LoadCommand(prefix_, showtime);
  AskOne<absl::StatusOr<LoadResult>>(
      *store_, std::move(command),
      [showtime](const redisReply& reply) { return ReadLoad(reply, showtime); }, std::move(done));
}

void RedisLog::SaveSnapshot(ShowtimeId showtime, StoredSnapshot snapshot, StatusCallback done) {
  AskOne<absl::Status>(
      *store_, SnapshotCommand(prefix_, showtime, snapshot),
      [showtime](const redisReply& reply) { return ReadDone(reply, showtime); }, std::move(done));
}

void RedisLog::Trim(ShowtimeId showtime, int64_t before_ms, uint64_t keep, StatusCallback done) {
  AskOne<absl::Status>(
      *store_, TrimCommand(prefix_, showtime, before_ms, keep),
      [showtime](const redisReply& reply) { return ReadDone(reply, showtime); }, std::move(done));
}

void RedisLog::Due(int64_t now_ms, size_t limit, DueCursor after, DueCallback done) {
  // Of those at the cursor's own time all are asked for, with `limit` more: each partition then has
  // what may come after it. See kDueAtOneTimeMax.
  const size_t each = limit + (after.wake_ms == INT64_MIN ? 0 : kDueAtOneTimeMax);
  AskAll<Scores>(*store_, OfEachPartition([&](int partition) {
    return DueCommand(prefix_, partition, now_ms, after.wake_ms, each);
  }),
                 &ReadScores, [limit, after, done = std::move(done)](Parts<Scores> parts) mutable {
                   if (!parts.ok()) return std::move(done)(parts.status());
                   std::move(done)(MergeDue(*std::move(parts), limit, after));
                 });
}

void RedisLog::ClaimDue(int64_t now_ms, size_t limit, int64_t lease_ms, DueCallback done) {
  Due(now_ms, limit, {},
      [this, now_ms, lease_ms,
       done = std::move(done)](absl::StatusOr<std::vector<DueShowtime>> due) mutable {
        if (!due.ok() || due->empty()) return std::move(done)(std::move(due));
        Claim(now_ms, lease_ms, *std::move(due), std::move(done));
      });
}

void RedisLog::Claim(int64_t now_ms, int64_t lease_ms, std::vector<DueShowtime> due,
                     DueCallback done) {
  std::array<std::vector<DueShowtime>, kRedisPartitions> by_partition;
  for (DueShowtime& each : due) {
    by_partition[PartitionOf(each.showtime)].push_back(std::move(each));
  }
  std::vector<Command> commands;
  for (int partition = 0; partition < kRedisPartitions; ++partition) {
    if (by_partition[partition].empty()) continue;
    commands.push_back(ClaimCommand(prefix_, partition, now_ms, lease_ms, by_partition[partition]));
  }
  AskAll<Scores>(*store_, std::move(commands), &ReadClaimed,
                 [done = std::move(done)](Parts<Scores> parts) mutable {
                   if (!parts.ok()) return std::move(done)(parts.status());
                   std::move(done)(MergeDue(*std::move(parts), SIZE_MAX, {}));
                 });
}

void RedisLog::List(ShowtimeId after, size_t limit, ListCallback done) {
  limit = std::min(limit, kListedMax);
  using Ids = std::vector<std::string>;
  AskAll<Ids>(*store_, OfEachPartition([&](int partition) {
    return IdsCommand(prefix_, partition, after, limit);
  }),
              &ReadTexts, [this, limit, done = std::move(done)](Parts<Ids> parts) mutable {
                if (!parts.ok()) return std::move(done)(parts.status());
                std::vector<ShowtimeId> ids;
                for (Ids& part : *parts) {
                  for (std::string& id : part) ids.emplace_back(std::move(id));
                }
                std::sort(ids.begin(), ids.end());
                if (ids.size() > limit) ids.resize(limit);
                ListHeads(std::move(ids), std::move(done));
              });
}

void RedisLog::ListHeads(std::vector<ShowtimeId> ids, ListCallback done) {
  if (ids.empty()) return std::move(done)(std::vector<ListedShowtime>());
  std::vector<Command> commands;
  for (const ShowtimeId& id : ids) commands.push_back(HeadCommand(prefix_, id));
  using Fields = std::vector<std::string>;
  AskAll<Fields>(
      *store_, std::move(commands),
      // A head of a wrong type is damaged, and listed.
      [](const redisReply& reply) {
        absl::StatusOr<Fields> fields = ReadTexts(reply);
        return fields.ok() ? fields : Fields();
      },
      [ids = std::move(ids), done = std::move(done)](Parts<Fields> parts) mutable {
        if (!parts.ok()) return std::move(done)(parts.status());
        std::vector<ListedShowtime> listed;
        for (size_t i = 0; i < ids.size(); ++i) {
          listed.push_back(ReadListed(ids[i], (*parts)[i]));
        }
        std::move(done)(std::move(listed));
      });
}

void RedisLog::Delete(ShowtimeId showtime, StatusCallback done) {
  const size_t lane = LaneOf(showtime);
  store_->Write(lane, MakeDelete(prefix_, std::move(showtime), std::move(done)));
}

void RedisLog::Recover(StatusCallback done) {
  std::move(done)(absl::OkStatus());
}

void RedisLog::Follow(HintCallback hint) {
  if (!hint) return store_->Follow(nullptr);
  store_->Follow([hint = std::move(hint)](const std::string& text) {
    // keys.h: "REVISION ID". What is none may be published by anybody, and says nothing.
    const size_t space = text.find(' ');
    uint64_t revision = 0;
    if (space == std::string::npos || !absl::SimpleAtoi(text.substr(0, space), &revision)) return;
    hint(ShowtimeId(text.substr(space + 1)), domain::Revision(revision));
  });
}

void RedisLog::ChangedSince(ChangeMark mark, ChangedCallback done) {
  AskAll<int64_t>(
      *store_, OfEachPartition([&](int partition) { return CounterCommand(prefix_, partition); }),
      &ReadNumber,
      [this, mark = std::move(mark), done = std::move(done)](Parts<int64_t> counters) mutable {
        if (!counters.ok()) return std::move(done)(counters.status());
        ChangeMark now(counters->begin(), counters->end());
        if (mark.size() != now.size()) {
          return std::move(done)(ChangedShowtimes{.showtimes = {}, .mark = std::move(now)});
        }
        TellChanged(std::move(mark), std::move(now), std::move(done));
      });
}

void RedisLog::TellChanged(ChangeMark since, ChangeMark now, ChangedCallback done) {
  std::vector<Command> commands;
  std::vector<size_t> partitions;
  for (size_t i = 0; i < now.size(); ++i) {
    if (now[i] == since[i]) continue;
    // A counter that went back belongs to another history: all of it is new.
    commands.push_back(
        ChangedCommand(prefix_, static_cast<int>(i), now[i] < since[i] ? 0 : since[i]));
    partitions.push_back(i);
  }
  if (commands.empty()) {
    return std::move(done)(ChangedShowtimes{.showtimes = {}, .mark = std::move(now)});
  }
  AskAll<Scores>(*store_, std::move(commands), &ReadScores,
                 [now = std::move(now), partitions = std::move(partitions),
                  done = std::move(done)](Parts<Scores> parts) mutable {
                   if (!parts.ok()) return std::move(done)(parts.status());
                   ChangedShowtimes changed{.showtimes = {}, .mark = std::move(now)};
                   for (size_t i = 0; i < parts->size(); ++i) {
                     for (auto& [id, count] : (*parts)[i]) changed.showtimes.emplace_back(id);
                     // The next question goes on where this answer was full.
                     if ((*parts)[i].size() < kChangedPerPartitionMax) continue;
                     changed.mark[partitions[i]] = static_cast<uint64_t>((*parts)[i].back().second);
                   }
                   std::move(done)(std::move(changed));
                 });
}

std::string RedisLog::Generation() const {
  return store_->Generation();
}

bool RedisLog::Healthy() const {
  return store_->Healthy();
}

std::string RedisLog::WhyUnhealthy() const {
  return std::string(store_->WhyNot().message());
}

size_t RedisLog::QueuedBytes() const {
  return store_->queued_bytes();
}

int64_t RedisLog::Replicas() const {
  return store_->replicas();
}

uint64_t RedisLog::Returns() const {
  return store_->Returns();
}

}  // namespace seatlock::log
