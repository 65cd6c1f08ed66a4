// The judge is itself judged: it must object to each kind of forged history and of forged answer.
#include "tests/testing/model_judge.h"

#include <gmock/gmock.h>

#include <map>
#include <optional>
#include <string>

#include "tests/testing/status_matchers.h"

namespace seatlock::testing {
namespace {

using domain::Command;
using domain::OrderId;
using domain::RequestId;
using domain::SeatId;
using domain::SessionId;
using ::testing::HasSubstr;

constexpr int64_t kStartMs = 1'700'000'000'000;
constexpr int64_t kTtlMs = 100'000;

void SetMs(int64_t ms, google::protobuf::Timestamp* time) {
  time->set_seconds(ms / 1000);
  time->set_nanos(static_cast<int32_t>(ms % 1000) * 1'000'000);
}

Command LockOf(const std::string& session, const std::string& seat, const std::string& id = "") {
  Command command{.body = domain::LockSeats{
                      .session = SessionId(session), .seats = {SeatId(seat)}, .ttl_ms = kTtlMs}};
  if (!id.empty()) command.request_id = RequestId(id);
  return command;
}
Command UnlockOf(const std::string& session, const std::string& seat) {
  return {.body = domain::UnlockSeats{.session = SessionId(session), .seats = {SeatId(seat)}}};
}
Command BookOf(const std::string& session, const std::string& seat, const std::string& order,
               bool only_held = false) {
  return {.body = domain::BookSeats{.session = SessionId(session),
                                    .order = OrderId(order),
                                    .seats = {SeatId(seat)},
                                    .only_held = only_held}};
}
Command CancelOf(const std::string& order) {
  return {.body = domain::CancelBooking{.order = OrderId(order), .all = true}};
}

// Honest servers and callers: what is asked for at second T is done at T and answered at T + 1.
class JudgeTest : public ::testing::Test {
 protected:
  using Time = std::chrono::steady_clock::time_point;

  static Time At(int seconds) { return Time() + std::chrono::seconds(seconds); }

  static Call::Times TimesOf(int asked, int answered) {
    return {.first_asked = At(asked),
            .last_asked = At(asked),
            .answered = At(answered),
            .last_asked_ms = kStartMs + 1000 * asked,
            .answered_ms = kStartMs + 1000 * answered};
  }

  // The call and, if it changed something, its change are in the history from now on.
  Call& Do(int second, const Command& command) {
    const domain::testing::Outcome outcome = model_.Do(command, kStartMs + 1000 * second);
    if (outcome.changed) AddChange(second, outcome);
    calls_.push_back({.showtime = "show",
                      .question = command,
                      .end = Call::End::kAnswered,
                      .said = SaidOf(outcome),
                      .times = TimesOf(second, second + 1)});
    return calls_.back();
  }
  // The change without a call.
  void Land(int second, const Command& command) {
    AddChange(second, model_.Do(command, kStartMs + 1000 * second));
  }
  void Expire(int second) {
    AddChange(second, model_.Do({.body = domain::ExpireLocks{}}, kStartMs + 1000 * second));
  }
  template <typename Read>
  Call& Ask(int second, const Read& question) {
    calls_.push_back({.showtime = "show",
                      .question = question,
                      .end = Call::End::kAnswered,
                      .said = SaidOf(model_, question),
                      .times = TimesOf(second, second + 1)});
    return calls_.back();
  }

  // s1 gives A1 back, s2 buys it and cancels, s3's lock ends; s4 holds A2 all the while.
  void MakeHistory() {
    Do(10, LockOf("s4", "A2", "r4"));
    Do(20, LockOf("s1", "A1", "r1"));
    Do(30, UnlockOf("s1", "A1"));
    Do(40, LockOf("s2", "A1", "r2"));
    Do(50, BookOf("s2", "A1", "o2", true));
    Do(60, CancelOf("o2"));
    Do(70, LockOf("s3", "A1", "r3"));
  }
  Call& CallAt(size_t revision) { return calls_[revision - 1]; }

