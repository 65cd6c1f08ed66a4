#include "services/seatlock/log/redis/session.h"

#include <hiredis/hiredis.h>

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/random.h"
#include "services/seatlock/log/redis/facts.h"
#include "services/seatlock/log/redis/functions.h"
#include "services/seatlock/log/redis/keys.h"
#include "services/seatlock/log/redis/replies.h"

namespace seatlock::log {

Session::Session(EventLoop& loop, const RedisOptions& options, PrimaryFinder::Found server,
                 Handlers handlers)
    : loop_(loop),
      options_(options),
      server_(std::move(server)),
      handlers_(std::move(handlers)),
      name_(absl::StrCat("redis ", server_.address.host, ":", server_.address.port)),
      probe_(base::RandomHex(8)) {
  reads_ = Connect([this] { Look(); });
}

std::unique_ptr<Connection> Session::Connect(std::function<void()> on_ready) {
  Connection::Handlers handlers;
  handlers.on_ready = std::move(on_ready);
  handlers.on_lost = [this](absl::Status why) { End(std::move(why)); };
  return std::make_unique<Connection>(
      loop_, *options_.clock, server_.ip, server_.address.port,
      Connection::Login{
          .user = options_.user, .password = options_.password, .database = options_.database},
      std::move(handlers));
}

void Session::Look() {
  if (looking_ || ended_) return;
  looking_ = true;
  look_again_ = false;
  AskFacts(*reads_, server_.address,
           [this](absl::StatusOr<RedisFacts> facts) { OnFacts(std::move(facts)); });
}

void Session::OnFacts(absl::StatusOr<RedisFacts> facts) {
  looking_ = false;
  if (ended_ || absl::IsCancelled(facts.status())) return;
  const absl::Status fit = facts.ok() ? handlers_.judge(*facts) : facts.status();
  look_again_ = absl::IsAborted(fit);
  if (look_again_) return;
  if (!fit.ok()) return End(fit);
  if (!prepared_) AskVersion();
}

void Session::StepWithErrors(const Command& command, std::function<void(const redisReply&)> next) {
  reads_->Send(command, [this, next = std::move(next)](const redisReply* reply) {
    if (reply != nullptr && !ended_) next(*reply);
  });
}

void Session::Step(const Command& command, std::function<void(const redisReply&)> next,
                   absl::string_view what) {
  StepWithErrors(command,
                 [this, next = std::move(next), what = std::string(what)](const redisReply& reply) {
                   if (reply.type == REDIS_REPLY_ERROR) return End(Refused(what, reply));
                   next(reply);
                 });
}

absl::Status Session::Refused(absl::string_view what, const redisReply& reply) const {
  for (const char* passing :
       {"LOADING", "BUSY", "READONLY", "NOREPLICAS", "MISCONF", "MASTERDOWN", "OOM"}) {
    if (!absl::StartsWith(TextOf(reply), passing)) continue;
    return absl::UnavailableError(absl::StrCat(name_, ": cannot be written now: ", TextOf(reply)));
  }
  return absl::FailedPreconditionError(absl::StrCat(name_, ": ", what, ": ", TextOf(reply)));
}

void Session::AskVersion() {
  StepWithErrors(Command{"FCALL_RO", kFnVersion, "0"},
                 [this](const redisReply& reply) { OnVersion(reply); });
}

void Session::OnVersion(const redisReply& reply) {
  if (reply.type == REDIS_REPLY_ERROR) {
    if (!absl::StartsWith(TextOf(reply), "ERR Function not found")) {
      return End(Refused("refuses to run functions", reply));
    }
    return LoadFunctions();
  }
  if (reply.type != REDIS_REPLY_INTEGER || reply.integer < kFunctionVersion) {
    return LoadFunctions();
  }
  // Newer functions of the same library do what ours do.
  ProbeKeys();
}

void Session::LoadFunctions() {
  Step(
      Command{"FUNCTION", "LOAD", "REPLACE", kFunctionLibrary},
      [this](const redisReply&) { ProbeKeys(); }, "refuses our functions (right +function|load)");
}

// Keys of this server alone: others may probe at the same time.
std::string Session::Scratch(absl::string_view part, absl::string_view name) const {
  return absl::StrCat("{", options_.prefix, ":", part, "}:rights:", probe_, ":", name);
}

// Reads the names of all partitions and writes beside them, in one command each.
void Session::ProbeKeys() {
  Command reads{"EXISTS", InstallationKey(options_.prefix)};
  Command writes{"UNLINK", Scratch("meta", "key")};
  for (int partition = 0; partition < kRedisPartitions; ++partition) {
    for (const char* name : {"head:", "log:", "snap:", "wake", "changed", "counter", "ids"}) {
      reads.Add(PartitionKey(options_.prefix, partition, name));
    }
    writes.Add(Scratch(absl::StrCat(absl::Dec(partition, absl::kZeroPad2)), "key"));
  }
  const std::string what = absl::StrCat(
      "the user lacks a right that the store needs (commands on keys ~{", options_.prefix, ":*)");
  Step(
      reads, [](const redisReply&) {}, what);
  Step(
      writes, [this](const redisReply&) { ProbeRights(); }, what);
}

void Session::ProbeRights() {
  Command command{"FCALL", kFnRights, "4"};
  for (const char* each : {"hash", "stream", "set", "number"}) {
    command.Add(Scratch("meta", each));
  }
  for (int partition = 0; partition < kRedisPartitions; ++partition) {
    command.Add(HintChannel(options_.prefix, partition));
  }
  Step(
      command, [this](const redisReply&) { ProbeConnection(); },
      "the user lacks a right that the store needs");
}

// What no function may run.
void Session::ProbeConnection() {
  const bool strict = options_.profile == RedisProfile::kStrict;
  const char* what = "the user lacks a right that the store needs";
  if (strict) {
    Step(
        Command{"WAIT", "0", "1"}, [](const redisReply&) {}, what);
  }
  Step(
      Command{"ROLE"},
      [this, strict](const redisReply&) { strict ? ConnectOthers() : LookForData(); }, what);
}

void Session::LookForData() {
  for (int partition = 0; partition < kRedisPartitions; ++partition) {
    Step(Command{"EXISTS", PartitionKey(options_.prefix, partition, "counter")},
         [this](const redisReply& reply) {
           has_data_ = has_data_ || (reply.type == REDIS_REPLY_INTEGER && reply.integer != 0);
           if (++partitions_seen_ < kRedisPartitions) return;
           has_data_ ? ConnectOthers() : Install();
         });
  }
}

void Session::Install() {
  Step(Command{"FCALL", kFnInstall, "1", InstallationKey(options_.prefix),
               base::RandomHex(kGenerationBytes)}
           .Add(int64_t{kRedisLayout}),
       [this](const redisReply&) { ConnectOthers(); });
}

void Session::ConnectOthers() {
  for (auto& lane : lanes_) lane = Connect([this] { OnOtherReady(); });
  hints_ = Connect([this] {
    std::vector<std::string> channels;
    for (int partition = 0; partition < kRedisPartitions; ++partition) {
      channels.push_back(HintChannel(options_.prefix, partition));
    }
    hints_->Subscribe(channels, handlers_.on_hint, [this] { OnOtherReady(); });
  });
}

void Session::OnOtherReady() {
  if (ended_ || ++others_ready_ < lanes_.size() + 1) return;
  prepared_ = true;
  handlers_.on_prepared();
}

void Session::End(absl::Status why) {
  if (ended_) return;
  ended_ = true;
  handlers_.on_lost(std::move(why));
}

void Session::CheckSilence() {
  if (ended_) return;
  if (look_again_) Look();
  reads_->CheckSilence(kRedisSilenceMs);
  for (auto& lane : lanes_) {
    if (lane != nullptr) lane->CheckSilence(kRedisSilenceMs);
  }
  if (hints_ != nullptr) hints_->CheckSilence(kRedisSilenceMs);
}

}  // namespace seatlock::log
