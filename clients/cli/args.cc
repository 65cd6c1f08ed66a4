#include "clients/cli/args.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <charconv>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "clients/cli/bench/args.h"
#include "clients/cli/operate/args.h"
#include "clients/cli/time_flag.h"
#include "clients/cli/tls_flags.h"
#include "common/base/server_list.h"
#include "common/runtime/version.h"
#include "seatlock/client.h"

namespace seatlock::cli {
namespace {

constexpr char kFooter[] =
    "Exit codes: 0 ok, 1 failed, 2 usage, 3 service unavailable, 4 seat taken.\n\n"
    "  seatctl lock 123 A06 A07 --session alice --ttl 10m\n"
    "  seatctl book 123 A06 A07 --session alice --order o1\n"
    "  seatctl watch 123\n"
    "  seatctl status\n"
    "  seatctl bench lock --rate 1000 --duration 10s\n";

constexpr char kCommandFooter[] =
    "Every command takes --server, --ca, --timeout, --output and --admin, too: seatctl --help.\n\n";

// What CLI11 fills in before it becomes Args.
struct Raw {
  Args args;
  client::TlsOptions tls;
  std::string ttl;
  std::string timeout;
  std::string output = "table";
  std::string resume;
  std::vector<std::string> fences;
  bool json = false;
  bool print_config = false;
};

void AddShowtime(CLI::App* command, Raw* raw) {
  command->add_option("SHOWTIME", raw->args.showtime, "the showtime's id")->required();
}
CLI::Option* AddSeats(CLI::App* command, Raw* raw) {
  return command->add_option("SEAT", raw->args.seats, "seat ids, such as A06");
}
void AddSession(CLI::App* command, Raw* raw) {
  command->add_option("--session", raw->args.session, "the shopper's session")
      ->envname("SEATCTL_SESSION")
      ->required();
}
CLI::Option* AddAll(CLI::App* command, Raw* raw, const std::string& help) {
  return command->add_flag("--all", raw->args.all, help);
}
void AddRequestId(CLI::App* command, Raw* raw) {
  command->add_option("--request-id", raw->args.request_id,
                      "makes repeating the command safe [a new UUID]");
}
void AddTtl(CLI::App* command, Raw* raw) {
  command->add_option("--ttl", raw->ttl, "how long, 1s to 2h [10m]")->type_name("TIME");
}

void AddLockCommands(CLI::App* app, Raw* raw) {
  CLI::App* lock = app->add_subcommand("lock", "Lock seats for a session, all or none");
  AddShowtime(lock, raw);
  AddSeats(lock, raw)->required();
  AddSession(lock, raw);
  AddTtl(lock, raw);
  lock->add_option("--release", raw->args.release, "a seat to free in the same step (repeatable)")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  lock->add_option("--max-session-seats", raw->args.max_session_seats,
                   "refuse more locked seats than this");
  AddRequestId(lock, raw);

  CLI::App* unlock = app->add_subcommand("unlock", "Free seats that the session holds");
  AddShowtime(unlock, raw);
  AddSeats(unlock, raw)->excludes(AddAll(unlock, raw, "all that the session holds"));
  AddSession(unlock, raw);
  AddRequestId(unlock, raw);

  CLI::App* extend = app->add_subcommand("extend", "Give locks more time, from now");
  AddShowtime(extend, raw);
  AddSeats(extend, raw)->excludes(AddAll(extend, raw, "all that the session holds"));
  AddSession(extend, raw);
  AddTtl(extend, raw);
  AddRequestId(extend, raw);
}

void AddOrderCommands(CLI::App* app, Raw* raw) {
  CLI::App* book = app->add_subcommand("book", "Sell seats under an order, all or none");
  AddShowtime(book, raw);
  AddSeats(book, raw)->description("seat ids [the order's, or all that the session holds]");
  AddSession(book, raw);
  book->add_option("--order", raw->args.order, "the order's id")->required();
  book->add_flag("--only-held", raw->args.only_held, "refuse seats that the session does not hold");
  book->add_flag("--add", raw->args.add_to_order, "add the seats to an order that is known");
  book->add_option("--fence", raw->fences, "SEAT=FENCE of the lock that was paid (repeatable)")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  AddRequestId(book, raw);

  CLI::App* cancel = app->add_subcommand("cancel", "Free booked seats of an order");
  AddShowtime(cancel, raw);
  AddSeats(cancel, raw)->excludes(AddAll(cancel, raw, "every seat of the order"));
  cancel->add_option("--order", raw->args.order, "the order's id")->required();
  cancel->add_flag("--tombstone", raw->args.tombstone, "bar the order even if it never came");
  AddRequestId(cancel, raw);
}

void AddReadCommands(CLI::App* app, Raw* raw) {
  CLI::App* get = app->add_subcommand("get", "Show what is not available, or one order");
  AddShowtime(get, raw);
  get->add_option("--order", raw->args.order, "show this order instead");

  CLI::App* locks = app->add_subcommand("locks", "Show what a session holds");
  AddShowtime(locks, raw);
  AddSession(locks, raw);

  CLI::App* list = app->add_subcommand("list", "Show the showtimes that have changes");
  list->add_option("--limit", raw->args.limit, "how many at most")
      ->check(CLI::Range(uint64_t{1}, kListLimitMax))
      ->capture_default_str();
  list->add_option("--page-size", raw->args.page_size, "how many to ask for at once")
      ->check(CLI::Range(1, kPageSizeMax))
      ->capture_default_str();
  list->add_flag("--json", raw->json, "the same as --output json");

  CLI::App* watch = app->add_subcommand("watch", "Show changes as they come, until Ctrl-C");
  AddShowtime(watch, raw);
  watch->add_option("--resume", raw->resume, "EPOCH:REVISION to go on after");
}

constexpr std::pair<const char*, Command> kCommands[] = {
    {"lock", Command::kLock},   {"unlock", Command::kUnlock}, {"extend", Command::kExtend},
    {"book", Command::kBook},   {"cancel", Command::kCancel}, {"get", Command::kGet},
    {"locks", Command::kLocks}, {"list", Command::kList},     {"watch", Command::kWatch},
};

// Commands in files of their own, a line a family.
constexpr AddFamily kFamilies[] = {
    &bench::AddCommands,
    &operate::AddCommands,
};

// Each returns what is wrong, empty where nothing is.
std::string TakeFence(const std::string& text, std::map<std::string, uint64_t>* fences) {
  const size_t equals = text.rfind('=');
  uint64_t fence = 0;
  if (equals == std::string::npos || equals == 0 ||
      !absl::SimpleAtoi(text.substr(equals + 1), &fence)) {
    return absl::StrCat("--fence must be SEAT=FENCE, such as A06=5 (got '", text, "')");
  }
  (*fences)[text.substr(0, equals)] = fence;
  return "";
}

std::string TakeResume(const std::string& text, std::optional<v1::Position>* resume) {
  const size_t colon = text.rfind(':');
  uint64_t revision = 0;
  if (colon == std::string::npos || colon == 0 ||
      !absl::SimpleAtoi(text.substr(colon + 1), &revision)) {
    return absl::StrCat("--resume must be EPOCH:REVISION (got '", text, "')");
  }
  resume->emplace();
  (*resume)->set_epoch(text.substr(0, colon));
  (*resume)->set_revision(revision);
  return "";
}

// Finds the command among those of the families.
std::string TakeNamed(const std::vector<FindNamed>& families, Args* args) {
  for (const FindNamed& find : families) {
    Named named = find();
    if (named.run == nullptr) continue;
    args->run = std::move(named.run);
    return std::move(named.wrong);
  }
  return "";
}

// Where seats or --all must be said.
std::string CheckSeats(const Args& args) {
  if (args.run != nullptr) return "";
  const bool wanted = args.command == Command::kUnlock || args.command == Command::kExtend ||
                      (args.command == Command::kCancel && !args.tombstone);
  if (!wanted || args.all || !args.seats.empty()) return "";
  return "name the seats, or use --all";
}

std::string Complete(Raw* raw) {
  Args& args = raw->args;
  std::string wrong;
  absl::StatusOr<std::vector<std::string>> servers = base::ParseServers(args.server);
  if (!servers.ok()) return absl::StrCat("--server ", servers.status().message());
  args.servers = *std::move(servers);
  wrong = TakeTime(raw->timeout, "--timeout", 1, kTimeMsMax, &args.timeout_ms);
  if (wrong.empty() && !raw->ttl.empty()) {
    wrong = TakeTime(raw->ttl, "--ttl", 1, kTimeMsMax, &args.ttl_ms.emplace());
  }
  for (const std::string& fence : raw->fences) {
    if (wrong.empty()) wrong = TakeFence(fence, &args.fences);
  }
  if (wrong.empty() && !raw->resume.empty()) wrong = TakeResume(raw->resume, &args.resume);
  if (wrong.empty()) wrong = CheckSeats(args);
  // A tombstone without seats bars the whole order.
  if (args.tombstone && args.seats.empty()) args.all = true;
  if (args.request_id.empty()) args.request_id = client::MakeRequestId();
  if (raw->json) raw->output = "json";
  args.json = raw->output == "json";
  return wrong;
}

ParsedArgs Usage(const std::string& what, const std::string& command) {
  return {.args = {},
          .exit_code = kExitUsage,
          .text = absl::StrCat("seatctl: ", what, " (see seatctl ", command,
                               command.empty() ? "" : " ", "--help)\n")};
}

void AddGlobals(CLI::App* app, Raw* raw) {
  app->add_option("--server", raw->args.server,
                  "where seatlockd listens; several with commas between")
      ->envname("SEATCTL_SERVER")
      ->type_name("HOST:PORT,...")
      ->capture_default_str();
  AddTlsFlags(&raw->tls, app);
  app->add_option("--timeout", raw->timeout, "how long to try [10s]")
      ->envname("SEATCTL_TIMEOUT")
      ->type_name("TIME");
  app->add_option("-o,--output", raw->output, "table or json")
      ->envname("SEATCTL_OUTPUT")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  app->add_flag("--print-config", raw->print_config, "print the settings and exit");
  app->set_version_flag("--version", runtime::VersionLine("seatctl"));
}

}  // namespace

ParsedArgs ParseArgs(int argc, const char* const* argv) {
  Raw raw;
  CLI::App app(
      "Locks, books and watches seats over SeatLock's gRPC API, shows and loads what runs.",
      "seatctl");
  app.footer(absl::StrCat(kCommandFooter, kFooter));  // commands take it over
  app.fallthrough();
  AddGlobals(&app, &raw);
  AddLockCommands(&app, &raw);
  AddOrderCommands(&app, &raw);
  AddReadCommands(&app, &raw);
  std::vector<FindNamed> families;
  for (const AddFamily add : kFamilies) families.push_back(add(&app));
  app.footer(kFooter);
  app.require_subcommand(0, 1);
  const auto command_name = [&app] {
    std::vector<std::string> names;
    for (const CLI::App* at = &app; !at->get_subcommands().empty();) {
      at = at->get_subcommands().front();
      names.push_back(at->get_name());
    }
    return absl::StrJoin(names, " ");
  };
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    const auto used = app.get_subcommands();
    return {{}, kExitOk, used.empty() ? app.help() : used.front()->help("seatctl")};
  } catch (const CLI::CallForVersion& version) {
    return {{}, kExitOk, absl::StrCat(version.what(), "\n")};
  } catch (const CLI::Error& error) {
    return Usage(error.what(), command_name());
  }
  for (const auto& [name, command] : kCommands) {
    if (app.got_subcommand(name)) raw.args.command = command;
  }
  std::string wrong = TakeNamed(families, &raw.args);
  if (wrong.empty()) wrong = Complete(&raw);
  if (wrong.empty()) wrong = TakeTls(raw.tls, app, &raw.args.tls);
  if (!wrong.empty()) return Usage(wrong, command_name());
  if (raw.print_config) {
    return {
        {},
        kExitOk,
        absl::StrCat("server=", raw.args.server,
                     "\nadmin=", app.get_option("--admin")->as<std::string>(), "\nca=", raw.tls.ca,
                     "\ncert=", raw.tls.cert, "\nkey=", raw.tls.key,
                     "\ntimeout=", absl::FormatDuration(absl::Milliseconds(raw.args.timeout_ms)),
                     "\noutput=", raw.output, "\n")};
  }
  if (command_name().empty()) return Usage("name a command", "");
  return {std::move(raw.args), std::nullopt, ""};
}

}  // namespace seatlock::cli
