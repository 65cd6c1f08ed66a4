// ./dev bench edge: seatlock-edge beside the servers that it is measured against, each in turn with
// the same crowd, the same changes and the same core, in one run. Figures of two machines, or of
// two runs, do not compare; the ratios do. Exit code 0 unless something did not work: a missed bar
// is a finding, not a failure.
#include <fmt/format.h>
#include <sched.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <map>
#include <optional>
#include <utility>

#include "common/runtime/net.h"
#include "tests/bench/contestant.h"
#include "tests/bench/edge_results.h"
#include "tests/bench/trial.h"

namespace seatlock::bench {
namespace {

// The bars are set for these.
constexpr int kConnections = 15'000;
constexpr int kRooms = 200;
constexpr int kStoppableEvery = 10;
// Descriptors for everything that is no connection.
constexpr int kReservedFiles = 500;
constexpr milliseconds kStormTimeout{60'000};
constexpr int kLockedSeats = 100;
// Enough to fill the sockets of those who do not read, and to pass the ring of a room by.
constexpr int kFloodChanges = 1200;
constexpr milliseconds kFloodTimeout{12'000};
constexpr int kPriority = -10;
constexpr char kRoom[] = "123";

struct Options {
  std::vector<std::string> sections;
  std::vector<std::string> servers;
  int connections = kConnections;
  int seconds = 0;
  std::string out = BENCH_OUT_DIR;
  std::string edge_binary = EDGE_BINARY;
};

// The server on one core, the crowd (with the edge's seat service) on another.
struct Cores {
  std::string server = "0";
  std::string all = "0";
  bool apart = false;
};

Cores PinCrowd() {
  cpu_set_t allowed;
  sched_getaffinity(0, sizeof allowed, &allowed);
  std::vector<int> cores;
  for (int core = 0; core < CPU_SETSIZE && cores.size() < 2; ++core) {
    if (CPU_ISSET(core, &allowed)) cores.push_back(core);
  }
  Cores split{std::to_string(cores.front()), std::to_string(cores.front()), cores.size() == 2};
  if (!split.apart) return split;
  split.all += "," + std::to_string(cores.back());
  cpu_set_t own;
  CPU_ZERO(&own);
  CPU_SET(cores.back(), &own);
  sched_setaffinity(0, sizeof own, &own);
  return split;
}

// Whether the edge can be told its threads.
bool HasThreads(const std::string& edge_binary) {
  auto help = testing::Process::Start({.binary = edge_binary, .args = {"--help"}});
  return help.ok() && (*help)->WaitForText("--threads", std::chrono::seconds(10)).ok();
}

class EdgeBench {
 public:
  EdgeBench(Options options, Cores cores, EdgeResults& results)
      : options_(std::move(options)),
        cores_(std::move(cores)),
        results_(results),
        has_threads_(HasThreads(options_.edge_binary)) {}

  void Single();
  void Burst();
  void Growth();
  void Stalled();
  void Storm();
  void Rooms();
  bool failed() const { return failed_; }

 private:
  Pace SinglePace() const { return {.length = Length()}; }
  milliseconds Length() const { return std::chrono::seconds(options_.seconds); }
  TrialOptions For(const Entry& entry, int connections, int threads = 1) const;
  TrialOptions ForEdge(int connections, int threads = 1) const {
    return For(kContestants[0], connections, threads);
  }
  // nullptr, having said why, where it could not be opened.
  std::unique_ptr<Trial> Open(const TrialOptions& options);
  std::optional<Figures> Measure(const TrialOptions& options, const Pace& pace);
  // All servers that were asked for, by their name.
  std::map<std::string, Figures> MeasureAll(int connections, const Pace& pace);
  void PlotCpu(const std::string& title, const std::map<std::string, Figures>& figures);
  void JudgeCpu(const std::string& what, const std::map<std::string, Figures>& figures,
                const std::vector<std::pair<std::string, double>>& bars);

  const Options options_;
  const Cores cores_;
  EdgeResults& results_;
  const bool has_threads_;
  bool failed_ = false;
};

TrialOptions EdgeBench::For(const Entry& entry, int connections, int threads) const {
  TrialOptions options{.entry = &entry, .connections = connections, .rooms = {kRoom}};
  options.start.cores = threads == 1 ? cores_.server : cores_.all;
  options.start.edge_binary = options_.edge_binary;
  // The crowd stands for browsers of many addresses.
  if (has_threads_) {
    options.start.edge_args = {fmt::format("--threads={}", threads),
                               "--trusted-proxies=127.0.0.0/8"};
  }
  return options;
}

std::unique_ptr<Trial> EdgeBench::Open(const TrialOptions& options) {
  auto trial = Trial::Open(options);
  if (trial.ok()) return *std::move(trial);
  results_.Skipped(options.entry->title, std::string(trial.status().message()));
  // A peer that is not there is no failure.
  if (!absl::IsNotFound(trial.status())) failed_ = true;
  return nullptr;
}

std::optional<Figures> EdgeBench::Measure(const TrialOptions& options, const Pace& pace) {
  const std::unique_ptr<Trial> trial = Open(options);
  if (!trial) return std::nullopt;
  Figures figures = trial->Measure(pace);
  results_.Row(figures);
  return figures;
}

std::map<std::string, Figures> EdgeBench::MeasureAll(int connections, const Pace& pace) {
  std::map<std::string, Figures> all;
  for (const Entry& entry : kContestants) {
    const auto& wanted = options_.servers;
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), entry.name) == wanted.end()) {
      continue;
    }
    if (auto figures = Measure(For(entry, connections), pace)) all[entry.name] = *figures;
  }
  return all;
}

std::vector<SvgPage::Bar> Bars(const std::map<std::string, Figures>& figures,
                               double Figures::*value) {
  std::vector<SvgPage::Bar> bars;
  for (const Entry& entry : kContestants) {
    const auto found = figures.find(entry.name);
    if (found != figures.end()) bars.push_back({entry.name, found->second.*value});
  }
  return bars;
}

void EdgeBench::PlotCpu(const std::string& title, const std::map<std::string, Figures>& figures) {
  results_.plots().AddBars("CPU µs a delivery, " + title, Bars(figures, &Figures::cpu_us));
}

double ValueOf(const std::map<std::string, Figures>& figures, const std::string& name,
               double Figures::*value) {
  const auto found = figures.find(name);
  return found == figures.end() ? 0 : found->second.*value;
}

void EdgeBench::JudgeCpu(const std::string& what, const std::map<std::string, Figures>& figures,
                         const std::vector<std::pair<std::string, double>>& bars) {
  for (const auto& [peer, bar] : bars) {
    results_.JudgeRatio("CPU µs a delivery, " + what, ValueOf(figures, "edge", &Figures::cpu_us),
                        ValueOf(figures, peer, &Figures::cpu_us), peer, bar);
  }
}

// --- one room, single changes --------------------------------------------------------------------

void EdgeBench::Single() {
  results_.Table(fmt::format("One room, 4 changes/s, {} connections", options_.connections));
  const auto figures = MeasureAll(options_.connections, SinglePace());
  PlotCpu("4 changes/s", figures);
  results_.plots().AddBars("User memory, B a connection", Bars(figures, &Figures::rest_bytes));
  const auto edge = figures.find("edge");
  if (edge == figures.end()) return;
  // At rest or after the changes, whichever is more; the peer's is the one at rest.
  const double bytes = std::max(edge->second.rest_bytes, edge->second.after_bytes);
  results_.Judge("user memory a connection", fmt::format("{:.0f} B", bytes), "≤ 1,200 B",
                 bytes <= 1200);
  results_.JudgeRatio("user memory a connection", bytes,
                      ValueOf(figures, "ws", &Figures::rest_bytes), "ws", 0.25);
  JudgeCpu("single changes 4/s", figures, {{"bun", 0.9}, {"ws", 0.6}, {"nchan", 0.8}});
}

// --- one room, bursts ----------------------------------------------------------------------------

void EdgeBench::Burst() {
  const int connections = std::max(1, options_.connections / 3);
  results_.Table(
      fmt::format("One room, 20 changes at once each second, {} connections", connections));
  const auto figures =
      MeasureAll(connections, {.burst = 20, .every = std::chrono::seconds(1), .length = Length()});
  PlotCpu("20 at once", figures);
  if (figures.contains("edge")) {
    JudgeCpu("20 changes at once", figures, {{"bun", 0.25}, {"ws", 0.15}});
  }
}

// --- growth --------------------------------------------------------------------------------------

void EdgeBench::Growth() {
  results_.Table("How cost grows: seatlock-edge, one room, 4 changes/s");
  std::vector<SvgPage::Line> cpu;
  std::vector<SvgPage::Line> memory;
  for (const int threads : {1, 2}) {
    const std::string label = fmt::format("{} thread{}", threads, threads == 1 ? "" : "s");
    if (threads > 1 && (!has_threads_ || !cores_.apart)) {
      results_.Skipped(label, has_threads_ ? "one core only" : "this edge has no --threads");
      continue;
    }
    cpu.push_back({label, {}});
    memory.push_back({label, {}});
    for (const int part : {15, 3, 1}) {
      const int connections = std::max(1, options_.connections / part);
      const std::unique_ptr<Trial> trial = Open(ForEdge(connections, threads));
      if (!trial) continue;
      Figures figures = trial->Measure(SinglePace());
      figures.title += ", " + label;
      results_.Row(figures);
      cpu.back().points.emplace_back(connections, figures.cpu_us);
      memory.back().points.emplace_back(connections, figures.rest_bytes);
    }
  }
  results_.plots().AddLines("Growth: CPU µs a delivery", "connections", cpu);
  results_.plots().AddLines("Growth: user memory, B a connection", "connections", memory);
}

// --- readers that stop ---------------------------------------------------------------------------

void EdgeBench::Stalled() {
  results_.Table(fmt::format("Every {}th connection with small buffers: reading, then stopped",
                             kStoppableEvery));
  std::optional<Figures> figures[2];
  double bytes[2] = {};
  int flooded = kFloodChanges;
  for (const bool stop : {false, true}) {
    TrialOptions options = ForEdge(options_.connections);
    options.stoppable_every = kStoppableEvery;
    const std::unique_ptr<Trial> trial = Open(options);
    if (!trial) return;
    if (stop) trial->crowd().StopReading();
    flooded = trial->Flood(flooded, std::min(kFloodTimeout, 3 * Length()));
    figures[stop] = trial->Measure(SinglePace());
    figures[stop]->title += fmt::format(", {} after {} changes in bursts",
                                        stop ? "10 % stopped," : "all reading,", flooded);
    bytes[stop] = trial->PeakBytes();
    results_.Row(*figures[stop]);
  }
  const double ratio = figures[1]->p99_ms / std::max(0.001, figures[0]->p99_ms);
  results_.Judge("10 % of readers stopped: the others' p99",
                 fmt::format("{:.2f} × without ({:.1f} : {:.1f} ms)", ratio, figures[1]->p99_ms,
                             figures[0]->p99_ms),
                 "≤ 1.2 × without", ratio <= 1.2);
  const double more = bytes[1] / std::max(1.0, bytes[0]) - 1;
  results_.Judge(
      "10 % of readers stopped: user memory at its most",
      fmt::format("{:+.1f} % ({:.1f} : {:.1f} MB)", 100 * more, bytes[1] / 1e6, bytes[0] / 1e6),
      "≤ +5 %", more <= 0.05);
}

// --- all cut, and back at once -------------------------------------------------------------------

void EdgeBench::Storm() {
  constexpr char kSnapshots[] = "seatlock_edge_snapshots_encoded_total";
  results_.Text(fmt::format("\n## All {} cut and back at once, {} seats locked\n\n",
                            options_.connections, kLockedSeats));
  TrialOptions options = ForEdge(options_.connections);
  options.start.room = kRoom;
  options.start.locked_seats = kLockedSeats;
  const std::unique_ptr<Trial> trial = Open(options);
  if (!trial) return;
  Crowd& crowd = trial->crowd();
  const double encoded = trial->server().Metric(kSnapshots);
  const int refused = crowd.refused();
  const auto start = SteadyClock::now();
  crowd.CutAll();
  const double cut_s = std::chrono::duration<double>(SteadyClock::now() - start).count();
  const absl::Status opened = crowd.Open(options_.connections, kStormTimeout);
  const double seconds = std::chrono::duration<double>(SteadyClock::now() - start).count();
  const double snapshots = trial->server().Metric(kSnapshots) - encoded;
  const int refusals = crowd.refused() - refused;
  const bool all = opened.ok() && crowd.ready() == options_.connections;
  results_.Text(
      fmt::format("{} of {} subscribed again with their snapshot after {:.2f} s (the cut "
                  "itself {:.2f} s), {} refused, {:.0f} snapshots encoded\n",
                  crowd.ready(), options_.connections, seconds, cut_s, refusals, snapshots));
  results_.Judge("all cut and back at once: subscribed again, with the snapshot",
                 fmt::format("{} of {} in {:.2f} s", crowd.ready(), options_.connections, seconds),
                 "all ≤ 5 s", all && seconds <= 5);
  results_.Judge("all cut and back at once: refusals", fmt::format("{}", refusals), "0",
                 refusals == 0);
  results_.Judge("all cut and back at once: snapshots encoded, at one revision",
                 fmt::format("{:.0f}", snapshots), "≤ 1", snapshots <= 1);
}

// --- many rooms ----------------------------------------------------------------------------------

void EdgeBench::Rooms() {
  const int connections = std::max(1, options_.connections / kRooms) * kRooms;
  results_.Table(
      fmt::format("{} rooms × {} connections, 4 changes/s in each", kRooms, connections / kRooms));
  // Anew, for the two to be taken one right after the other.
  const auto one_room = Measure(ForEdge(connections), SinglePace());
  TrialOptions options = ForEdge(connections);
  options.rooms.clear();
  for (int room = 0; room < kRooms; ++room) options.rooms.push_back(fmt::format("{:03}", room));
  auto figures = Measure(
      options, {.rooms_a_step = kRooms / 10, .every = milliseconds(25), .length = Length()});
  if (!figures || !one_room) return;
  results_.JudgeRatio("CPU µs a delivery, 200 rooms", figures->cpu_us, one_room->cpu_us, "one room",
                      1.3);
}

// --- command line --------------------------------------------------------------------------------

struct Section {
  const char* name;
  void (EdgeBench::*run)();
};
constexpr Section kSections[] = {{"single", &EdgeBench::Single}, {"burst", &EdgeBench::Burst},
                                 {"growth", &EdgeBench::Growth}, {"stalled", &EdgeBench::Stalled},
                                 {"storm", &EdgeBench::Storm},   {"rooms", &EdgeBench::Rooms}};

std::optional<int> ReadOptions(int argc, char** argv, Options* options) {
  CLI::App app("What seatlock-edge and its peers cost, side by side");
  std::vector<std::string> sections;
  std::vector<std::string> servers;
  for (const Section& section : kSections) sections.push_back(section.name);
  for (const Entry& entry : kContestants) servers.push_back(entry.name);
  app.add_option("sections", options->sections, "What to measure; all unless some are named")
      ->check(CLI::IsMember(sections));
  app.add_option("--servers", options->servers, "Servers of single and burst, by commas; all")
      ->delimiter(',')
      ->check(CLI::IsMember(servers));
  app.add_option("--connections", options->connections, "Connections of most sections")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--seconds", options->seconds,
                 "Length of a phase; 0: 10, or 1 with fewer than 10,000 connections")
      ->check(CLI::Range(0, 600))
      ->capture_default_str();
  app.add_option("--out", options->out, "Folder of report.md and plots.svg")->capture_default_str();
  app.add_option("--edge", options->edge_binary, "The seatlock-edge to measure")
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  }
  if (options->seconds == 0) options->seconds = options->connections < 10'000 ? 1 : 10;
  return std::nullopt;
}

