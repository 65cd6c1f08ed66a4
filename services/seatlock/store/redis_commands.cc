#include "services/seatlock/store/redis_commands.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "services/seatlock/log/redis/import.h"
#include "services/seatlock/log/redis/inspection.h"
#include "services/seatlock/log/redis/installation.h"
#include "services/seatlock/log/redis/primary.h"
#include "services/seatlock/log/sqlite/inspect.h"
#include "services/seatlock/store/verify.h"

namespace seatlock::store {
namespace {

constexpr size_t kShowtimesAPage = 1000;
constexpr char kWaitMs[] = "5000";

absl::Status At(const log::Primary& primary, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::Status(status.code(),
                      absl::StrCat("redis ", log::TextOf(primary.address), ": ", status.message()));
}

// Waits until as many replicas have what was written as the profile wants.
absl::Status WaitForReplicas(log::SyncClient& client, const log::RedisOptions& options) {
  if (options.profile != log::RedisProfile::kStrict || options.replicas == 0) {
    return absl::OkStatus();
  }
  const absl::StatusOr<log::RedisReply> answer =
      client.Command({"WAIT", absl::StrCat(options.replicas), kWaitMs});
  if (!answer.ok()) return answer.status();
  int have = 0;
  if (absl::SimpleAtoi(answer->text.value_or(""), &have) && have >= options.replicas) {
    return absl::OkStatus();
  }
  return absl::UnavailableError(absl::StrCat("it was written, but only ", have, " of ",
                                             options.replicas, " replicas have it yet"));
}

absl::Status CopyShowtime(log::Histories& from, const domain::ShowtimeId& showtime,
                          log::RedisImport& to) {
  absl::StatusOr<std::optional<log::Histories::History>> found = from.Find(showtime);
  if (!found.ok()) return found.status();
  if (!*found) return absl::OkStatus();
  const log::Histories::History& history = **found;
  int64_t last_commit_ms = 0;
  for (domain::Revision next = history.oldest; next <= history.head.revision;) {
    absl::StatusOr<log::Page> page = from.Records(showtime, history, next);
    if (!page.ok()) return page.status();
    if (page->records.empty()) return absl::DataLossError("a record is missing");
    if (absl::Status status = to.AddRecords(showtime, page->records); !status.ok()) return status;
    last_commit_ms = page->records.back().commit_ms;
    next = page->records.back().revision.Next();
  }
  int slot = 0;
  for (const log::Head& position : history.snapshots) {
    absl::StatusOr<log::StoredSnapshot> snapshot = from.Snapshot(showtime, history, position);
    if (absl::IsNotFound(snapshot.status())) continue;
    if (!snapshot.ok()) return snapshot.status();
    if (absl::Status status = to.AddSnapshot(showtime, *snapshot, slot); !status.ok()) {
      return status;
    }
    if (++slot == 2) break;
  }
  return to.Finish(showtime, history, last_commit_ms);
}

absl::Status CopyAll(log::Histories& from, log::RedisImport& to, uint64_t total,
                     Progress& progress) {
  domain::ShowtimeId after;
  int64_t done = 0;
  for (;;) {
    absl::StatusOr<std::vector<domain::ShowtimeId>> page = from.Showtimes(after, kShowtimesAPage);
    if (!page.ok()) return page.status();
    if (page->empty()) return absl::OkStatus();
    for (const domain::ShowtimeId& showtime : *page) {
      progress.Update("copying showtimes", done++, static_cast<int64_t>(total));
      if (absl::Status status = CopyShowtime(from, showtime, to); !status.ok()) return status;
    }
    after = page->back();
  }
}

// Whether all that was copied is there and sound, as the server will read it.
absl::Status Compare(const log::RedisOptions& options, const VerifyReport& source,
                     Progress& progress) {
  absl::StatusOr<std::unique_ptr<log::RedisInspection>> copy = log::RedisInspection::Open(options);
  if (!copy.ok()) return copy.status();
  const absl::StatusOr<VerifyReport> report = VerifyShowtimes(**copy, progress);
  if (!report.ok()) return report.status();
  if (report->faults > 0) return absl::DataLossError(report->first_fault);
  if (report->showtimes == source.showtimes && report->changes == source.changes &&
      report->seats_sold == source.seats_sold) {
    return absl::OkStatus();
  }
  return absl::DataLossError(absl::StrCat(
      "what was read back is not what was copied (", report->showtimes, " showtimes, ",
      report->changes, " changes): was something else written meanwhile? Run it again"));
}

absl::StatusOr<VerifyReport> VerifySource(const std::string& from, Progress& progress) {
  absl::StatusOr<VerifyReport> sound = VerifyStore(StoreConfig::Sqlite(from), progress);
  if (!sound.ok() || sound->faults == 0) return sound;
  return absl::FailedPreconditionError(
      absl::StrCat(from, " is not sound, nothing was changed: ", sound->first_fault));
}

}  // namespace

absl::StatusOr<std::string> InitRedis(const log::RedisOptions& options, bool accept) {
  absl::StatusOr<log::Primary> primary = log::ConnectToPrimary(options);
  if (!primary.ok()) return primary.status();
  absl::StatusOr<log::InitReport> report = log::InitStore(primary->client, options.prefix, accept);
  if (!report.ok()) return At(*primary, report.status());
  if (absl::Status status = WaitForReplicas(primary->client, options); !status.ok()) {
    return At(*primary, status);
  }
  const std::string what = report->accepted
                               ? absl::StrCat("accepted as it is, with ", report->showtimes,
                                              " showtimes: clients get snapshots anew")
                               : "initialised, empty";
  return absl::StrCat(what, " (installation ", report->id, ")");
}

absl::StatusOr<RestoreReport> RestoreToRedis(const std::string& from,
                                             const log::RedisOptions& options, Progress& progress) {
  absl::StatusOr<VerifyReport> source = VerifySource(from, progress);
  if (!source.ok()) return source.status();
  absl::StatusOr<std::unique_ptr<log::Inspection>> backup = log::Inspection::Open(from);
  if (!backup.ok()) return backup.status();
  absl::StatusOr<log::Primary> primary = log::ConnectToPrimary(options);
  if (!primary.ok()) return primary.status();
  absl::Status status = log::BeginRestore(primary->client, options.prefix);
  if (!status.ok()) return At(*primary, status);
  log::RedisImport import(primary->client, options.prefix);
  status = CopyAll(**backup, import, source->showtimes, progress);
  if (status.ok()) status = (*backup)->StillWhole();
  if (status.ok()) status = Compare(options, *source, progress);
  if (status.ok()) status = log::EndRestore(primary->client, options.prefix);
  if (status.ok()) status = WaitForReplicas(primary->client, options);
  if (!status.ok()) return At(*primary, status);
  return RestoreReport{
      .showtimes = source->showtimes, .changes = source->changes, .kept_as = "", .notice = ""};
}

}  // namespace seatlock::store
