#include "services/seatlock/store/command.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string_view>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "services/seatlock/log/sqlite/copy.h"
#include "services/seatlock/log/sqlite/file_lock.h"
#include "services/seatlock/log/sqlite/files.h"
#include "services/seatlock/store/address.h"
#include "services/seatlock/store/backup.h"
#include "services/seatlock/store/history.h"
#include "services/seatlock/store/redis_commands.h"
#include "services/seatlock/store/verify.h"

namespace seatlock::store {
namespace {

constexpr char kHelp[] = R"(Looks after a store.

Usage: seatlockd store COMMAND [--store=STORE]

  verify               folds every showtime and checks the rest; exit 1 if it is not sound.
                       Also of a backup, and while servers have the store in use.
  history SHOWTIME     who held what when: every change, or with --at the seats at one moment
      --seat SEAT      of this seat alone
      --at WHEN        a revision, or a time such as 2026-11-29T20:15:00Z
      -o, --output     table (the default) or json
  restore SRC          makes the store what the SQLite backup SRC is.
                       sqlite: no server may have it in use; its former files are kept beside it as
                       PATH.before-restore. redis: it must hold no showtime yet
  backup DEST          sqlite: copies the store into a new file, while a server writes to it
  compact              sqlite: gives back the space of what was trimmed. No server may have it in
                       use
  init                 redis: makes an empty one a store. No server serves one that was not
                       initialised, so that one that has lost its data is not taken for a new one
      --accept         also one that is initialised, or whose marker is lost: what is there counts
                       from now on, and clients take it for another history

  --store STORE        sqlite:PATH [sqlite:seatlock.db], or redis://HOST:PORT... as seatlockd --help
                       says (SEATLOCK_STORE; SEATLOCK_REDIS_USER, SEATLOCK_REDIS_PASSWORD)
)";

struct Arguments {
  std::string command;
  std::vector<std::string> operands;
  StoreConfig store;
  HistoryQuestion history;
  bool accept = false;
  bool help = false;

  bool redis() const { return store.kind == StoreConfig::Kind::kRedis; }
};

absl::Status Wrong(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(what, " (see seatlockd store --help)"));
}

absl::Status SetStore(std::string_view who, std::string_view text, StoreConfig* store) {
  const std::string got = absl::StrCat(" (got '", WithoutCredentials(text), "')");
  if (absl::Status status = ParseStore(text, store); !status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(std::string(who), " ", status.message(), got));
  }
  if (store->kind == StoreConfig::Kind::kMemory) {
    return absl::InvalidArgumentError(absl::StrCat(
        std::string(who), " must be sqlite:PATH or redis://HOST:PORT: memory: keeps nothing", got));
  }
  return absl::OkStatus();
}

bool IsOption(const std::string& name, const std::string& command) {
  if (name == "--store") return true;
  return command == "history" &&
         (name == "--seat" || name == "--at" || name == "--output" || name == "-o");
}

// `name` is an option (IsOption).
absl::Status SetOption(const std::string& name, const std::string& value, Arguments& arguments) {
  if (name == "--store") return SetStore(name, value, &arguments.store);
  if (name == "--seat") {
    arguments.history.seat = value;
    return value.empty() ? Wrong("--seat must name a seat") : absl::OkStatus();
  }
  if (name == "--at") {
    absl::Status status = ParseAt(value, &arguments.history);
    if (status.ok()) return status;
    return absl::InvalidArgumentError(
        absl::StrCat("--at ", status.message(), " (got '", value, "')"));
  }
  arguments.history.json = value == "json";
  if (value == "json" || value == "table") return absl::OkStatus();
  return Wrong(absl::StrCat(name, " must be table or json"));
}

