// A client's bytes through the frame parser: whole, byte by byte, cut as the input's first byte
// says, and with a fresh parser whenever the parser is idle. All must tell the same.
//
// The first byte's low half, plus 1, is the size of every second piece; its high half, plus 1, that
// of the others. The rest are the client's bytes.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "edge/limits.h"
#include "edge/ws/utf8.h"
#include "tests/fuzz/played_frames.h"
#include "tests/fuzz/require.h"

namespace seatlock::edge {
namespace {

using ::seatlock::testing::Require;
using Lines = std::vector<std::string>;

testing::NextPiece CutAs(uint8_t sizes) {
  return [sizes, odd = false]() mutable {
    odd = !odd;
    return static_cast<size_t>(odd ? sizes & 0x0f : sizes >> 4) + 1;
  };
}

void ReplaceIdle(FrameParser& parser) {
  if (parser.idle()) parser = FrameParser();
}

bool StartsWith(const std::string& line, std::string_view start) {
  return std::string_view(line).substr(0, start.size()) == start;
}

void RequireGoodEvents(const Lines& lines, size_t bytes) {
  constexpr std::string_view kText = "text ", kPing = "ping ";
  size_t delivered = 0;
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::string& line = lines[i];
    if (StartsWith(line, kText)) {
      const std::string message = line.substr(kText.size());
      Require(message.size() <= kMessageBytesMax, "a message is within its bound");
      Require(IsUtf8(message), "a message is UTF-8");
      delivered += message.size();
    } else if (StartsWith(line, kPing)) {
      Require(line.size() <= kPing.size() + 125, "a ping is within its bound");
      delivered += line.size() - kPing.size();
    } else if (StartsWith(line, "close") || StartsWith(line, "breach")) {
      Require(i + 1 == lines.size(), "nothing follows the end, and an ended parser is not idle");
    }
  }
  Require(delivered <= bytes, "no more comes out than went in");
}

}  // namespace
}  // namespace seatlock::edge

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace seatlock::edge;  // NOLINT: the one function of the program.
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::vector<std::string> whole = testing::PlayWhole(bytes);
  RequireGoodEvents(whole, bytes.size());
  Require(testing::PlayByteByByte(bytes) == whole, "byte by byte is as whole");
  Require(testing::Play(bytes, CutAs(data[0])) == whole, "in pieces is as whole");
  Require(testing::Play(bytes, CutAs(data[0]), ReplaceIdle) == whole, "an idle parser is fresh");
  return 0;
}
