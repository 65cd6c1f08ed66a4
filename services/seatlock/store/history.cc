#include "services/seatlock/store/history.h"

#include <charconv>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/runtime/json_text.h"
#include "services/seatlock/store/fold.h"
#include "services/seatlock/store/open_histories.h"

namespace seatlock::store {
namespace {

using runtime::JsonQuoted;

std::string TimeText(int64_t ms) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::FromUnixMillis(ms), absl::UTCTimeZone());
}

const char* StatusText(domain::SeatStatus status) {
  switch (status) {
    case domain::SeatStatus::kAvailable:
      return "available";
    case domain::SeatStatus::kLocked:
      return "locked";
    case domain::SeatStatus::kBooked:
      return "booked";
    case domain::SeatStatus::kBlocked:
      return "blocked";
  }
  return "";
}

const char* CauseText(domain::Cause cause) {
  switch (cause) {
    case domain::Cause::kLock:
      return "lock";
    case domain::Cause::kUnlock:
      return "unlock";
    case domain::Cause::kSwap:
      return "swap";
    case domain::Cause::kExtend:
      return "extend";
    case domain::Cause::kExpired:
      return "expired";
    case domain::Cause::kBook:
      return "book";
    case domain::Cause::kCancel:
      return "cancel";
    case domain::Cause::kBlock:
      return "block";
    case domain::Cause::kUnblock:
      return "unblock";
    case domain::Cause::kRelease:
      return "release";
    case domain::Cause::kClose:
      return "close";
    case domain::Cause::kReopen:
      return "reopen";
  }
  return "";
}

// One line of the answer. What does not apply is empty.
struct Row {
  uint64_t revision = 0;
  std::string time{};
  std::string cause{};
  std::string seat{};
  std::string status{};
  std::string session{};
  std::string until{};
  std::string order{};
  std::string principal{};
  std::string note{};
};

std::string Or(const std::string& text) {
  return text.empty() ? "-" : text;
}

// Writes rows as they come: a history may be long.
class Writer {
 public:
  Writer(std::FILE* out, bool json, bool changes) : out_(out), json_(json), changes_(changes) {}

  void Begin(const std::string& showtime, const log::Histories::History& history,
             domain::Revision begin) {
    if (json_) {
      std::fprintf(
          out_, "{\"showtimeId\":%s,\"epoch\":%s,\"revision\":%llu,\"oldest\":%llu,\"%s\":[",
          JsonQuoted(showtime).c_str(), JsonQuoted(history.head.epoch.value()).c_str(),
          static_cast<unsigned long long>(history.head.revision.value()),
          static_cast<unsigned long long>(begin.Next().value()), changes_ ? "changes" : "seats");
      return;
    }
    if (begin.value() > 0 && changes_) {
      std::fprintf(out_, "changes up to revision %llu are no longer kept\n",
                   static_cast<unsigned long long>(begin.value()));
    }
    if (changes_) {
      std::fprintf(out_, "%-9s %-24s %-8s ", "REVISION", "TIME", "CAUSE");
    }
    std::fprintf(out_, "%-10s %-10s %-36s %-24s ", "SEAT", "STATUS", "SESSION", "UNTIL");
    std::fputs(changes_ ? "ORDER                                PRINCIPAL\n" : "ORDER\n", out_);
  }

  void Write(const Row& row) {
    if (json_) return WriteJson(row);
    if (changes_) {
      std::fprintf(out_, "%-9llu %-24s %-8s ", static_cast<unsigned long long>(row.revision),
                   row.time.c_str(), row.cause.c_str());
    }
    std::fprintf(out_, "%-10s %-10s %-36s %-24s ", Or(row.seat).c_str(), row.status.c_str(),
                 Or(row.session).c_str(), Or(row.until).c_str());
    if (!changes_) {
      std::fprintf(out_, "%s\n", Or(row.order).c_str());
      return;
    }
    std::fprintf(out_, "%-36s %s%s%s\n", Or(row.order).c_str(), Or(row.principal).c_str(),
                 row.note.empty() ? "" : "  # ", row.note.c_str());
  }

