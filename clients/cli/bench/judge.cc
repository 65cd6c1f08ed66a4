#include "clients/cli/bench/judge.h"

#include <algorithm>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "clients/cli/bench/limits.h"

namespace seatlock::cli::bench {
namespace {

struct SeatState {
  // What the stream says.
  SeatIs status = SeatIs::kFree;
  uint32_t session = 0;
  int64_t expire_ms = 0;
  // The change that said so.
  uint64_t revision = 0;
  int64_t commit_ms = 0;
  // Who was last told that it holds the seat, and has not given it back.
  std::optional<uint32_t> told;
  bool told_for_good = false;  // booked
  int64_t told_until_ms = 0;
  // The last revision at which a double hold was found: it counts once.
  uint64_t found_at = 0;
};

class Judge {
 public:
  Judge(const std::string& showtime, const History& history)
      : showtime_(showtime), history_(history) {}

  Findings Run(std::vector<Told>& told) {
    std::sort(told.begin(), told.end(),
              [](const Told& a, const Told& b) { return a.revision < b.revision; });
    size_t next = 0;
    for (const Told& answer : told) {
      if (answer.failed) may_have_ended_.emplace(answer.seat, answer.session);
    }
    for (const Told& answer : told) {
      if (answer.failed) continue;
      while (next < history_.seen.size() && history_.seen[next].revision <= answer.revision) {
        TakeSeen(history_.seen[next++]);
      }
      TakeTold(answer);
    }
    while (next < history_.seen.size()) TakeSeen(history_.seen[next++]);
    return std::move(findings_);
  }

 private:
  void TakeSeen(const Seen& seen) {
    SeatState& seat = seats_[seen.seat];
    const bool held = seat.status == SeatIs::kBooked ||
                      (seat.status == SeatIs::kLocked && seat.expire_ms > seen.commit_ms);
    if (seen.status != SeatIs::kFree && held && seat.session != seen.session) {
      DoubleHold(seat, seen.revision, seen.seat, seen.session, seat.session);
    }
    seat.status = seen.status;
    seat.session = seen.session;
    seat.expire_ms = seen.expire_ms;
    seat.revision = seen.revision;
    seat.commit_ms = seen.commit_ms;
    if (seen.status != SeatIs::kFree || seat.told != seen.session) return;
    // A lock that the server frees before its time stays told.
    if (!seen.lapsed || seen.commit_ms >= seat.told_until_ms) seat.told.reset();
  }

  void TakeTold(const Told& answer) {
    SeatState& seat = seats_[answer.seat];
    CheckAgainstStream(answer, seat);
    const bool ends = answer.kind == Kind::kUnlock || answer.kind == Kind::kCancel;
    if (ends) {
      if (seat.told == answer.session) seat.told.reset();
      return;
    }
    // When it was granted. An answer that was repeated has a later server_time.
    const int64_t now = seat.revision == answer.revision ? seat.commit_ms : answer.server_ms;
    const bool same = seat.told == answer.session;
    const bool held = seat.told_for_good || seat.told_until_ms > now;
    if (seat.told.has_value() && !same && held && !MayHaveEnded(answer, *seat.told)) {
      DoubleHold(seat, answer.revision, answer.seat, answer.session, *seat.told);
    }
    seat.told_until_ms = same ? std::max(seat.told_until_ms, answer.expire_ms) : answer.expire_ms;
    seat.told_for_good = answer.kind == Kind::kBook;
    seat.told = answer.session;
  }

  // Whether `holder` may have given the seat back by then and nobody can tell.
  bool MayHaveEnded(const Told& answer, uint32_t holder) const {
    return IsBeyond(answer) && may_have_ended_.count({answer.seat, holder}) > 0;
  }

  // Whether the stream ends before it, because the history was not to be had.
  bool IsBeyond(const Told& answer) const {
    return answer.revision > history_.last_revision && !history_.missing.empty();
  }

  void CheckAgainstStream(const Told& answer, const SeatState& seat) {
    if (IsBeyond(answer)) {
      ++findings_.unchecked;
      return;
    }
    if (answer.revision > history_.last_revision) {
      return Lost(answer, absl::StrCat("the stream ends at revision ", history_.last_revision));
    }
    const bool mine = seat.session == answer.session;
    const bool locked = mine && seat.status == SeatIs::kLocked;
    const bool booked = mine && seat.status == SeatIs::kBooked;
    bool so = false;
    switch (answer.kind) {
      case Kind::kLock:
      case Kind::kExtend:
        so = locked && seat.expire_ms == answer.expire_ms;
        break;
      case Kind::kBook:
        so = booked;
        break;
      case Kind::kUnlock:
        so = !locked;
        break;
      case Kind::kCancel:
        so = !booked;
        break;
    }
    if (!so) Lost(answer, "the stream says otherwise");
  }

  void DoubleHold(SeatState& seat, uint64_t revision, uint32_t id, uint32_t to, uint32_t holder) {
    if (seat.found_at == revision) return;
    seat.found_at = revision;
    ++findings_.double_holds;
    Example(absl::StrCat("double hold: ", Names::Seat(id), " of ", showtime_, " went to ", Who(to),
                         " at revision ", revision, " while ", Who(holder), " held it"));
  }

  void Lost(const Told& answer, const std::string& why) {
    ++findings_.lost;
    Example(absl::StrCat("lost acknowledgement: ", kKindNames[static_cast<size_t>(answer.kind)],
                         " of ", Names::Seat(answer.seat), " of ", showtime_, " by ",
                         Who(answer.session), " at revision ", answer.revision, ": ", why));
  }

  static std::string Who(uint32_t session) {
    return session == kStranger ? "a stranger" : absl::StrCat("session s", session);
  }

  void Example(std::string text) {
    if (findings_.examples.size() < kExamplesMax) findings_.examples.push_back(std::move(text));
  }

  const std::string& showtime_;
  const History& history_;
  std::unordered_map<uint32_t, SeatState> seats_;
  // Seat and session of unlocks and cancellations that failed.
  std::set<std::pair<uint32_t, uint32_t>> may_have_ended_;
  Findings findings_;
};

}  // namespace

void Findings::Add(const Findings& more) {
  double_holds += more.double_holds;
  lost += more.lost;
  unchecked += more.unchecked;
  for (const std::string& example : more.examples) {
    if (examples.size() < kExamplesMax) examples.push_back(example);
  }
}

Findings JudgeShowtime(const std::string& showtime, std::vector<Told> told,
                       const History& history) {
  return Judge(showtime, history).Run(told);
}

}  // namespace seatlock::cli::bench