int Main(int argc, char** argv) {
  Options options;
  if (const auto code = ReadOptions(argc, argv, &options)) return *code;
  const Cores cores = PinCrowd();
  // Ahead of what else runs on the machine, servers and load alike, where that is permitted.
  setpriority(PRIO_PROCESS, 0, kPriority);
  const auto files = runtime::RaiseOpenFilesLimit();
  auto results = EdgeResults::Create(options.out);
  if (!files.ok() || !results.ok()) {
    std::fprintf(stderr, "bench: no descriptors, or no folder %s\n", options.out.c_str());
    return 1;
  }
  const int possible = static_cast<int>(std::min<uint64_t>(*files, 1'000'000)) - kReservedFiles;
  options.connections = std::min(options.connections, possible);
  (*results)->Text(fmt::format(
      "A process may open {} files here, so there are {} connections. {} Phases of {} s.\n", *files,
      options.connections,
      cores.apart ? "Servers on core " + cores.server + ", the load on another."
                  : "There is one core only, which servers and load share.",
      options.seconds));
  EdgeBench bench(options, cores, **results);
  for (const Section& section : kSections) {
    const auto& wanted = options.sections;
    if (wanted.empty() || std::find(wanted.begin(), wanted.end(), section.name) != wanted.end()) {
      (bench.*section.run)();
    }
  }
  (*results)->Finish();
  return bench.failed() ? 1 : 0;
}

}  // namespace
}  // namespace seatlock::bench

int main(int argc, char** argv) {
  return seatlock::bench::Main(argc, argv);
}
