#include "services/seatlock/log/redis/setup_check.h"

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace seatlock::log {
namespace {

constexpr int kMajorVersionMin = 7;  // functions
// Redis looks at the lag of its replicas once a second, so 1 may already be too strict.
constexpr int kMaxLagSecondsMax = 2;

std::string NameOf(const RedisAddress& address) {
  const bool v6 = absl::StrContains(address.host, ':');
  return absl::StrCat(v6 ? "[" : "", address.host, v6 ? "]:" : ":", address.port);
}

// What INFO says of `name`; empty for nothing.
absl::string_view InfoOf(const RedisFacts& server, const std::string& name) {
  const auto found = server.info.find(name);
  return found == server.info.end() ? absl::string_view() : found->second;
}

absl::Status Fault(const RedisFacts& server, absl::string_view what) {
  return absl::FailedPreconditionError(absl::StrCat("redis ", NameOf(server.address), ": ", what));
}

absl::Status Passing(const RedisFacts& server, absl::string_view what) {
  return absl::UnavailableError(absl::StrCat("redis ", NameOf(server.address), ": ", what));
}

bool IsStrict(const SetupWanted& wanted) {
  return wanted.profile == RedisProfile::kStrict;
}

const char* NameOf(const SetupWanted& wanted) {
  return IsStrict(wanted) ? "profile=strict" : "profile=relaxed";
}

absl::Status CheckServer(const RedisFacts& server) {
  const absl::string_view version = InfoOf(server, "redis_version");
  int major = 0;
  if (!absl::SimpleAtoi(version.substr(0, version.find('.')), &major)) {
    return Fault(server, "does not say its version (INFO server)");
  }
  if (major < kMajorVersionMin) {
    return Fault(server, absl::StrCat("its version is ", version, ", must be ", kMajorVersionMin,
                                      " or newer"));
  }
  const absl::string_view mode = InfoOf(server, "redis_mode");
  if (mode == "sentinel") return Fault(server, "is a sentinel: the address needs sentinel=NAME");
  if (mode == "cluster") return Fault(server, "is part of a Redis Cluster, which is not supported");
  if (InfoOf(server, "loading") == "1") {
    return Passing(server, "is loading what it has on its disk");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> Setting(const RedisFacts& server, const std::string& name) {
  if (server.config.empty()) {
    return Fault(server, absl::StrCat("the user may not ask for its settings (", name,
                                      " and others): it needs the right +config|get"));
  }
  const auto found = server.config.find(name);
  if (found == server.config.end()) {
    return Fault(server, absl::StrCat("does not say its setting ", name));
  }
  return found->second;
}

// OK if the setting is one of `good`.
absl::Status CheckSetting(const RedisFacts& server, const SetupWanted& wanted,
                          const std::string& name, const std::vector<std::string>& good) {
  absl::StatusOr<std::string> value = Setting(server, name);
  if (!value.ok()) return value.status();
  std::string must;
  for (const std::string& each : good) {
    if (*value == each) return absl::OkStatus();
    absl::StrAppend(&must, must.empty() ? "" : " or ", each);
  }
  return Fault(server,
               absl::StrCat(name, " is ", *value, ", must be ", must, " (", NameOf(wanted), ")"));
}

absl::Status CheckNumber(const RedisFacts& server, const SetupWanted& wanted,
                         const std::string& name, int least, int most, absl::string_view must) {
  absl::StatusOr<std::string> value = Setting(server, name);
  if (!value.ok()) return value.status();
  int number = -1;
  if (absl::SimpleAtoi(*value, &number) && number >= least && number <= most) {
    return absl::OkStatus();
  }
  return Fault(server, absl::StrCat(name, " is ", *value, ", must be ", must, " (", NameOf(wanted),
                                    "&replicas=", wanted.replicas, ")"));
}

absl::Status CheckPersistence(const RedisFacts& server, const SetupWanted& wanted) {
  absl::Status status = CheckSetting(server, wanted, "appendonly", {"yes"});
  if (!status.ok()) return status;
  if (InfoOf(server, "aof_enabled") != "1") {
    return Fault(server, absl::StrCat("aof_enabled is ", InfoOf(server, "aof_enabled"),
                                      ", must be 1 (", NameOf(wanted), ")"));
  }
  std::vector<std::string> fsync = {"always"};
  if (!IsStrict(wanted)) fsync.push_back("everysec");
  status = CheckSetting(server, wanted, "appendfsync", fsync);
  if (status.ok() && IsStrict(wanted)) {
    status = CheckSetting(server, wanted, "no-appendfsync-on-rewrite", {"no"});
  }
  if (status.ok()) status = CheckSetting(server, wanted, "maxmemory-policy", {"noeviction"});
  if (!status.ok()) return status;
  if (InfoOf(server, "aof_last_write_status") == "err") {
    return Passing(server, "cannot write its append-only file");
  }
  return absl::OkStatus();
}

absl::Status CheckReplication(const RedisFacts& server, const SetupWanted& wanted) {
  if (!IsStrict(wanted) || wanted.replicas == 0) return absl::OkStatus();
  absl::Status status = CheckNumber(server, wanted, "min-replicas-to-write", wanted.replicas,
                                    INT32_MAX, absl::StrCat(wanted.replicas, " or more"));
  if (!status.ok()) return status;
  // 0 would turn the check off.
  return CheckNumber(server, wanted, "min-replicas-max-lag", 1, kMaxLagSecondsMax,
                     absl::StrCat("1 to ", kMaxLagSecondsMax));
}

absl::Status CheckSettings(const RedisFacts& server, const SetupWanted& wanted) {
  absl::Status status = CheckPersistence(server, wanted);
  return status.ok() ? CheckReplication(server, wanted) : status;
}

int OnlineReplicas(const RedisFacts& primary) {
  int online = 0;
  for (const ReplicaLine& replica : ReplicasOf(primary)) online += replica.online ? 1 : 0;
  return online;
}

ReplicaLine ReplicaIn(absl::string_view line) {
  ReplicaLine replica;
  for (const absl::string_view part : absl::StrSplit(line, ',')) {
    const std::pair<absl::string_view, absl::string_view> field =
        absl::StrSplit(part, absl::MaxSplits('=', 1));
    uint32_t port = 0;
    if (field.first == "ip") replica.address.host = std::string(field.second);
    if (field.first == "state") replica.online = field.second == "online";
    if (field.first == "port" && absl::SimpleAtoi(field.second, &port) && port <= UINT16_MAX) {
      replica.address.port = static_cast<uint16_t>(port);
    }
  }
  return replica;
}

}  // namespace

std::vector<ReplicaLine> ReplicasOf(const RedisFacts& primary) {
  std::vector<ReplicaLine> replicas;
  int connected = 0;
  if (!absl::SimpleAtoi(InfoOf(primary, "connected_slaves"), &connected)) return replicas;
  for (int i = 0; i < connected; ++i) {
    const absl::string_view line = InfoOf(primary, absl::StrCat("slave", i));
    if (!line.empty()) replicas.push_back(ReplicaIn(line));
  }
  return replicas;
}

bool MayBePromoted(const RedisFacts& replica) {
  return InfoOf(replica, "slave_priority") != "0";
}

absl::Status CheckPromotable(int promotable, const SetupWanted& wanted) {
  if (!IsStrict(wanted) || promotable >= wanted.replicas) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(
      "redis: ", promotable, " replicas that may be promoted are online, must be ", wanted.replicas,
      " (", NameOf(wanted), "; one with replica-priority 0 stands in for none)"));
}

absl::Status CheckPrimary(const RedisFacts& server, const SetupWanted& wanted) {
  absl::Status status = CheckServer(server);
  if (!status.ok()) return status;
  const absl::string_view role = InfoOf(server, "role");
  if (role != "master") {
    return Fault(server, absl::StrCat("its role is ", role, ", must be master"));
  }
  status = CheckSettings(server, wanted);
  if (!status.ok() || !IsStrict(wanted)) return status;
  const int online = OnlineReplicas(server);
  if (online >= wanted.replicas) return absl::OkStatus();
  return Passing(server, absl::StrCat("has ", online, " replicas online, must have ",
                                      wanted.replicas, " (", NameOf(wanted), ")"));
}

absl::Status CheckReplica(const RedisFacts& server, const SetupWanted& wanted) {
  absl::Status status = CheckServer(server);
  if (!status.ok()) return status;
  const absl::string_view role = InfoOf(server, "role");
  if (role != "slave") {
    return Passing(server,
                   absl::StrCat("its role is ", role, ", the primary counts it as a replica"));
  }
  return CheckSettings(server, wanted);
}

absl::Status RewriteWatch::Look(const RedisFacts& server, absl::string_view syncs) {
  const auto is = [&server](const std::string& name, absl::string_view value) {
    return InfoOf(server, name) == value;
  };
  const std::string now = absl::StrCat(InfoOf(server, "run_id"), "/", syncs);
  if (now != settled_) settled_.clear();
  if (!is("aof_enabled", "1") || is("loading", "1") || is("master_sync_in_progress", "1") ||
      is("master_link_status", "down")) {
    settled_.clear();
    return Passing(server, "has its append-only file off, or is loading or synchronising");
  }
  const bool rewriting = is("aof_rewrite_in_progress", "1") || is("aof_rewrite_scheduled", "1") ||
                         is("aof_last_bgrewrite_status", "err");
  if (rewriting && settled_.empty()) {
    return Passing(server,
                   "is writing its append-only file for the first time (an AOF rewrite), and would "
                   "come back empty from a crash");
  }
  settled_ = now;
  return absl::OkStatus();
}

std::string SyncsOf(const RedisFacts& primary) {
  return absl::StrCat(InfoOf(primary, "run_id"), "/", InfoOf(primary, "master_replid"), "/",
                      InfoOf(primary, "sync_full"));
}

}  // namespace seatlock::log
