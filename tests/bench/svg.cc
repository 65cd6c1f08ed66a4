#include "tests/bench/svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace seatlock::bench {
namespace {

constexpr int kColumns = 2;
constexpr int kWidth = 460;
constexpr int kHeight = 230;
constexpr int kTop = 50;     // of the page
constexpr int kLeft = 120;   // of a chart's plot
constexpr int kRight = 380;  // the same
constexpr int kUpper = 40;
constexpr int kLower = 190;
constexpr std::array kColours = {"#1f6feb", "#d1570a", "#2da44e", "#8250df"};
constexpr char kGrey[] = "#9aa4b2";

std::string Escaped(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '&')
      escaped += "&amp;";
    else if (c == '<')
      escaped += "&lt;";
    else
      escaped += c;
  }
  return escaped;
}

std::string Words(double x, double y, const char* anchor, const std::string& text) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", x, y, anchor,
                     Escaped(text));
}

std::string Number(double value) {
  return value < 100 ? fmt::format("{:.2f}", value) : fmt::format("{:.0f}", value);
}

std::string Title(const std::string& title) {
  return fmt::format("<text x=\"0\" y=\"20\" font-weight=\"bold\">{}</text>\n", Escaped(title));
}

}  // namespace

void SvgPage::AddBars(const std::string& title, const std::vector<Bar>& bars) {
  if (bars.empty()) return;
  double most = 0;
  for (const Bar& bar : bars) most = std::max(most, bar.value);
  const double step = static_cast<double>(kLower - kUpper) / static_cast<double>(bars.size());
  std::string chart = Title(title);
  for (size_t i = 0; i < bars.size(); ++i) {
    const double y = kUpper + step * static_cast<double>(i);
    const double width = most > 0 ? bars[i].value / most * (kRight - kLeft) : 0;
    chart += Words(kLeft - 8, y + step / 2 + 4, "end", bars[i].label);
    chart += fmt::format(
        "<rect x=\"{}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"{}\"/>\n", kLeft,
        y + step * 0.15, width, step * 0.7, i == 0 ? kColours[0] : kGrey);
    chart += Words(kLeft + width + 6, y + step / 2 + 4, "start", Number(bars[i].value));
  }
  charts_.push_back(std::move(chart));
}

void SvgPage::AddLines(const std::string& title, const std::string& x_label,
                       const std::vector<Line>& lines) {
  double x_most = 0;
  double y_most = 0;
  for (const Line& line : lines) {
    for (const auto& [x, y] : line.points) {
      x_most = std::max(x_most, x);
      y_most = std::max(y_most, y);
    }
  }
  if (x_most <= 0 || y_most <= 0) return;
  std::string chart = Title(title);
  chart += fmt::format("<path d=\"M{0} {1}V{2}H{3}\" fill=\"none\" stroke=\"{4}\"/>\n", kLeft,
                       kUpper, kLower, kRight, kGrey);
  chart += Words(kLeft - 8, kUpper + 5, "end", Number(y_most));
  chart += Words(kLeft - 8, kLower + 4, "end", "0");
  chart += Words(kRight, kLower + 18, "end", fmt::format("{:.0f} {}", x_most, x_label));
  for (size_t i = 0; i < lines.size(); ++i) {
    const char* colour = kColours[i % kColours.size()];
    std::string points;
    for (const auto& [x, y] : lines[i].points) {
      const double px = kLeft + x / x_most * (kRight - kLeft);
      const double py = kLower - y / y_most * (kLower - kUpper);
      fmt::format_to(std::back_inserter(points), "{:.1f},{:.1f} ", px, py);
      chart += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\" fill=\"{}\"/>\n", px, py,
                           colour);
    }
    chart += fmt::format("<polyline points=\"{}\" fill=\"none\" stroke=\"{}\"/>\n", points, colour);
    chart += fmt::format("<text x=\"{}\" y=\"{}\" fill=\"{}\">{}</text>\n", kLeft + 8,
                         kLower - 10 - 16 * static_cast<int>(i), colour, Escaped(lines[i].label));
  }
  charts_.push_back(std::move(chart));
}

std::string SvgPage::Text() const {
  const int rows = (static_cast<int>(charts_.size()) + kColumns - 1) / kColumns;
  std::string page = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" "
      "viewBox=\"0 0 {0} {1}\" font-family=\"sans-serif\" font-size=\"12\">\n"
      "<rect width=\"{0}\" height=\"{1}\" fill=\"white\"/>\n"
      "<text x=\"20\" y=\"28\" font-size=\"16\" font-weight=\"bold\">{2}</text>\n",
      kColumns * kWidth + 40, kTop + rows * kHeight, Escaped(title_));
  for (size_t i = 0; i < charts_.size(); ++i) {
    const int column = static_cast<int>(i) % kColumns;
    const int row = static_cast<int>(i) / kColumns;
    page += fmt::format("<g transform=\"translate({},{})\">\n{}</g>\n", 20 + column * kWidth,
                        kTop + row * kHeight, charts_[i]);
  }
  return page + "</svg>\n";
}

}  // namespace seatlock::bench
