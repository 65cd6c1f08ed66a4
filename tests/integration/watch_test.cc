// The promises of WatchShowtime on a real server: snapshot, then every change once and in order;
// resuming; snapshots in several messages; readers that fall behind; quiet streams.
#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "tests/integration/test_server.h"
#include "tests/testing/rounds.h"
#include "tests/testing/seatlock_client.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/watch_stream.h"

namespace seatlock::testing {
namespace {

using std::chrono::milliseconds;
using Event = v1::WatchShowtimeResponse;

class WatchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(server_.Start(), IsOk());
    client_ = std::make_unique<SeatLockClient>(server_.address());
  }

  SeatLockClient::Stub& stub() { return client_->stub(); }
  v1::ShowtimeSnapshot Get(const std::string& show) {
    return client_->Get(show).response.snapshot();
  }

  // Two changes a seat.
  void LockAndUnlock(const std::string& show, int seats) {
    for (int i = 0; i < seats; ++i) {
      ASSERT_TRUE(client_->Lock(show, "S" + std::to_string(i), "s1").ok());
      ASSERT_TRUE(client_->Unlock(show, "S" + std::to_string(i), "s1").ok());
    }
  }

  static v1::Position PositionOf(const std::string& epoch, uint64_t revision) {
    v1::Position position;
    position.set_epoch(epoch);
    position.set_revision(revision);
    return position;
  }

  TestServer server_;
  std::unique_ptr<SeatLockClient> client_;
};

TEST_F(WatchTest, AtRevision0AProgressSaysSoAndChange1Follows) {
  WatchStream watch(stub(), "show");
  const auto first = watch.Next();
  ASSERT_TRUE(first.has_value());
  ASSERT_EQ(first->event_case(), Event::kProgress);
  EXPECT_EQ(first->progress().revision(), 0u);
  EXPECT_EQ(first->progress().epoch(), "");

  const auto lock = client_->Lock("show", "A1", "s1");
  ASSERT_TRUE(lock.ok());

  const auto second = watch.Next();
  ASSERT_TRUE(second.has_value());
  ASSERT_EQ(second->event_case(), Event::kChange);
  const v1::Change& change = second->change();
  EXPECT_EQ(change.showtime_id(), "show");
  EXPECT_EQ(change.revision(), 1u);
  EXPECT_NE(change.epoch(), "");
  EXPECT_EQ(change.cause(), v1::CHANGE_CAUSE_LOCK);
  const int64_t expire_ms = ToMs(lock.response.lock().expire_time());
  EXPECT_EQ(Describe(change.seats(0)), "A1 LOCKED s1 - @" + std::to_string(expire_ms));
}

TEST_F(WatchTest, ReadingAndWatchingCreatesNothing) {
  WatchStream watch(stub(), "nothing");
  ASSERT_TRUE(watch.Next().has_value());

  const v1::ShowtimeSnapshot snapshot = Get("nothing");
  EXPECT_EQ(snapshot.revision(), 0u);
  EXPECT_EQ(snapshot.epoch(), "");
  EXPECT_EQ(client_->GetOrder("nothing", "o1").response.state(), v1::ORDER_STATE_UNKNOWN);
  EXPECT_EQ(client_->ListLocks("nothing", "s1").response.locks_size(), 0);
}

TEST_F(WatchTest, ASessionsLocksSayTheRevisionThatTheyHoldAt) {
  ASSERT_TRUE(client_->LockMany("show", {"A1", "A2"}, "s1").ok());
  ASSERT_TRUE(client_->LockMany("show", {"B1"}, "s2").ok());
  const v1::ListSessionLocksResponse locks = client_->ListLocks("show", "s1").response;
  EXPECT_EQ(locks.locks_size(), 2);
  EXPECT_EQ(locks.revision(), 2u);
}

