// Commands and outcomes as lines of text.
#include <sstream>

#include "tests/testing/naive_model.h"

namespace seatlock::domain::testing {
namespace {

void Write(std::ostream& out, const std::vector<SeatId>& seats) {
  out << "[";
  for (const SeatId& seat : seats) out << seat.value() << " ";
  out << "]";
}

void Write(std::ostream& out, const std::optional<int64_t>& ttl_ms) {
  out << " ttl=";
  if (ttl_ms) {
    out << *ttl_ms;
  } else {
    out << "default";
  }
}

struct Writer {
  std::ostringstream& out;

  void operator()(const LockSeats& c) {
    out << "lock " << c.session.value() << " ";
    Write(out, c.seats);
    out << " release ";
    Write(out, c.release);
    Write(out, c.ttl_ms);
    out << " max=" << c.max_session_seats;
  }
  void operator()(const UnlockSeats& c) {
    out << "unlock " << c.session.value() << " all=" << c.all << " ";
    Write(out, c.seats);
  }
  void operator()(const ExtendLocks& c) {
    out << "extend " << c.session.value() << " all=" << c.all << " ";
    Write(out, c.seats);
    Write(out, c.ttl_ms);
  }
  void operator()(const BookSeats& c) {
    out << "book " << c.session.value() << " " << c.order.value() << " ";
    Write(out, c.seats);
    out << " only_held=" << c.only_held << " add=" << c.add_to_order << " fences[";
    for (const auto& [seat, fence] : c.fences) out << seat.value() << ":" << fence.value() << " ";
    out << "]";
  }
  void operator()(const CancelBooking& c) {
    out << "cancel " << c.order.value() << " all=" << c.all << " tombstone=" << c.tombstone << " ";
    Write(out, c.seats);
  }
  void operator()(const ExpireLocks&) { out << "expire"; }
  void operator()(const BlockSeats& c) {
    out << "block release_locks=" << c.release_locks << " note=" << c.note << " ";
    Write(out, c.seats);
  }
  void operator()(const UnblockSeats& c) {
    out << "unblock ";
    Write(out, c.seats);
  }
  void operator()(const ReleaseSeats& c) {
    out << "release " << c.session.value() << " ";
    Write(out, c.seats);
  }
  void operator()(const CloseShowtime& c) { out << (c.reopen ? "reopen" : "close"); }
};

}  // namespace

std::string Describe(const Command& command) {
  std::ostringstream out;
  std::visit(Writer{out}, command.body);
  if (command.request_id) out << " request=" << command.request_id->value();
  return out.str();
}

std::string Describe(const Outcome& outcome) {
  std::ostringstream out;
  if (outcome.refused) {
    out << "refused " << static_cast<int>(*outcome.refused) << " conflicts[";
    for (const auto& [seat, status, reason] : outcome.conflicts) {
      out << seat << ":" << static_cast<int>(status) << ":" << static_cast<int>(reason) << " ";
    }
    out << "] limit=" << outcome.limit << " held=" << outcome.held
        << " max_expire=" << outcome.max_expire_ms;
    return out.str();
  }
  out << (outcome.changed    ? "change "
          : outcome.replayed ? "replay "
                             : "no change ")
      << outcome.revision;
  if (outcome.cause) out << " cause=" << static_cast<int>(*outcome.cause);
  out << " locks[";
  for (const auto& [seat, session, expire_ms, fence] : outcome.locks) {
    out << seat << ":" << session << ":" << expire_ms << ":" << fence << " ";
  }
  out << "] order[";
  for (const std::string& seat : outcome.order_seats) out << seat << " ";
  out << "] released[";
  for (const std::string& seat : outcome.released) out << seat << " ";
  out << "] after[";
  for (const auto& [seat, after] : outcome.after) {
    const auto& [status, session, expire_ms, order] = after;
    out << seat << ":" << static_cast<int>(status) << ":" << session << ":" << expire_ms << ":"
        << order << " ";
  }
  out << "]";
  return out.str();
}

}  // namespace seatlock::domain::testing