absl::Status Parse(const std::vector<std::string>& args, Arguments& arguments) {
  if (const char* store = std::getenv("SEATLOCK_STORE"); store != nullptr && *store != '\0') {
    bool given = false;  // a flag beats the environment, which then is not even looked at
    for (const std::string& arg : args) given |= arg == "--store" || arg.starts_with("--store=");
    absl::Status status =
        given ? absl::OkStatus() : SetStore("SEATLOCK_STORE", store, &arguments.store);
    if (!status.ok()) return status;
  }
  for (size_t i = 0; i < args.size(); ++i) {
    const std::string& arg = args[i];
    if (arg == "--help" || arg == "-h") {
      arguments.help = true;
    } else if (arg.size() > 1 && arg.front() == '-') {
      const size_t equals = arg.find('=');
      const std::string name = arg.substr(0, equals);
      if (arg == "--accept" && arguments.command == "init") {
        arguments.accept = true;
        continue;
      }
      if (!IsOption(name, arguments.command)) return Wrong(absl::StrCat("unknown option ", name));
      std::string value;
      if (equals != std::string::npos) {
        value = arg.substr(equals + 1);
      } else if (++i < args.size()) {
        value = args[i];
      } else {
        return Wrong(absl::StrCat(arg, " needs a value"));
      }
      absl::Status status = SetOption(name, value, arguments);
      if (!status.ok()) return status;
    } else if (arguments.command.empty()) {
      arguments.command = arg;
    } else {
      arguments.operands.push_back(arg);
    }
  }
  return absl::OkStatus();
}

// A path that may be written as a store is.
std::string PathOf(const std::string& operand) {
  return operand.starts_with("sqlite:") ? operand.substr(7) : operand;
}

std::string Bytes(int64_t bytes) {
  return bytes < 10 << 20 ? absl::StrCat(bytes >> 10, " KiB") : absl::StrCat(bytes >> 20, " MiB");
}

std::string NameOf(const StoreConfig& store) {
  return store.kind == StoreConfig::Kind::kSqlite ? store.path : store.ToString();
}

// Tells an operator what a command noticed; empty for nothing.
void Tell(const std::string& notice, const Console& console) {
  if (notice.empty()) return;
  std::fprintf(console.err, "seatlockd store: %s\n", notice.c_str());
}

absl::StatusOr<int> Verify(const Arguments& arguments, const Console& console) {
  Progress progress(console.err, console.clock);
  absl::StatusOr<VerifyReport> report = VerifyStore(arguments.store, progress);
  progress.Clear();
  if (!report.ok()) return report.status();
  std::fputs(report->Text().c_str(), console.out);
  return report->faults == 0 ? 0 : 1;
}

absl::StatusOr<log::RedisOptions> RedisOf(const Arguments& arguments) {
  const absl::StatusOr<RedisCredentials> credentials = ReadRedisCredentials();
  if (!credentials.ok()) return credentials.status();
  return OptionsOf(arguments.store.redis, *credentials);
}

absl::StatusOr<int> Init(const Arguments& arguments, const Console& console) {
  if (!arguments.redis()) {
    return Wrong("init is for stores that servers share: --store=redis://HOST:PORT");
  }
  absl::StatusOr<log::RedisOptions> options = RedisOf(arguments);
  if (!options.ok()) return options.status();
  const absl::StatusOr<std::string> done = InitRedis(*options, arguments.accept);
  if (!done.ok()) return done.status();
  std::fprintf(console.out, "%s: %s\n", arguments.store.ToString().c_str(), done->c_str());
  return 0;
}

absl::StatusOr<int> Backup(const Arguments& arguments, const Console& console) {
  if (arguments.redis()) {
    return Wrong(
        "backup is for sqlite: stores: copy Redis's own files (BGSAVE, then dump.rdb; or the "
        "folder "
        "appendonlydir as redis.io says)");
  }
  const std::string to = PathOf(arguments.operands[0]);
  Progress progress(console.err, console.clock);
  absl::Status status = BackupStore(arguments.store.path, to, progress);
  progress.Clear();
  if (!status.ok()) return status;
  std::fprintf(console.out, "%s: %s\n", to.c_str(), Bytes(log::SizeOf(to)).c_str());
  return 0;
}

absl::StatusOr<int> Restore(const Arguments& arguments, const Console& console) {
  const std::string from = PathOf(arguments.operands[0]);
  Progress progress(console.err, console.clock);
  absl::StatusOr<RestoreReport> report = absl::UnknownError("");
  if (arguments.redis()) {
    absl::StatusOr<log::RedisOptions> options = RedisOf(arguments);
    if (!options.ok()) return options.status();
    report = RestoreToRedis(from, *options, progress);
  } else {
    report = RestoreStore(from, arguments.store.path, progress);
  }
  progress.Clear();
  if (!report.ok()) return report.status();
  Tell(report->notice, console);
  const std::string text = absl::StrCat(
      NameOf(arguments.store), ": ", report->showtimes, " showtimes, ", report->changes, " changes",
      report->kept_as.empty() ? "" : "; the former store is kept as ", report->kept_as, "\n");
  std::fputs(text.c_str(), console.out);
  return 0;
}

