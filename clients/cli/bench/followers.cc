#include "clients/cli/bench/followers.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "clients/cli/bench/limits.h"

namespace seatlock::cli::bench {

void Followers::AddFailure(std::string what) {
  const bool known = std::find(failures.begin(), failures.end(), what) != failures.end();
  if (!known && failures.size() < kExamplesMax) failures.push_back(std::move(what));
}

void Followers::Add(const StreamCheck& check, uint64_t last_revision) {
  ++wanted;
  if (check.heard()) ++connected;
  if (check.heard() && check.revision() >= last_revision) ++caught_up;
  changes += check.changes();
  missing += check.missing();
  out_of_order += check.out_of_order();
  snapshots_again += check.snapshots_again();
}

void AddFollowers(const Followers& followers, const std::string& what, double seconds,
                  Report* report) {
  report->times.emplace_back("connect", followers.connect);
  report->times.emplace_back("change to arrival", followers.delays);
  report->counts.emplace_back("changes arrived", followers.changes);
  report->counts.emplace_back(
      "changes arrived/s",
      seconds > 0 ? static_cast<uint64_t>(static_cast<double>(followers.changes) / seconds) : 0);
  report->counts.emplace_back("cut and resumed", followers.resumed);
  report->counts.emplace_back(absl::StrCat(what, " lost"), followers.lost);
  report->counts.emplace_back("snapshots again", followers.snapshots_again);
  report->counts.emplace_back("caught up later", followers.late_messages);
  if (followers.early_messages > 0) {
    report->notes.push_back(
        absl::StrCat(followers.early_messages,
                     " changes arrived before their own time: the clocks differ. "
                     "They count as 0 ms."));
  }
  for (const std::string& failure : followers.failures) report->examples.push_back(failure);

  const std::string wanted = absl::StrCat(followers.wanted);
  const auto none = [report](const char* name, uint64_t count) {
    report->verdicts.push_back({.name = name, .count = count, .of = "", .note = ""});
  };
  const auto all = [&](const char* name, uint64_t count) {
    report->verdicts.push_back({.name = name, .count = count, .of = wanted, .note = ""});
  };
  all("connected", followers.connected);
  none("gaps", followers.missing);
  none("out of order", followers.out_of_order);
  all("caught up", followers.caught_up);
}

}  // namespace seatlock::cli::bench
