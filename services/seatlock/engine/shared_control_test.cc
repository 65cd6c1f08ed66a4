// The controls of the shared store's tests: the same scenario on a store that tells the truth,
// where nothing wrong is said, and on one that takes a safeguard away, where it is.
#include <gmock/gmock.h>

#include "services/seatlock/engine/shared_fixture.h"

namespace seatlock::engine {
namespace {

class SharedControlTest : public SharedStoreTest, public ::testing::WithParamInterface<bool> {
 protected:
  // The server whose store lies about `lies`, if it lies in this run.
  Server& AddWith(Lies lies) { return GetParam() ? Add(lies) : Add(); }
  // `right`: nothing wrong was said, as must be only if the store does not lie.
  void ExpectRight(bool right) { EXPECT_EQ(right, !GetParam()); }
};

TEST_P(SharedControlTest, NoConfirmationBeforeARefusal) {
  Server& a = Add();
  Server& b = AddWith({.confirms_from_cache = true});
  DoOn(a, Lock("alice", {"A1"}));
  ASSERT_TRUE(IsRefused(DoOn(b, Lock("bob", {"A1"})), domain::Reason::kSeatTaken));
  DoOn(a, Unlock("alice", "A1"));

  ExpectRight(RevisionOf(DoOn(b, Lock("bob", {"A1"}))) == 3U);
}

TEST_P(SharedControlTest, PagesShownBeyondTheConfirmedHead) {
  Server& a = Add();
  Server& b = AddWith({.answers_before_durable = true});
  auto first = WatchOn(a);
  DoOn(a, Lock("alice", {"A1"}));
  const Position one = At(*first);
  DoOn(a, Lock("alice", {"A2"}));
  HeldOn(b);
  store_.HoldDurability();
  auto told = Ask(a, Lock("carol", {"C1"}));
  Settle();
  auto watch = WatchOn(b, one);
  const bool shown = Count(*watch, "change 3") > 0;
  a.log.SetDown(true);
  store_.LoseUndurable();
  Settle();

  EXPECT_EQ(store_.head(showtime_).revision.value(), 2U);
  ExpectRight(!shown);
}

TEST_P(SharedControlTest, AWatcherThatKnowsNoEpoch) {
  Server& a = Add();
  Server& b = AddWith({.hides_generation = true});
  encoder_.name_sessions = true;
  DoOn(a, Lock("alice", {"A1"}));
  DoOn(a, Lock("bob", {"A2"}));
  auto watch = WatchOn(b);
  const Position seen = At(*watch);
  watch->watcher->Close();
  Settle();
  store_.Rewind({{showtime_, domain::Revision(1)}});
  DoOn(a, Lock("carol", {"A2"}));

  // It resumes where another history stands by now, and must hear that its own is void.
  auto again = WatchOn(b, seen);
  ExpectRight(again->words == std::vector<std::string>{"replacing 2"});
}

TEST_P(SharedControlTest, PublishBeforeConfirm) {
  Server& a = AddWith({.answers_before_durable = true});
  auto watch = WatchOn(a);
  store_.HoldDurability();
  auto told = Ask(a, Lock("alice", {"A1"}));
  Settle();
  const bool said = told->has_value() || Count(*watch, "change 1") > 0;
  a.log.SetDown(true);
  store_.LoseUndurable();
  Settle();

  EXPECT_EQ(store_.head(showtime_).revision.value(), 0U);
  ExpectRight(!said);
}

TEST_P(SharedControlTest, AnErrorTakenForNothingWasDone) {
  Server& a = AddWith({.unknown_is_not_appended = true});
  HeldOn(a);
  a.log.FaultNext(Fault::kUnknownLanded);
  auto told = Ask(a, Lock("alice", {"A1"}));
  GoOn(500);

  ASSERT_EQ(store_.head(showtime_).revision.value(), 1U);
  ExpectRight(!IsFailed(**told, Failure::Kind::kStoreUnavailable));
}

INSTANTIATE_TEST_SUITE_P(Store, SharedControlTest, ::testing::Bool(), [](const auto& run) {
  return std::string(run.param ? "ThatLies" : "ThatTellsTheTruth");
});

}  // namespace
}  // namespace seatlock::engine
