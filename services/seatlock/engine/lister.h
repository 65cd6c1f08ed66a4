// A page of showtimes: what there is comes from the log, how each stands from its actor.
//
// A page asks its showtimes one after the other, and only kListsAtOnce pages are made at once, so
// that lists hold few showtimes in memory. A showtime that only a list has asked for leaves memory
// again at once, and one that was there does not stay longer for it (Query::is_passing).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "services/seatlock/domain/showtime.h"
#include "services/seatlock/engine/context.h"
#include "services/seatlock/engine/outcome.h"
#include "services/seatlock/engine/position.h"

namespace seatlock::engine {

// A showtime in numbers.
struct Summary {
  domain::ShowtimeId showtime;
  // Of revision 0 if the stored history is so damaged that it does not tell.
  Position position;
  int64_t last_commit_ms = 0;  // the same
  // None: the stored history is damaged, so that nobody can count.
  std::optional<domain::SeatCounts> seats;
  bool closed = false;  // of no meaning without `seats`
};

struct SummaryPage {
  std::vector<Summary> showtimes;
  // Whether there may be more; the next page begins after `last`.
  bool more = false;
  domain::ShowtimeId last;
};

struct ListQuery {
  domain::ShowtimeId after;
  size_t limit = 1;  // at least 1
  // Called without locks, it or `fail`, once. A page may be shorter than `limit` though more
  // follow: it ends when it has taken kListPageMs, and when the server goes away.
  absl::AnyInvocable<void(SummaryPage) &&> done;
  absl::AnyInvocable<void(Failure) &&> fail;
  // As Work::cancelled. Asked before each showtime.
  absl::AnyInvocable<bool() const> cancelled;
};

void ListShowtimes(std::shared_ptr<Context> context, std::shared_ptr<Registry> registry,
                   ListQuery query);

}  // namespace seatlock::engine
