// What a caller may do: scopes, and which of them each RPC needs.
//
// The table is the only place that says so. An RPC that it does not name is refused to everybody,
// and a test walks all RPCs of both services (rpc/guarded_test.cc), so a new one cannot be
// forgotten.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace seatlock::guard {

// None implies another: a box office that books without locking has `book` alone.
enum class Scope { kLock, kBook, kWatch, kAdmin };
inline constexpr int kScopeCount = static_cast<int>(Scope::kAdmin) + 1;
std::string_view NameOf(Scope scope);

// Some scopes. A value.
class ScopeSet {
 public:
  ScopeSet() = default;
  ScopeSet(std::initializer_list<Scope> scopes) {
    for (const Scope scope : scopes) Add(scope);
  }

  // As key files and flags have it: "lock,book". INVALID_ARGUMENT completes "scopes ...".
  static absl::StatusOr<ScopeSet> Parse(std::string_view text);

  void Add(Scope scope) { bits_ |= Bit(scope); }
  // One by its name; an unknown one, which may be another service's, is left out.
  void AddNamed(std::string_view name);
  bool Has(Scope scope) const { return (bits_ & Bit(scope)) != 0; }
  bool empty() const { return bits_ == 0; }
  // "lock,book"
  std::string ToString() const;

  friend bool operator==(const ScopeSet&, const ScopeSet&) = default;

 private:
  static uint8_t Bit(Scope scope) { return static_cast<uint8_t>(1U << static_cast<int>(scope)); }
  uint8_t bits_ = 0;
};

// What an RPC asks for: one scope, any at all (reads), or more than anybody has (not in the table).
enum class Need { kLock, kBook, kWatch, kAdmin, kAny, kNobody };
// "lock" and so on; "any".
std::string_view NameOf(Need need);

// `rpc`: "seatlock.v1.SeatLockService.LockSeat", as its descriptor has it.
Need NeedOf(std::string_view rpc);

bool Allows(ScopeSet scopes, Need need);

}  // namespace seatlock::guard
