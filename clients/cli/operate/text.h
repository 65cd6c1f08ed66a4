// Text as a terminal shows it: how wide it is, cut and padded to a width, in colour. What others
// sent goes through Clean first, so that nobody's text can move the cursor. Pure functions;
// thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace seatlock::cli::operate {

// Without control characters and bad UTF-8, each shown as '?', on one line, and cut at
// kShownTextMax bytes.
std::string Clean(std::string_view text);

// Columns that `text` takes on a terminal. Escape sequences of Paint take none.
int Width(std::string_view text);

// The first `width` columns of it, escape sequences kept. The last column is '~' if something is
// cut off.
std::string Clip(std::string_view text, int width);

// With spaces after it, or before it, up to `width` columns. What is wider stays as it is.
std::string PadRight(std::string text, int width);
std::string PadLeft(std::string text, int width);

// In a colour or more, by the numbers of SGR ("31", "1;42"), if `color`; else as it is.
std::string Paint(std::string_view text, std::string_view sgr, bool color);

// Rows as lines, columns two spaces apart and as wide as their widest cell, the last not padded.
std::vector<std::string> TableLines(const std::vector<std::vector<std::string>>& rows);

// The lines, each with a newline.
std::string JoinLines(const std::vector<std::string>& lines);

}  // namespace seatlock::cli::operate
