// Through the sources: what all showtimes together keep.
#include "edge/showtime/history_budget.h"

#include <gmock/gmock.h>

#include "edge/limits.h"
#include "edge/showtime/sources.h"
#include "tests/testing/source_fakes.h"

namespace seatlock::edge {
namespace {

using ::seatlock::testing::ChangeAt;
using ::seatlock::testing::FakeHome;
using ::seatlock::testing::FakeSourceListener;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class HistoryBudgetTest : public ::testing::Test {
 protected:
  FakeSourceListener& Follow(const std::string& showtime_id) {
    auto listener = std::make_shared<FakeSourceListener>();
    sources_.Open(showtime_id, listener);
    home_.upstream.sink(showtime_id).OnSnapshot({{"e", 0}, {}, false});
    listeners_.push_back(listener);
    listener->Take();
    return *listener;
  }
  // Its next change, of about `bytes`.
  void Change(const std::string& showtime_id, size_t bytes) {
    edge::Change change = ChangeAt(++revisions_[showtime_id]);
    // The id stands in the entry's change, in its frames, and in those of the session concerned.
    change.seats.front().seat_id.assign(bytes / 3, 'A');
    home_.upstream.sink(showtime_id).OnChange(std::move(change));
  }
  void Fill(const std::string& showtime_id) {
    for (size_t i = 0; i < 2 * kHistoryBytesMax / kChangeBytes; ++i) {
      Change(showtime_id, kChangeBytes);
    }
  }
  // How many changes of it are kept, as a newcomer is told.
  size_t Kept(const std::string& showtime_id) {
    auto newcomer = std::make_shared<FakeSourceListener>();
    sources_.Open(showtime_id, newcomer);
    const size_t kept = std::get<FeedImage>(newcomer->events.front()).image->history.size();
    sources_.Close(newcomer.get());
    return kept;
  }

  static constexpr size_t kChangeBytes = 8 * 1024;

  FakeHome home_;
  Sources sources_{home_.env()};
  std::vector<std::shared_ptr<FakeSourceListener>> listeners_;
  std::map<std::string, uint64_t> revisions_;
};

TEST_F(HistoryBudgetTest, AmongEightThousandQuietShowtimesABusyOneKeepsAllThatAShowtimeMayKeep) {
  for (size_t i = 1; i < kRoomsMax; ++i) Follow("quiet " + std::to_string(i));
  Follow("busy");
  for (size_t i = 0; i < 2 * kHistoryChangesMax; ++i) Change("busy", 100);
  EXPECT_EQ(Kept("busy"), kHistoryChangesMax);
  Fill("busy");
  EXPECT_GT(home_.history.bytes(), kHistoryBytesMax / 10 * 9);
  EXPECT_LE(home_.history.bytes(), kHistoryBytesMax);
  EXPECT_EQ(home_.stats.history_bytes, static_cast<int64_t>(home_.history.bytes()));
}

TEST_F(HistoryBudgetTest, ManyBusyShowtimesStayUnderTheTotalAndTheLongestQuietGiveUpFirst) {
  const size_t fit = kHistoryBytesTotal / kHistoryBytesMax;
  for (size_t i = 0; i < fit + 100; ++i) {
    Follow(std::to_string(i));
    Fill(std::to_string(i));
    EXPECT_LE(home_.history.bytes(), kHistoryBytesTotal);
  }
  EXPECT_GT(home_.history.bytes(), kHistoryBytesTotal / 10 * 9);
  EXPECT_LE(Kept("0"), kHistoryBytesMin / kChangeBytes) << "quiet for the longest time";
  EXPECT_GE(Kept(std::to_string(fit + 99)), kHistoryBytesMax / kChangeBytes / 2);
}

TEST_F(HistoryBudgetTest, WhoListensToATrimmedShowtimeIsToldWhereItsHistoryBeginsNow) {
  FakeSourceListener& quiet = Follow("quiet");
  Fill("quiet");
  quiet.Take();
  const uint64_t head = revisions_["quiet"];
  for (size_t i = 0; i < kHistoryBytesTotal / kHistoryBytesMax + 1; ++i) {
    Follow(std::to_string(i));
    Fill(std::to_string(i));
  }
  const uint64_t base = head - Kept("quiet");
  EXPECT_THAT(quiet.Take(), ElementsAre("trimmed to " + std::to_string(base)));
  Change("quiet", 100);
  EXPECT_EQ(std::get<FeedEntry>(quiet.events.back()).base, base);
}

TEST_F(HistoryBudgetTest, AShowtimeThatIsNotFollowedAnyMoreAndASnapshotGiveBackWhatWasCharged) {
  Follow("1");
  Fill("1");
  home_.upstream.sink("1").OnSnapshot({{"e", 500}, {}, false});
  EXPECT_EQ(home_.history.bytes(), 0u);
  revisions_["1"] = 500;
  Fill("1");
  sources_.Close(listeners_.front().get());
  EXPECT_GT(home_.history.bytes(), 0u);
  home_.timers.AdvanceMs(kRoomLingerMs);
  EXPECT_EQ(home_.history.bytes(), 0u);
}

}  // namespace
}  // namespace seatlock::edge
