#include "edge/protocol/commands.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <utility>

#include "edge/limits.h"

namespace seatlock::edge {
namespace {

namespace json = boost::json;

// UTF-8 (the frame's was checked, the parser checks escapes) without control characters: C0, DEL
// and C1, which is C2 80 to C2 9F.
bool HasControlCharacter(std::string_view text) {
  unsigned char before = 0;
  for (const unsigned char c : text) {
    if (c < 0x20 || c == 0x7f || (before == 0xc2 && c >= 0x80 && c <= 0x9f)) return true;
    before = c;
  }
  return false;
}

bool IsId(std::string_view text) {
  return !text.empty() && text.size() <= kIdBytesMax && !HasControlCharacter(text);
}

// The field where it is present and not null.
const json::value* Find(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains({name.data(), name.size()});
  return value == nullptr || value->is_null() ? nullptr : value;
}

// Reads an object's fields; the first bad one stays in `bad`.
class Fields {
 public:
  explicit Fields(const json::object& object) : object_(object) {}

  std::optional<std::string> Id(std::string_view name) {
    const json::value* value = Find(object_, name);
    if (value == nullptr) return std::nullopt;
    if (value->is_string()) {
      const json::string& text = value->get_string();
      if (IsId({text.data(), text.size()})) return std::string(text.data(), text.size());
    }
    Bad(name, "must be a string of 1 to 128 bytes without control characters");
    return std::nullopt;
  }

  bool Flag(std::string_view name) {
    const json::value* value = Find(object_, name);
    if (value == nullptr) return false;
    if (value->is_bool()) return value->get_bool();
    Bad(name, "must be true or false");
    return false;
  }

  std::optional<Position> Resume() {
    const json::value* value = Find(object_, "resume");
    if (value == nullptr) return std::nullopt;
    std::optional<Position> position = ToPosition(*value);
    if (!position) Bad("resume", "must be {\"epoch\":string,\"revision\":number}");
    return position;
  }

  std::optional<std::string> Token() {
    const json::value* value = Find(object_, "token");
    if (value == nullptr) return std::nullopt;
    if (value->is_string()) {
      const json::string& text = value->get_string();
      return std::string(text.data(), text.size());
    }
    Bad("token", "must be a string");
    return std::nullopt;
  }

  void Bad(std::string_view name, std::string_view rule) {
    if (bad_.empty()) bad_ = std::string(name) + " " + std::string(rule);
  }
  const std::string& bad() const { return bad_; }

 private:
  static std::optional<Position> ToPosition(const json::value& value) {
    if (!value.is_object()) return std::nullopt;
    const json::value* epoch = Find(value.get_object(), "epoch");
    const json::value* revision = Find(value.get_object(), "revision");
    if (epoch == nullptr || revision == nullptr || !epoch->is_string()) return std::nullopt;
    Position position;
    position.epoch = std::string(epoch->get_string().data(), epoch->get_string().size());
    if (position.epoch.size() > kIdBytesMax) return std::nullopt;
    boost::system::error_code ec;
    position.revision = revision->to_number<uint64_t>(ec);
    if (ec) return std::nullopt;
    return position;
  }

  const json::object& object_;
  std::string bad_;
};

ClientCommand Subscribe(const json::object& object) {
  Fields fields(object);
  SubscribeCommand command;
  const std::optional<std::string> showtime_id = fields.Id("showtimeId");
  if (!showtime_id) fields.Bad("showtimeId", "is missing");
  command.session_id = fields.Id("sessionId").value_or("");
  command.resume = fields.Resume();
  command.heartbeat = fields.Flag("heartbeat");
  command.token = fields.Token();
  if (!fields.bad().empty()) return CommandError{ErrorCode::kBadField, fields.bad(), showtime_id};
  command.showtime_id = *showtime_id;
  return command;
}

ClientCommand Unsubscribe(const json::object& object) {
  Fields fields(object);
  UnsubscribeCommand command{fields.Id("showtimeId")};
  if (!fields.bad().empty()) return CommandError{ErrorCode::kBadField, fields.bad(), {}};
  return command;
}

}  // namespace

ClientCommand ParseCommand(std::string_view text) {
  boost::system::error_code ec;
  const json::value value = json::parse({text.data(), text.size()}, ec);
  if (ec) return CommandError{ErrorCode::kBadJson, "not JSON: " + ec.message(), {}};
  if (!value.is_object()) return CommandError{ErrorCode::kBadJson, "not a JSON object", {}};
  const json::object& object = value.get_object();
  const json::value* type = Find(object, "type");
  if (type == nullptr || !type->is_string()) {
    return CommandError{ErrorCode::kBadField, "type must be a string", {}};
  }
  if (type->get_string() == "subscribe") return Subscribe(object);
  if (type->get_string() == "unsubscribe") return Unsubscribe(object);
  if (type->get_string() == "ping") return PingCommand{};
  return CommandError{ErrorCode::kUnknownType, "type is not known", {}};
}

}  // namespace seatlock::edge