  absl::StatusOr<Judged> Verdict() const { return JudgeByModel("show", changes_, calls_); }
  void ExpectObjection(const std::string& what) const {
    const absl::Status status = Verdict().status();
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition));
    EXPECT_THAT(std::string(status.message()), HasSubstr(what));
  }

  domain::testing::NaiveModel model_{100, 7'200'000};
  std::vector<v1::Change> changes_;
  std::vector<Call> calls_;

 private:
  void AddChange(int second, const domain::testing::Outcome& outcome) {
    static const std::map<domain::Cause, v1::ChangeCause> causes = {
        {domain::Cause::kLock, v1::CHANGE_CAUSE_LOCK},
        {domain::Cause::kUnlock, v1::CHANGE_CAUSE_UNLOCK},
        {domain::Cause::kExtend, v1::CHANGE_CAUSE_EXTEND},
        {domain::Cause::kExpired, v1::CHANGE_CAUSE_EXPIRED},
        {domain::Cause::kBook, v1::CHANGE_CAUSE_BOOK},
        {domain::Cause::kCancel, v1::CHANGE_CAUSE_CANCEL}};
    v1::Change& change = changes_.emplace_back();
    change.set_revision(outcome.revision);
    change.set_cause(causes.at(*outcome.cause));
    SetMs(kStartMs + 1000 * second, change.mutable_commit_time());
    for (const auto& [name, after] : outcome.after) {
      const auto& [status, session, expire_ms, order] = after;
      v1::Seat* seat = change.add_seats();
      seat->set_seat_id(name);
      seat->set_status(status == domain::SeatStatus::kLocked   ? v1::SEAT_STATUS_LOCKED
                       : status == domain::SeatStatus::kBooked ? v1::SEAT_STATUS_BOOKED
                                                               : v1::SEAT_STATUS_AVAILABLE);
      seat->set_session_id(session);
      if (expire_ms != 0) SetMs(expire_ms, seat->mutable_expire_time());
      seat->set_order_id(order);
    }
  }
};

TEST_F(JudgeTest, AcceptsWhatHonestServersSay) {
  MakeHistory();
  Do(72, LockOf("s9", "A1"));        // refused: s3 holds it
  Do(74, LockOf("s3", "A1", "r5"));  // a no-op: s3 holds it
  Do(76, LockOf("s3", "A1", "r3"));  // repeated
  Do(78, BookOf("s2", "A1", "o2"));  // refused: cancelled
  Do(80, CancelOf("o2"));            // a no-op
  Ask(82, ReadShowtime());
  Ask(84, ReadLocks{"s3"});
  Ask(86, ReadOrder{"o2"});
  Expire(180);
  Ask(182, ReadShowtime());

  const absl::StatusOr<Judged> judged = Verdict();

  ASSERT_THAT(judged, IsOk());
  EXPECT_EQ(Describe(*judged), "8 changes, 2 refusals, 2 no-ops, 1 repeated requests, 4 reads");
}

TEST_F(JudgeTest, AcceptsEitherEndOfAnUnknownOutcome) {
  MakeHistory();
  CallAt(7).end = Call::End::kUnknown;
  EXPECT_THAT(Verdict(), IsOk());
  changes_.pop_back();
  EXPECT_THAT(Verdict(), IsOk());
}

TEST_F(JudgeTest, AcceptsAnAttemptThatLandsAfterItsRetryWasRefused) {
  MakeHistory();
  // s8 asked first at 41; that attempt was left without an answer and lands after the last change.
  Call& retried = Do(72, LockOf("s8", "A1", "r8"));
  retried.times.first_asked = At(41);
  retried.times.retried = true;
  Expire(175);
  Land(176, LockOf("s8", "A1", "r8"));
  EXPECT_THAT(Verdict(), IsOk());
}

TEST_F(JudgeTest, ObjectsToALateAttemptOfACallThatWasAskedOnce) {
  MakeHistory();
  Do(72, LockOf("s8", "A1", "r8"));
  Expire(175);
  Land(176, LockOf("s8", "A1", "r8"));
  ExpectObjection("nobody asked, or was told that it was not done");
}