absl::StatusOr<int> History(const Arguments& arguments, const Console& console) {
  HistoryQuestion question = arguments.history;
  question.showtime = arguments.operands[0];
  Progress progress(console.err, console.clock);
  absl::Status status = WriteHistory(arguments.store, question, console.out, progress);
  if (absl::IsNotFound(status)) {
    return absl::NotFoundError(absl::StrCat("showtime ", question.showtime, " has no history in ",
                                            NameOf(arguments.store)));
  }
  if (!status.ok()) return status;
  return 0;
}

absl::StatusOr<int> Compact(const Arguments& arguments, const Console& console) {
  if (arguments.redis()) {
    return Wrong("compact is for sqlite: stores: Redis compacts its files itself (BGREWRITEAOF)");
  }
  std::error_code error;
  const std::string path = std::filesystem::weakly_canonical(arguments.store.path, error).string();
  if (!error && !std::filesystem::is_regular_file(path, error) && !error) {
    return absl::FailedPreconditionError(path + " is not there, or is no file");
  }
  if (error == std::errc::no_such_file_or_directory) {
    return absl::FailedPreconditionError(path + " is not there");
  }
  if (error) {
    return absl::UnavailableError(
        absl::StrCat("cannot look at ", arguments.store.path, ": ", error.message()));
  }
  absl::StatusOr<log::FileLock> lock = log::FileLock::Acquire(log::LockOf(path));
  if (!lock.ok()) return lock.status();
  const int64_t before = log::SizeOf(path) + log::SizeOf(log::WalOf(path));
  Progress progress(console.err, console.clock);
  progress.Update("compacting", 0, 0);
  const absl::StatusOr<std::string> notice = log::Compact(path);
  progress.Clear();
  if (!notice.ok()) return notice.status();
  Tell(*notice, console);
  std::fprintf(console.out, "%s: %s, was %s\n", arguments.store.path.c_str(),
               Bytes(log::SizeOf(path)).c_str(), Bytes(before).c_str());
  return 0;
}

struct Command {
  const char* name;
  const char* operand;  // nullptr: none
  absl::StatusOr<int> (*run)(const Arguments&, const Console&);
};
constexpr Command kCommands[] = {{"verify", nullptr, &Verify},   {"backup", "DEST", &Backup},
                                 {"restore", "SRC", &Restore},   {"history", "SHOWTIME", &History},
                                 {"compact", nullptr, &Compact}, {"init", nullptr, &Init}};

absl::StatusOr<int> Run(const Arguments& arguments, const Console& console) {
  if (arguments.command.empty()) return Wrong("which command?");
  for (const Command& command : kCommands) {
    if (arguments.command != command.name) continue;
    const size_t wanted = command.operand == nullptr ? 0 : 1;
    const auto& operands = arguments.operands;
    if (operands.size() < wanted || (wanted == 1 && operands[0].empty())) {
      return Wrong(absl::StrCat(command.name, " needs ", command.operand));
    }
    if (operands.size() > wanted) {
      return Wrong(absl::StrCat("unexpected argument ", operands[wanted]));
    }
    return command.run(arguments, console);
  }
  return Wrong(absl::StrCat("unknown command ", arguments.command));
}

}  // namespace

int RunStoreCommand(const std::vector<std::string>& args, const Console& console) {
  Arguments arguments;
  absl::StatusOr<int> code = 0;
  if (absl::Status status = Parse(args, arguments); !status.ok()) {
    code = status;
  } else if (arguments.help) {
    std::fputs(kHelp, console.out);
  } else {
    // A Redis that closes a connection must not end the program.
    if (arguments.redis()) std::signal(SIGPIPE, SIG_IGN);
    code = Run(arguments, console);
  }
  errno = 0;
  if ((std::fflush(console.out) != 0 || std::ferror(console.out) != 0) && code.ok()) {
    code = absl::UnavailableError(absl::StrCat("cannot write the answer", errno == 0 ? "" : ": ",
                                               errno == 0 ? "" : std::strerror(errno)));
  }
  if (code.ok()) return *code;
  std::fprintf(console.err, "seatlockd store: %s\n", std::string(code.status().message()).c_str());
  return absl::IsInvalidArgument(code.status()) ? 2 : 1;
}

}  // namespace seatlock::store
