// BodyHash: SHA-256 over a command's fields, each with its length or as 8 bytes, so that no two
// commands have the same canonical form.
#include <openssl/evp.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <variant>
#include <vector>

#include "services/seatlock/domain/command.h"

namespace seatlock::domain {
namespace {

// Remembered for an hour and compared across versions: fields may be added at the end where they
// are set, never changed.
class Canonical {
 public:
  const std::string& bytes() const { return bytes_; }

  void operator()(const LockSeats& c) {
    Number('L');
    Text(c.session.value());
    Seats(c.seats);
    Seats(c.release);
    Ttl(c.ttl_ms);
    Number(c.max_session_seats);
  }
  void operator()(const UnlockSeats& c) {
    Number('U');
    Text(c.session.value());
    Seats(c.seats);
    Number(c.all);
  }
  void operator()(const ExtendLocks& c) {
    Number('E');
    Text(c.session.value());
    Seats(c.seats);
    Number(c.all);
    Ttl(c.ttl_ms);
  }
  void operator()(const BookSeats& c) {
    Number('B');
    Text(c.session.value());
    Text(c.order.value());
    Seats(c.seats);
    Number(c.fences.size());
    for (const auto& [seat, fence] : c.fences) {
      Text(seat.value());
      Number(fence.value());
    }
    Number(c.only_held);
    Number(c.add_to_order);
  }
  void operator()(const CancelBooking& c) {
    Number('C');
    Text(c.order.value());
    Seats(c.seats);
    Number(c.all);
    Number(c.tombstone);
  }
  void operator()(const ExpireLocks&) { Number('X'); }
  void operator()(const BlockSeats& c) {
    Number('K');
    Seats(c.seats);
    Number(c.release_locks);
    Text(c.note);
  }
  void operator()(const UnblockSeats& c) {
    Number('N');
    Seats(c.seats);
  }
  void operator()(const ReleaseSeats& c) {
    Number('R');
    Seats(c.seats);
    Text(c.session.value());
  }
  void operator()(const CloseShowtime& c) {
    Number('S');
    Number(c.reopen);
  }

 private:
  void Number(uint64_t number) {
    for (int shift = 56; shift >= 0; shift -= 8) {
      bytes_.push_back(static_cast<char>(number >> shift));
    }
  }
  void Text(const std::string& text) {
    Number(text.size());
    bytes_ += text;
  }
  void Seats(const std::vector<SeatId>& seats) {
    Number(seats.size());
    for (const SeatId& seat : seats) Text(seat.value());
  }
  void Ttl(const std::optional<int64_t>& ttl_ms) {
    Number(ttl_ms.has_value());
    Number(static_cast<uint64_t>(ttl_ms.value_or(0)));
  }

  std::string bytes_;
};

}  // namespace

std::string BodyHash(const Command& command) {
  Canonical canonical;
  std::visit(canonical, command.body);
  // Fetched once: OpenSSL 3's look-up of an algorithm costs more than the hash of a command.
  static const EVP_MD* const kSha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  const std::string& bytes = canonical.bytes();
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, kSha256, nullptr) != 1) {
    std::fputs("BodyHash: OpenSSL has no SHA-256\n", stderr);
    std::abort();
  }
  return {reinterpret_cast<const char*>(digest.data()), 16};
}

}  // namespace seatlock::domain
