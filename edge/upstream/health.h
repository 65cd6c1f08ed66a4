// Whether the service is there, from what the streams of all showtimes say. It is there while one
// showtime is served, and lost once none is and one was lost: one showtime's lost stream alone is
// not the service's. Refused showtimes say nothing. Strand-bound.
#pragma once

#include <optional>
#include <utility>

#include "edge/showtime/upstream_notice.h"

namespace seatlock::edge {

class Health {
 public:
  // What the last stream of a showtime says of the service.
  enum class Seen { kNothing, kServed, kLost };

  template <typename... NoticeArgs>
  explicit Health(NoticeArgs&&... args) : notice_(std::forward<NoticeArgs>(args)...) {}

  void Changed(Seen from, Seen to) {
    Count(from, -1);
    Count(to, 1);
    if (const std::optional<bool> is_up = up()) notice_.Saw(*is_up);
  }
  void Silence() { notice_.Silence(); }
  // Nothing if no showtime says anything.
  std::optional<bool> up() const {
    if (served_ > 0) return true;
    return lost_ > 0 ? std::optional<bool>(false) : std::nullopt;
  }

 private:
  void Count(Seen seen, int by) {
    if (seen == Seen::kServed) served_ += by;
    if (seen == Seen::kLost) lost_ += by;
  }

  int served_ = 0;  // Showtimes.
  int lost_ = 0;
  UpstreamNotice notice_;
};

}  // namespace seatlock::edge