// What landed before the retry asked is known to whoever answers it.
TEST_F(JudgeTest, ObjectsToARefusalOfWhatHadLanded) {
  MakeHistory();
  Land(72, LockOf("s8", "A3", "r8"));
  Call& retried = Do(80, LockOf("s9", "A1", "r9"));
  retried.question = LockOf("s8", "A3", "r8");
  retried.times.first_asked = At(71);
  retried.times.retried = true;
  ExpectObjection("nobody asked, or was told that it was not done");
}

TEST_F(JudgeTest, IgnoresOtherShowtimes) {
  MakeHistory();
  calls_.push_back(CallAt(1));
  calls_.back().showtime = "another";
  calls_.back().said.revision = 99;
  EXPECT_THAT(Verdict(), IsOk());
}

// --- forged histories ---------------------------------------------------------------------------

TEST_F(JudgeTest, ObjectsToTwoHolders) {
  MakeHistory();
  // As if s1 had never given it back.
  changes_.erase(changes_.begin() + 2);
  calls_.erase(calls_.begin() + 2);
  for (size_t i = 2; i < changes_.size(); ++i) {
    changes_[i].set_revision(i + 1);
    calls_[i].said.revision = i + 1;
  }
  ExpectObjection("the model differs");
}

TEST_F(JudgeTest, ObjectsToALostAcknowledgement) {
  MakeHistory();
  changes_.pop_back();
  ExpectObjection("acknowledged, and is not there");
}

TEST_F(JudgeTest, ObjectsToAnAcknowledgementAtAnotherRevision) {
  MakeHistory();
  CallAt(4).said.revision = 5;
  ExpectObjection("change 4");
}

TEST_F(JudgeTest, ObjectsToAHole) {
  MakeHistory();
  changes_.erase(changes_.begin() + 3);
  ExpectObjection("a hole");
}

TEST_F(JudgeTest, ObjectsToAChangeThatNobodyAskedFor) {
  MakeHistory();
  calls_.erase(calls_.begin() + 4);
  ExpectObjection("nobody asked");
}

TEST_F(JudgeTest, ObjectsToAChangeWhoseCallerWasRefused) {
  MakeHistory();
  CallAt(7).said = {.refused = true, .facts = {"reason SEAT_TAKEN"}};
  ExpectObjection("nobody asked, or was told that it was not done");
}

