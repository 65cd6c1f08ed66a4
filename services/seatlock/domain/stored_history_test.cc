// Whatever stands in a store's records, folding them never ends the process: a change is refused
// as DATA_LOSS and leaves the state as it was, or it fits, and then no seat has a second owner.
//
// Run again with SEATLOCK_SEED=... as printed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "google/protobuf/stubs/logging.h"
#include "services/seatlock/domain/decide.h"
#include "services/seatlock/log/codec/record_codec.h"

namespace seatlock::domain {
namespace {

constexpr int64_t kStartMs = 1'700'000'000'000;
constexpr int kHistories = 60;
constexpr int kChanges = 60;
constexpr int kSpoiledPerChange = 40;

uint64_t Seed() {
  const char* seed = std::getenv("SEATLOCK_SEED");
  return seed == nullptr ? std::random_device()() : std::strtoull(seed, nullptr, 10);
}

// Small numbers, so that what is made up collides with what is there.
class Dice {
 public:
  explicit Dice(uint64_t seed) : random_(seed) {}

  int Below(int bound) { return std::uniform_int_distribution<int>(0, bound - 1)(random_); }
  bool Rarely() { return Below(5) == 0; }
  SeatId Seat() { return SeatId("A" + std::to_string(Below(6))); }
  SessionId Session() { return SessionId("s" + std::to_string(Below(3))); }
  OrderId Order() { return OrderId("o" + std::to_string(Below(4))); }
  RequestId Request() { return RequestId("r" + std::to_string(Below(8))); }
  std::vector<SeatId> Seats() {
    std::vector<SeatId> seats(1 + Below(3));
    for (SeatId& seat : seats) seat = Seat();
    return seats;
  }

  Command SomeCommand() {
    Command command;
    if (Rarely()) command.request_id = Request();
    switch (Below(8)) {
      case 0:
      case 1:
        command.body = LockSeats{.session = Session(), .seats = Seats()};
        break;
      case 2:
        command.body = UnlockSeats{.session = Session(), .all = true};
        break;
      case 3:
        command.body = ExtendLocks{.session = Session(), .all = true};
        break;
      case 4:
        command.body = BookSeats{
            .session = Session(), .order = Order(), .seats = Seats(), .add_to_order = Rarely()};
        break;
      case 5:
        command.body = BlockSeats{.seats = Seats(), .release_locks = true};
        if (Rarely()) command.body = UnblockSeats{.seats = Seats()};
        break;
      case 6:
        command.body = ReleaseSeats{.session = Session()};
        if (Rarely()) command.body = CloseShowtime{.reopen = Below(3) > 0};
        break;
      default:
        command.body = CancelBooking{.order = Order(), .seats = {}, .all = true, .tombstone = true};
        if (!Rarely()) command.body = CancelBooking{.order = Order(), .seats = Seats()};
        break;
    }
    return command;
  }

  // `change` with one thing altered.
  Change Spoiled(Change change) {
    if (change.seats.empty()) change.seats.push_back({.seat = Seat(), .session = Session()});
    if (Below(2) == 0) {
      SpoilSeat(change.seats[Below(static_cast<int>(change.seats.size()))], change);
    } else if (Below(2) == 0) {
      SpoilSeats(change);
    } else {
      SpoilWhole(change);
    }
    return change;
  }

  // `bytes` with one to three bits turned over.
  std::string Flipped(std::string bytes) {
    for (int i = Below(3); i >= 0 && !bytes.empty(); --i) {
      char& byte = bytes[Below(static_cast<int>(bytes.size()))];
      byte = static_cast<char>(byte ^ (1 << Below(8)));
    }
    return bytes;
  }

 private:
  void SpoilSeat(SeatAfter& seat, const Change& change) {
    switch (Below(6)) {
      case 0:
        seat.seat = Seat();
        break;
      case 1:
        seat.status = static_cast<SeatStatus>(Below(4));
        break;
      case 2:
        seat.session = Rarely() ? SessionId() : Session();
        break;
      case 3:
        seat.expire_ms += (Below(3) - 1) * kMinuteMs;
        break;
      case 4:
        seat.fence = Fence(Below(static_cast<int>(change.revision.value()) + 2));
        break;
      default:
        seat.order = Rarely() ? OrderId() : Order();
        break;
    }
  }

  void SpoilSeats(Change& change) {
    const SessionId session = Session();
    switch (Below(5)) {
      case 0:
        change.seats.pop_back();
        break;
      case 1:
        change.seats.push_back(change.seats.front());
        break;
      case 2:
        change.unchanged.push_back(change.seats.front());
        break;
      case 3:
        change.order = Order();
        for (SeatAfter& each : change.seats) each.order = change.order;
        break;
      default:
        for (SeatAfter& each : change.seats) each.session = session;
        break;
    }
  }

