#include "services/seatlock/log/redis/calls.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/seatlock/log/redis/functions.h"
#include "services/seatlock/log/redis/keys.h"

namespace seatlock::log {
namespace {

using domain::ShowtimeId;

absl::string_view View(const Chain& chain) {
  return {reinterpret_cast<const char*>(chain.data()), chain.size()};
}

// As the store has it: nothing before the first record.
absl::string_view ChainOf(const Head& head) {
  return head.revision.value() == 0 ? absl::string_view() : View(head.chain);
}

std::string Sealed(const StoredRecord& record) {
  const Seal seal = SealOf(record.chain, record.commit_ms);
  return absl::StrCat(View(record.chain),
                      absl::string_view(reinterpret_cast<const char*>(seal.data()), seal.size()));
}

// The keys that a change of a showtime touches, in the functions' order.
void AddWriteKeys(Command& command, absl::string_view prefix, const ShowtimeId& showtime) {
  command.Add(ShowtimeKey(prefix, showtime, "head"));
  command.Add(ShowtimeKey(prefix, showtime, "log"));
  for (const char* name : {"wake", "changed", "counter", "ids"}) {
    command.Add(PartitionKey(prefix, PartitionOf(showtime), name));
  }
}

std::string AppendCommand(absl::string_view prefix, const AppendRequest& request) {
  Command command{"FCALL", request.takes_room ? kFnAppendIfRoom : kFnAppend, "6"};
  AddWriteKeys(command, prefix, request.showtime);
  command.Add(request.showtime.value());
  command.Add(HintChannel(prefix, PartitionOf(request.showtime)));
  command.Add(request.expected.epoch.value());
  command.Add(absl::StrCat(request.expected.revision.value()));
  command.Add(ChainOf(request.expected));
  command.Add(request.epoch.value());
  command.Add(request.wake_ms ? absl::StrCat(*request.wake_ms) : std::string());
  command.Add(int64_t{kPageRecordsMax}).Add(int64_t{kPageBytesMax});
  for (const StoredRecord& record : request.records) {
    command.Add(record.commit_ms).Add(Sealed(record)).Add(record.bytes);
  }
  return command.Bytes();
}

AppendQuestion QuestionOf(const AppendRequest& request) {
  AppendQuestion question{.showtime = request.showtime,
                          .expected = request.expected,
                          .after = request.expected,
                          .confirmation = request.records.empty(),
                          .takes_room = request.takes_room};
  if (!request.records.empty()) {
    const StoredRecord& last = request.records.back();
    question.after = Head{request.epoch, last.revision, last.chain};
  }
  return question;
}

class AppendCall final : public WriteCall {
 public:
  AppendCall(std::string command, bool writes, AppendQuestion question,
             ShowtimeLog::AppendCallback done)
      : weight_(command.size() + kRedisCallOverheadBytes),
        writes_(writes),
        command_(std::move(command)),
        question_(std::move(question)),
        done_(std::move(done)) {}

  std::string TakeCommand() override { return std::move(command_); }
  size_t weight() const override { return weight_; }
  bool writes() const override { return writes_; }
  void Heard(const redisReply& reply) override { result_ = ReadAppend(reply, question_); }

  void Finish(End end, const std::string& generation, const absl::Status& why) override {
    // What Redis refused was not done, whatever became of the pipeline.
    const bool refused = result_.outcome == AppendResult::Outcome::kNoRoom ||
                         (result_.outcome == AppendResult::Outcome::kNotAppended &&
                          absl::IsUnavailable(result_.status));
    if (end == End::kNotSent) {
      result_ = NotAppended(why);
    } else if (end == End::kUnknown && !refused) {
      result_ = UnknownAppend(question_, why);
    }
    result_.generation = generation;
    std::move(done_)(std::move(result_));
  }

 private:
  const size_t weight_;
  const bool writes_;
  std::string command_;
  const AppendQuestion question_;
  AppendResult result_;
  ShowtimeLog::AppendCallback done_;
};

class DeleteCall final : public WriteCall {
 public:
  DeleteCall(std::string command, ShowtimeId showtime, ShowtimeLog::StatusCallback done)
      : command_(std::move(command)), showtime_(std::move(showtime)), done_(std::move(done)) {}

  std::string TakeCommand() override { return std::move(command_); }
  size_t weight() const override { return kRedisCallOverheadBytes; }
  bool writes() const override { return true; }
  void Heard(const redisReply& reply) override { result_ = ReadDone(reply, showtime_); }
  void Finish(End end, const std::string&, const absl::Status& why) override {
    if (end != End::kCounts) result_ = why;
    std::move(done_)(result_);
  }

