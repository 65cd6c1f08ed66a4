#include "clients/cli/bench/report.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace seatlock::cli::bench {
namespace {

constexpr std::pair<const char*, double> kQuantiles[] = {
    {"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}};

double Ms(int64_t us) {
  return static_cast<double>(us) / 1'000;
}

std::string TimesText(const Report& report) {
  std::string text = absl::StrFormat("\n  %-22s %10s", "time (ms)", "count");
  for (const auto& [name, share] : kQuantiles) absl::StrAppendFormat(&text, " %9s", name);
  absl::StrAppendFormat(&text, " %9s\n", "max");
  for (const auto& [name, times] : report.times) {
    absl::StrAppendFormat(&text, "  %-22s %10d", name, times.count());
    for (const auto& [ignored, share] : kQuantiles) {
      absl::StrAppendFormat(&text, " %9.2f", Ms(times.QuantileUs(share)));
    }
    absl::StrAppendFormat(&text, " %9.2f\n", Ms(times.max_us()));
  }
  return text;
}

std::string ResultsText(const Report& report) {
  std::string text = report.results.empty() ? "" : "\n";
  for (const auto& [what, results] : report.results) {
    absl::StrAppendFormat(&text, "  %-22s", what);
    for (const auto& [reason, count] : results) absl::StrAppend(&text, " ", reason, " ", count);
    text += "\n";
  }
  for (const auto& [what, count] : report.counts) {
    absl::StrAppendFormat(&text, "  %-22s %d\n", what, count);
  }
  return text;
}

boost::json::object TimesJson(const Histogram& times) {
  boost::json::object json = {{"count", times.count()}};
  for (const auto& [name, share] : kQuantiles) json[name] = Ms(times.QuantileUs(share));
  json["max"] = Ms(times.max_us());
  return json;
}

boost::json::array Strings(const std::vector<std::string>& texts) {
  boost::json::array array;
  for (const std::string& text : texts) array.emplace_back(text);
  return array;
}

}  // namespace

bool Verdict::Passes() const {
  if (!note.empty()) return false;
  return of.empty() ? count == 0 : absl::StrCat(count) == of;
}

std::string Verdict::Line() const {
  return absl::StrCat(Passes() ? "PASS " : "FAIL ", name, " ", count, of.empty() ? "" : " of ", of,
                      note.empty() ? "" : ": ", note);
}

bool Report::Passes() const {
  return std::all_of(verdicts.begin(), verdicts.end(),
                     [](const Verdict& verdict) { return verdict.Passes(); });
}

std::string Text(const Report& report) {
  std::string text = absl::StrCat("bench ", report.bench, " of ", report.target, "\n  ");
  for (const auto& [name, value] : report.settings) absl::StrAppend(&text, name, " ", value, "  ");
  text.erase(text.find_last_not_of(' ') + 1);
  absl::StrAppendFormat(&text, "\n  took %.1f s%s\n", report.seconds,
                        report.interrupted ? ", ended early by a signal" : "");
  for (const Report::Throughput& rate : report.throughput) {
    absl::StrAppendFormat(&text, "  %-22s asked %.0f/s, achieved %.0f/s\n", rate.what, rate.asked,
                          rate.achieved);
  }
  if (!report.times.empty()) text += TimesText(report);
  text += ResultsText(report);
  absl::StrAppendFormat(&text, "  %-22s %.0f %% of one processor\n", "load generator's CPU",
                        report.cpu_percent);
  if (!report.notes.empty() || !report.examples.empty()) text += "\n";
  for (const std::string& note : report.notes) absl::StrAppend(&text, "  ", note, "\n");
  for (const std::string& example : report.examples) absl::StrAppend(&text, "  ", example, "\n");
  text += "\n";
  for (const Verdict& verdict : report.verdicts) absl::StrAppend(&text, verdict.Line(), "\n");
  return text;
}

std::string Json(const Report& report) {
  boost::json::object settings;
  for (const auto& [name, value] : report.settings) settings[name] = value;
  boost::json::object throughput;
  for (const Report::Throughput& rate : report.throughput) {
    throughput[rate.what] = {{"asked", rate.asked}, {"achieved", rate.achieved}};
  }
  boost::json::object times;
  for (const auto& [name, histogram] : report.times) times[name] = TimesJson(histogram);
  boost::json::object results;
  for (const auto& [what, reasons] : report.results) {
    boost::json::object counts;
    for (const auto& [reason, count] : reasons) counts[reason] = count;
    results[what] = std::move(counts);
  }
  boost::json::object counts;
  for (const auto& [what, count] : report.counts) counts[what] = count;
  boost::json::array verdicts;
  for (const Verdict& verdict : report.verdicts) {
    verdicts.push_back({{"name", verdict.name},
                        {"pass", verdict.Passes()},
                        {"count", verdict.count},
                        {"line", verdict.Line()}});
  }
  const boost::json::object json = {{"bench", report.bench},
                                    {"target", report.target},
                                    {"pass", report.Passes()},
                                    {"interrupted", report.interrupted},
                                    {"seconds", report.seconds},
                                    {"settings", std::move(settings)},
                                    {"perSecond", std::move(throughput)},
                                    {"timesMs", std::move(times)},
                                    {"results", std::move(results)},
                                    {"counts", std::move(counts)},
                                    {"cpuPercent", report.cpu_percent},
                                    {"generatorWasSlow", report.generator_was_slow},
                                    {"notes", Strings(report.notes)},
                                    {"examples", Strings(report.examples)},
                                    {"verdicts", std::move(verdicts)}};
  return boost::json::serialize(json) + "\n";
}

}  // namespace seatlock::cli::bench
