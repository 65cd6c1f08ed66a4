#include "clients/cli/bench/args.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "clients/cli/bench/bench.h"
#include "clients/cli/bench/limits.h"
#include "clients/cli/bench/options.h"
#include "clients/cli/time_flag.h"

namespace seatlock::cli::bench {
namespace {

// What CLI11 fills in before it becomes Options.
struct Raw {
  Options options;
  std::string duration;
  std::string ttl;
  std::string mix;
};

void AddNumber(CLI::App* bench, const std::string& name, int64_t* value, int64_t min, int64_t max,
               const std::string& help) {
  bench->add_option(name, *value, help)->check(CLI::Range(min, max))->capture_default_str();
}

// What writes: in `lock` always, in the others unless --rate=0.
void AddLoad(CLI::App* bench, Raw* raw, int64_t rate_min) {
  Options& options = raw->options;
  AddNumber(bench, "--rate", &options.rate, rate_min, kRateMax,
            rate_min == 0 ? "calls a second that change seats; 0: none" : "calls a second");
  bench->add_option("--duration", raw->duration, "how long, at most 30m [10s]")->type_name("TIME");
  AddNumber(bench, "--showtimes", &options.showtimes, 1, kShowtimesMax, "showtimes, all its own");
  AddNumber(bench, "--seats", &options.seats, 1, kSeatsMax, "seats of each showtime");
  AddNumber(bench, "--sessions", &options.sessions, 1, kSessionsMax, "shoppers");
  AddNumber(bench, "--in-flight", &options.in_flight, 1, kInFlightMax,
            "calls that may wait for their answers");
  bench->add_option("--ttl", raw->ttl, "of locks, 2s to 2h [1m]")->type_name("TIME");
  bench
      ->add_option("--mix", raw->mix,
                   absl::StrCat("shares of the calls [", MixText(options.mix), "]"))
      ->type_name("KIND=SHARE,...");
  AddNumber(
      bench, "--hot", &options.hot_percent, 0, 100,
      absl::StrCat("percent of locks that want the same ", kHotSeats, " seats of their showtime"));
  bench->add_flag("--allow-bench", options.allow_beyond_loopback,
                  "load servers beyond this machine's loopback, which are yours");
}

void AddFollowers(CLI::App* bench, Raw* raw, const char* what) {
  AddNumber(bench, "--ramp", &raw->options.ramp, 1, kRampMax,
            absl::StrCat(what, " opened a second"));
  AddNumber(bench, "--reconnect", &raw->options.reconnect_percent, 0, 100,
            absl::StrCat("percent of the ", what, " that are cut and resume each second"));
}

CLI::App* AddBench(CLI::App* app, Raw* raw) {
  CLI::App* bench = app->add_subcommand("bench", "Load a deployment, and judge what it says");
  bench->require_subcommand(1);
  CLI::App* lock = bench->add_subcommand("lock", "Lock, unlock, extend, book and cancel seats");
  AddLoad(lock, raw, 1);
  lock->add_option("--count", raw->options.count, "how many calls, in place of --duration")
      ->excludes("--duration")
      ->check(CLI::Range(uint64_t{1}, kCallsMax));
  CLI::App* watch = bench->add_subcommand("watch", "Follow showtimes over gRPC while they change");
  AddLoad(watch, raw, 0);
  AddNumber(watch, "--watchers", &raw->options.watchers, 1, kWatchersMax, "streams");
  AddFollowers(watch, raw, "streams");
  CLI::App* ws = bench->add_subcommand("ws", "Follow showtimes through the edge, as browsers do");
  ws->add_option("URL", raw->options.url, "ws://HOST:PORT/ws/seat-updates")->required();
  AddLoad(ws, raw, 0);
  AddNumber(ws, "--connections", &raw->options.connections, 1, kSocketsMax, "WebSockets");
  AddFollowers(ws, raw, "connections");
  return bench;
}

// What is wrong, in one line; empty: nothing.
std::string Complete(const CLI::App& bench, Raw* raw) {
  Options& options = raw->options;
  if (bench.got_subcommand("watch")) options.bench = Bench::kWatch;
  if (bench.got_subcommand("ws")) options.bench = Bench::kWs;
  std::string wrong =
      TakeTime(raw->duration, "--duration", kDurationMsMin, kDurationMsMax, &options.duration_ms);
  if (wrong.empty()) {
    wrong = TakeTime(raw->ttl, "--ttl", kTtlMsMin, kTtlMsMax, &options.ttl_ms);
  }
  if (wrong.empty() && !raw->mix.empty()) {
    wrong = ParseMix(raw->mix, &options.mix);
    if (!wrong.empty()) wrong = "--mix " + wrong;
  }
  return wrong.empty() ? CheckOptions(options) : wrong;
}

int RunWith(Options options, const CommonArgs& common) {
  options.servers = common.servers;
  options.tls = common.tls;
  options.timeout_ms = common.timeout_ms;
  options.json = common.json;
  return Run(options);
}

}  // namespace

FindNamed AddCommands(CLI::App* app) {
  auto raw = std::make_shared<Raw>();
  return [raw, app, bench = AddBench(app, raw.get())]() -> Named {
    if (!app->got_subcommand(bench)) return {};
    std::string wrong = Complete(*bench, raw.get());
    return {std::move(wrong), [options = raw->options](const CommonArgs& common) {
              return RunWith(options, common);
            }};
  };
}

}  // namespace seatlock::cli::bench
