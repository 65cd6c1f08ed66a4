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

}  // namespace
}  // namespace seatlock::testing