  void End() {
    if (json_) std::fputs("\n]}\n", out_);
  }

 private:
  void WriteJson(const Row& row) {
    std::string line = first_ ? "\n{" : ",\n{";
    first_ = false;
    if (changes_) {
      absl::StrAppend(&line, "\"revision\":", row.revision, ",\"time\":\"", row.time,
                      "\",\"cause\":\"", row.cause, "\",");
    }
    if (!row.seat.empty()) absl::StrAppend(&line, "\"seatId\":", JsonQuoted(row.seat), ",");
    absl::StrAppend(&line, "\"status\":\"", row.status, "\"");
    if (!row.session.empty()) absl::StrAppend(&line, ",\"sessionId\":", JsonQuoted(row.session));
    if (!row.until.empty()) absl::StrAppend(&line, ",\"expireTime\":\"", row.until, "\"");
    if (!row.order.empty()) absl::StrAppend(&line, ",\"orderId\":", JsonQuoted(row.order));
    if (!row.principal.empty()) {
      absl::StrAppend(&line, ",\"principal\":", JsonQuoted(row.principal));
    }
    if (!row.note.empty()) absl::StrAppend(&line, ",\"note\":", JsonQuoted(row.note));
    std::fputs((line + "}").c_str(), out_);
  }

  std::FILE* const out_;
  const bool json_;
  const bool changes_;
  bool first_ = true;
};

bool Wanted(const HistoryQuestion& question, const domain::SeatId& seat) {
  return question.seat.empty() || question.seat == seat.value();
}

absl::Status WriteChanges(Fold& fold, const HistoryQuestion& question, Writer& writer) {
  for (;;) {
    absl::StatusOr<std::optional<domain::Change>> change = fold.Next();
    if (!change.ok()) return change.status();
    if (!*change) return absl::OkStatus();
    Row row{.revision = (*change)->revision.value(),
            .time = TimeText((*change)->commit_ms),
            .cause = CauseText((*change)->cause),
            .principal = (*change)->principal,
            .note = (*change)->note};
    const bool closes = (*change)->cause == domain::Cause::kClose;
    if ((closes || (*change)->cause == domain::Cause::kReopen) && question.seat.empty()) {
      row.status = closes ? "closed" : "open";
      writer.Write(row);
    }
    for (const domain::SeatAfter& seat : (*change)->seats) {
      if (!Wanted(question, seat.seat)) continue;
      row.seat = seat.seat.value();
      row.status = StatusText(seat.status);
      row.session = seat.session.value();
      row.until = seat.status == domain::SeatStatus::kLocked ? TimeText(seat.expire_ms) : "";
      row.order = seat.order.value();
      writer.Write(row);
    }
  }
}

void Show(const Fold& fold, Progress& progress) {
  progress.Update("reading changes", static_cast<int64_t>(fold.state().revision().value()),
                  static_cast<int64_t>(fold.history().head.revision.value()));
}

// Folds as far as the moment asked for.
absl::Status FoldTo(Fold& fold, const HistoryQuestion& question, Progress& progress) {
  const uint64_t head = fold.history().head.revision.value();
  if (question.at_revision) {
    if (*question.at_revision > head) {
      return absl::OutOfRangeError(absl::StrCat("the newest revision is ", head));
    }
    while (fold.state().revision().value() < *question.at_revision) {
      Show(fold, progress);
      if (auto change = fold.Next(); !change.ok()) return change.status();
    }
  }
  const bool too_old =
      (question.at_revision && *question.at_revision < fold.begin().value()) ||
      (question.at_ms && fold.begin().value() > 0 && *question.at_ms < fold.state().commit_ms());
  if (!too_old) return absl::OkStatus();
  return absl::OutOfRangeError(absl::StrCat("what was before revision ", fold.begin().value(), " (",
                                            TimeText(fold.state().commit_ms()),
                                            ") is no longer kept"));
}

