// The way of one feed's events from the home strand to the thread that listens: in order, none
// after the feed was closed there, and counted while they are under way. Belongs to both sides;
// may be destroyed anywhere, also with tasks that never ran.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "common/base/executor.h"
#include "edge/limits.h"
#include "edge/showtime/feed.h"
#include "edge/showtime/source_listener.h"

namespace seatlock::edge {

class Mailbox final : public SourceListener, public std::enable_shared_from_this<Mailbox> {
 public:
  // `thread` outlives every Hear(), `listener` the time until Close().
  Mailbox(base::Executor& thread, FeedListener* listener) : thread_(thread), listener_(listener) {}

  // On the home strand.
  void Hear(FeedEvent event) override {
    ++under_way_;
    thread_.Post([self = shared_from_this(), event = std::move(event)]() mutable {
      self->Deliver(std::move(event));
    });
  }
  bool Full() const override { return under_way_ > kMailboxEventsMax; }

  // On the thread.
  void Close() { listener_ = nullptr; }

 private:
  // The listener may close this meanwhile.
  void Deliver(FeedEvent event) {
    --under_way_;
    if (listener_ != nullptr) listener_->OnFeed(std::move(event));
  }

  base::Executor& thread_;
  std::atomic<int64_t> under_way_{0};
  FeedListener* listener_;  // The thread's.
};

}  // namespace seatlock::edge
