// One thread's door to the sources. Strand-bound to that thread; what it asks for is posted to the
// home strand, and what the sources say comes back by the thread's own executor (mailbox.h).
//
// The two sides may end in any order: the sources on the home strand or after all threads have
// ended, this and its feeds on their thread likewise. Both executors outlive both sides, and tasks
// that never run are destroyed with them.
#pragma once

#include <memory>
#include <string>

#include "common/base/executor.h"
#include "edge/showtime/feed.h"
#include "edge/showtime/sources.h"

namespace seatlock::edge {

class ThreadFeeds final : public Feeds {
 public:
  // `home` and `thread` run their tasks one by one in the order of their posting. `sources` is
  // there while this is made.
  ThreadFeeds(base::Executor& home, const Sources& sources, base::Executor& thread)
      : home_(home), sources_(sources.handle()), followed_(sources.followed()), thread_(thread) {}

  std::unique_ptr<Feed> Open(const std::string& showtime_id, FeedListener* listener) override;
  bool Follows(const std::string& showtime_id) const override {
    return followed_->Contains(showtime_id);
  }

 private:
  base::Executor& home_;
  const std::weak_ptr<Sources*> sources_;
  const std::shared_ptr<const Followed> followed_;
  base::Executor& thread_;
};

}  // namespace seatlock::edge
