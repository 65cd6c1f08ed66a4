#include "clients/cli/bench/ws_frame.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "absl/strings/str_cat.h"

namespace seatlock::cli::bench {
namespace {

using boost::json::object;
using boost::json::value;

std::string TextOf(const object& frame, const char* name) {
  const value* found = frame.if_contains(name);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : "";
}

int64_t NumberOf(const object& frame, const char* name) {
  const value* found = frame.if_contains(name);
  return found != nullptr && found->is_int64() ? found->get_int64() : 0;
}

bool FlagOf(const object& frame, const char* name) {
  const value* found = frame.if_contains(name);
  return found != nullptr && found->is_bool() && found->get_bool();
}

WsFrame::Type TypeOf(const std::string& name) {
  if (name == "seat_status_change") return WsFrame::Type::kChange;
  if (name == "current_seat_status") return WsFrame::Type::kSnapshot;
  if (name == "subscribed") return WsFrame::Type::kSubscribed;
  if (name == "error") return WsFrame::Type::kError;
  return WsFrame::Type::kOther;
}

}  // namespace

WsFrame ReadFrame(std::string_view text) {
  boost::system::error_code failed;
  const value parsed = boost::json::parse({text.data(), text.size()}, failed);
  if (failed || !parsed.is_object()) return {};
  const object& frame = parsed.get_object();
  WsFrame result;
  result.type = TypeOf(TextOf(frame, "type"));
  result.epoch = TextOf(frame, "epoch");
  result.revision = static_cast<uint64_t>(NumberOf(frame, "revision"));
  result.timestamp_ms = NumberOf(frame, "timestamp");
  result.recovered = FlagOf(frame, "recovered");
  result.more = FlagOf(frame, "more");
  if (result.type == WsFrame::Type::kError) {
    result.error = absl::StrCat(TextOf(frame, "code"), ": ", TextOf(frame, "message"));
  }
  return result;
}

std::string SubscribeFrame(const std::string& showtime) {
  return boost::json::serialize(object{{"type", "subscribe"}, {"showtimeId", showtime}});
}

std::string ResumeFrame(const std::string& showtime, const std::string& epoch, uint64_t revision) {
  return boost::json::serialize(
      object{{"type", "subscribe"},
             {"showtimeId", showtime},
             {"resume", object{{"epoch", epoch}, {"revision", revision}}}});
}

}  // namespace seatlock::cli::bench