 private:
  std::string command_;
  const ShowtimeId showtime_;
  absl::Status result_;
  ShowtimeLog::StatusCallback done_;
};

}  // namespace

size_t LaneOf(const ShowtimeId& showtime) {
  return static_cast<size_t>(PartitionOf(showtime)) % kRedisLanes;
}

std::unique_ptr<WriteCall> MakeAppend(absl::string_view prefix, AppendRequest request,
                                      ShowtimeLog::AppendCallback done) {
  return std::make_unique<AppendCall>(AppendCommand(prefix, request), !request.records.empty(),
                                      QuestionOf(request), std::move(done));
}

std::unique_ptr<WriteCall> MakeDelete(absl::string_view prefix, ShowtimeId showtime,
                                      ShowtimeLog::StatusCallback done) {
  Command command{"FCALL", kFnDelete, "7"};
  AddWriteKeys(command, prefix, showtime);
  command.Add(ShowtimeKey(prefix, showtime, "snap"));
  command.Add(showtime.value()).Add(HintChannel(prefix, PartitionOf(showtime)));
  return std::make_unique<DeleteCall>(command.Bytes(), std::move(showtime), std::move(done));
}

Command PageCommand(absl::string_view prefix, const ShowtimeId& showtime, domain::Revision from,
                    size_t max_records) {
  Command command{"FCALL_RO", kFnPage, "2"};
  command.Add(ShowtimeKey(prefix, showtime, "head")).Add(ShowtimeKey(prefix, showtime, "log"));
  command.Add(absl::StrCat(from.value())).Add(static_cast<int64_t>(max_records));
  return command.Add(int64_t{kPageBytesMax});
}

Command LoadCommand(absl::string_view prefix, const ShowtimeId& showtime) {
  Command command{"FCALL_RO", kFnLoad, "3"};
  for (const char* name : {"head", "log", "snap"}) command.Add(ShowtimeKey(prefix, showtime, name));
  return command.Add(int64_t{kPageRecordsMax}).Add(int64_t{kPageBytesMax});
}

Command SnapshotCommand(absl::string_view prefix, const ShowtimeId& showtime,
                        const StoredSnapshot& snapshot) {
  const Head& head = snapshot.head;
  Command command{"FCALL", kFnSnapshot, "3"};
  for (const char* name : {"head", "log", "snap"}) command.Add(ShowtimeKey(prefix, showtime, name));
  command.Add(head.epoch.value()).Add(absl::StrCat(head.revision.value())).Add(View(head.chain));
  command.Add(View(ChainNext(head.chain, head.revision, snapshot.bytes)));
  return command.Add(snapshot.bytes);
}

Command TrimCommand(absl::string_view prefix, const ShowtimeId& showtime, int64_t before_ms,
                    uint64_t keep) {
  Command command{"FCALL", kFnTrim, "3"};
  for (const char* name : {"head", "log", "snap"}) command.Add(ShowtimeKey(prefix, showtime, name));
  return command.Add(before_ms).Add(absl::StrCat(keep));
}

Command DueCommand(absl::string_view prefix, int partition, int64_t now_ms, int64_t after_ms,
                   size_t limit) {
  Command command{"ZRANGEBYSCORE"};
  command.Add(PartitionKey(prefix, partition, "wake"));
  command.Add(after_ms == INT64_MIN ? std::string("-inf") : absl::StrCat(after_ms));
  command.Add(now_ms).Add("WITHSCORES").Add("LIMIT").Add("0");
  return command.Add(static_cast<int64_t>(limit));
}

Command ClaimCommand(absl::string_view prefix, int partition, int64_t now_ms, int64_t lease_ms,
                     const std::vector<DueShowtime>& due) {
  Command command{"FCALL", kFnClaim, "1"};
  command.Add(PartitionKey(prefix, partition, "wake")).Add(now_ms).Add(lease_ms);
  for (const DueShowtime& each : due) command.Add(each.showtime.value()).Add(each.wake_ms);
  return command;
}

Command CounterCommand(absl::string_view prefix, int partition) {
  return Command{"GET", PartitionKey(prefix, partition, "counter")};
}

Command ChangedCommand(absl::string_view prefix, int partition, uint64_t since) {
  Command command{"ZRANGEBYSCORE"};
  command.Add(PartitionKey(prefix, partition, "changed")).Add(absl::StrCat("(", since));
  command.Add("+inf").Add("WITHSCORES").Add("LIMIT").Add("0");
  return command.Add(int64_t{kChangedPerPartitionMax});
}

Command IdsCommand(absl::string_view prefix, int partition, const ShowtimeId& after, size_t limit) {
  Command command{"ZRANGEBYLEX"};
  command.Add(PartitionKey(prefix, partition, "ids"));
  command.Add(after.empty() ? std::string("-") : absl::StrCat("(", after.value()));
  command.Add("+").Add("LIMIT").Add("0");
  return command.Add(static_cast<int64_t>(limit));
}

Command HeadCommand(absl::string_view prefix, const ShowtimeId& showtime) {
  return Command{"HMGET", ShowtimeKey(prefix, showtime, "head"), "epoch", "rev", "chain", "ms"};
}

}  // namespace seatlock::log