TEST_F(WatchTest, EachCauseArrivesWithItsSeats) {
  WatchStream watch(stub(), "show");
  ASSERT_TRUE(watch.Next().has_value()) << "it has begun, before the first change";
  auto& c = *client_;
  ASSERT_TRUE(c.LockMany("show", {"A1", "A2"}, "s1").ok());
  ASSERT_TRUE(c.LockMany("show", {"A3"}, "s1", {.release = {"A1"}}).ok());
  ASSERT_TRUE(c.Extend("show", {"A3"}, "s1", {.ttl_ms = 3'600'000}).ok());
  ASSERT_TRUE(c.Unlock("show", "A2", "s1").ok());
  ASSERT_TRUE(c.Book("show", {"A3", "B1"}, "s1", "o1").ok());
  ASSERT_TRUE(c.Cancel("show", {"B1"}, "o1").ok());
  ASSERT_TRUE(c.Cancel("show", {}, "o9", {.tombstone = true}).ok());

  ShowtimeView view;
  ASSERT_THAT(watch.FollowTo(view, 7), IsOk());
  std::vector<std::string> lines;
  for (v1::Change change : view.changes()) {
    std::string line = v1::ChangeCause_Name(change.cause()).substr(sizeof("CHANGE_CAUSE_") - 1);
    for (v1::Seat seat : *change.mutable_seats()) {
      EXPECT_EQ(seat.has_expire_time(), seat.status() == v1::SEAT_STATUS_LOCKED);
      seat.clear_expire_time();
      line += ", " + Describe(seat);
    }
    lines.push_back(line);
  }
  EXPECT_THAT(lines, ::testing::ElementsAre("LOCK, A1 LOCKED s1 -, A2 LOCKED s1 -",
                                            "SWAP, A3 LOCKED s1 -, A1 AVAILABLE s1 -",
                                            "EXTEND, A3 LOCKED s1 -", "UNLOCK, A2 AVAILABLE s1 -",
                                            "BOOK, A3 BOOKED s1 o1, B1 BOOKED s1 o1",
                                            "CANCEL, B1 AVAILABLE s1 o1", "CANCEL"));
  EXPECT_EQ(view.DifferencesFrom(Get("show")), "");
}

TEST_F(WatchTest, StartsWithASnapshotOfAllThatWasAcknowledged) {
  for (int i = 0; i < Rounds(300); ++i) {
    const auto lock = client_->Lock("show", "S" + std::to_string(i), "s" + std::to_string(i));
    ASSERT_TRUE(lock.ok());
    WatchStream watch(stub(), "show");
    const auto first = watch.Next();
    ASSERT_TRUE(first.has_value());
    ASSERT_GE(first->snapshot().revision(), lock.response.revision());
    ASSERT_EQ(first->snapshot().seats_size(), i + 1);
    ASSERT_FALSE(first->snapshot().replaces());
  }
}

TEST_F(WatchTest, SnapshotThenEveryChangeWhileManyWrite) {
  std::atomic<bool> stop = false;
  std::vector<std::thread> writers;
  for (int w = 0; w < 4; ++w) {
    writers.emplace_back([this, w, &stop] {
      SeatLockClient client(server_.address());
      for (int i = 0; !stop; ++i) {
        const std::string seat = "S" + std::to_string(i % 30);
        const std::string session = "s" + std::to_string(w);
        if (client.Lock("busy", seat, session).ok()) client.Unlock("busy", seat, session);
      }
    });
  }
  std::vector<absl::Status> results;
  for (int i = 0; i < Rounds(40); ++i) {
    ShowtimeView view;
    WatchStream watch(stub(), "busy");
    results.push_back(watch.FollowTo(view, Get("busy").revision() + 100));
  }
  stop = true;
  for (std::thread& writer : writers) writer.join();
  for (const absl::Status& result : results) EXPECT_THAT(result, IsOk());
  ShowtimeView view;
  WatchStream watch(stub(), "busy");
  ASSERT_THAT(watch.FollowTo(view, Get("busy").revision()), IsOk());
  EXPECT_EQ(view.DifferencesFrom(Get("busy")), "");
}

