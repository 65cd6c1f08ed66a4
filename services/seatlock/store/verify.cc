#include "services/seatlock/store/verify.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/seatlock/store/fold.h"

namespace seatlock::store {
namespace {

constexpr size_t kShowtimesAPage = 1000;

void Note(const absl::Status& fault, VerifyReport& report) {
  if (report.faults++ == 0) report.first_fault = std::string(fault.message());
}

// UNAVAILABLE: the store cannot be read. What is wrong with the showtime goes into the report.
absl::Status VerifyShowtime(log::Inspection& store, const domain::ShowtimeId& showtime,
                            VerifyReport& report) {
  ++report.showtimes;
  absl::StatusOr<Fold> fold = Fold::Begin(store, showtime);
  while (fold.ok()) {
    absl::StatusOr<std::optional<domain::Change>> change = fold->Next();
    if (!change.ok()) {
      fold = change.status();
    } else if (*change) {
      ++report.changes;
    } else {
      break;
    }
  }
  if (absl::IsUnavailable(fold.status())) return fold.status();
  if (!fold.ok()) {
    Note(fold.status(), report);
    return absl::OkStatus();
  }
  for (const domain::SeatView& seat : fold->state().TakenFrom(domain::SeatId(), SIZE_MAX)) {
    if (seat.status == domain::SeatStatus::kBooked) ++report.seats_sold;
  }
  return absl::OkStatus();
}

absl::StatusOr<VerifyReport> VerifyOnce(log::Inspection& store, Progress& progress) {
  absl::StatusOr<int64_t> total = store.ShowtimeCount();
  if (!total.ok()) return total.status();
  VerifyReport report;
  domain::ShowtimeId after;
  for (;;) {
    absl::StatusOr<std::vector<domain::ShowtimeId>> page = store.Showtimes(after, kShowtimesAPage);
    if (!page.ok()) return page.status();
    if (page->empty()) break;
    for (const domain::ShowtimeId& showtime : *page) {
      progress.Update("verifying showtimes", static_cast<int64_t>(report.showtimes), *total);
      absl::Status status = VerifyShowtime(store, showtime, report);
      if (!status.ok()) return status;
    }
    after = page->back();
  }
  progress.Update("checking the file", 0, 0);
  const absl::Status file = store.CheckFile();
  if (absl::IsUnavailable(file)) return file;
  if (!file.ok()) Note(file, report);
  return report;
}

}  // namespace

std::string VerifyReport::Text() const {
  std::string text = absl::StrCat("showtimes   ", showtimes, "\nchanges     ", changes,
                                  "\nseats sold  ", seats_sold, "\n");
  if (faults == 0) return text + "sound\n";
  absl::StrAppend(&text, "fault       ", first_fault, "\n");
  if (faults > 1) absl::StrAppend(&text, "            and ", faults - 1, " more\n");
  return text;
}

absl::StatusOr<VerifyReport> VerifyStore(const std::string& path, Progress& progress) {
  for (int reads = 1;; ++reads) {
    absl::StatusOr<std::unique_ptr<log::Inspection>> store = log::Inspection::Open(path);
    if (!store.ok()) return store.status();
    absl::StatusOr<VerifyReport> report = VerifyOnce(**store, progress);
    if ((*store)->IsWhole()) return report;
    if (reads == log::kReadsMax) return log::OneMoment::NotWhole(path);
  }
}

}  // namespace seatlock::store
