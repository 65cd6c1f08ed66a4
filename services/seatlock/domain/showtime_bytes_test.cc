// ApproximateBytes against the heap that the showtime really has.
#include <gtest/gtest.h>
#include <malloc.h>

#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "services/seatlock/domain/world_for_test.h"

// Sanitizers have a heap of their own, of which mallinfo2 knows nothing.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
namespace seatlock::domain::testing {
namespace {

constexpr size_t kEntries = 20'000;

size_t Heap() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

// `number` as an id of `length` characters.
std::string Id(size_t number, size_t length) {
  std::string id = std::to_string(100'000'000 + number);
  return id.size() < length ? std::string(length - id.size(), 'x') + id : id;
}

// What a change of the showtime is estimated at and takes, for each of kEntries calls of `make`.
// Gives what it takes.
template <typename Make>
double ExpectNear(const char* what, const Make& make) {
  auto world = std::make_unique<World>();
  const size_t heap = Heap();
  const size_t estimate = world->showtime.ApproximateBytes();
  for (size_t i = 0; i < kEntries; ++i) make(*world, i);
  const double real = static_cast<double>(Heap() - heap) / kEntries;
  const double said = static_cast<double>(world->showtime.ApproximateBytes() - estimate) / kEntries;
  std::printf("%-40s %.0f bytes, estimated %.0f\n", what, real, said);
  EXPECT_GT(said, real * 0.9) << what;
  EXPECT_LT(said, real * 1.1) << what;
  return real;
}

LockSeats LockOf(size_t session, size_t seat, size_t length, size_t seat_length) {
  return {.session = SessionId(Id(session, length)), .seats = {SeatId(Id(seat, seat_length))}};
}

TEST(ApproximateBytes, OfSeatsThatAreHeldAndFreed) {
  ExpectNear("a held seat, 5 a session",
             [](World& world, size_t i) { world.Make(LockOf(i / 5, i, 36, 9)); });
  ExpectNear("a held seat with a session, UUID",
             [](World& world, size_t i) { world.Make(LockOf(i, i, 36, 9)); });
  ExpectNear("a held seat with a session, longest ids",
             [](World& world, size_t i) { world.Make(LockOf(i, i, 128, 40)); });
  ExpectNear("a freed seat with a session, UUID", [](World& world, size_t i) {
    world.Make(LockOf(i, i, 36, 9));
    world.Make(UnlockSeats{.session = SessionId(Id(i, 36)), .all = true});
  });
}

TEST(ApproximateBytes, OfRequests) {
  ExpectNear("a request_id, UUID", [](World& world, size_t i) {
    world.Make(BookSeats{.session = SessionId("s"),
                         .order = OrderId("o" + std::to_string(i / 2000)),
                         .seats = {SeatId("s" + std::to_string(i))},
                         .add_to_order = true},
               Id(i, 36));
  });
  ExpectNear("two request_ids, longest", [](World& world, size_t i) {
    world.Make(LockOf(i / 5000, 1, 128, 40), Id(i, 64));
    world.Make(UnlockSeats{.session = SessionId(Id(i / 5000, 128)), .all = true}, "u" + Id(i, 63));
  });
}

TEST(ApproximateBytes, OfOrders) {
  ExpectNear("an order of one seat, UUID", [](World& world, size_t i) {
    world.Make(BookSeats{
        .session = SessionId(Id(i, 36)), .order = OrderId(Id(i, 36)), .seats = {SeatId(Id(i, 9))}});
  });
  ExpectNear("an order that never came, longest id", [](World& world, size_t i) {
    world.Make(CancelBooking{.order = OrderId(Id(i, 128)), .all = true, .tombstone = true});
  });
  ExpectNear("a cancelled seat, longest id", [](World& world, size_t i) {
    BookSeats book{.session = SessionId("s"),
                   .order = OrderId(std::to_string(i / 1000)),
                   .seats = {SeatId(Id(i, 40))},
                   .add_to_order = true};
    if (i % 1000 == 0) book.seats.emplace_back("keep" + std::to_string(i));
    world.Make(book);
    world.Make(CancelBooking{.order = book.order, .seats = {SeatId(Id(i, 40))}});
  });
}

TEST(ApproximateBytes, OfOrdersThatCameAndWent) {
  const double closed = ExpectNear("a closed order, longest ids", [](World& world, size_t i) {
    BookSeats book{.session = SessionId(Id(i, 128)), .order = OrderId(Id(i, 128))};
    for (size_t seat = 0; seat < 10; ++seat) book.seats.emplace_back(Id(seat, 40));
    world.Make(book);
    world.Make(CancelBooking{.order = book.order, .seats = {book.seats[7], book.seats[2]}});
    world.Make(CancelBooking{.order = book.order, .all = true});
  });
  // Its lists are gone, not only what was in them.
  const double barred = ExpectNear("an order that never came", [](World& world, size_t i) {
    world.Make(CancelBooking{.order = OrderId(Id(i, 128)), .all = true, .tombstone = true});
  });
  EXPECT_LT(closed, barred * 1.1);
}

// What an Undo of a booking into an order of 1,999 seats has of the heap, in a showtime that has
// `seats` others: locked ones, or with `forgotten` free ones that can be dropped.
size_t UndoBytes(size_t seats, bool forgotten) {
  World world;
  world.rules.max_session_seats = kSessionSeatsMax;
  for (size_t i = 0; i < kOrderSeatsMax - 1; ++i) {
    world.Make(BookSeats{.session = SessionId("s"),
                         .order = OrderId("o"),
                         .seats = {SeatId("o" + Id(i, 39))},
                         .add_to_order = true});
  }
  for (size_t i = 0; i < seats; ++i) {
    world.Make(LockOf(i, i, 128, 40));
    if (forgotten)
      world.Make(UnlockSeats{.session = SessionId(Id(i, 128)), .all = true}, Id(i, 64));
  }
  if (forgotten) world.now_ms += 2 * kGrantMemoryMs;
  const Decision decision = Decide(world.showtime,
                                   {.body = BookSeats{.session = SessionId("s"),
                                                      .order = OrderId("o"),
                                                      .seats = {SeatId("p")},
                                                      .add_to_order = true}},
                                   world.now_ms, world.rules);
  auto undo = std::make_unique<Undo>(world.showtime.ApplyUndoable(std::get<Change>(decision)));
  const size_t with_undo = Heap();
  undo.reset();
  return with_undo - Heap();
}

// A change of one seat drops 20 seats, request_ids and shares each, if there are any (limits.h).
TEST(UndoBytes, GoWithTheChangeAndNotWithTheShowtime) {
  const size_t small = UndoBytes(100, false);
  EXPECT_LT(small, 4096u);
  EXPECT_LT(UndoBytes(kEntries, false), small + 1024);
  const size_t dropping = UndoBytes(100, true);
  EXPECT_LT(dropping, 64u * 1024);
  EXPECT_LT(UndoBytes(kEntries, true), dropping + 4096);
}

TEST(UndoBytes, ApproximateBytesStayRightAfterReverts) {
  World world;
  const size_t heap = Heap();
  const size_t estimate = world.showtime.ApproximateBytes();
  const auto apply = [&](auto body) {
    const Decision decision =
        Decide(world.showtime, {.body = std::move(body)}, world.now_ms, world.rules);
    return world.showtime.ApplyUndoable(std::get<Change>(decision));
  };
  for (size_t i = 0; i < kEntries; ++i) {
    BookSeats book{.session = SessionId(Id(i, 36)), .order = OrderId(Id(i, 36))};
    for (size_t seat = 0; seat < 4; ++seat) book.seats.emplace_back(Id(4 * i + seat, 40));
    Undo booked = apply(book);
    if (i % 4 == 0) {
      world.showtime.Revert(std::move(booked));
      continue;
    }
    Undo in_part = apply(CancelBooking{.order = book.order, .seats = {book.seats[0]}});
    Undo closed = apply(CancelBooking{.order = book.order, .all = true});
    if (i % 4 > 1) world.showtime.Revert(std::move(closed));
    if (i % 4 > 2) world.showtime.Revert(std::move(in_part));
  }
  const auto real = static_cast<double>(Heap() - heap);
  const auto said = static_cast<double>(world.showtime.ApproximateBytes() - estimate);
  EXPECT_GT(said, real * 0.9);
  EXPECT_LT(said, real * 1.1);
}

}  // namespace
}  // namespace seatlock::domain::testing
#endif
