// A showtime whose stored history is no history is refused; the process and other showtimes go on.
#include "services/seatlock/engine/loader.h"

#include <gmock/gmock.h>

#include <string>
#include <utility>
#include <vector>

#include "services/seatlock/engine/engine_fixture.h"
#include "services/seatlock/log/codec/record_codec.h"
#include "tests/testing/log_calls.h"

namespace seatlock::engine {
namespace {

using domain::Cause;
using domain::Change;
using domain::Fence;
using domain::OrderId;
using domain::Revision;
using domain::SeatId;
using domain::SeatStatus;
using domain::SessionId;
using ::testing::HasSubstr;

constexpr int64_t kLapsedMs = 60'000;

Change LockA1() {
  return {.revision = Revision(1),
          .commit_ms = 1000,
          .cause = Cause::kLock,
          .seats = {{.seat = SeatId("A1"),
                     .status = SeatStatus::kLocked,
                     .session = SessionId("s1"),
                     .expire_ms = kLapsedMs,
                     .fence = Fence(1)}}};
}

Change BookA1(const char* session) {
  return {.revision = Revision(2),
          .commit_ms = 2000,
          .cause = Cause::kBook,
          .seats = {{.seat = SeatId("A1"),
                     .status = SeatStatus::kBooked,
                     .session = SessionId(session),
                     .order = OrderId("o1")}},
          .order = OrderId("o1")};
}

class LoaderTest : public EngineTest {
 protected:
  // What the log keeps of the showtime, with a chain that is whole.
  log::Head Store(const std::vector<std::string>& records) {
    auto result = testing::Append(memory_, testing::AppendOf("123", {}, records, kLapsedMs));
    EXPECT_EQ(result.outcome, log::AppendResult::Outcome::kAppended) << result.status;
    return result.head;
  }

  // The showtime's calls fail and say `what`; the others', and the search for lapsed locks, go on.
  void ExpectDataLossOfTheShowtimeAlone(const std::string& what) {
    const Result result = Do(Lock("s9", {"Z9"}));
    ASSERT_TRUE(IsFailed(result, Failure::Kind::kDamaged));
    EXPECT_THAT(std::get<Failure>(result).message, HasSubstr(what));
    clock_.AdvanceMs(10 * kLapsedMs);
    Tick();
    Tick();
    EXPECT_TRUE(LocksIn("456"));
    EXPECT_TRUE(IsFailed(Do(Lock("s9", {"Z9"})), Failure::Kind::kDamaged));
  }

  bool LocksIn(const std::string& showtime) {
    Work work;
    work.command = Lock("s9", {"Z9"});
    bool locked = false;
    work.done = [&locked](const Result& result) { locked = RevisionOf(result) == 1; };
    engine_->Submit(domain::ShowtimeId(showtime), std::move(work));
    Settle();
    return locked;
  }
};

TEST_F(LoaderTest, ControlAHistoryThatFitsIsLoaded) {
  Store({log::EncodeChange(LockA1()), log::EncodeChange(BookA1("s1"))});
  EXPECT_EQ(RevisionOf(Do(Lock("s9", {"Z9"}))), 3u);
}

TEST_F(LoaderTest, ARecordThatDoesNotFitTheStateIsDataLoss) {
  Store({log::EncodeChange(LockA1()), log::EncodeChange(BookA1("s2"))});
  ExpectDataLossOfTheShowtimeAlone(
      "showtime 123, revision 2: change 2 on head 1: seat A1: booked, but it was taken");
}

TEST_F(LoaderTest, ATimeThatRunsBackwardsIsDataLoss) {
  Change change = BookA1("s1");
  change.commit_ms = 1;
  Store({log::EncodeChange(LockA1()), log::EncodeChange(change)});
  ExpectDataLossOfTheShowtimeAlone(
      "revision 2: change 2 on head 1: its commit time runs backwards");
}

TEST_F(LoaderTest, ARequestMadeTwiceIsDataLoss) {
  Change lock = LockA1();
  lock.request = domain::RequestKey{domain::RequestId("r1"), std::string(16, 'h')};
  Change book = BookA1("s1");
  book.request = lock.request;
  Store({log::EncodeChange(lock), log::EncodeChange(book)});
  ExpectDataLossOfTheShowtimeAlone("revision 2: change 2 on head 1: its request_id was made");
}

TEST_F(LoaderTest, ARecordOfAnotherRevisionIsDataLoss) {
  Change change = BookA1("s1");
  change.revision = Revision(3);
  Store({log::EncodeChange(LockA1()), log::EncodeChange(change)});
  ExpectDataLossOfTheShowtimeAlone("showtime 123, revision 2: the record is of another revision");
}

TEST_F(LoaderTest, BytesThatDoNotDecodeAreDataLoss) {
  Store({log::EncodeChange(LockA1()), "\xff\xff"});
  ExpectDataLossOfTheShowtimeAlone("showtime 123, revision 2: stored bytes: not a record");
}

TEST_F(LoaderTest, ASnapshotThatContradictsItselfIsDataLoss) {
  const log::Head head = Store({log::EncodeChange(LockA1())});
  domain::ShowtimeParts parts{.revision = Revision(1), .commit_ms = 1000};
  parts.seats.push_back({.seat = SeatId("A1"),
                         .status = SeatStatus::kBooked,
                         .session = SessionId("s1"),
                         .order = OrderId("o1")});
  ASSERT_TRUE(testing::SaveSnapshot(memory_, "123", {head, log::EncodeSnapshot(parts)}).ok());
  ExpectDataLossOfTheShowtimeAlone(
      "showtime 123, revision 1: snapshot: booked seats and seats of orders differ");
}

TEST_F(LoaderTest, ASnapshotOfAnotherRevisionIsDataLoss) {
  const log::Head head = Store({log::EncodeChange(LockA1())});
  const std::string bytes = log::EncodeSnapshot({.revision = Revision(7), .commit_ms = 1000});
  ASSERT_TRUE(testing::SaveSnapshot(memory_, "123", {head, bytes}).ok());
  ExpectDataLossOfTheShowtimeAlone("revision 1: the snapshot is of another revision");
}

}  // namespace
}  // namespace seatlock::engine
