// A client's message through ParseCommand: what it takes keeps the contract's bounds, and written
// down again reads as the same.
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "edge/limits.h"
#include "edge/protocol/commands.h"
#include "edge/ws/utf8.h"
#include "tests/fuzz/require.h"

namespace seatlock::edge {
namespace {

namespace json = boost::json;
using ::seatlock::testing::Require;

void RequireId(const std::string& id) {
  Require(!id.empty() && id.size() <= kIdBytesMax, "an id has 1 to 128 bytes");
  Require(IsUtf8(id), "an id is UTF-8");
  for (size_t i = 0; i < id.size(); ++i) {
    const auto byte = static_cast<unsigned char>(id[i]);
    const bool c1 = byte == 0xc2 && static_cast<unsigned char>(id[i + 1]) < 0xa0;
    Require(byte >= 0x20 && byte != 0x7f && !c1, "an id has no control characters");
  }
}

std::string Written(const SubscribeCommand& command) {
  json::object object{{"type", "subscribe"}, {"showtimeId", command.showtime_id}};
  if (!command.session_id.empty()) object["sessionId"] = command.session_id;
  if (command.resume) {
    object["resume"] =
        json::object{{"epoch", command.resume->epoch}, {"revision", command.resume->revision}};
  }
  if (command.heartbeat) object["heartbeat"] = true;
  return json::serialize(object);
}

void Check(const SubscribeCommand& command) {
  RequireId(command.showtime_id);
  if (!command.session_id.empty()) RequireId(command.session_id);
  if (command.resume) {
    Require(command.resume->epoch.size() <= kIdBytesMax, "an epoch has at most 128 bytes");
    Require(IsUtf8(command.resume->epoch), "an epoch is UTF-8");
  }
  const ClientCommand again = ParseCommand(Written(command));
  const auto* read = std::get_if<SubscribeCommand>(&again);
  Require(read != nullptr, "a subscribe reads as one again");
  Require(read->showtime_id == command.showtime_id && read->session_id == command.session_id &&
              read->resume == command.resume && read->heartbeat == command.heartbeat,
          "a subscribe reads the same again");
}

void Check(const UnsubscribeCommand& command) {
  json::object object{{"type", "unsubscribe"}};
  if (command.showtime_id) {
    RequireId(*command.showtime_id);
    object["showtimeId"] = *command.showtime_id;
  }
  const ClientCommand again = ParseCommand(json::serialize(object));
  const auto* read = std::get_if<UnsubscribeCommand>(&again);
  Require(read != nullptr && read->showtime_id == command.showtime_id,
          "an unsubscribe reads the same again");
}

void Check(const PingCommand&) {}

void Check(const CommandError& error) {
  Require(!error.message.empty() && IsUtf8(error.message), "an error says what is wrong");
  if (error.showtime_id) RequireId(*error.showtime_id);
}

}  // namespace
}  // namespace seatlock::edge

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace seatlock::edge;  // NOLINT: the one function of the program.
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // The frame parser lets nothing else through.
  if (size > kMessageBytesMax || !IsUtf8(text)) return 0;
  std::visit([](const auto& command) { Check(command); }, ParseCommand(text));
  return 0;
}
