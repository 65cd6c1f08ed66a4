#include "clients/cli/operate/text.h"

#include <locale.h>
#include <wchar.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "clients/cli/operate/limits.h"

namespace seatlock::cli::operate {
namespace {

constexpr char kEscape = '\x1b';

// A character of UTF-8: its code, or none for a byte that is no character.
struct Char {
  size_t bytes = 1;
  bool good = false;
  uint32_t code = 0;
};

Char Decode(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80) return {1, true, lead};
  const size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < bytes) return {};
  uint32_t code = lead & (0x7fu >> bytes);
  for (size_t i = 1; i < bytes; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xc0) != 0x80) return {};
    code = code << 6 | (next & 0x3f);
  }
  constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (code < kLeast[bytes] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return {};
  return {bytes, true, code};
}

// wcwidth() knows wide and combining characters only in a locale of UTF-8. glibc has this one
// built in.
int WidthOf(uint32_t code) {
  static const locale_t utf8 = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  if (code < 0x80 || utf8 == nullptr) return 1;
  const locale_t before = ::uselocale(utf8);
  const int width = ::wcwidth(static_cast<wchar_t>(code));
  ::uselocale(before);
  return std::max(width, 0);
}

// Also what turns the direction of text or has no width, so that two texts that look alike are.
bool IsControl(uint32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x200b && code <= 0x200f) ||
         (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x2069) || code == 0xfeff;
}

// The length of the escape sequence of Paint that `text` begins with, 0 for none.
size_t EscapeBytes(std::string_view text) {
  if (text.front() != kEscape) return 0;
  const size_t end = text.find('m');
  return end == std::string_view::npos ? text.size() : end + 1;
}

// Calls `each(part, columns)` for each character and escape sequence, until it returns false.
template <typename Each>
void Walk(std::string_view text, Each each) {
  while (!text.empty()) {
    const size_t escape = EscapeBytes(text);
    const Char next = Decode(text);
    const size_t bytes = escape > 0 ? escape : next.bytes;
    const int columns = escape > 0 ? 0 : next.good ? WidthOf(next.code) : 1;
    if (!each(text.substr(0, bytes), columns)) return;
    text.remove_prefix(bytes);
  }
}

}  // namespace

std::string Clean(std::string_view text) {
  std::string clean;
  while (!text.empty() && clean.size() < kShownTextMax) {
    const Char next = Decode(text);
    const bool shown = next.good && !IsControl(next.code);
    clean += shown ? text.substr(0, next.bytes) : std::string_view("?");
    text.remove_prefix(next.bytes);
  }
  if (!text.empty()) clean += "...";
  return clean;
}

int Width(std::string_view text) {
  int width = 0;
  Walk(text, [&](std::string_view, int columns) {
    width += columns;
    return true;
  });
  return width;
}

std::string Clip(std::string_view text, int width) {
  if (Width(text) <= width) return std::string(text);
  std::string clipped;
  int used = 0;
  bool full = false;
  Walk(text, [&](std::string_view part, int columns) {
    // Colours end also after what is cut off.
    if (part.front() == kEscape) clipped += part;
    if (part.front() == kEscape || full) return true;
    full = used + columns > width - 1;
    if (full) {
      clipped += width > 0 ? "~" : "";
    } else {
      clipped += part;
      used += columns;
    }
    return true;
  });
  return clipped;
}

std::string PadRight(std::string text, int width) {
  const int missing = width - Width(text);
  if (missing > 0) text.append(static_cast<size_t>(missing), ' ');
  return text;
}

std::string PadLeft(std::string text, int width) {
  const int missing = width - Width(text);
  if (missing > 0) text.insert(0, static_cast<size_t>(missing), ' ');
  return text;
}

std::string Paint(std::string_view text, std::string_view sgr, bool color) {
  if (!color || sgr.empty()) return std::string(text);
  std::string painted = "\x1b[";
  painted += sgr;
  painted += "m";
  painted += text;
  painted += "\x1b[0m";
  return painted;
}

std::vector<std::string> TableLines(const std::vector<std::vector<std::string>>& rows) {
  std::vector<int> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Width(row[i]));
  }
  std::vector<std::string> lines;
  for (const auto& row : rows) {
    std::string& line = lines.emplace_back();
    for (size_t i = 0; i < row.size(); ++i) {
      line += i + 1 == row.size() ? row[i] : PadRight(row[i], widths[i] + 2);
    }
  }
  return lines;
}

std::string JoinLines(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) absl::StrAppend(&text, line, "\n");
  return text;
}

}  // namespace seatlock::cli::operate
