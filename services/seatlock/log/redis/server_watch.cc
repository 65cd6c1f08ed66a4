#include "services/seatlock/log/redis/server_watch.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/seatlock/log/redis/facts.h"
#include "services/seatlock/log/redis/limits.h"

namespace seatlock::log {
namespace {

std::string NameOf(const RedisAddress& address) {
  return absl::StrCat(address.host, ":", address.port);
}

}  // namespace

ServerWatch::ServerWatch(EventLoop& loop, const RedisOptions& options)
    : loop_(loop),
      options_(options),
      wanted_{.profile = options.profile, .replicas = options.replicas} {}

ServerWatch::~ServerWatch() = default;

absl::Status ServerWatch::Judge(const RedisFacts& facts) {
  const std::string name = NameOf(facts.address);
  if (primaries_.size() > kRedisServersMax && !primaries_.contains(name)) primaries_.clear();
  // Both are looked at each time, for the watches must see all that happens.
  const absl::Status rewrites =
      wanted_.profile == RedisProfile::kStrict ? primaries_[name].Look(facts) : absl::OkStatus();
  const absl::Status replicas =
      wanted_.profile == RedisProfile::kStrict ? JudgeReplicas(facts) : absl::OkStatus();
  if (absl::Status status = CheckPrimary(facts, wanted_); !status.ok()) return status;
  return rewrites.ok() ? replicas : rewrites;
}

absl::Status ServerWatch::JudgeReplicas(const RedisFacts& primary) {
  std::set<std::string> named;
  absl::Status worst;
  for (const ReplicaLine& line : ReplicasOf(primary)) {
    const std::string name = NameOf(line.address);
    if (named.size() == kRedisServersMax) break;
    named.insert(name);
    std::unique_ptr<Replica>& replica = replicas_[name];
    if (replica == nullptr) {
      replica = std::make_unique<Replica>();
      replica->status = absl::AbortedError(absl::StrCat("redis ", name, ": was not asked yet"));
    }
    replica->address = line.address;
    replica->syncs = SyncsOf(primary);
    Ask(*replica);
    if (worst.ok() && !replica->status.ok()) worst = replica->status;
  }
  std::erase_if(replicas_, [&](const auto& each) { return !named.contains(each.first); });
  if (!worst.ok()) return worst;
  return CheckPromotable(Promotable(ReplicasOf(primary)), wanted_);
}

int ServerWatch::Promotable(const std::vector<ReplicaLine>& replicas) const {
  return static_cast<int>(
      std::count_if(replicas.begin(), replicas.end(), [this](const ReplicaLine& line) {
        const auto known = replicas_.find(NameOf(line.address));
        return line.online && known != replicas_.end() && known->second->promotable;
      }));
}

void ServerWatch::Ask(Replica& replica) {
  if (replica.asking) return;
  if (replica.connection == nullptr || replica.connection->lost()) {
    Connection::Handlers handlers;
    handlers.on_lost = [&replica](absl::Status why) {
      replica.asking = false;
      replica.status = std::move(why);
    };
    replica.connection = std::make_unique<Connection>(
        loop_, *options_.clock, replica.address.host, replica.address.port,
        Connection::Login{.user = options_.user, .password = options_.password},
        std::move(handlers));
  }
  replica.asking = true;
  AskFacts(*replica.connection, replica.address,
           [this, &replica](absl::StatusOr<RedisFacts> facts) {
             replica.asking = false;
             if (absl::IsCancelled(facts.status())) return;  // on_lost says why
             if (!facts.ok()) {
               replica.status = facts.status();
               return;
             }
             const absl::Status rewrites = replica.rewrites.Look(*facts, replica.syncs);
             replica.promotable = MayBePromoted(*facts);
             replica.status = CheckReplica(*facts, wanted_);
             if (replica.status.ok()) replica.status = rewrites;
           });
}

void ServerWatch::CheckSilence() {
  for (auto& [name, replica] : replicas_) {
    if (replica->connection != nullptr) replica->connection->CheckSilence(kRedisSilenceMs);
  }
}

}  // namespace seatlock::log
