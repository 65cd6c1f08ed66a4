#include "services/seatlock/domain/validate.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "services/seatlock/domain/decide.h"
#include "services/seatlock/domain/limits.h"

namespace seatlock::domain {
namespace {

// The length of the UTF-8 sequence at the start of `text`, 0 where it is not valid (Unicode 15,
// table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF).
size_t Utf8SequenceBytes(std::string_view text) {
  auto byte = [&](size_t i) -> unsigned { return static_cast<unsigned char>(text[i]); };
  auto continues = [&](size_t i) { return i < text.size() && (byte(i) & 0xC0) == 0x80; };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4 || !continues(1)) return 0;
  if (lead < 0xE0) return 2;
  const unsigned second = byte(1);
  if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
      (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F) || !continues(2)) {
    return 0;
  }
  if (lead < 0xF0) return 3;
  return continues(3) ? 4 : 0;
}

// nullptr for text without control characters, else what is wrong.
const char* TextFault(std::string_view text) {
  while (!text.empty()) {
    const size_t bytes = Utf8SequenceBytes(text);
    if (bytes == 0) return "must be UTF-8";
    const auto first = static_cast<unsigned char>(text[0]);
    const bool c0_or_del = first < 0x20 || first == 0x7F;
    const bool c1 = first == 0xC2 && static_cast<unsigned char>(text[1]) < 0xA0;
    if (c0_or_del || c1) return "must not have control characters";
    text.remove_prefix(bytes);
  }
  return nullptr;
}

// Collects what is out of bounds in one command.
class Checker {
 public:
  std::vector<FieldViolation> Take() { return std::move(violations_); }

  void Id(std::string_view field, const std::string& value, size_t bytes_max) {
    if (auto violation = CheckId(field, value, bytes_max)) {
      violations_.push_back(*std::move(violation));
    }
  }

  void Fail(std::string_view field, std::string description) {
    violations_.push_back({std::string(field), std::move(description)});
  }

  // At most kSeatsPerCallMax seat ids, counted before repeats are dropped. Those above the bound
  // are not looked at.
  void Seats(std::string_view field, const std::vector<SeatId>& seats) {
    if (seats.size() > kSeatsPerCallMax) {
      Fail(field, absl::StrCat("must have at most ", kSeatsPerCallMax, " seats"));
    }
    const size_t count = std::min(seats.size(), kSeatsPerCallMax);
    for (size_t i = 0; i < count; ++i) {
      const std::string& value = seats[i].value();
      if (CheckId({}, value, kSeatIdBytesMax)) Id(Indexed(field, i), value, kSeatIdBytesMax);
    }
  }

  void SomeSeats(const std::vector<SeatId>& seats) {
    Seats("seat_ids", seats);
    if (seats.empty()) Fail("seat_ids", "must name a seat");
  }

  // Seats, or `all` in their place.
  void SeatsOrAll(const std::vector<SeatId>& seats, bool all) {
    Seats("seat_ids", seats);
    if (seats.empty() && !all) Fail("seat_ids", "must name a seat, or all must be set");
    if (!seats.empty() && all) Fail("seat_ids", "must be empty where all is set");
  }

  void Ttl(const std::optional<int64_t>& ttl_ms) {
    if (ttl_ms && (*ttl_ms < kTtlMsMin || *ttl_ms > kTtlMsMax)) {
      Fail("ttl",
           absl::StrCat("must be ", kTtlMsMin / kSecondMs, " s to ", kTtlMsMax / kSecondMs, " s"));
    }
  }

  void operator()(const LockSeats& c) {
    Id("session_id", c.session.value(), kSessionIdBytesMax);
    SomeSeats(c.seats);
    Seats("release_seat_ids", c.release);
    Ttl(c.ttl_ms);
    if (c.release.empty()) return;
    const auto locked = SetOf(c.seats);
    for (size_t i = 0; i < std::min(c.release.size(), kSeatsPerCallMax); ++i) {
      if (locked.contains(View(c.release[i]))) {
        Fail(Indexed("release_seat_ids", i), "must not stand in seat_ids too");
      }
    }
  }

