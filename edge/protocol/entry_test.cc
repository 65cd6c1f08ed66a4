#include "edge/protocol/entry.h"

#include <gmock/gmock.h>

#include "edge/protocol/frame.h"
#include "edge/protocol/frames.h"
#include "tests/testing/hub_fakes.h"

namespace seatlock::edge {
namespace {

using ::seatlock::testing::FreedSeat;
using ::seatlock::testing::LockedSeat;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

const Seat kBarred{"B1", SeatStatus::kBooked, "", 0};

Change ChangeOf(std::vector<Seat> seats) {
  return {{"e", 5}, 7, Cause::kSwap, std::move(seats)};
}

// What a session is to get: each seat's frame, its own where it is concerned.
std::string Expected(const Change& change, const std::string& session_id) {
  std::string wire;
  for (size_t i = 0; i < change.seats.size(); ++i) {
    const bool own = !session_id.empty() && change.seats[i].session_id == session_id;
    AppendFrame(Opcode::kText, SeatStatusChangeText("1", change, i, own), &wire);
  }
  return wire;
}

std::string Sent(const Entry& entry, const std::string& session_id) {
  std::string wire;
  entry.ForSession(session_id, [&wire](std::string_view piece) {
    EXPECT_FALSE(piece.empty());
    wire.append(piece);
  });
  return wire;
}

TEST(Entry, EverybodyGetsEachSeatInItsPlaceWhateverTheMixOfSessions) {
  const std::vector<std::vector<Seat>> mixes = {
      {LockedSeat("A1", "s")},
      {LockedSeat("A1", "s"), LockedSeat("A2", "s")},
      {LockedSeat("A1", "s"), LockedSeat("A2", "t"), FreedSeat("A3", "s")},
      {kBarred, LockedSeat("A1", "s"), kBarred, LockedSeat("A2", "s")},
      {LockedSeat("A1", "s"), LockedSeat("A2", "t"), LockedSeat("A3", "s"), kBarred},
      {kBarred}};
  for (const std::vector<Seat>& seats : mixes) {
    const Change change = ChangeOf(seats);
    const EntryPtr entry = MakeEntry("1", change);
    for (const std::string session : {"", "s", "t", "x"}) {
      EXPECT_EQ(Sent(*entry, session), Expected(change, session)) << session;
    }
    EXPECT_EQ(entry->frames, seats.size());
  }
}

TEST(Entry, AViewerGetsTheSharedBytesThemselves) {
  const EntryPtr entry = MakeEntry("1", ChangeOf({LockedSeat("A1", "s"), LockedSeat("A2", "t")}));
  int pieces = 0;
  entry->ForSession("", [&](std::string_view piece) {
    ++pieces;
    EXPECT_EQ(piece.data(), entry->shared.data());
    EXPECT_EQ(piece.size(), entry->shared.size());
  });
  EXPECT_EQ(pieces, 1);
  EXPECT_THAT(entry->shared, Not(HasSubstr("sessionId")));
}

TEST(Entry, SeatsOfOneSessionBesideEachOtherAreOnePiece) {
  const EntryPtr entry = MakeEntry("1", ChangeOf({LockedSeat("A1"), LockedSeat("A2")}));
  EXPECT_THAT(entry->own, SizeIs(1));
}

TEST(Entry, AChangeOfNoSeatsHasNoBytes) {
  const EntryPtr entry = MakeEntry("1", ChangeOf({}));
  EXPECT_EQ(entry->frames, 0u);
  EXPECT_THAT(Sent(*entry, "s"), IsEmpty());
  EXPECT_EQ(entry->revision(), 5u);
}

TEST(Entry, TakesAtLeastItsBytes) {
  const EntryPtr entry = MakeEntry("1", ChangeOf({LockedSeat("A1"), LockedSeat("A2", "t")}));
  EXPECT_GE(entry->bytes(), entry->shared.size() + entry->own[0].wire.size() +
                                entry->own[1].wire.size() + sizeof(Entry));
}

}  // namespace
}  // namespace seatlock::edge
