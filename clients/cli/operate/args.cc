#include "clients/cli/operate/args.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "clients/cli/operate/commands.h"
#include "clients/cli/operate/http.h"
#include "clients/cli/operate/text.h"
#include "clients/cli/time_flag.h"
#include "common/base/host_port.h"
#include "common/base/server_list.h"

namespace seatlock::cli::operate {
namespace {

// Where seatlockd and seatlock-edge have their admin listeners if nothing else is said.
constexpr char kAdminDefault[] = "127.0.0.1:9101,127.0.0.1:9102";

// What CLI11 fills in before it becomes Args.
struct Raw {
  Args args;
  std::string admin;
  std::string interval;
  std::string idle;
};

using Run = int (*)(const CommonArgs&, const Args&);

void AddColor(CLI::App* command, Raw* raw) {
  command->add_flag("--no-color", raw->args.no_color, "no colours (so does NO_COLOR)");
}

CLI::App* AddStatus(CLI::App* app, Raw* raw) {
  CLI::App* status = app->add_subcommand(
      "status", "Show who is up and ready, a line a program; exit code 0 only if all are");
  AddColor(status, raw);
  return status;
}

CLI::App* AddTop(CLI::App* app, Raw* raw) {
  CLI::App* top = app->add_subcommand("top", "Show what the deployment does, until q or Ctrl-C");
  top->add_option("--interval", raw->interval, "between two looks [2s]")->type_name("TIME");
  top->add_option("--count", raw->args.count, "looks until it ends; 0: no end")
      ->check(CLI::Range(uint64_t{0}, uint64_t{1'000'000'000}))
      ->capture_default_str();
  top->add_option("--showtimes", raw->args.showtimes,
                  "how many showtimes, the first by id, are looked at for the busiest; 0: none")
      ->check(CLI::Range(uint64_t{0}, kTopShowtimesMax))
      ->capture_default_str();
  AddColor(top, raw);
  return top;
}

CLI::App* AddMap(CLI::App* app, Raw* raw) {
  CLI::App* map = app->add_subcommand("map", "Draw the house, live, until q or Ctrl-C");
  map->add_option("SHOWTIME", raw->args.showtime, "the showtime's id")->required();
  map->add_option("--layout", raw->args.layout_file,
                  "the hall as JSON, as @seatlock/react has it [guessed from the seats' ids]")
      ->type_name("FILE");
  map->add_flag("--once", raw->args.once, "print it once and end");
  AddColor(map, raw);
  return map;
}

CLI::App* AddDoctor(CLI::App* app, Raw* raw) {
  CLI::App* doctor = app->add_subcommand(
      "doctor", "Look for what is set up wrongly, on this machine and in the deployment");
  doctor->add_option("--ws", raw->args.ws_url, "try this WebSocket, as a browser would")
      ->type_name("URL");
  doctor
      ->add_option("--idle", raw->idle,
                   "hold an idle watch, and an idle WebSocket if --ws, for so long [not at all]")
      ->type_name("TIME");
  AddColor(doctor, raw);
  return doctor;
}

// Each returns what is wrong; empty if nothing is.
std::string TakeAdmins(const std::string& text, std::vector<std::string>* admins) {
  std::set<std::string> seen;
  for (const absl::string_view each : absl::StrSplit(text, ',')) {
    const auto address = base::ParseHostPort({each.data(), each.size()});
    if (!address.ok() || address->port == 0) {
      const std::string why =
          address.ok() ? "must have a port that is not 0" : std::string(address.status().message());
      return absl::StrCat("--admin ", why, " (got '", Clean({each.data(), each.size()}), "')");
    }
    if (!seen.insert(address->ToString()).second) {
      return absl::StrCat("--admin names ", address->ToString(), " twice");
    }
    admins->push_back(address->ToString());
  }
  if (admins->size() <= kAdminsMax) return "";
  return absl::StrCat("--admin takes at most ", kAdminsMax, " addresses");
}

// `admin_given` and `server_given`: by a flag or the environment.
std::string Complete(Raw* raw, bool admin_given, bool server_given, const std::string& server) {
  Args& args = raw->args;
  std::string wrong =
      TakeTime(raw->interval, "--interval", kIntervalMsMin, kIntervalMsMax, &args.interval_ms);
  if (wrong.empty()) wrong = TakeTime(raw->idle, "--idle", 0, kIdleMsMax, &args.idle_ms);
  if (wrong.empty() && (admin_given || !server_given)) wrong = TakeAdmins(raw->admin, &args.admins);
  if (wrong.empty() && (server_given || !admin_given)) {
    auto servers = base::ParseServers(server);
    if (!servers.ok()) return absl::StrCat("--server ", servers.status().message());
    args.servers = *std::move(servers);
  }
  if (wrong.empty() && !args.ws_url.empty()) {
    const auto url = ParseWsUrl(args.ws_url);
    if (!url.ok()) return absl::StrCat("--ws ", url.status().message());
  }
  return wrong;
}

}  // namespace

FindNamed AddCommands(CLI::App* app) {
  const auto raw = std::make_shared<Raw>();
  raw->admin = kAdminDefault;
  app->add_option("--admin", raw->admin,
                  "admin listeners that status, top and doctor ask, with commas between")
      ->envname("SEATCTL_ADMIN")
      ->type_name("HOST:PORT,...")
      ->capture_default_str();
  const std::vector<std::pair<CLI::App*, Run>> commands = {{AddStatus(app, raw.get()), &RunStatus},
                                                           {AddTop(app, raw.get()), &RunTop},
                                                           {AddMap(app, raw.get()), &RunMap},
                                                           {AddDoctor(app, raw.get()), &RunDoctor}};
  return [app, raw, commands]() -> Named {
    for (const auto& [command, run] : commands) {
      if (!command->parsed()) continue;
      const auto server = app->get_option("--server")->as<std::string>();
      return {Complete(raw.get(), app->count("--admin") > 0, app->count("--server") > 0, server),
              [raw, run = run](const CommonArgs& common) { return run(common, raw->args); }};
    }
    return {};
  };
}

}  // namespace seatlock::cli::operate
