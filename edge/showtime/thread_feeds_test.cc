#include "edge/showtime/thread_feeds.h"

#include <gmock/gmock.h>

#include <atomic>
#include <functional>

#include "common/base/executor.h"
#include "edge/limits.h"
#include "tests/testing/manual_executor.h"
#include "tests/testing/source_fakes.h"

namespace seatlock::edge {
namespace {

using ::seatlock::testing::ChangeAt;
using ::seatlock::testing::FakeHome;
using ::seatlock::testing::FeedWords;
using ::seatlock::testing::ManualExecutor;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class FakeListener final : public FeedListener {
 public:
  void OnFeed(FeedEvent event) override {
    words.push_back(FeedWords::Of(event));
    if (then) then();
  }
  std::vector<std::string> Take() { return std::exchange(words, {}); }

  std::vector<std::string> words;
  std::function<void()> then;
};

class ThreadFeedsTest : public ::testing::Test {
 protected:
  WatchSink& service() { return home_.upstream.sink("1"); }
  // Until nothing is under way.
  void RunAll() {
    home_executor_.RunAll();
    thread_a_.RunAll();
    thread_b_.RunAll();
    home_executor_.RunAll();
  }

  ManualExecutor home_executor_;
  ManualExecutor thread_a_;
  ManualExecutor thread_b_;
  FakeHome home_;
  std::optional<Sources> sources_{home_.env()};
  std::optional<ThreadFeeds> a_{std::in_place, home_executor_, *sources_, thread_a_};
  std::optional<ThreadFeeds> b_{std::in_place, home_executor_, *sources_, thread_b_};
  FakeListener on_a_;
  FakeListener on_b_;
};

TEST_F(ThreadFeedsTest, TwoThreadsHearEachChangeOnce) {
  const auto feed_a = a_->Open("1", &on_a_);
  const auto feed_b = b_->Open("1", &on_b_);
  RunAll();
  service().OnSnapshot({{"e", 3}, {}, false});
  service().OnChange(ChangeAt(4));
  service().OnChange(ChangeAt(5));
  EXPECT_THAT(on_a_.words, ElementsAre("image unknown connecting")) << "before its thread runs";
  RunAll();
  for (FakeListener* listener : {&on_a_, &on_b_}) {
    EXPECT_THAT(listener->Take(), ElementsAre("image unknown connecting", "image e/3 live",
                                              "entry e/4", "entry e/5"));
  }
  EXPECT_EQ(home_.upstream.followed, 1);
}

TEST_F(ThreadFeedsTest, AResumeIsAnsweredInTheOrderOfWhatIsHeard) {
  const auto feed = a_->Open("1", &on_a_);
  RunAll();
  service().OnSnapshot({{"e", 3}, {}, false});
  RunAll();
  on_a_.Take();
  feed->Resume({"e", 3});
  service().OnChange(ChangeAt(4));
  home_executor_.RunAll();
  service().OnChange(ChangeAt(5));
  RunAll();
  EXPECT_THAT(on_a_.Take(), ElementsAre("entry e/4", "missed after e/3: 4", "entry e/5"));
}

TEST_F(ThreadFeedsTest, AClosedFeedHearsNothingNotEvenWhatWasUnderWay) {
  auto feed = a_->Open("1", &on_a_);
  RunAll();
  on_a_.Take();
  service().OnSnapshot({{"e", 3}, {}, false});
  feed.reset();
  thread_a_.RunAll();
  EXPECT_THAT(on_a_.Take(), IsEmpty());
  service().OnChange(ChangeAt(4));
  RunAll();
  EXPECT_THAT(on_a_.Take(), IsEmpty());
}

TEST_F(ThreadFeedsTest, AFeedMayBeClosedByWhatItHears) {
  auto feed = a_->Open("1", &on_a_);
  on_a_.then = [&feed] { feed.reset(); };
  RunAll();
  EXPECT_THAT(on_a_.Take(), ElementsAre("image unknown connecting"));
}

TEST_F(ThreadFeedsTest, AThreadThatDoesNotComeToItsEventsFillsTheSource) {
  const auto feed_a = a_->Open("1", &on_a_);
  const auto feed_b = b_->Open("1", &on_b_);
  RunAll();
  service().OnSnapshot({{"e", 0}, {}, false});
  for (uint64_t revision = 1; revision < kMailboxEventsMax; ++revision) {
    service().OnChange(ChangeAt(revision));
  }
  thread_a_.RunAll();
  EXPECT_FALSE(service().Full());
  service().OnChange(ChangeAt(kMailboxEventsMax));
  EXPECT_TRUE(service().Full());
  thread_b_.RunAll();
  EXPECT_FALSE(service().Full());
}

TEST_F(ThreadFeedsTest, ASlowThreadThatClosedItsFeedFillsNothing) {
  const auto feed_a = a_->Open("1", &on_a_);
  auto feed_b = b_->Open("1", &on_b_);
  RunAll();
  service().OnSnapshot({{"e", 0}, {}, false});
  for (uint64_t revision = 1; revision <= kMailboxEventsMax; ++revision) {
    service().OnChange(ChangeAt(revision));
  }
  thread_a_.RunAll();
  EXPECT_TRUE(service().Full());
  feed_b.reset();
  home_executor_.RunAll();
  EXPECT_FALSE(service().Full());
}

// ---- The end, in any order ---------------------------------------------------------------------

TEST_F(ThreadFeedsTest, TheSourcesMayGoBeforeTheFeeds) {
  auto feed = a_->Open("1", &on_a_);
  RunAll();
  service().OnSnapshot({{"e", 3}, {}, false});
  sources_.reset();
  feed->Resume({"e", 3});
  const auto late = a_->Open("2", &on_b_);
  feed.reset();
  a_.reset();
  RunAll();
  EXPECT_THAT(on_b_.Take(), IsEmpty());
  EXPECT_EQ(home_.upstream.watches("1"), 0u);
}

TEST_F(ThreadFeedsTest, TheFeedsMayGoBeforeTheSources) {
  auto feed = a_->Open("1", &on_a_);
  RunAll();
  feed.reset();
  a_.reset();
  service().OnSnapshot({{"e", 3}, {}, false});
  RunAll();
  EXPECT_THAT(on_a_.Take(), ElementsAre("image unknown connecting"));
}

TEST_F(ThreadFeedsTest, TasksThatNeverRunKeepNothingFromEnding) {
  auto feed = a_->Open("1", &on_a_);
  home_executor_.RunAll();
  feed.reset();
  feed = a_->Open("1", &on_a_);
  feed->Resume({"e", 3});
  feed.reset();
}

// ---- Real threads ------------------------------------------------------------------------------

// Counts what it hears; on its thread alone, but for `heard`.
class CountingListener final : public FeedListener {
 public:
  void OnFeed(FeedEvent event) override {
    if (const auto* image = std::get_if<FeedImage>(&event)) {
      revision_ = image->image->known ? image->image->position.revision : 0;
    } else if (const auto* entry = std::get_if<FeedEntry>(&event)) {
      EXPECT_EQ(entry->entry->revision(), revision_ + 1);
      revision_ = entry->entry->revision();
    }
    heard = revision_;
  }