TEST_F(WatchTest, ResumedStreamsGetWhatTheyMissedAndNoSnapshot) {
  LockAndUnlock("show", 20);
  const v1::ShowtimeSnapshot head = Get("show");
  for (const uint64_t known : {uint64_t{0}, uint64_t{1}, uint64_t{25}, head.revision() - 1}) {
    SCOPED_TRACE(known);
    WatchStream watch(stub(), "show", PositionOf(head.epoch(), known));
    for (uint64_t revision = known + 1; revision <= head.revision(); ++revision) {
      const auto message = watch.Next();
      ASSERT_TRUE(message.has_value());
      ASSERT_EQ(message->event_case(), Event::kChange);
      ASSERT_EQ(message->change().revision(), revision);
    }
  }
}

TEST_F(WatchTest, ResumedAtTheHeadGetsAProgressAtOnce) {
  LockAndUnlock("show", 1);
  const v1::ShowtimeSnapshot head = Get("show");

  WatchStream watch(stub(), "show", PositionOf(head.epoch(), head.revision()));

  const auto first = watch.Next(milliseconds(5000));
  ASSERT_TRUE(first.has_value());
  ASSERT_EQ(first->event_case(), Event::kProgress);
  EXPECT_EQ(first->progress().revision(), head.revision());
  EXPECT_EQ(first->progress().epoch(), head.epoch());
}

TEST_F(WatchTest, ResumesAcrossARestart) {
  LockAndUnlock("show", 5);
  const v1::ShowtimeSnapshot head = Get("show");
  ASSERT_EQ(server_.Stop()->code, 0);
  ASSERT_THAT(server_.Start(), IsOk());
  client_ = std::make_unique<SeatLockClient>(server_.address());

  WatchStream watch(stub(), "show", PositionOf(head.epoch(), 3));

  for (uint64_t revision = 4; revision <= head.revision(); ++revision) {
    const auto message = watch.Next();
    ASSERT_TRUE(message.has_value());
    ASSERT_EQ(message->change().revision(), revision);
  }
}

TEST_F(WatchTest, PositionsThatAreNotInTheHistoryGetASnapshotThatReplaces) {
  LockAndUnlock("show", 2);
  ASSERT_TRUE(client_->Lock("show", "A1", "s1").ok());
  const v1::ShowtimeSnapshot head = Get("show");
  for (const v1::Position& position :
       {PositionOf("another epoch", 2), PositionOf(head.epoch(), head.revision() + 1)}) {
    SCOPED_TRACE(position.ShortDebugString());
    WatchStream watch(stub(), "show", position);
    const auto first = watch.Next();
    ASSERT_TRUE(first.has_value());
    EXPECT_TRUE(first->snapshot().replaces()) << first->ShortDebugString();
    EXPECT_EQ(first->snapshot().revision(), head.revision());
    EXPECT_EQ(first->snapshot().epoch(), head.epoch());
    EXPECT_EQ(first->snapshot().seats_size(), 1);
  }
}

// 15,000 booked seats of about 210 bytes: 3 MB.
void BookManySeats(SeatLockClient& client, const std::string& show) {
  const std::string filler(120, 'o');
  for (int call = 0; call < 150; ++call) {
    std::vector<std::string> seats;
    for (int i = 0; i < 100; ++i) {
      seats.push_back("section-of-a-large-stadium-" + std::to_string(call * 100 + i));
    }
    ASSERT_TRUE(client.Book(show, seats, "box-office", filler + std::to_string(call)).ok());
  }
}

