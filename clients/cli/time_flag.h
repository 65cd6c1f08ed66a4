// A time between two bounds, as a flag of seatctl has it. A pure function.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace seatlock::cli {

// Reads "1m30s" into `ms`; an empty text leaves it as it is. What is wrong, in one line that names
// `flag`; empty: nothing.
inline std::string TakeTime(const std::string& text, const char* flag, int64_t min_ms,
                            int64_t max_ms, int64_t* ms) {
  if (text.empty()) return "";
  const absl::Duration min = absl::Milliseconds(min_ms);
  const absl::Duration max = absl::Milliseconds(max_ms);
  absl::Duration time;
  if (!absl::ParseDuration(text, &time) || time < min || time > max) {
    return absl::StrCat(flag, " must be a time with its unit, ", absl::FormatDuration(min), " to ",
                        absl::FormatDuration(max), " (got '", text, "')");
  }
  *ms = absl::ToInt64Milliseconds(time);
  return "";
}

}  // namespace seatlock::cli
