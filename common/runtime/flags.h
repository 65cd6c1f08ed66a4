// A program's flags, each with an environment variable: --admin-listen of the prefix "SEATLOCK_"
// is SEATLOCK_ADMIN_LISTEN. A flag beats the environment, so that a variable is not even looked at
// where its flag is given; the environment beats the default; a variable set to nothing counts as
// unset, but for a File. There are no configuration files.
//
//   Flags flags("seatlockd", "Owns the locks of seats.", "SEATLOCK_");
//   flags.Address(&config.listen, "listen", "where gRPC listens");
//   if (std::optional<int> exit_code = flags.Parse(argc, argv)) return *exit_code;
//
// Every value is written by Parse into the variable that was handed in, whose content beforehand
// is the default, and which outlives the Flags. Thread-compatible; used once, in main.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "common/runtime/net.h"

namespace seatlock::runtime {

class Flags {
 public:
  Flags(std::string program, std::string description, std::string env_prefix);
  ~Flags();
  Flags(const Flags&) = delete;
  Flags& operator=(const Flags&) = delete;

  // Names are without dashes: "admin-listen". `help` is a phrase; default and variable are added.
  void String(std::string* value, std::string name, std::string help);
  // The path of a file that protects something: a certificate, a key, who may call. Nothing, by
  // flag or variable, is refused: a variable that a script left empty must not open a port to
  // everybody.
  void File(std::string* value, std::string name, std::string help);
  // One of `choices`.
  void Choice(std::string* value, std::string name, std::vector<std::string> choices,
              std::string help);
  // A whole number, `min` to `max`.
  void Int(int64_t* value, std::string name, int64_t min, int64_t max, std::string help);
  // --name, --name=true or --name=false.
  void Bool(bool* value, std::string name, std::string help);
  // A time with its unit, such as 500ms, 10s, 1m30s or 2h; `min_ms` to `max_ms`.
  void DurationMs(int64_t* value_ms, std::string name, int64_t min_ms, int64_t max_ms,
                  std::string help);
  // host:port. `host:` keeps the port that `value` has.
  void Address(HostPort* value, std::string name, std::string help);

  // Any other kind. `set` takes the value over, or answers InvalidArgument in words that complete
  // "--name ...", such as "must be a color"; `text` writes the value as `set` would read it.
  // `shown` says how a wrong value is repeated, for one that may hold a secret; empty: as it is.
  void Custom(std::string name, std::string metavar, std::string help,
              std::function<absl::Status(std::string_view)> set, std::function<std::string()> text,
              std::function<std::string(std::string_view)> shown = {});

  // A further environment variable for the flag `name`, weaker than the flag's own: `set` is called
  // with its text before that one is applied, and answers as Custom's.
  void EnvAlias(std::string variable, std::string name, std::string help,
                std::function<absl::Status(std::string_view)> set);

  // Whether the values fit together, asked once all of them are set. An error is the line that
  // Parse prints; it names the flags.
  void Check(std::function<absl::Status()> check);

  // Reads the arguments and the environment. No value means: go on. Otherwise the exit code: 0
  // after --help or --version, whatever else is said, or after --print-config (one `name=value` a
  // line); 2 after one line on stderr that names the flag or variable that is wrong and what it
  // must be.
  std::optional<int> Parse(int argc, const char* const* argv);

 private:
  struct Flag;
  struct Alias;

  void Add(Flag flag);
  // Keeps what the arguments say in the flags, or answers --help and --version.
  absl::Status ReadArguments(int argc, const char* const* argv);
  bool IsGiven(const std::string& name) const;
  absl::Status ApplyEnvironment();
  absl::Status ApplyArguments();
  absl::Status CheckAll() const;
  std::string HelpOf(const Flag& flag) const;
  std::string VariableOf(const Flag& flag) const;
  std::string Config() const;

  const std::string program_;
  const std::string description_;
  const std::string env_prefix_;
  std::vector<Flag> flags_;
  std::vector<Alias> aliases_;
  std::vector<std::function<absl::Status()>> checks_;
  bool print_config_ = false;
  // What is to be printed on stdout instead of running, after --help and its like.
  std::optional<std::string> answer_;
};

}  // namespace seatlock::runtime
