// Counters, gauges and histograms, and their text for /metrics.
//
// A program has one Metrics, made in main and handed to whoever counts. Adding takes a lock and
// happens at start; what it returns lives as long as the Metrics and costs an atomic addition a
// use (prometheus-cpp's own histogram takes a mutex, its counter loops over a double; so values
// are ours, and the library writes the text). Label values come from a small fixed set: never a
// seat, showtime, session or order. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace seatlock::runtime {

// Label names and values, in the order in which they are written.
using Labels = std::vector<std::pair<std::string, std::string>>;

// Only rises.
class Counter {
 public:
  void Increment(uint64_t by = 1) { value_.fetch_add(by, std::memory_order_relaxed); }
  uint64_t Value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// Rises and falls.
class Gauge {
 public:
  void Set(int64_t value) { value_.store(value, std::memory_order_relaxed); }
  void Add(int64_t by) { value_.fetch_add(by, std::memory_order_relaxed); }
  int64_t Value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

// Counts of values by their upper bounds.
class Histogram {
 public:
  // `bounds` rise strictly; what is above the last one is counted as +Inf.
  explicit Histogram(std::vector<double> bounds);

  void Observe(double value);

  struct Reading {
    std::vector<uint64_t> counts;  // one a bound, then +Inf; not cumulative
    double sum = 0;
  };
  // Counts read while others observe may lag behind one another.
  Reading Read() const;
  const std::vector<double>& bounds() const { return bounds_; }

 private:
  const std::vector<double> bounds_;
  const std::unique_ptr<std::atomic<uint64_t>[]> counts_;
  std::atomic<double> sum_{0};
};

// 0.5 ms to 10 s: from one unary call to a stuck store.
std::vector<double> LatencyBounds();
// 1, 2, 4 ... `max`.
std::vector<double> PowersOfTwo(uint64_t max);

class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // Adds a metric of the family `name`. All of a family have the same kind and help; labels that
  // are there already, another kind, or a name that Prometheus would not take, abort: an error of
  // ours that the first start shows.
  Counter& AddCounter(const std::string& name, const std::string& help, Labels labels = {});
  Gauge& AddGauge(const std::string& name, const std::string& help, Labels labels = {});
  Histogram& AddHistogram(const std::string& name, const std::string& help,
                          std::vector<double> bounds, Labels labels = {});

  // Values that are asked for when the text is made, on that thread: for what is counted elsewhere.
  // `read` is quick, thread-safe, does not call the Metrics, and what it refers to lives until
  // nobody calls Text() any more (stop the AdminServer first).
  void AddGaugeCallback(const std::string& name, const std::string& help,
                        std::function<double()> read, Labels labels = {});
  // The same for a family whose members come and go while the program runs: `read` gives a value
  // for each value of `label`, each once and few of them.
  void AddGaugesCallback(const std::string& name, const std::string& help, const std::string& label,
                         std::function<std::vector<std::pair<std::string, double>>()> read);
  void AddCounterCallback(const std::string& name, const std::string& help,
                          std::function<double()> read, Labels labels = {});
  // `read` gives as many counts as there are `bounds`, which rise strictly, and one for +Inf.
  void AddHistogramCallback(const std::string& name, const std::string& help,
                            std::vector<double> bounds, std::function<Histogram::Reading()> read,
                            Labels labels = {});

  // Everything in Prometheus' text format 0.0.4.
  std::string Text() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace seatlock::runtime
