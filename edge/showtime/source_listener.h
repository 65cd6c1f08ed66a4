// A thread, as the source of a showtime sees it. Strand-bound to the home strand.
#pragma once

#include "edge/showtime/feed.h"

namespace seatlock::edge {

class SourceListener {
 public:
  virtual ~SourceListener() = default;

  // Takes note of what comes next; never calls back.
  virtual void Hear(FeedEvent event) = 0;
  // Whether so much is under way to it that no more should be read from the service.
  virtual bool Full() const = 0;
};

}  // namespace seatlock::edge
