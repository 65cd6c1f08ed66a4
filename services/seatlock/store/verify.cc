#include "services/seatlock/store/verify.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/seatlock/log/sqlite/one_moment.h"
#include "services/seatlock/store/fold.h"
#include "services/seatlock/store/open_histories.h"

namespace seatlock::store {
namespace {

constexpr size_t kShowtimesAPage = 1000;

void Note(const absl::Status& fault, VerifyReport& report) {
  if (report.faults++ == 0) report.first_fault = std::string(fault.message());
}

// A showtime that a server trims meanwhile is begun again: several times in a row means that
// something is wrong.
constexpr int kFoldsMax = 5;

// What a showtime's fold counted.
struct Folded {
  uint64_t changes = 0;
  uint64_t seats_sold = 0;
};

absl::StatusOr<Folded> FoldAll(Fold& fold) {
  Folded folded;
  for (;; ++folded.changes) {
    absl::StatusOr<std::optional<domain::Change>> change = fold.Next();
    if (!change.ok()) return change.status();
    if (!*change) break;
  }
  for (const domain::SeatView& seat : fold.state().TakenFrom(domain::SeatId(), SIZE_MAX)) {
    if (seat.status == domain::SeatStatus::kBooked) ++folded.seats_sold;
  }
  return folded;
}

// Whether a server trimmed the showtime, or kept another snapshot, since `history` was found.
bool MovedOn(log::Histories& store, const domain::ShowtimeId& showtime,
             const log::Histories::History& history) {
  const auto now = store.Find(showtime);
  return now.ok() && (!*now || !(*now)->SameBeginning(history));
}

absl::StatusOr<Folded> FoldShowtime(log::Histories& store, const domain::ShowtimeId& showtime) {
  for (int folds = 1;; ++folds) {
    const auto history = store.Find(showtime);
    if (!history.ok()) return history.status();
    if (!*history) return Folded{};  // deleted since it was listed
    absl::StatusOr<Fold> fold = Fold::Begin(store, showtime, **history);
    absl::StatusOr<Folded> folded = fold.ok() ? FoldAll(*fold) : fold.status();
    if (!absl::IsDataLoss(folded.status()) || folds == kFoldsMax ||
        !MovedOn(store, showtime, **history)) {
      return folded;
    }
  }
}

// UNAVAILABLE: the store cannot be read. What is wrong with the showtime goes into the report.
absl::Status VerifyShowtime(log::Histories& store, const domain::ShowtimeId& showtime,
                            VerifyReport& report) {
  ++report.showtimes;
  const absl::StatusOr<Folded> folded = FoldShowtime(store, showtime);
  if (absl::IsUnavailable(folded.status())) return folded.status();
  if (!folded.ok()) {
    Note(folded.status(), report);
    return absl::OkStatus();
  }
  report.changes += folded->changes;
  report.seats_sold += folded->seats_sold;
  return absl::OkStatus();
}

absl::StatusOr<VerifyReport> VerifyOnce(log::Histories& store, Progress& progress) {
  absl::StatusOr<VerifyReport> report = VerifyShowtimes(store, progress);
  if (!report.ok()) return report;
  progress.Update("checking the store", 0, 0);
  const absl::Status rest = store.CheckStore();
  if (absl::IsUnavailable(rest)) return rest;
  if (!rest.ok()) Note(rest, *report);
  return report;
}

}  // namespace

absl::StatusOr<VerifyReport> VerifyShowtimes(log::Histories& store, Progress& progress) {
  absl::StatusOr<int64_t> total = store.ShowtimeCount();
  if (!total.ok()) return total.status();
  VerifyReport report;
  domain::ShowtimeId after;
  for (;;) {
    absl::StatusOr<std::vector<domain::ShowtimeId>> page = store.Showtimes(after, kShowtimesAPage);
    if (!page.ok()) return page.status();
    if (page->empty()) return report;
    for (const domain::ShowtimeId& showtime : *page) {
      progress.Update("verifying showtimes", static_cast<int64_t>(report.showtimes), *total);
      absl::Status status = VerifyShowtime(store, showtime, report);
      if (!status.ok()) return status;
    }
    after = page->back();
  }
}

std::string VerifyReport::Text() const {
  std::string text = absl::StrCat("showtimes   ", showtimes, "\nchanges     ", changes,
                                  "\nseats sold  ", seats_sold, "\n");
  if (faults == 0) return text + "sound\n";
  absl::StrAppend(&text, "fault       ", first_fault, "\n");
  if (faults > 1) absl::StrAppend(&text, "            and ", faults - 1, " more\n");
  return text;
}

absl::StatusOr<VerifyReport> VerifyStore(const StoreConfig& config, Progress& progress) {
  for (int reads = 1;; ++reads) {
    absl::StatusOr<std::unique_ptr<log::Histories>> store = OpenHistories(config);
    if (!store.ok()) return store.status();
    absl::StatusOr<VerifyReport> report = VerifyOnce(**store, progress);
    const absl::Status whole = (*store)->StillWhole();
    if (whole.ok()) return report;
    if (reads == log::kReadsMax) return whole;
  }
}

}  // namespace seatlock::store