// The revision that was the newest at the time asked for.
absl::StatusOr<uint64_t> RevisionAt(log::Histories& store, const HistoryQuestion& question,
                                    Progress& progress) {
  absl::StatusOr<Fold> fold = Fold::Begin(store, domain::ShowtimeId(question.showtime));
  if (!fold.ok()) return fold.status();
  if (absl::Status status = FoldTo(*fold, question, progress); !status.ok()) return status;
  uint64_t revision = fold->state().revision().value();
  for (;;) {
    Show(*fold, progress);
    absl::StatusOr<std::optional<domain::Change>> change = fold->Next();
    if (!change.ok()) return change.status();
    if (!*change || (*change)->commit_ms > *question.at_ms) return revision;
    revision = (*change)->revision.value();
  }
}

void WriteSeats(const Fold& fold, const HistoryQuestion& question, Writer& writer) {
  for (const domain::SeatView& seat : fold.state().TakenFrom(domain::SeatId(), SIZE_MAX)) {
    const bool locked = seat.status == domain::SeatStatus::kLocked;
    // A lapsed lock is nobody's, whenever its end was written down.
    const bool lapsed = locked && question.at_ms && seat.expire_ms <= *question.at_ms;
    if (lapsed || !Wanted(question, seat.seat)) continue;
    writer.Write({.time = {},
                  .cause = {},
                  .seat = seat.seat.value(),
                  .status = StatusText(seat.status),
                  .session = seat.session.value(),
                  .until = locked ? TimeText(seat.expire_ms) : "",
                  .order = seat.order.value()});
  }
}

absl::Status Answer(log::Histories& store, HistoryQuestion question, std::FILE* out,
                    Progress& progress) {
  if (question.at_ms) {
    absl::StatusOr<uint64_t> revision = RevisionAt(store, question, progress);
    if (!revision.ok()) return revision.status();
    question.at_revision = *revision;
  }
  absl::StatusOr<Fold> fold = Fold::Begin(store, domain::ShowtimeId(question.showtime));
  if (!fold.ok()) return fold.status();
  const bool changes = !question.at_revision;
  if (absl::Status status = FoldTo(*fold, question, progress); !status.ok()) return status;
  progress.Clear();
  Writer writer(out, question.json, changes);
  writer.Begin(question.showtime, fold->history(), fold->begin());
  absl::Status status;
  if (changes) {
    status = WriteChanges(*fold, question, writer);
  } else {
    WriteSeats(*fold, question, writer);
  }
  writer.End();
  return status;
}

}  // namespace

absl::Status ParseAt(const std::string& text, HistoryQuestion* question) {
  question->at_revision.reset();
  question->at_ms.reset();
  uint64_t revision = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, revision);
  if (!text.empty() && error == std::errc() && stop == end) {
    question->at_revision = revision;
    return absl::OkStatus();
  }
  absl::Time time;
  std::string why;
  for (const char* format : {absl::RFC3339_full, "%Y-%m-%dT%H:%M:%E*S", "%Y-%m-%d %H:%M:%E*S"}) {
    if (!absl::ParseTime(format, text, absl::UTCTimeZone(), &time, &why)) continue;
    question->at_ms = absl::ToUnixMillis(time);
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError("must be a revision, or a time such as 2026-11-29T20:15:00Z");
}

absl::Status WriteHistory(const StoreConfig& config, const HistoryQuestion& question,
                          std::FILE* out, Progress& progress) {
  absl::StatusOr<std::unique_ptr<log::Histories>> store = OpenHistories(config);
  if (!store.ok()) return store.status();
  const absl::Status status = Answer(**store, question, out, progress);
  progress.Clear();
  // It was written as it was read, so it cannot be read anew.
  const absl::Status whole = (*store)->StillWhole();
  return whole.ok() ? status : whole;
}

}  // namespace seatlock::store
