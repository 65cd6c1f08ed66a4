#include "tests/testing/call.h"

#include <map>
#include <optional>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace seatlock::testing {
namespace {

using domain::Reason;
using domain::SeatStatus;
using domain::testing::NaiveModel;
using domain::testing::Outcome;

template <typename Request>
std::optional<domain::RequestId> RequestIdOf(const Request& request) {
  if (!request.has_request_id()) return std::nullopt;
  return domain::RequestId(request.request_id());
}

template <typename Request>
std::optional<int64_t> TtlOf(const Request& request) {
  if (!request.has_ttl()) return std::nullopt;
  return request.ttl().seconds() * 1000 + request.ttl().nanos() / 1'000'000;
}

template <typename Repeated>
std::vector<domain::SeatId> SeatsOf(const Repeated& seats) {
  return {seats.begin(), seats.end()};
}

std::string LockFact(const std::string& seat, const std::string& session, int64_t expire_ms,
                     uint64_t fence) {
  return absl::StrCat("lock ", seat, " of ", session, " until ", expire_ms, " fence ", fence);
}

std::string LockFact(const v1::Lock& lock) {
  return LockFact(lock.seat_id(), lock.session_id(), ToMs(lock.expire_time()), lock.fence());
}

// Of a seat that is taken.
std::string SeatFact(const std::string& seat, v1::SeatStatus status, const std::string& session,
                     int64_t expire_ms, const std::string& order) {
  return absl::StrCat(seat, " ", v1::SeatStatus_Name(status), " session ", session, " until ",
                      expire_ms, " order ", order);
}

std::string SeatFact(const v1::Seat& seat) {
  return SeatFact(seat.seat_id(), seat.status(), seat.session_id(), ToMs(seat.expire_time()),
                  seat.order_id());
}

std::string ConflictFact(const std::string& seat, v1::SeatStatus status,
                         const std::string& reason) {
  return absl::StrCat(seat, " ", v1::SeatStatus_Name(status), " ", reason);
}

v1::SeatStatus ProtoOf(SeatStatus status) {
  switch (status) {
    case SeatStatus::kAvailable:
      return v1::SEAT_STATUS_AVAILABLE;
    case SeatStatus::kLocked:
      return v1::SEAT_STATUS_LOCKED;
    case SeatStatus::kBooked:
      return v1::SEAT_STATUS_BOOKED;
    case SeatStatus::kBlocked:
      return v1::SEAT_STATUS_BLOCKED;
  }
  return v1::SEAT_STATUS_UNSPECIFIED;
}

// As the contract calls them; the model gives no others to what is in bounds.
std::string NameOf(Reason reason) {
  static const std::map<Reason, std::string> names = {
      {Reason::kRequestIdReused, "REQUEST_ID_REUSED"},
      {Reason::kUnknownOrder, "UNKNOWN_ORDER"},
      {Reason::kOrderCancelled, "ORDER_CANCELLED"},
      {Reason::kOrderMismatch, "ORDER_MISMATCH"},
      {Reason::kNothingHeld, "NOTHING_HELD"},
      {Reason::kSeatTaken, "SEAT_TAKEN"},
      {Reason::kNotLockHolder, "NOT_LOCK_HOLDER"},
      {Reason::kStaleFence, "STALE_FENCE"},
      {Reason::kSessionSeatLimit, "SESSION_SEAT_LIMIT"},
      {Reason::kOrderSeatLimit, "ORDER_SEAT_LIMIT"},
      {Reason::kExtendLimit, "EXTEND_LIMIT"},
      {Reason::kOverloaded, "OVERLOADED"},
  };
  const auto name = names.find(reason);
  return name == names.end() ? "no reason of the contract" : name->second;
}

}  // namespace

domain::Command CommandOf(const v1::LockSeatRequest& request) {
  return {RequestIdOf(request),
          domain::LockSeats{.session = domain::SessionId(request.session_id()),
                            .seats = {domain::SeatId(request.seat_id())},
                            .ttl_ms = TtlOf(request),
                            .max_session_seats = request.max_session_seats()}};
}

domain::Command CommandOf(const v1::UnlockSeatRequest& request) {
  return {RequestIdOf(request),
          domain::UnlockSeats{.session = domain::SessionId(request.session_id()),
                              .seats = {domain::SeatId(request.seat_id())}}};
}

domain::Command CommandOf(const v1::ExtendLocksRequest& request) {
  return {RequestIdOf(request),
          domain::ExtendLocks{.session = domain::SessionId(request.session_id()),
                              .seats = SeatsOf(request.seat_ids()),
                              .all = request.all(),
                              .ttl_ms = TtlOf(request)}};
}

domain::Command CommandOf(const v1::BookSeatsRequest& request) {
  domain::BookSeats book{.session = domain::SessionId(request.session_id()),
                         .order = domain::OrderId(request.order_id()),
                         .seats = SeatsOf(request.seat_ids()),
                         .only_held = request.only_held(),
                         .add_to_order = request.add_to_order()};
  const std::map<std::string, uint64_t> fences(request.fences().begin(), request.fences().end());
  for (const auto& [seat, fence] : fences) {
    book.fences.emplace_back(domain::SeatId(seat), domain::Fence(fence));
  }
  return {RequestIdOf(request), std::move(book)};
}

domain::Command CommandOf(const v1::CancelBookingRequest& request) {
  return {RequestIdOf(request), domain::CancelBooking{.order = domain::OrderId(request.order_id()),
                                                      .seats = SeatsOf(request.seat_ids()),
                                                      .all = request.all(),
                                                      .tombstone = request.tombstone()}};
}

Said SaidOf(const v1::LockSeatResponse& response) {
  return {.revision = response.revision(), .facts = {LockFact(response.lock())}};
}

