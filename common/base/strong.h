// Ids and numbers that cannot be mixed up: a session id is not a seat id, a fence not a revision.
//
// Values are immutable but for assignment, and order and hash like what they wrap.
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <utility>

namespace seatlock::base {

// A string of one kind. `Tag` is any type that names the kind.
template <typename Tag>
class StringId {
 public:
  StringId() = default;
  explicit StringId(std::string value) : value_(std::move(value)) {}
  explicit StringId(std::string_view value) : value_(value) {}
  explicit StringId(const char* value) : value_(value) {}

  const std::string& value() const { return value_; }
  bool empty() const { return value_.empty(); }

  friend bool operator==(const StringId&, const StringId&) = default;
  friend auto operator<=>(const StringId&, const StringId&) = default;

  template <typename H>
  friend H AbslHashValue(H h, const StringId& id) {
    return H::combine(std::move(h), id.value_);
  }

 private:
  std::string value_;
};

// A number of one kind; 0 unless said otherwise.
template <typename Tag, typename Number>
class StrongNumber {
 public:
  constexpr StrongNumber() = default;
  constexpr explicit StrongNumber(Number value) : value_(value) {}

  constexpr Number value() const { return value_; }
  constexpr StrongNumber Next() const { return StrongNumber(value_ + 1); }

  friend constexpr bool operator==(StrongNumber, StrongNumber) = default;
  friend constexpr auto operator<=>(StrongNumber, StrongNumber) = default;

  template <typename H>
  friend H AbslHashValue(H h, StrongNumber number) {
    return H::combine(std::move(h), number.value_);
  }

 private:
  Number value_ = 0;
};

}  // namespace seatlock::base