  void SpoilWhole(Change& change) {
    switch (Below(7)) {
      case 0:
        change.revision = Revision(change.revision.value() + Below(3) - 1);
        break;
      case 1:
        change.commit_ms += (Below(3) - 1) * kMinuteMs;
        break;
      case 2:
        change.cause = static_cast<Cause>(Below(12));
        break;
      case 3:
        change.order = Rarely() ? OrderId() : Order();
        break;
      case 4:
        change.order_closed = !change.order_closed;
        break;
      case 5:
        change.request = RequestKey{Request(), std::string(16, 'h')};
        break;
      default:
        change.kept = Rarely() ? std::vector<SeatId>() : Seats();
        break;
    }
  }

  std::mt19937_64 random_;
};

// Who has each seat that is taken: its session, or its order once it is sold.
std::map<SeatId, std::string> Owners(const ShowtimeParts& parts) {
  std::map<SeatId, std::string> owners;
  for (const SeatState& seat : parts.seats) {
    if (seat.status == SeatStatus::kLocked) owners[seat.seat] = "session " + seat.session.value();
    if (seat.status == SeatStatus::kBooked) owners[seat.seat] = "order " + seat.order.value();
  }
  return owners;
}

// What is wrong with a state that came of `change`, empty for nothing.
std::string WrongAfter(const ShowtimeParts& before, const Change& change, const Showtime& state) {
  const ShowtimeParts after = state.Export();
  absl::StatusOr<Showtime> restored = Showtime::Restore(after);
  if (!restored.ok()) return restored.status().ToString();
  const std::map<SeatId, std::string> had = Owners(before);
  for (const auto& [seat, owner] : Owners(after)) {
    auto it = had.find(seat);
    if (it == had.end() || it->second == owner) continue;
    // A lock becomes its own session's booking; nothing else changes hands in one change.
    const bool sold = change.cause == Cause::kBook && owner.starts_with("order ");
    const auto by = std::find_if(change.seats.begin(), change.seats.end(),
                                 [&id = seat](const SeatAfter& each) { return each.seat == id; });
    if (!sold || by == change.seats.end() || it->second != "session " + by->session.value()) {
      return "seat " + seat.value() + " went from " + it->second + " to " + owner;
    }
  }
  return "";
}

struct Tally {
  int fitted = 0;
  int refused = 0;
};

// Folds `change`, which a store is said to hold, into a copy of `parts`. Empty if all is well.
std::string Try(const ShowtimeParts& parts, const Change& change, Tally& tally) {
  Showtime state = *Showtime::Restore(parts);
  const absl::Status status = state.TryApply(change);
  if (status.ok()) {
    ++tally.fitted;
    return WrongAfter(parts, change, state);
  }
  ++tally.refused;
  if (!absl::IsDataLoss(status)) return "refused as " + status.ToString();
  return state.Export() == parts ? "" : "refused, but the state has changed: " + status.ToString();
}

std::string TrySpoiled(const ShowtimeParts& parts, const Change& change, Dice& dice, Tally& tally) {
  for (int i = 0; i < kSpoiledPerChange; ++i) {
    Change spoiled = dice.Spoiled(change);
    if (dice.Rarely()) spoiled = dice.Spoiled(std::move(spoiled));
    absl::StatusOr<Change> decoded = log::DecodeChange(log::EncodeChange(spoiled));
    if (decoded.ok()) spoiled = *std::move(decoded);
    if (std::string wrong = Try(parts, spoiled, tally); !wrong.empty()) return wrong;
    decoded = log::DecodeChange(dice.Flipped(log::EncodeChange(change)));
    if (!decoded.ok()) {
      if (!absl::IsDataLoss(decoded.status())) return decoded.status().ToString();
      ++tally.refused;
    } else if (std::string wrong = Try(parts, *decoded, tally); !wrong.empty()) {
      return wrong;
    }
  }
  return "";
}

// What a state gives that `parts` were restored to.
void DropForgotten(ShowtimeParts& parts) {
  const int64_t now_ms = parts.commit_ms;
  std::erase_if(parts.seats, [&](const SeatState& seat) {
    return seat.status == SeatStatus::kAvailable && now_ms > seat.freed_ms + kGrantMemoryMs;
  });
  std::erase_if(parts.requests, [&](const auto& entry) { return IsForgotten(entry, now_ms); });
  std::erase_if(parts.shares, [&](const auto& entry) { return IsForgotten(entry, now_ms); });
}

// A snapshot with bits turned over is refused, or is a state.
std::string TrySnapshot(const ShowtimeParts& parts, Dice& dice, Tally& tally) {
  absl::StatusOr<ShowtimeParts> decoded =
      log::DecodeSnapshot(dice.Flipped(log::EncodeSnapshot(parts)));
  if (!decoded.ok()) {
    ++tally.refused;
    return absl::IsDataLoss(decoded.status()) ? "" : decoded.status().ToString();
  }
  absl::StatusOr<Showtime> restored = Showtime::Restore(*decoded);
  DropForgotten(*decoded);
  ++(restored.ok() ? tally.fitted : tally.refused);
  return !restored.ok() || restored->Export() == *decoded ? "" : "restored as another state";
}

// One history that Decide makes, each of its changes spoiled in many ways before it is folded.
std::string RunHistory(Dice& dice, Tally& tally) {
  Showtime state;
  int64_t now_ms = kStartMs;
  for (int made = 0; made < kChanges;) {
    now_ms += dice.Rarely() ? dice.Below(20) * kMinuteMs : dice.Below(1000);
    Command command = dice.SomeCommand();
    if (state.earliest_expire_ms().value_or(now_ms + 1) <= now_ms)
      command = {.body = ExpireLocks{}};
    Decision decision = Decide(state, command, now_ms, Rules());
    const auto* change = std::get_if<Change>(&decision);
    if (change == nullptr) continue;
    const ShowtimeParts parts = state.Export();
    if (std::string wrong = TrySpoiled(parts, *change, dice, tally); !wrong.empty()) return wrong;
    if (std::string wrong = TrySnapshot(parts, dice, tally); !wrong.empty()) return wrong;
    if (absl::Status fits = state.TryApply(*change); !fits.ok()) return fits.ToString();
    if (std::string wrong = WrongAfter(parts, *change, state); !wrong.empty()) return wrong;
    ++made;
  }
  return "";
}

TEST(StoredHistory, WhateverItSaysItFitsOrIsDataLoss) {
  const uint64_t seed = Seed();
  std::cout << "SEATLOCK_SEED=" << seed << "\n";
  const google::protobuf::LogSilencer
      quiet;  // protobuf writes a line for each text that is no UTF-8
  Dice dice(seed);
  Tally tally;
  for (int i = 0; i < kHistories; ++i) {
    ASSERT_EQ(RunHistory(dice, tally), "") << "run again with SEATLOCK_SEED=" << seed;
  }
  // Both happen often, or this proves little.
  EXPECT_GT(tally.fitted, 1000) << "run again with SEATLOCK_SEED=" << seed;
  EXPECT_GT(tally.refused, 10'000) << "run again with SEATLOCK_SEED=" << seed;
}

// The control: folded unchecked, each of these is found out.
TEST(StoredHistory, ControlFoldedUncheckedASecondOwnerIsFoundOut) {
  const SeatAfter locked{.seat = SeatId("A1"),
                         .status = SeatStatus::kLocked,
                         .session = SessionId("s1"),
                         .expire_ms = kStartMs + kMinuteMs,
                         .fence = Fence(1)};
  const SeatAfter sold{.seat = SeatId("A1"),
                       .status = SeatStatus::kBooked,
                       .session = SessionId("s1"),
                       .order = OrderId("o1")};
  auto after = [](SeatAfter first, Cause cause, SeatAfter second, Cause then) {
    Showtime state;
    state.Apply({.revision = Revision(1),
                 .commit_ms = kStartMs,
                 .cause = cause,
                 .seats = {first},
                 .order = first.order});
    const ShowtimeParts parts = state.Export();
    const Change change{.revision = Revision(2),
                        .commit_ms = kStartMs,
                        .cause = then,
                        .seats = {second},
                        .order = second.order};
    state.Apply(change);
    return WrongAfter(parts, change, state);
  };
  SeatAfter other = locked;
  other.session = SessionId("s2");
  other.fence = Fence(2);
  EXPECT_NE(after(locked, Cause::kLock, other, Cause::kLock), "");
  EXPECT_NE(after(sold, Cause::kBook, other, Cause::kLock), "");
  other = sold;
  other.session = SessionId("s2");
  EXPECT_NE(after(locked, Cause::kLock, other, Cause::kBook), "");
  other.order = OrderId("o2");
  EXPECT_NE(after(sold, Cause::kBook, other, Cause::kBook), "");
  EXPECT_EQ(after(locked, Cause::kLock, sold, Cause::kBook), "");
}

}  // namespace
}  // namespace seatlock::domain
