#include "common/base/trace_context.h"

namespace seatlock::base {
namespace {

constexpr size_t kVersionChars = 2;
constexpr size_t kTraceIdChars = 32;
constexpr size_t kParentIdChars = 16;
constexpr size_t kFlagsChars = 2;
constexpr size_t kTraceIdAt = kVersionChars + 1;
constexpr size_t kParentIdAt = kTraceIdAt + kTraceIdChars + 1;
constexpr size_t kFlagsAt = kParentIdAt + kParentIdChars + 1;
constexpr size_t kChars = kFlagsAt + kFlagsChars;
static_assert(kChars == 55);

bool IsHex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool IsId(std::string_view text) {
  return IsHex(text) && text.find_first_not_of('0') != std::string_view::npos;
}

bool HasDashes(std::string_view text) {
  return text[kTraceIdAt - 1] == '-' && text[kParentIdAt - 1] == '-' && text[kFlagsAt - 1] == '-';
}

bool HasGoodEnd(std::string_view version, std::string_view text) {
  if (text.size() == kChars) return true;
  return version != "00" && text[kChars] == '-';
}

// The last bit of the flags.
bool IsSampled(char digit) {
  const int value = digit <= '9' ? digit - '0' : digit - 'a' + 10;
  return value % 2 == 1;
}

}  // namespace

std::optional<TraceContext> ParseTraceparent(std::string_view text) {
  if (text.size() < kChars || !HasDashes(text)) return std::nullopt;
  const std::string_view version = text.substr(0, kVersionChars);
  const std::string_view trace_id = text.substr(kTraceIdAt, kTraceIdChars);
  const std::string_view parent_id = text.substr(kParentIdAt, kParentIdChars);
  const std::string_view flags = text.substr(kFlagsAt, kFlagsChars);
  if (!IsHex(version) || version == "ff" || !HasGoodEnd(version, text)) return std::nullopt;
  if (!IsId(trace_id) || !IsId(parent_id) || !IsHex(flags)) return std::nullopt;
  return TraceContext{std::string(trace_id), std::string(parent_id), IsSampled(flags.back())};
}

}  // namespace seatlock::base
