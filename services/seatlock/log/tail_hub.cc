#include "services/seatlock/log/tail_hub.h"

#include <utility>

namespace seatlock::log {

// One follower's listener, shared by its handle and by what is queued for it.
class TailHub::Subscription {
 public:
  explicit Subscription(ShowtimeLog::TailListener listener) : listener_(std::move(listener)) {}

  void Call(const Head& head, const std::vector<StoredRecord>& records) {
    base::MutexLock lock(mu_);
    if (!ended_) listener_(head, records);
  }

  // Waits for a call under way: the lock is held during calls.
  void End() {
    base::MutexLock lock(mu_);
    ended_ = true;
  }

 private:
  base::Mutex mu_;
  ShowtimeLog::TailListener listener_ ABSL_GUARDED_BY(mu_);
  bool ended_ ABSL_GUARDED_BY(mu_) = false;
};

struct TailHub::State {
  using Subscriptions = std::vector<std::shared_ptr<Subscription>>;
  struct Event {
    Subscriptions to;
    Head head;
    std::vector<StoredRecord> records;
  };

  std::atomic<size_t> count{0};
  mutable base::Mutex mu;
  absl::flat_hash_map<domain::ShowtimeId, Subscriptions> followers ABSL_GUARDED_BY(mu);
  std::deque<Event> queue ABSL_GUARDED_BY(mu);
  bool delivering ABSL_GUARDED_BY(mu) = false;
};

class TailHub::Handle final : public ShowtimeLog::Follower {
 public:
  Handle(std::shared_ptr<State> state, domain::ShowtimeId showtime,
         std::shared_ptr<Subscription> subscription)
      : state_(std::move(state)),
        showtime_(std::move(showtime)),
        subscription_(std::move(subscription)) {}

  ~Handle() override {
    {
      base::MutexLock lock(state_->mu);
      auto found = state_->followers.find(showtime_);
      if (found != state_->followers.end()) {
        std::erase(found->second, subscription_);
        if (found->second.empty()) state_->followers.erase(found);
        --state_->count;
      }
    }
    subscription_->End();
  }

 private:
  const std::shared_ptr<State> state_;
  const domain::ShowtimeId showtime_;
  const std::shared_ptr<Subscription> subscription_;
};

TailHub::TailHub() : state_(std::make_shared<State>()) {}

TailHub::~TailHub() {
  base::MutexLock lock(state_->mu);
  state_->followers.clear();
  state_->queue.clear();
}

std::unique_ptr<ShowtimeLog::Follower> TailHub::Follow(domain::ShowtimeId showtime,
                                                       ShowtimeLog::TailListener listener) {
  auto subscription = std::make_shared<Subscription>(std::move(listener));
  base::MutexLock lock(state_->mu);
  state_->followers[showtime].push_back(subscription);
  ++state_->count;
  return std::make_unique<Handle>(state_, std::move(showtime), std::move(subscription));
}

bool TailHub::HasFollowers(const domain::ShowtimeId& showtime) const {
  if (state_->count.load() == 0) return false;
  base::MutexLock lock(state_->mu);
  return state_->followers.contains(showtime);
}

void TailHub::Publish(const domain::ShowtimeId& showtime, const Head& head,
                      const std::vector<StoredRecord>& records) {
  if (state_->count.load() == 0) return;
  base::MutexLock lock(state_->mu);
  auto found = state_->followers.find(showtime);
  if (found == state_->followers.end()) return;
  state_->queue.push_back({found->second, head, records});
}

void TailHub::Deliver() {
  if (state_->count.load() == 0) return;
  {
    base::MutexLock lock(state_->mu);
    if (state_->delivering) return;
    state_->delivering = true;
  }
  for (;;) {
    State::Event event;
    {
      base::MutexLock lock(state_->mu);
      if (state_->queue.empty()) {
        state_->delivering = false;
        return;
      }
      event = std::move(state_->queue.front());
      state_->queue.pop_front();
    }
    for (const auto& subscription : event.to) subscription->Call(event.head, event.records);
  }
}

}  // namespace seatlock::log
