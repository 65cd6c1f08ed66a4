// What readers and callers can make the engine hold, and what it does about it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/seatlock/engine/engine_fixture.h"
#include "services/seatlock/engine/limits.h"

namespace seatlock::engine {
namespace {

using ::testing::ElementsAre;

class MemoryTest : public EngineTest {
 protected:
  // An engine of its own bounds.
  void Bound(MemoryBounds memory) {
    Engine::Options options = OptionsOver(log_);
    options.memory = memory;
    engine_.reset();
    engine_.emplace(std::move(options));
  }
  // Books nothing, locks `count` seats, 100 a session.
  void Fill(int count) {
    for (int first = 0; first < count; first += 100) {
      std::vector<std::string> seats;
      for (int i = first; i < first + 100; ++i) seats.push_back(absl::StrCat("S", i));
      Do(Lock(absl::StrCat("session", first), seats, "", 7'200'000));
    }
  }
};

TEST_F(MemoryTest, ASnapshotIsEncodedOnceARevisionForReadersAndWatchersAlike) {
  Fill(1000);
  auto watcher = Watch();
  encoder_.seats = 0;
  auto first = ReadSeats();
  Settle();
  auto second = ReadSeats();
  Settle();
  ASSERT_TRUE(*first != nullptr && *second != nullptr);
  EXPECT_EQ(first->get(), second->get());
  EXPECT_EQ(encoder_.seats, 0) << "the watch had it encoded";
  EXPECT_EQ((*first)->position.revision.value(), 10u);
}

TEST_F(MemoryTest, ASnapshotUnderManyChangesIsOfACommittedStateAndComes) {
  encoder_.name_seats = true;
  Fill(static_cast<int>(3 * kChunksPerStep * kChunkSeatsMax));
  auto read = ReadSeats();
  log_.Hold();
  Told told = Submit(Lock("alice", {"ZZZ"}));
  Settle();
  EXPECT_EQ(*read, nullptr) << "told of a lock that is not durable";
  log_.Release();
  Settle();
  ASSERT_NE(*read, nullptr);
  std::string text;
  for (const Bytes& part : (*read)->seats) text += *part;
  EXPECT_NE(text.find("ZZZ"), std::string::npos);
  EXPECT_EQ((*read)->position.revision.value(), RevisionOf(**told));
}

TEST_F(MemoryTest, ASnapshotWhoseStateIsLostOnTheWayStillComes) {
  Fill(static_cast<int>(3 * kChunksPerStep * kChunkSeatsMax));
  auto read = ReadSeats();
  log_.Hold();
  Submit(Lock("alice", {"ZZZ"}));
  log_.ReleaseOne(testing::FaultyLog::Fault::kUnknownLost);
  log_.Release();
  Settle();
  ASSERT_NE(*read, nullptr);
}

TEST_F(MemoryTest, ALargeShowtimesSnapshotIsBuiltBesideItAndIsWhatTheNextLoadBeginsWith) {
  Fill(static_cast<int>(kExportEntriesMax) + 100);
  const int loads = log_.loads();
  for (size_t i = 0; i < kExportEntriesMax + 200; ++i) {
    Do(i % 2 == 0 ? Lock("alice", {"A1"}) : Unlock("alice", "A1"));
  }
  EXPECT_EQ(log_.loads() - loads, 1) << "the log is read for it, once";
  EXPECT_EQ(log_.snapshots(), 1);
  Restart();
  EXPECT_TRUE(IsRefused(Do(Lock("bob", {"S7"})), domain::Reason::kSeatTaken));
  EXPECT_TRUE(IsRefused(Do(Lock("bob", {"S2050"})), domain::Reason::kSeatTaken));
}

TEST_F(MemoryTest, ReadersThatDoNotReadAreEndedBeyondTheBoundTheSlowestFirst) {
  encoder_.padding = 100'000;
  Bound({.state = kStateBytesMax, .held_for_readers = 1'000'000});
  std::vector<std::shared_ptr<Reader>> slow;
  for (int i = 0; i < 20; ++i) {
    const std::string showtime = absl::StrCat("s", i);
    DoIn(showtime, Lock("alice", {"A1"}));
    slow.push_back(Watch(std::nullopt, showtime));
    slow.back()->paused = true;
    clock_.AdvanceMs(1);
    // The first is taken out of the queue and stays with its reader, the others wait in it.
    DoIn(showtime, Lock("alice", {"A2"}));
    DoIn(showtime, Lock("alice", {"A3"}));
  }
  auto good = Watch(std::nullopt, "s0");
  EXPECT_GT(engine_->held_for_readers(), 2'000'000);
  Tick();
  EXPECT_LE(engine_->held_for_readers(), 1'000'000);
  EXPECT_FALSE(good->end.has_value()) << "a reader that reads goes on";
  int ended = 0;
  for (const auto& reader : slow) {
    reader->paused = false;
    reader->Take();
    if (!reader->end) break;
    EXPECT_EQ(reader->end->kind, Failure::Kind::kShed);
    ++ended;
  }
  EXPECT_GE(ended, 5);
  EXPECT_LT(ended, 20) << "the quickest of them stay";
  EXPECT_EQ(observer_.shed, ended);
}

TEST_F(MemoryTest, WhoDoesNotTakeItsEndIsCutOff) {
  encoder_.padding = 100'000;
  Bound({.state = kStateBytesMax, .held_for_readers = 1});
  Do(Lock("alice", {"A1"}));
  auto reader = Watch();
  reader->paused = true;
  Do(Lock("alice", {"A2"}));
  Do(Lock("alice", {"A3"}));
  reader->watcher->Next();  // what it was handed, and does not write
  Tick();
  EXPECT_EQ(observer_.shed, 1);
  EXPECT_FALSE(reader->cut);
  clock_.AdvanceMs(kShedGraceMs);
  Tick();
  EXPECT_TRUE(reader->cut);
}

TEST_F(MemoryTest, ReadingInventedShowtimesFillsNothing) {
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(Read(absl::StrCat("invented", i))->held, 0u);
    DoIn(absl::StrCat("none", i), Unlock("alice", "A1"));
  }
  EXPECT_EQ(engine_->live_showtimes(), 0u);
  auto reader = Watch(std::nullopt, "watched");
  EXPECT_EQ(engine_->live_showtimes(), 1u) << "control";
  reader->watcher->Close();
  EXPECT_EQ(engine_->live_showtimes(), 0u);
}

TEST_F(MemoryTest, ReadsThatWaitCountLikeCommands) {
  log_.Hold();
  const size_t showtimes = kPendingMax / kPendingPerShowtimeMax;
  for (size_t i = 0; i < showtimes; ++i) {
    const std::string showtime = absl::StrCat("s", i);
    SubmitTo(*engine_, Lock("alice", {"A1"}), nullptr, showtime);
    Settle();
    for (size_t read = 0; read < kPendingPerShowtimeMax; ++read) {
      Query query;
      query.read = [](const View&) -> base::Task { return [] {}; };
      query.fail = [](const Failure&) {};
      engine_->Read(domain::ShowtimeId(showtime), std::move(query));
    }
  }
  Told told = SubmitTo(*engine_, Lock("bob", {"A1"}), nullptr, "other");
  Settle();
  ASSERT_TRUE(told->has_value());
  EXPECT_TRUE(IsFailed(**told, Failure::Kind::kOverloaded));
  log_.Release();
  Settle();
  EXPECT_EQ(RevisionOf(DoIn("other", Lock("bob", {"A1"}))), 1u) << "served, they count no more";
}

TEST_F(MemoryTest, IdleShowtimesGoWhenMemoryIsShortAndNoneIsLoadedThatDoesNotFit) {
  domain::Showtime one;
  one.Apply({.revision = domain::Revision(1),
             .commit_ms = 1,
             .cause = domain::Cause::kLock,
             .seats = {{.seat = domain::SeatId("A1"),
                        .status = domain::SeatStatus::kLocked,
                        .session = domain::SessionId("alice"),
                        .expire_ms = 2,
                        .fence = domain::Fence(1)}}});
  const auto one_bytes = static_cast<int64_t>(one.ApproximateBytes());
  Bound({.state = 10 * one_bytes, .held_for_readers = kHeldForReadersMax});
  for (int i = 0; i < 20; ++i) {
    DoIn(absl::StrCat("s", i), Lock("alice", {"A1"}));
    clock_.AdvanceMs(kWatcherSweepMs);
    Tick();
  }
  EXPECT_LE(engine_->live_showtimes(), 10u);
  EXPECT_EQ(Read("s0")->held, 1u) << "it is loaded again";
  auto stays = Watch(std::nullopt, "large");
  for (int call = 0; call < 10; ++call) {
    std::vector<std::string> seats;
    for (int i = 0; i < 100; ++i) seats.push_back(absl::StrCat("S", call, ".", i));
    DoIn("large", Lock(absl::StrCat("session", call), seats));
  }
  const auto refused = Read("s1");
  ASSERT_TRUE(refused->failure.has_value());
  EXPECT_EQ(refused->failure->kind, Failure::Kind::kOverloaded);
}

TEST_F(MemoryTest, ACallerThatHasGoneIsNotReadFor) {
  Do(Lock("alice", {"A1"}));
  log_.Hold();
  Submit(Lock("alice", {"A2"}));
  bool read = false;
  std::optional<Failure> failure;
  Query query;
  query.read = [&read](const View&) -> base::Task {
    read = true;
    return [] {};
  };
  query.fail = [&failure](Failure why) { failure = std::move(why); };
  query.cancelled = [] { return true; };
  engine_->Read(showtime_, std::move(query));
  log_.Release();
  Settle();
  EXPECT_FALSE(read);
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->kind, Failure::Kind::kCancelled);
}

}  // namespace
}  // namespace seatlock::engine