  std::atomic<uint64_t> heard{0};

 private:
  uint64_t revision_ = 0;
};

// Runs `call` on `executor`, and returns once it has run.
template <typename Call>
void RunOn(base::Executor& executor, Call call) {
  std::atomic<bool> done{false};
  executor.Post([&] {
    call();
    done = true;
    done.notify_one();
  });
  done.wait(false);
}

TEST(ThreadFeedsOnThreads, EveryThreadHearsEveryChangeInOrderWhileFeedsComeAndGo) {
  constexpr uint64_t kChanges = 2000;
  FakeHome fake;
  CountingListener listeners[2];
  {
    base::ThreadExecutor home;
    base::ThreadExecutor threads[2];
    std::optional<Sources> sources;
    std::optional<ThreadFeeds> feeds[2];
    std::unique_ptr<Feed> kept[2];
    RunOn(home, [&] { sources.emplace(fake.env()); });
    for (int i = 0; i < 2; ++i) {
      RunOn(threads[i], [&, i] {
        feeds[i].emplace(home, *sources, threads[i]);
        kept[i] = feeds[i]->Open("1", &listeners[i]);
      });
    }
    RunOn(home, [&] { fake.upstream.sink("1").OnProgress({"", 0}); });
    for (uint64_t revision = 1; revision <= kChanges; ++revision) {
      home.Post([&, revision] { fake.upstream.sink("1").OnChange(ChangeAt(revision)); });
      if (revision % 100 != 0) continue;
      threads[revision / 100 % 2].Post([&, i = revision / 100 % 2] {
        CountingListener passing;
        const auto feed = feeds[i]->Open("1", &passing);
        feed->Resume({"e", 1});
      });
    }
    RunOn(home, [] {});
    for (int i = 0; i < 2; ++i) {
      RunOn(threads[i], [] {});
      EXPECT_EQ(listeners[i].heard, kChanges);
    }
    for (int i = 0; i < 2; ++i) {
      RunOn(threads[i], [&, i] {
        kept[i].reset();
        feeds[i].reset();
      });
    }
    RunOn(home, [&] { sources.reset(); });
  }
}

}  // namespace
}  // namespace seatlock::edge
