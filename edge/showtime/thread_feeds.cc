#include "edge/showtime/thread_feeds.h"

#include <utility>

#include "edge/showtime/mailbox.h"

namespace seatlock::edge {
namespace {

// Runs `call` with the sources on the home strand, if they are still there by then.
template <typename Call>
void PostHome(base::Executor& home, const std::weak_ptr<Sources*>& sources, Call call) {
  home.Post([sources, call = std::move(call)]() mutable {
    if (const std::shared_ptr<Sources*> there = sources.lock()) call(**there);
  });
}

class ThreadFeed final : public Feed {
 public:
  ThreadFeed(base::Executor& home, std::weak_ptr<Sources*> sources,
             std::shared_ptr<Mailbox> mailbox)
      : home_(home), sources_(std::move(sources)), mailbox_(std::move(mailbox)) {}

  ~ThreadFeed() override {
    mailbox_->Close();
    PostHome(home_, sources_, [mailbox = mailbox_](Sources& all) { all.Close(mailbox.get()); });
  }

  void Resume(const Position& position) override {
    PostHome(home_, sources_,
             [mailbox = mailbox_, position](Sources& all) { all.Resume(mailbox.get(), position); });
  }

 private:
  base::Executor& home_;
  const std::weak_ptr<Sources*> sources_;
  const std::shared_ptr<Mailbox> mailbox_;
};

}  // namespace

std::unique_ptr<Feed> ThreadFeeds::Open(const std::string& showtime_id, FeedListener* listener) {
  auto mailbox = std::make_shared<Mailbox>(thread_, listener);
  PostHome(home_, sources_,
           [showtime_id, mailbox](Sources& all) { all.Open(showtime_id, mailbox); });
  return std::make_unique<ThreadFeed>(home_, sources_, std::move(mailbox));
}

}  // namespace seatlock::edge
