#include "edge/protocol/frame.h"

namespace seatlock::edge {
namespace {

constexpr unsigned kFinal = 0x80;
constexpr size_t kLength16 = 126;
constexpr size_t kLength64 = 127;
constexpr size_t kLength16Max = 0xffff;

void AppendBigEndian(uint64_t value, int bytes, std::string* wire) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    wire->push_back(static_cast<char>((value >> shift) & 0xff));
  }
}

}  // namespace

void AppendFrame(Opcode opcode, std::string_view payload, std::string* wire) {
  wire->push_back(static_cast<char>(kFinal | static_cast<unsigned>(opcode)));
  if (payload.size() < kLength16) {
    wire->push_back(static_cast<char>(payload.size()));
  } else if (payload.size() <= kLength16Max) {
    wire->push_back(static_cast<char>(kLength16));
    AppendBigEndian(payload.size(), 2, wire);
  } else {
    wire->push_back(static_cast<char>(kLength64));
    AppendBigEndian(payload.size(), 8, wire);
  }
  wire->append(payload);
}

Frame::Frame(Opcode opcode, std::string_view payload) {
  auto wire = std::make_shared<std::string>();
  AppendFrame(opcode, payload, wire.get());
  header_bytes_ = wire->size() - payload.size();
  wire_ = std::move(wire);
}

Frame Frame::Close(uint16_t code, std::string_view reason) {
  std::string payload;
  if (code != 0) {
    AppendBigEndian(code, 2, &payload);
    payload.append(reason);
  }
  return {Opcode::kClose, payload};
}

}  // namespace seatlock::edge
