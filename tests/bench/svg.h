// A page of small charts as an SVG file: bars for servers side by side, lines for growth. Values
// are above 0. Thread-compatible.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace seatlock::bench {

class SvgPage {
 public:
  explicit SvgPage(std::string title) : title_(std::move(title)) {}

  struct Bar {
    std::string label;
    double value = 0;
  };
  // One horizontal bar each, from the top; the first is ours and is coloured.
  void AddBars(const std::string& title, const std::vector<Bar>& bars);

  struct Line {
    std::string label;
    std::vector<std::pair<double, double>> points;  // x rising
  };
  // Both axes begin at 0.
  void AddLines(const std::string& title, const std::string& x_label,
                const std::vector<Line>& lines);

  std::string Text() const;

 private:
  std::string title_;
  std::vector<std::string> charts_;  // each drawn from its own (0, 0)
};

}  // namespace seatlock::bench