  void operator()(const UnlockSeats& c) {
    Id("session_id", c.session.value(), kSessionIdBytesMax);
    SeatsOrAll(c.seats, c.all);
  }

  void operator()(const ExtendLocks& c) {
    Id("session_id", c.session.value(), kSessionIdBytesMax);
    SeatsOrAll(c.seats, c.all);
    Ttl(c.ttl_ms);
  }

  void operator()(const BookSeats& c) {
    Id("session_id", c.session.value(), kSessionIdBytesMax);
    Id("order_id", c.order.value(), kOrderIdBytesMax);
    Seats("seat_ids", c.seats);
    Fences(c);
  }

  void operator()(const CancelBooking& c) {
    Id("order_id", c.order.value(), kOrderIdBytesMax);
    SeatsOrAll(c.seats, c.all);
  }

  void operator()(const ExpireLocks&) {}

  void operator()(const BlockSeats& c) {
    SomeSeats(c.seats);
    if (!c.note.empty()) Id("note", c.note, kNoteBytesMax);
  }

  void operator()(const UnblockSeats& c) { SomeSeats(c.seats); }

  void operator()(const ReleaseSeats& c) {
    Seats("seat_ids", c.seats);
    if (!c.session.empty()) Id("session_id", c.session.value(), kSessionIdBytesMax);
    if (c.seats.empty() && c.session.empty()) {
      Fail("seat_ids", "must name a seat, or session_id must be set");
    }
    if (!c.seats.empty() && !c.session.empty()) {
      Fail("seat_ids", "must be empty if session_id is set");
    }
  }

  void operator()(const CloseShowtime&) {}

 private:
  static absl::string_view View(const SeatId& seat) { return seat.value(); }

  static std::string Indexed(std::string_view field, size_t i) {
    return absl::StrCat(absl::string_view(field.data(), field.size()), "[", i, "]");
  }

  static absl::flat_hash_set<absl::string_view> SetOf(const std::vector<SeatId>& seats) {
    absl::flat_hash_set<absl::string_view> set;
    for (size_t i = 0; i < std::min(seats.size(), kSeatsPerCallMax); ++i)
      set.insert(View(seats[i]));
    return set;
  }

  void Fences(const BookSeats& c) {
    if (c.fences.empty()) return;
    if (c.fences.size() > kSeatsPerCallMax) {
      Fail("fences", absl::StrCat("must have at most ", kSeatsPerCallMax, " seats"));
      return;
    }
    const auto named = SetOf(c.seats);
    for (const auto& [seat, fence] : c.fences) {
      Id("fences", seat.value(), kSeatIdBytesMax);
      if (!named.empty() && !named.contains(View(seat))) {
        Fail("fences", "must name seats of seat_ids alone");
      }
    }
  }

  std::vector<FieldViolation> violations_;
};

}  // namespace

std::optional<FieldViolation> CheckId(std::string_view field, std::string_view value,
                                      size_t bytes_max) {
  if (value.empty() || value.size() > bytes_max) {
    return FieldViolation{std::string(field), absl::StrCat("must have 1 to ", bytes_max, " bytes")};
  }
  if (const char* fault = TextFault(value)) return FieldViolation{std::string(field), fault};
  return std::nullopt;
}

std::vector<FieldViolation> Validate(const Command& command) {
  Checker checker;
  std::visit(checker, command.body);
  if (command.request_id) {
    checker.Id("request_id", command.request_id->value(), kRequestIdBytesMax);
  }
  // No field of a request: whoever finds out who the caller is keeps to it. What is out of bounds
  // must never get into a record, which could then not be read again.
  if (!command.principal.empty()) {
    checker.Id("principal", command.principal, kPrincipalBytesMax);
  }
  return checker.Take();
}

}  // namespace seatlock::domain
