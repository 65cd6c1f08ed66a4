// The ids of one run, which nobody else uses: bench-3f2a9c01-4 is its fifth showtime. Immutable.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/random.h"

namespace seatlock::cli::bench {

// Stands for an id that is none of the run's.
inline constexpr uint32_t kStranger = UINT32_MAX;

class Names {
 public:
  explicit Names(std::string run = base::RandomHex(4)) : prefix_("bench-" + run + "-") {}

  const std::string& prefix() const { return prefix_; }
  std::string Showtime(uint32_t number) const { return absl::StrCat(prefix_, number); }
  std::string Session(uint32_t number) const { return absl::StrCat(prefix_, "s", number); }
  std::string Order(uint64_t call) const { return absl::StrCat(prefix_, "o", call); }
  std::string RequestId(uint64_t call) const { return absl::StrCat(prefix_, "r", call); }
  static std::string Seat(uint32_t number) { return absl::StrCat("S", number); }

  // The numbers again; kStranger if it is none.
  static uint32_t SeatNumber(std::string_view id) { return NumberAfter("S", id); }
  uint32_t SessionNumber(std::string_view id) const {
    if (id.substr(0, prefix_.size()) != prefix_) return kStranger;
    return NumberAfter("s", id.substr(prefix_.size()));
  }

 private:
  static uint32_t NumberAfter(std::string_view head, std::string_view id) {
    uint32_t number = 0;
    if (id.substr(0, head.size()) != head) return kStranger;
    id.remove_prefix(head.size());
    return absl::SimpleAtoi(absl::string_view(id.data(), id.size()), &number) ? number : kStranger;
  }

  const std::string prefix_;
};

}  // namespace seatlock::cli::bench