TEST_F(WatchTest, LargeSnapshotsComeInMessagesOfAtMost1MiB) {
  BookManySeats(*client_, "big");
  WatchStream watch(stub(), "big");
  ShowtimeView view;
  int messages = 0;
  std::string last_seat;
  while (view.snapshots() == 0) {
    const auto message = watch.Next();
    ASSERT_TRUE(message.has_value());
    ASSERT_EQ(message->event_case(), Event::kSnapshot);
    EXPECT_LE(message->ByteSizeLong(), size_t{1} << 20);
    for (const v1::Seat& seat : message->snapshot().seats()) {
      ASSERT_LT(last_seat, seat.seat_id());
      last_seat = seat.seat_id();
    }
    ASSERT_THAT(view.Apply(*message), IsOk());
    ++messages;
  }
  EXPECT_GE(messages, 2);
  EXPECT_EQ(view.seats().size(), 15'000u);
  EXPECT_EQ(view.revision(), 150u);
}

// A reader that takes nothing: its window fills, then the server's queue for it.
TEST_F(WatchTest, ASlowReaderGetsASnapshotInPlaceAndSlowsNobody) {
  grpc::ChannelArguments args;
  args.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  args.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 64 << 10);
  const auto slow_stub = v1::SeatLockService::NewStub(TestChannel(server_.address(), args));
  ASSERT_TRUE(client_->Lock("show", "first", "s0").ok());
  grpc::ClientContext context;
  v1::WatchShowtimeRequest request;
  request.set_showtime_id("show");
  auto slow = slow_stub->WatchShowtime(&context, request);
  Event message;
  ASSERT_TRUE(slow->Read(&message));
  ShowtimeView slow_view;
  ASSERT_THAT(slow_view.Apply(message), IsOk());

  WatchStream quick(stub(), "show");
  ShowtimeView quick_view;
  std::vector<std::string> seats;
  for (int i = 0; i < 100; ++i) seats.push_back("a-seat-with-a-long-name-" + std::to_string(i));
  // Each change has about 8 KiB.
  for (int i = 0; i < 400; ++i) {
    ASSERT_TRUE(client_->LockMany("show", seats, "s1").ok());
    ASSERT_TRUE(client_->UnlockMany("show", seats, "s1").ok());
  }
  const uint64_t head = Get("show").revision();
  ASSERT_THAT(quick.FollowTo(quick_view, head), IsOk());
  EXPECT_EQ(quick_view.replaces(), 0);

  while (slow_view.revision() < head && slow->Read(&message)) {
    ASSERT_THAT(slow_view.Apply(message), IsOk());
  }
  EXPECT_EQ(slow_view.revision(), head);
  EXPECT_GE(slow_view.replaces(), 1);
  EXPECT_LT(slow_view.changes().size(), 800u);
  EXPECT_EQ(slow_view.DifferencesFrom(Get("show")), "");
  // From then on it is served changes again.
  ASSERT_TRUE(client_->Lock("show", "A1", "s1").ok());
  ASSERT_TRUE(slow->Read(&message));
  EXPECT_THAT(slow_view.Apply(message), IsOk());
  EXPECT_EQ(slow_view.revision(), head + 1);
  context.TryCancel();
}

TEST_F(WatchTest, QuietStreamsGetProgressAtLeastEvery15Seconds) {
  ASSERT_TRUE(client_->Lock("show", "A1", "s1").ok());
  WatchStream watch(stub(), "show");
  ShowtimeView view;
  ASSERT_THAT(watch.FollowTo(view, 1), IsOk());

  const auto message = watch.Next(milliseconds(16'000));

  ASSERT_TRUE(message.has_value()) << "nothing for 15 s, and one more for a busy machine";
  ASSERT_EQ(message->event_case(), Event::kProgress);
  EXPECT_THAT(view.Apply(*message), IsOk());
}

TEST_F(WatchTest, ManyWatchersOfOneShowtimeSeeTheSame) {
  std::vector<std::unique_ptr<WatchStream>> watches;
  for (int i = 0; i < 50; ++i) watches.push_back(std::make_unique<WatchStream>(stub(), "show"));
  LockAndUnlock("show", 20);
  const v1::ShowtimeSnapshot head = Get("show");
  for (auto& watch : watches) {
    ShowtimeView view;
    ASSERT_THAT(watch->FollowTo(view, head.revision()), IsOk());
    EXPECT_EQ(view.DifferencesFrom(head), "");
  }
}

}  // namespace
}  // namespace seatlock::testing
