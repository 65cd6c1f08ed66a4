#include "services/seatlock/log/redis/telling.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "services/seatlock/log/redis/limits.h"

namespace seatlock::log {
namespace {

// Redis repeats the arguments of a command that it does not know, up to 128 bytes.
constexpr char kArguments[] = ", with args beginning with";
constexpr char kPeerPayload[] = "seatlock/unreachable";

std::string ReasonOf(const absl::Status& status) {
  const auto peer = status.GetPayload(kPeerPayload);
  return peer ? absl::StrCat("unreachable ", std::string(*peer)) : std::string(status.message());
}

}  // namespace

bool Outage::Failed(const absl::Status& why) {
  if (state_ == State::kWell) told_.clear();
  state_ = State::kUnserved;
  if (told_.size() == kRedisReasonsToldMax) return false;
  return told_.insert(ReasonOf(why)).second;
}

void Outage::Served(int64_t now_ms) {
  if (state_ != State::kUnserved) return;
  // Without an outage there is no return.
  state_ = told_.empty() ? State::kWell : State::kReturning;
  since_ms_ = now_ms;
}

bool Outage::Tick(int64_t now_ms) {
  if (state_ != State::kReturning || now_ms - since_ms_ < kRedisSteadyMs) return false;
  state_ = State::kWell;
  return true;
}

absl::Status Unreachable(absl::string_view peer, absl::string_view why) {
  absl::Status status = absl::UnavailableError(absl::StrCat(peer, ": ", why));
  status.SetPayload(kPeerPayload, absl::Cord(peer));
  return status;
}

absl::Status Reworded(const absl::Status& status, absl::string_view message) {
  absl::Status reworded(status.code(), message);
  status.ForEachPayload([&reworded](absl::string_view url, const absl::Cord& value) {
    reworded.SetPayload(url, value);
  });
  return reworded;
}

std::string ForOperators(absl::string_view text, absl::string_view secret) {
  std::string line(text);
  if (!secret.empty()) {
    // What follows may end in the midst of the secret.
    line.resize(std::min(line.size(), line.find(kArguments)));
    line = absl::StrReplaceAll(line, {{secret, "***"}});
  }
  for (char& c : line) {
    if (!absl::ascii_isprint(static_cast<unsigned char>(c))) c = ' ';
  }
  if (line.size() > kRedisReasonBytesMax) {
    const std::string kCut = "...";
    line.resize(kRedisReasonBytesMax - kCut.size());
    line += kCut;
  }
  return line;
}

absl::Status ForOperators(const absl::Status& status, absl::string_view secret) {
  return Reworded(status, ForOperators(status.message(), secret));
}

}  // namespace seatlock::log
