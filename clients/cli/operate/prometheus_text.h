// What a program's /metrics says: Prometheus' text format 0.0.4, read into samples, and the few
// questions that seatctl has. What a program does not tell is nullopt, never 0: older programs have
// fewer metrics. Values; thread-compatible.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace seatlock::cli::operate {

using Labels = std::map<std::string, std::string>;

struct Sample {
  std::string name;
  Labels labels;
  double value = 0;
};

// A histogram, or what was observed between two looks at it.
struct Buckets {
  std::map<double, double> up_to;  // bound, +Inf too -> how many were at most that

  double count() const { return up_to.empty() ? 0 : up_to.rbegin()->second; }
};

class Samples {
 public:
  Samples() = default;
  explicit Samples(std::vector<Sample> all) : all_(std::move(all)) {}

  // The sum over all samples of this name that have these labels.
  std::optional<double> Sum(std::string_view name, const Labels& labels = {}) const;
  // The sums by the values of `label`.
  std::map<std::string, double> By(std::string_view name, std::string_view label,
                                   const Labels& labels = {}) const;
  // The value of a label of the first sample of this name. For metrics that only carry labels.
  std::optional<std::string> LabelOf(std::string_view name, const std::string& label) const;
  // The histogram `name`, all of its members added. Empty if there is none.
  Buckets Histogram(const std::string& name) const;

  bool empty() const { return all_.empty(); }

 private:
  std::vector<Sample> all_;
};

// Reads a page. InvalidArgument names the first line that is none of the format; so it does if
// there are more than kSamplesMax samples.
absl::StatusOr<Samples> ParsePrometheus(std::string_view text);

// Adds the counts of `more`. Bounds that only one of them has are left out: they mean nothing for
// both together.
Buckets Added(const Buckets& one, const Buckets& more);
// What was observed since `before`. Empty if the program began anew meanwhile: a count fell.
Buckets Since(const Buckets& before, const Buckets& now);
// The value that a share `q` (0 to 1) is at or below: linear within its bucket, as Prometheus'
// histogram_quantile. In the last bucket, whose end nobody knows, the bound before it. nullopt if
// nothing was observed.
std::optional<double> Quantile(const Buckets& buckets, double q);

}  // namespace seatlock::cli::operate
