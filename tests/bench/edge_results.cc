#include "tests/bench/edge_results.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <utility>

namespace seatlock::bench {

absl::StatusOr<std::unique_ptr<EdgeResults>> EdgeResults::Create(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  std::unique_ptr<EdgeResults> results(new EdgeResults(folder));
  if (!results->report_) return absl::UnavailableError("cannot write into " + folder);
  return results;
}

EdgeResults::EdgeResults(std::string folder)
    : folder_(std::move(folder)), report_(std::fopen((folder_ + "/report.md").c_str(), "w")) {}

void EdgeResults::Text(const std::string& text) {
  for (std::FILE* file : {stdout, report_.get()}) {
    std::fputs(text.c_str(), file);
    std::fflush(file);
  }
}

void EdgeResults::Table(const std::string& heading) {
  Text("\n## " + heading + "\n\n");
  Text(
      "| server | connections | B a connection, at rest | after the changes | CPU µs a delivery "
      "| deliveries/s | p50 to the last | p99 to the last | samples | B of text |\n"
      "|---|---|---|---|---|---|---|---|---|---|\n");
}

void EdgeResults::Row(const Figures& figures) {
  Text(fmt::format(
      "| {} | {} | {:.0f} | {:.0f} | {:.2f} | {:.0f} | {:.1f} ms | {:.1f} ms | {} | "
      "{:.0f} |\n",
      figures.title, figures.connections, figures.rest_bytes, figures.after_bytes, figures.cpu_us,
      figures.per_second, figures.p50_ms, figures.p99_ms, figures.samples, figures.text_bytes));
  if (figures.missing > 0 || figures.refused > 0 || figures.closed > 0) {
    std::fprintf(stderr, "bench: %s: %lu deliveries missing, %d connections refused, %d closed\n",
                 figures.title.c_str(), figures.missing, figures.refused, figures.closed);
    Text(
        fmt::format("| ↑ not whole | | {} deliveries missing | {} refused | {} closed | | | | | "
                    "|\n",
                    figures.missing, figures.refused, figures.closed));
  }
}

void EdgeResults::Skipped(const std::string& title, const std::string& why) {
  Text(fmt::format("| {} | skipped: {} | | | | | | | | |\n", title, why));
}

void EdgeResults::Judge(const std::string& what, const std::string& measured,
                        const std::string& bar, bool pass) {
  verdicts_.push_back({what, measured, bar, true, pass});
}

void EdgeResults::JudgeRatio(const std::string& what, double ours, double peers,
                             const std::string& peer, double bar) {
  const std::string wanted = fmt::format("≤ {} × {}", bar, peer);
  if (peers <= 0) {
    verdicts_.push_back({what, "not compared: " + peer + " was not measured", wanted, false, true});
    return;
  }
  const double ratio = ours / peers;
  Judge(what, fmt::format("{:.2f} × {} ({:.2f} : {:.2f})", ratio, peer, ours, peers), wanted,
        ratio <= bar);
}

int EdgeResults::Finish() {
  Text("\n## Bars\n\n");
  Report report(report_.get());
  for (const Verdict& verdict : verdicts_) {
    if (verdict.judged) {
      report.Judge(verdict.what, verdict.measured, verdict.bar, verdict.pass);
    } else {
      report.Inform(verdict.what + ", " + verdict.bar, verdict.measured);
    }
  }
  Text(fmt::format("\n{} missed\n", report.misses()));
  std::ofstream(folder_ + "/plots.svg") << plots_.Text();
  std::printf("\n%s/report.md\n%s/plots.svg\n", folder_.c_str(), folder_.c_str());
  return report.misses();
}

}  // namespace seatlock::bench
