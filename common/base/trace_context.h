// The header or metadata entry `traceparent` of W3C Trace Context: which trace a call belongs to.
// https://www.w3.org/TR/trace-context/#traceparent-header. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace seatlock::base {

inline constexpr char kTraceparent[] = "traceparent";

struct TraceContext {
  std::string trace_id;   // 32 hexadecimal digits, lower case, not all zero
  std::string parent_id;  // 16 of them: the caller's span
  bool sampled = false;

  friend bool operator==(const TraceContext&, const TraceContext&) = default;
};

// "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01". None if it is not one, as the standard
// says: version ff, an id of zeros, a capital, another length. Of a version above 00 the first four
// fields count, and what follows them after a dash is ignored.
std::optional<TraceContext> ParseTraceparent(std::string_view text);

}  // namespace seatlock::base