TEST_F(JudgeTest, ObjectsToAChangeThatHappenedTwice) {
  MakeHistory();
  model_.Do(UnlockOf("s3", "A1"), kStartMs + 80'000);
  Do(80, LockOf("s3", "A1"));
  calls_.pop_back();
  changes_.back().set_revision(8);
  ExpectObjection("nobody asked");
}

TEST_F(JudgeTest, ObjectsToAnotherExpiryThanTheRulesGive) {
  MakeHistory();
  SetMs(kStartMs, changes_[3].mutable_seats(0)->mutable_expire_time());
  ExpectObjection("the model differs");
}

TEST_F(JudgeTest, ObjectsToALockThatEndsTooEarly) {
  MakeHistory();
  Expire(180);
  SetMs(kStartMs + 100'000, changes_.back().mutable_commit_time());
  ExpectObjection("the model differs");
}

TEST_F(JudgeTest, ObjectsToAChangeFromBeforeWhatWasKnown) {
  MakeHistory();
  // s3 asked at 70 for what is now before the changes that were acknowledged by then.
  CallAt(2).times = TimesOf(65, 66);
  ExpectObjection("between question and answer");
}

// --- forged answers -----------------------------------------------------------------------------

TEST_F(JudgeTest, ObjectsToAnotherFenceOrExpiryThanWasGranted) {
  MakeHistory();
  CallAt(4).said.facts = {"lock A1 of s2 until 0 fence 4"};
  ExpectObjection("told otherwise");
}

TEST_F(JudgeTest, AcceptsARefusalOfAnyStateBetweenQuestionAndAnswer) {
  MakeHistory();
  Do(72, LockOf("s9", "A1")).times = TimesOf(22, 23);  // s1 holds it
  Do(72, LockOf("s9", "A1")).times = TimesOf(30, 32);  // before the unlock of 30
  Do(72, LockOf("s9", "A1")).times = TimesOf(32, 41);  // after the lock of 40
  EXPECT_THAT(Verdict(), IsOk());
}

TEST_F(JudgeTest, ObjectsToARefusalWithoutAReason) {
  MakeHistory();
  Do(72, LockOf("s9", "A1")).times = TimesOf(32, 33);  // A1 is free
  ExpectObjection("refused without this reason between revisions 3 and 3");
}

TEST_F(JudgeTest, ObjectsToARefusalFromTheFuture) {
  MakeHistory();
  Do(72, LockOf("s9", "A1")).times = TimesOf(12, 13);  // nobody has asked for A1 yet
  ExpectObjection("refused without this reason between revisions 1 and 1");
}

TEST_F(JudgeTest, ObjectsToAWrongReason) {
  MakeHistory();
  Do(72, LockOf("s9", "A1")).said.facts = {"reason NOT_LOCK_HOLDER",
                                           "A1 SEAT_STATUS_LOCKED NOT_LOCK_HOLDER"};
  ExpectObjection("refused without this reason");
}

TEST_F(JudgeTest, ObjectsToAConflictThatIsNotNamed) {
  MakeHistory();
  Do(72, LockOf("s9", "A1")).said.facts = {"reason SEAT_TAKEN"};
  ExpectObjection("refused without this reason");
}

TEST_F(JudgeTest, ObjectsToARefusedCancellation) {
  MakeHistory();
  Do(72, CancelOf("o2")).said = {.refused = true, .facts = {"reason UNKNOWN_ORDER"}};
  ExpectObjection("refused without this reason");
}

TEST_F(JudgeTest, ObjectsToAStaleRead) {
  MakeHistory();
  Ask(82, ReadLocks{"s3"}).said = {.revision = 6, .facts = {}};
  ExpectObjection("read what was not so between revisions 7 and 7");
}

TEST_F(JudgeTest, ObjectsToAReadOfTheStateBeforeAnotherRead) {
  MakeHistory();
  CallAt(7).times.answered = At(100);  // its caller does not know yet, but a reader does
  Ask(72, ReadLocks{"s3"});
  EXPECT_THAT(Verdict(), IsOk());
  Ask(74, ReadLocks{"s3"}).said = {.revision = 6, .facts = {}};
  ExpectObjection("read what was not so between revisions 7 and 7");
}

TEST_F(JudgeTest, ObjectsToAReadOfTheStateBeforeWhatAWatcherWasShown) {
  MakeHistory();
  CallAt(7).times.answered = At(100);
  Ask(71, SeeChange());
  Ask(74, ReadLocks{"s3"});
  EXPECT_THAT(Verdict(), IsOk());
  Ask(75, ReadLocks{"s3"}).said = {.revision = 6, .facts = {}};
  calls_.erase(calls_.end() - 2);
  ExpectObjection("read what was not so between revisions 7 and 7");
}

TEST_F(JudgeTest, AcceptsThatAWatcherIsShownLateWhatItMissed) {
  MakeHistory();
  Ask(82, SeeChange()).said.revision = 3;
  EXPECT_THAT(Verdict(), IsOk());
}

TEST_F(JudgeTest, ObjectsToAChangeThatIsShownBeforeAnybodyAskedForIt) {
  MakeHistory();
  Ask(62, SeeChange());
  ExpectObjection("between question and answer");
}

TEST_F(JudgeTest, ObjectsToAReadOfAStateThatNeverWas) {
  MakeHistory();
  Ask(82, ReadShowtime()).said.facts.clear();
  ExpectObjection("read what was not so");
}

TEST_F(JudgeTest, ObjectsToAReadOfLocksThatNeverWere) {
  MakeHistory();
  const Said of_another = Ask(82, ReadLocks{"s4"}).said;
  Ask(82, ReadLocks{"s3"}).said = of_another;
  ExpectObjection("read what was not so");
}

TEST_F(JudgeTest, ObjectsToAReadOfAnOrderThatNeverWas) {
  MakeHistory();
  Ask(82, ReadOrder{"o2"}).said.facts = {"ORDER_STATE_OPEN", "A1"};
  ExpectObjection("read what was not so");
}

TEST_F(JudgeTest, ObjectsToAWatchThatSaysItHasCaughtUpAndHasNot) {
  MakeHistory();
  Ask(82, ReadHead());
  EXPECT_THAT(Verdict(), IsOk());
  Ask(82, ReadHead()).said.revision = 6;
  ExpectObjection("read what was not so");
}

TEST_F(JudgeTest, ObjectsToAReadFromTheFuture) {
  MakeHistory();
  // It shows what s3 asks for only after the answer.
  Ask(82, ReadShowtime()).times = TimesOf(62, 63);
  ExpectObjection("at revision 7, and between question and answer");
}

TEST_F(JudgeTest, ObjectsToANoOpWhereThereWasSomethingToDo) {
  MakeHistory();
  Do(72, UnlockOf("s4", "A2"));
  changes_.pop_back();
  calls_.back().said.revision = 7;
  ExpectObjection("acknowledged, and is not there");
}

TEST_F(JudgeTest, ObjectsToANoOpOfAFormerState) {
  MakeHistory();
  // At revision 3 it was free. Since then s3 has it, and knows.
  Do(32, UnlockOf("s9", "A1")).times = TimesOf(82, 83);
  calls_.back().said = {.revision = 3, .facts = {}};
  ExpectObjection("acknowledged, and is not there between revisions 7 and 7");
}

TEST_F(JudgeTest, ObjectsToARepeatedRequestThatGetsAnotherAnswer) {
  MakeHistory();
  Call& again = Do(72, LockOf("s1", "A1", "r1"));
  EXPECT_THAT(Verdict(), IsOk());
  again.said.revision = 3;
  ExpectObjection("acknowledged, and is not there");
}

TEST_F(JudgeTest, ObjectsToARepeatedRequestThatGetsAnotherLock) {
  MakeHistory();
  Do(72, LockOf("s1", "A1", "r1")).said.facts = {"lock A1 of s1 until 0 fence 2"};
  ExpectObjection("acknowledged, and is not there");
}

// --- locks that have ended ----------------------------------------------------------------------

TEST_F(JudgeTest, ObjectsToALapsedLockThatStillStandsInTheWay) {
  MakeHistory();
  Do(109, LockOf("s9", "A2"));  // s4's lock of A2 ends at 110
  EXPECT_THAT(Verdict(), IsOk());
  Do(112, LockOf("s9", "A2"));
  ExpectObjection("a lock had lapsed");
}

TEST_F(JudgeTest, AcceptsARepeatedAnswerThatIsOlderThanAnExpiry) {
  MakeHistory();
  Do(130, LockOf("s3", "A1", "r3"));  // A2 lapsed at 110: that change came between
  EXPECT_THAT(Verdict(), IsOk());
}

TEST_F(JudgeTest, AcceptsThatAReadLeavesOutALockThatEndsBeforeItsAnswer) {
  MakeHistory();
  Ask(109, ReadLocks{"s4"}).said.facts.clear();  // s4's lock of A2 ends at 110, the answer's second
  EXPECT_THAT(Verdict(), IsOk());
}

TEST_F(JudgeTest, ObjectsToAReadThatLeavesOutALockThatHasNotEnded) {
  MakeHistory();
  Ask(107, ReadLocks{"s4"}).said.facts.clear();
  ExpectObjection("read what was not so");
}

TEST_F(JudgeTest, AcceptsLockExpiredOfALockThatHasEnded) {
  MakeHistory();
  Call ended{.showtime = "show",
             .question = LockOf("s1", "A1", "r1"),
             .end = Call::End::kEnded,
             .times = TimesOf(120, 121)};
  calls_.push_back(ended);
  EXPECT_THAT(Verdict(), IsOk());
}

TEST_F(JudgeTest, ObjectsToLockExpiredOfALockThatHasNot) {
  MakeHistory();
  Call early{.showtime = "show",
             .question = LockOf("s1", "A1", "r1"),
             .end = Call::End::kEnded,
             .times = TimesOf(72, 73)};
  calls_.push_back(early);
  ExpectObjection("had not ended");
}

}  // namespace
}  // namespace seatlock::testing
