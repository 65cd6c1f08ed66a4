// The checker is itself checked: each kind of forged history must be objected to.
#include "tests/testing/history_checker.h"

#include <gmock/gmock.h>

#include "tests/testing/status_matchers.h"

namespace seatlock::testing {
namespace {

using Kind = Operation::Kind;
using Outcome = Operation::Outcome;
using ::testing::HasSubstr;

v1::Change ChangeOf(uint64_t revision, v1::ChangeCause cause, v1::SeatStatus status,
                    const std::string& session, const std::string& order = "") {
  v1::Change change;
  change.set_epoch("e1");
  change.set_revision(revision);
  change.set_cause(cause);
  v1::Seat* seat = change.add_seats();
  seat->set_seat_id("A1");
  seat->set_status(status);
  seat->set_session_id(session);
  seat->set_order_id(order);
  return change;
}

Operation OperationOf(Kind kind, uint64_t revision, const std::string& session,
                      const std::string& order = "") {
  return {kind, Outcome::kAcknowledged, "show", "A1", session, order, revision};
}

class HistoryCheckerTest : public ::testing::Test {
 protected:
  // s1 locks and unlocks, s2 locks and books, the order is cancelled, s3's lock expires.
  std::vector<v1::Change> changes_ = {
      ChangeOf(1, v1::CHANGE_CAUSE_LOCK, v1::SEAT_STATUS_LOCKED, "s1"),
      ChangeOf(2, v1::CHANGE_CAUSE_UNLOCK, v1::SEAT_STATUS_AVAILABLE, "s1"),
      ChangeOf(3, v1::CHANGE_CAUSE_LOCK, v1::SEAT_STATUS_LOCKED, "s2"),
      ChangeOf(4, v1::CHANGE_CAUSE_BOOK, v1::SEAT_STATUS_BOOKED, "s2", "o2"),
      ChangeOf(5, v1::CHANGE_CAUSE_CANCEL, v1::SEAT_STATUS_AVAILABLE, "s2", "o2"),
      ChangeOf(6, v1::CHANGE_CAUSE_LOCK, v1::SEAT_STATUS_LOCKED, "s3"),
      ChangeOf(7, v1::CHANGE_CAUSE_EXPIRED, v1::SEAT_STATUS_AVAILABLE, "s3"),
  };
  std::vector<Operation> operations_ = {
      OperationOf(Kind::kLock, 1, "s1"),       OperationOf(Kind::kUnlock, 2, "s1"),
      OperationOf(Kind::kLock, 3, "s2"),       OperationOf(Kind::kBook, 4, "s2", "o2"),
      OperationOf(Kind::kCancel, 5, "", "o2"), OperationOf(Kind::kLock, 6, "s3"),
      OperationOf(Kind::kUnlock, 7, "s3"),
  };

  void ExpectObjection(const std::string& what) {
    const absl::Status status = CheckHistory("show", changes_, operations_);
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition));
    EXPECT_THAT(std::string(status.message()), HasSubstr(what));
  }
};

TEST_F(HistoryCheckerTest, AcceptsAnHonestHistory) {
  EXPECT_THAT(CheckHistory("show", changes_, operations_), IsOk());
}

TEST_F(HistoryCheckerTest, AcceptsEitherEndOfAnUnknownOutcome) {
  operations_[5].outcome = Outcome::kUnknown;
  EXPECT_THAT(CheckHistory("show", changes_, operations_), IsOk());
  operations_.push_back(OperationOf(Kind::kLock, 0, "s9"));
  operations_.back().outcome = Outcome::kUnknown;
  EXPECT_THAT(CheckHistory("show", changes_, operations_), IsOk());
}

TEST_F(HistoryCheckerTest, ObjectsToALostAcknowledgement) {
  changes_.resize(5);
  ExpectObjection("lost");
}

TEST_F(HistoryCheckerTest, ObjectsToAnAcknowledgementAtAnotherRevision) {
  operations_[2].revision = 5;
  ExpectObjection("is at revision 3");
}

TEST_F(HistoryCheckerTest, ObjectsToARefusalThatHappened) {
  operations_[0].outcome = Outcome::kRefused;
  ExpectObjection("was refused");
}

TEST_F(HistoryCheckerTest, ObjectsToAChangeThatNobodyAskedFor) {
  operations_.erase(operations_.begin() + 3);
  ExpectObjection("nobody asked");
}

TEST_F(HistoryCheckerTest, ObjectsToAChangeThatHappenedTwice) {
  changes_.push_back(ChangeOf(8, v1::CHANGE_CAUSE_LOCK, v1::SEAT_STATUS_LOCKED, "s3"));
  ExpectObjection("happened twice");
}

TEST_F(HistoryCheckerTest, ObjectsToASecondHolder) {
  changes_.erase(changes_.begin() + 1);
  for (size_t i = 1; i < changes_.size(); ++i) changes_[i].set_revision(i + 1);
  ExpectObjection("a second holder");
}

TEST_F(HistoryCheckerTest, ObjectsToAHole) {
  changes_.erase(changes_.begin() + 3);
  ExpectObjection("after revision 3");
}

// s9 wants the seat of the history above and is refused.
class RefusalTest : public HistoryCheckerTest {
 protected:
  using Time = std::chrono::steady_clock::time_point;

  // The operation of revision N was asked at 10 * N and answered at 10 * N + 1.
  RefusalTest() {
    for (Operation& operation : operations_) {
      const Time asked = At(10 * static_cast<int>(operation.revision));
      operation.times = {asked, asked, asked + std::chrono::seconds(1)};
    }
  }
  static Time At(int seconds) { return Time() + std::chrono::seconds(seconds); }

  absl::Status Refused(Kind kind, int asked, int answered) {
    Operation refused = OperationOf(kind, 0, "s9", "o9");
    refused.outcome = Outcome::kRefused;
    refused.times = {At(asked), At(asked), At(answered)};
    operations_.push_back(refused);
    return CheckRefusals("show", changes_, operations_);
  }
};

TEST_F(RefusalTest, AcceptsWhatAStateOfThatTimeJustifies) {
  EXPECT_THAT(Refused(Kind::kLock, 12, 13), IsOk());    // s1 holds it
  EXPECT_THAT(Refused(Kind::kLock, 42, 43), IsOk());    // s2 has booked it
  EXPECT_THAT(Refused(Kind::kUnlock, 32, 33), IsOk());  // s2 holds it
  EXPECT_THAT(Refused(Kind::kBook, 22, 23), IsOk());    // s9 does not hold it
}

TEST_F(RefusalTest, AcceptsAChangeThatWasUnderWay) {
  EXPECT_THAT(Refused(Kind::kLock, 20, 22), IsOk());  // before the unlock of 2
  EXPECT_THAT(Refused(Kind::kLock, 22, 31), IsOk());  // after the lock of 3
}

TEST_F(RefusalTest, ObjectsToAStaleRefusal) {
  EXPECT_THAT(Refused(Kind::kLock, 22, 23), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(RefusalTest, ObjectsToARefusalFromTheFuture) {
  EXPECT_THAT(Refused(Kind::kLock, 5, 6), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(RefusalTest, ObjectsToARefusedCancellation) {
  EXPECT_THAT(Refused(Kind::kCancel, 42, 43), StatusIs(absl::StatusCode::kFailedPrecondition));
}

}  // namespace
}  // namespace seatlock::testing