Said SaidOf(const v1::UnlockSeatResponse& response) {
  return {.revision = response.revision(), .facts = {}};
}

Said SaidOf(const v1::ExtendLocksResponse& response) {
  Said said{.revision = response.revision(), .facts = {}};
  for (const v1::Lock& lock : response.locks()) said.facts.insert(LockFact(lock));
  return said;
}

Said SaidOf(const v1::BookSeatsResponse& response) {
  return {.revision = response.revision(),
          .facts = {response.booked_seat_ids().begin(), response.booked_seat_ids().end()}};
}

Said SaidOf(const v1::CancelBookingResponse& response) {
  return {.revision = response.revision(), .facts = {}};
}

Said SaidOf(const v1::GetShowtimeResponse& response) {
  Said said{.revision = response.snapshot().revision(), .facts = {}};
  for (const v1::Seat& seat : response.snapshot().seats()) said.facts.insert(SeatFact(seat));
  return said;
}

Said SaidOf(const ShowtimeView& view) {
  Said said{.revision = view.revision(), .facts = {}};
  for (const auto& [name, seat] : view.seats()) said.facts.insert(SeatFact(seat));
  return said;
}

Said SaidOf(const v1::ListSessionLocksResponse& response) {
  Said said{.revision = response.revision(), .facts = {}};
  for (const v1::Lock& lock : response.locks()) said.facts.insert(LockFact(lock));
  return said;
}

Said SaidOf(const v1::GetOrderResponse& response) {
  Said said{.revision = response.revision(), .facts = {v1::OrderState_Name(response.state())}};
  said.facts.insert(response.seat_ids().begin(), response.seat_ids().end());
  return said;
}

Said SaidOf(const Refusal& refusal) {
  Said said{.refused = true, .facts = {"reason " + refusal.reason}};
  for (const Refusal::Conflict& conflict : refusal.conflicts) {
    said.facts.insert(ConflictFact(conflict.seat_id, conflict.status, conflict.reason));
  }
  return said;
}

Said SaidOf(const Outcome& outcome) {
  if (outcome.refused) {
    Said said{.refused = true, .facts = {"reason " + NameOf(*outcome.refused)}};
    for (const auto& [seat, status, reason] : outcome.conflicts) {
      said.facts.insert(ConflictFact(seat, ProtoOf(status), NameOf(reason)));
    }
    return said;
  }
  Said said{.revision = outcome.revision, .facts = {}};
  for (const auto& [seat, session, expire_ms, fence] : outcome.locks) {
    said.facts.insert(LockFact(seat, session, expire_ms, fence));
  }
  said.facts.insert(outcome.order_seats.begin(), outcome.order_seats.end());
  return said;
}

Said SaidOf(const NaiveModel& model, const ReadShowtime&) {
  Said said{.revision = model.revision(), .facts = {}};
  for (const auto& [name, seat] : model.seats()) {
    if (seat.status == SeatStatus::kAvailable) continue;
    const bool locked = seat.status == SeatStatus::kLocked;
    said.facts.insert(SeatFact(name, ProtoOf(seat.status), locked ? seat.session : "",
                               locked ? seat.expire_ms : 0, seat.order));
  }
  return said;
}

Said SaidOf(const NaiveModel& model, const ReadHead&) {
  return {.revision = model.revision(), .facts = {}};
}

Said SaidOf(const NaiveModel& model, const SeeChange&) {
  return {.revision = model.revision(), .facts = {}};
}

Said SaidOf(const NaiveModel& model, const ReadLocks& question, int64_t ended_ms) {
  Said said{.revision = model.revision(), .facts = {}};
  for (const auto& [name, seat] : model.seats()) {
    if (seat.status != SeatStatus::kLocked || seat.session != question.session) continue;
    if (seat.expire_ms <= ended_ms) continue;
    said.facts.insert(LockFact(name, seat.session, seat.expire_ms, seat.fence));
  }
  return said;
}

Said SaidOf(const NaiveModel& model, const ReadOrder& question) {
  const auto order = model.orders().find(question.order);
  const bool known = order != model.orders().end();
  const v1::OrderState state = !known                 ? v1::ORDER_STATE_UNKNOWN
                               : order->second.closed ? v1::ORDER_STATE_CANCELLED
                                                      : v1::ORDER_STATE_OPEN;
  Said said{.revision = model.revision(), .facts = {v1::OrderState_Name(state)}};
  if (known) said.facts.insert(order->second.seats.begin(), order->second.seats.end());
  return said;
}

namespace {

struct Words {
  std::string operator()(const domain::Command& command) const {
    return domain::testing::Describe(command);
  }
  std::string operator()(const ReadShowtime&) const { return "read the showtime"; }
  std::string operator()(const ReadHead&) const { return "a watch says how far it is"; }
  std::string operator()(const SeeChange&) const { return "a watch shows a change"; }
  std::string operator()(const ReadLocks& read) const { return "read locks of " + read.session; }
  std::string operator()(const ReadOrder& read) const { return "read order " + read.order; }
};

}  // namespace

std::string Describe(const Question& question) {
  return std::visit(Words{}, question);
}

std::string Describe(const Said& said) {
  return absl::StrCat(said.refused ? "refused" : absl::StrCat("revision ", said.revision), " {",
                      absl::StrJoin(said.facts, ", "), "}");
}

std::string Describe(const Call& call) {
  const auto words = [&] {
    if (call.end == Call::End::kEnded) return std::string("LOCK_EXPIRED");
    if (call.end == Call::End::kUnknown) return std::string("unknown");
    return Describe(call.said);
  };
  return absl::StrCat(call.showtime, ": ", Describe(call.question), " -> ", words());
}

}  // namespace seatlock::testing
