#include "services/seatlock/log/redis/judgement.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/seatlock/log/redis/keys.h"

namespace seatlock::log {
namespace {

// What Redis says of a function that it does not have.
constexpr char kFunctionMissing[] = "ERR Function not found";

constexpr size_t kReplicationIdDigits = 16;
constexpr size_t kInstallationDigits = 8;

Verdict NotReady(absl::Status why) {
  return {.kind = Verdict::Kind::kNotReady, .why = std::move(why)};
}

Verdict Lost(Loss loss, uint64_t confirmed) {
  absl::Status why = absl::UnavailableError(absl::StrCat(
      "the store has lost what was confirmed: its counter was found at ", loss.counter,
      " and had been at ", confirmed,
      "; look for the data first, then `seatlockd store init --accept` accepts what is there"));
  return {.kind = Verdict::Kind::kLost, .why = std::move(why), .loss = std::move(loss)};
}

absl::Status CheckMarker(const PipelineEnd& end) {
  if (end.restoring) {
    return absl::UnavailableError(
        "a restore into the store is under way: it is served once that is done, and if it was cut "
        "short run `seatlockd store restore` again");
  }
  if (end.installation.empty()) {
    return absl::UnavailableError(
        "the store has no installation marker: if it is a new one, run `seatlockd store init`; if "
        "it was served before, its data are lost, so put them back and do not initialise");
  }
  if (end.layout > kRedisLayout) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the store is of a newer version (layout ", end.layout, ", known is ", kRedisLayout, ")"));
  }
  return absl::OkStatus();
}

absl::Status CheckAcknowledged(const PipelineEnd& end, const JudgedFor& wanted) {
  if (wanted.profile != RedisProfile::kStrict) return absl::OkStatus();
  const int64_t needed = std::max<int64_t>(wanted.replicas, end.connected_replicas);
  if (end.acknowledged >= needed || needed == 0) {
    return CheckPromotable(wanted.promotable,
                           {.profile = wanted.profile, .replicas = wanted.replicas});
  }
  return absl::UnavailableError(absl::StrCat(std::max<int64_t>(0, end.acknowledged), " of ", needed,
                                             " replicas have what was written"));
}

}  // namespace

std::string StoreView::Generation() const {
  return absl::StrCat(replication_id.substr(0, kReplicationIdDigits),
                      installation.substr(0, kInstallationDigits));
}

StoreView ViewOf(const PipelineEnd& end) {
  return {.replication_id = end.replication_id,
          .installation = end.installation,
          .counter = end.counter};
}

Verdict Judge(const PipelineEnd& end, const StoreView& view, const JudgedFor& wanted) {
  if (!end.replication.ok()) return NotReady(end.replication);
  if (end.role != "master") {
    return {.kind = Verdict::Kind::kGone,
            .why = absl::UnavailableError("redis: the server is not the primary any more")};
  }
  if (absl::StrContains(end.barrier.message(), kFunctionMissing)) {
    return {.kind = Verdict::Kind::kGone, .why = end.barrier};
  }
  if (!end.barrier.ok()) return NotReady(end.barrier);
  if (absl::Status marker = CheckMarker(end); !marker.ok()) return NotReady(marker);
  if (absl::Status all = CheckAcknowledged(end, wanted); !all.ok()) return NotReady(all);

  const bool same_store = end.installation == view.installation;
  const bool lost_before = view.loss && view.loss->replication_id == end.replication_id;
  const bool went_back =
      same_store &&
      (lost_before || (wanted.raises ? end.counter <= view.counter : end.counter < view.counter));
  if (went_back && wanted.profile == RedisProfile::kStrict) {
    return Lost(lost_before ? *view.loss : Loss{end.replication_id, end.counter}, view.counter);
  }
  if (went_back || !same_store || end.replication_id != view.replication_id) {
    return {.kind = Verdict::Kind::kOtherHistory,
            .why = absl::UnavailableError("the store's history may be another one")};
  }
  return {.kind = Verdict::Kind::kCounts, .why = absl::OkStatus()};
}

std::map<std::string, std::string> ParseInfo(absl::string_view text) {
  std::map<std::string, std::string> fields;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (absl::EndsWith(line, "\r")) line.remove_suffix(1);
    const size_t colon = line.find(':');
    if (line.empty() || line[0] == '#' || colon == absl::string_view::npos) continue;
    fields.emplace(std::string(line.substr(0, colon)), std::string(line.substr(colon + 1)));
  }
  return fields;
}

void ReadReplication(absl::string_view info, PipelineEnd& end) {
  std::map<std::string, std::string> fields = ParseInfo(info);
  end.role = fields["role"];
  end.replication_id = fields["master_replid"];
  if (!absl::SimpleAtoi(fields["connected_slaves"], &end.connected_replicas)) {
    end.connected_replicas = 0;
  }
  end.replicas = ReplicasOf(RedisFacts{.address = {}, .info = std::move(fields), .config = {}});
}

ErrorMeaning MeaningOf(absl::string_view error) {
  if (absl::StartsWith(error, "OOM ")) return ErrorMeaning::kNoRoom;
  // Redis says these before it runs a function; a function's own errors are HALFWAY.
  for (const char* refused : {"READONLY ", "NOREPLICAS ", "MISCONF ", "LOADING ", "NOPERM ",
                              "NOAUTH ", "MASTERDOWN ", "BUSY ", kFunctionMissing}) {
    if (absl::StartsWith(error, refused)) return ErrorMeaning::kNothingDone;
  }
  return ErrorMeaning::kUnknown;
}

bool IsHalfway(absl::string_view error) {
  return absl::StartsWith(error, "HALFWAY ");
}

}  // namespace seatlock::log
