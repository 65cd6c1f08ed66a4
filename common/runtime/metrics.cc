#include "common/runtime/metrics.h"

#include <prometheus/check_names.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <map>

#include "common/base/mutex.h"

namespace seatlock::runtime {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricType;
using Collect = std::function<void(ClientMetric*)>;
using CollectMany = std::function<void(std::vector<ClientMetric>*)>;

[[noreturn]] void Die(const std::string& name, const char* why) {
  std::fprintf(stderr, "metric %s: %s\n", name.c_str(), why);
  std::abort();
}

struct Member {
  Labels labels;
  Collect collect;
};

struct Family {
  std::string help;
  MetricType type;
  std::vector<Member> members;
  CollectMany many = nullptr;  // Of a family whose members come and go.
};

void CollectHistogram(const std::vector<double>& bounds, const Histogram::Reading& reading,
                      ClientMetric* out) {
  uint64_t cumulative = 0;
  for (size_t i = 0; i < reading.counts.size(); ++i) {
    cumulative += reading.counts[i];
    const bool last = i == bounds.size();
    const double bound = last ? std::numeric_limits<double>::infinity() : bounds[i];
    out->histogram.bucket.push_back({.cumulative_count = cumulative, .upper_bound = bound});
  }
  out->histogram.sample_count = cumulative;
  out->histogram.sample_sum = reading.sum;
}

}  // namespace

Histogram::Histogram(std::vector<double> bounds)
    : bounds_(std::move(bounds)), counts_(new std::atomic<uint64_t>[bounds_.size() + 1]()) {}

void Histogram::Observe(double value) {
  const auto bound = std::lower_bound(bounds_.begin(), bounds_.end(), value);
  const auto index = static_cast<size_t>(bound - bounds_.begin());
  counts_[index].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

Histogram::Reading Histogram::Read() const {
  Reading reading;
  for (size_t i = 0; i <= bounds_.size(); ++i) {
    reading.counts.push_back(counts_[i].load(std::memory_order_relaxed));
  }
  reading.sum = sum_.load(std::memory_order_relaxed);
  return reading;
}

std::vector<double> LatencyBounds() {
  return {.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10};
}

std::vector<double> PowersOfTwo(uint64_t max) {
  std::vector<double> bounds;
  for (uint64_t bound = 1; bound <= max; bound *= 2) bounds.push_back(static_cast<double>(bound));
  return bounds;
}

struct Metrics::Impl {
  mutable base::Mutex mu;
  std::map<std::string, Family> families ABSL_GUARDED_BY(mu);

  void Add(const std::string& name, const std::string& help, MetricType type, Labels labels,
           Collect collect) {
    if (!prometheus::CheckMetricName(name)) Die(name, "not a name for Prometheus");
    base::MutexLock lock(mu);
    Family& family = families.try_emplace(name, Family{help, type, {}, nullptr}).first->second;
    if (family.type != type || family.many) Die(name, "added as two kinds");
    for (const Member& member : family.members) {
      if (member.labels == labels) Die(name, "added twice with the same labels");
    }
    family.members.push_back({std::move(labels), std::move(collect)});
  }
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

Counter& Metrics::AddCounter(const std::string& name, const std::string& help, Labels labels) {
  auto counter = std::make_shared<Counter>();
  impl_->Add(name, help, MetricType::Counter, std::move(labels), [counter](ClientMetric* out) {
    out->counter.value = static_cast<double>(counter->Value());
  });
  return *counter;
}

Gauge& Metrics::AddGauge(const std::string& name, const std::string& help, Labels labels) {
  auto gauge = std::make_shared<Gauge>();
  impl_->Add(name, help, MetricType::Gauge, std::move(labels), [gauge](ClientMetric* out) {
    out->gauge.value = static_cast<double>(gauge->Value());
  });
  return *gauge;
}

Histogram& Metrics::AddHistogram(const std::string& name, const std::string& help,
                                 std::vector<double> bounds, Labels labels) {
  auto histogram = std::make_shared<Histogram>(std::move(bounds));
  impl_->Add(name, help, MetricType::Histogram, std::move(labels), [histogram](ClientMetric* out) {
    CollectHistogram(histogram->bounds(), histogram->Read(), out);
  });
  return *histogram;
}

void Metrics::AddGaugeCallback(const std::string& name, const std::string& help,
                               std::function<double()> read, Labels labels) {
  impl_->Add(name, help, MetricType::Gauge, std::move(labels),
             [read = std::move(read)](ClientMetric* out) { out->gauge.value = read(); });
}

void Metrics::AddGaugesCallback(const std::string& name, const std::string& help,
                                const std::string& label,
                                std::function<std::vector<std::pair<std::string, double>>()> read) {
  if (!prometheus::CheckMetricName(name)) Die(name, "not a name for Prometheus");
  const auto collect = [label, read = std::move(read)](std::vector<ClientMetric>* out) {
    for (const auto& [value, number] : read()) {
      ClientMetric metric;
      metric.label.push_back({label, value});
      metric.gauge.value = number;
      out->push_back(std::move(metric));
    }
  };
  base::MutexLock lock(impl_->mu);
  const bool added =
      impl_->families.try_emplace(name, Family{help, MetricType::Gauge, {}, collect}).second;
  if (!added) Die(name, "added as two kinds");
}

void Metrics::AddCounterCallback(const std::string& name, const std::string& help,
                                 std::function<double()> read, Labels labels) {
  impl_->Add(name, help, MetricType::Counter, std::move(labels),
             [read = std::move(read)](ClientMetric* out) { out->counter.value = read(); });
}

void Metrics::AddHistogramCallback(const std::string& name, const std::string& help,
                                   std::vector<double> bounds,
                                   std::function<Histogram::Reading()> read, Labels labels) {
  impl_->Add(name, help, MetricType::Histogram, std::move(labels),
             [bounds = std::move(bounds), read = std::move(read)](ClientMetric* out) {
               CollectHistogram(bounds, read(), out);
             });
}

std::string Metrics::Text() const {
  std::vector<prometheus::MetricFamily> families;
  base::MutexLock lock(impl_->mu);
  for (const auto& [name, family] : impl_->families) {
    prometheus::MetricFamily written{name, family.help, family.type, {}};
    for (const Member& member : family.members) {
      ClientMetric metric;
      for (const auto& [label, value] : member.labels) metric.label.push_back({label, value});
      member.collect(&metric);
      written.metric.push_back(std::move(metric));
    }
    if (family.many) family.many(&written.metric);
    families.push_back(std::move(written));
  }
  return prometheus::TextSerializer().prometheus::Serializer::Serialize(families);
}

}  // namespace seatlock::runtime
