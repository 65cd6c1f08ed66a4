#include "clients/cli/operate/prometheus_text.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "clients/cli/operate/limits.h"
#include "clients/cli/operate/text.h"

namespace seatlock::cli::operate {
namespace {

bool IsNameChar(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == ':';
}

// Takes parts off the front of a line. Each returns false if the line does not go on so.
class Line {
 public:
  explicit Line(std::string_view rest) : rest_(rest) {}

  bool Name(std::string* name) {
    const size_t end = static_cast<size_t>(
        std::find_if_not(rest_.begin(), rest_.end(), IsNameChar) - rest_.begin());
    *name = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return !name->empty();
  }
  bool Char(char c) {
    Spaces();
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // In quotes, with \\, \" and \n.
  bool Quoted(std::string* value) {
    if (!Char('"')) return false;
    while (!rest_.empty()) {
      char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return true;
      if (c == '\\' && !rest_.empty()) {
        c = rest_.front() == 'n' ? '\n' : rest_.front();
        rest_.remove_prefix(1);
      }
      *value += c;
    }
    return false;
  }
  bool Number(double* value) {
    Spaces();
    const size_t end = std::min(rest_.find_first_of(" \t"), rest_.size());
    const absl::string_view word(rest_.data(), end);
    rest_.remove_prefix(end);
    // "+Inf", "-Inf" and "NaN" are numbers of SimpleAtod too.
    return absl::SimpleAtod(word, value);
  }
  void Spaces() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size())); }
  bool AtEnd() {
    Spaces();
    return rest_.empty();
  }

 private:
  std::string_view rest_;
};

bool ReadLabels(Line& line, Labels* labels) {
  if (!line.Char('{')) return true;
  while (!line.Char('}')) {
    std::string name;
    std::string value;
    line.Spaces();
    if (!line.Name(&name) || !line.Char('=') || !line.Quoted(&value)) return false;
    (*labels)[std::move(name)] = std::move(value);
    if (!line.Char(',')) {
      return line.Char('}');
    }
  }
  return true;
}

bool ReadSample(std::string_view text, Sample* sample) {
  Line line(text);
  double timestamp = 0;
  return line.Name(&sample->name) && ReadLabels(line, &sample->labels) &&
         line.Number(&sample->value) && (line.AtEnd() || line.Number(&timestamp)) && line.AtEnd();
}

bool Has(const Sample& sample, const Labels& labels) {
  return std::all_of(labels.begin(), labels.end(), [&](const auto& wanted) {
    const auto found = sample.labels.find(wanted.first);
    return found != sample.labels.end() && found->second == wanted.second;
  });
}

}  // namespace

std::optional<double> Samples::Sum(std::string_view name, const Labels& labels) const {
  std::optional<double> sum;
  for (const Sample& sample : all_) {
    if (sample.name == name && Has(sample, labels)) sum = sum.value_or(0) + sample.value;
  }
  return sum;
}

std::map<std::string, double> Samples::By(std::string_view name, std::string_view label,
                                          const Labels& labels) const {
  std::map<std::string, double> sums;
  for (const Sample& sample : all_) {
    if (sample.name != name || !Has(sample, labels)) continue;
    const auto value = sample.labels.find(std::string(label));
    if (value != sample.labels.end()) sums[value->second] += sample.value;
  }
  return sums;
}

std::optional<std::string> Samples::LabelOf(std::string_view name, const std::string& label) const {
  for (const Sample& sample : all_) {
    const auto value = sample.labels.find(label);
    if (sample.name == name && value != sample.labels.end()) return value->second;
  }
  return std::nullopt;
}

Buckets Samples::Histogram(const std::string& name) const {
  Buckets buckets;
  for (const auto& [bound, count] : By(name + "_bucket", "le")) {
    double up_to = 0;
    // NaN has no place among bounds.
    if (absl::SimpleAtod(bound, &up_to) && !std::isnan(up_to)) buckets.up_to[up_to] += count;
  }
  return buckets;
}

absl::StatusOr<Samples> ParsePrometheus(std::string_view text) {
  std::vector<Sample> samples;
  for (const absl::string_view each :
       absl::StrSplit(absl::string_view(text.data(), text.size()), '\n')) {
    const absl::string_view line = absl::StripAsciiWhitespace(each);
    if (line.empty() || line.front() == '#') continue;
    if (samples.size() == kSamplesMax) {
      return absl::InvalidArgumentError(absl::StrCat("more than ", kSamplesMax, " metrics"));
    }
    Sample sample;
    if (!ReadSample({line.data(), line.size()}, &sample)) {
      return absl::InvalidArgumentError(
          absl::StrCat("no line of Prometheus' format: ", Clean({line.data(), line.size()})));
    }
    samples.push_back(std::move(sample));
  }
  return Samples(std::move(samples));
}

Buckets Added(const Buckets& one, const Buckets& more) {
  if (one.up_to.empty()) return more;
  if (more.up_to.empty()) return one;
  Buckets sum;
  for (const auto& [bound, count] : one.up_to) {
    const auto other = more.up_to.find(bound);
    if (other != more.up_to.end()) sum.up_to[bound] = count + other->second;
  }
  return sum;
}

Buckets Since(const Buckets& before, const Buckets& now) {
  Buckets since;
  for (const auto& [bound, count] : now.up_to) {
    const auto was = before.up_to.find(bound);
    const double fresh = count - (was == before.up_to.end() ? 0 : was->second);
    if (fresh < 0) return {};
    since.up_to[bound] = fresh;
  }
  return since;
}

std::optional<double> Quantile(const Buckets& buckets, double q) {
  if (!(buckets.count() > 0)) return std::nullopt;
  const double rank = q * buckets.count();
  double lower_bound = 0;
  double below = 0;
  for (const auto& [bound, count] : buckets.up_to) {
    if (count >= rank && count > below) {
      if (std::isinf(bound)) return lower_bound;
      return lower_bound + (bound - lower_bound) * (rank - below) / (count - below);
    }
    lower_bound = bound;
    below = count;
  }
  return lower_bound;
}

}  // namespace seatlock::cli::operate
