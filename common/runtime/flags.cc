#include "common/runtime/flags.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"
#include "common/runtime/version.h"

namespace seatlock::runtime {
namespace {

std::string DurationText(int64_t ms) {
  return absl::FormatDuration(absl::Milliseconds(ms));
}

absl::Status ParseBool(std::string_view text, bool* value) {
  const std::string lower = absl::AsciiStrToLower({text.data(), text.size()});
  if (lower == "true" || lower == "1" || lower == "yes" || lower == "on") {
    *value = true;
  } else if (lower == "false" || lower == "0" || lower == "no" || lower == "off") {
    *value = false;
  } else {
    return absl::InvalidArgumentError("must be true or false");
  }
  return absl::OkStatus();
}

absl::Status ParseInt(std::string_view text, int64_t min, int64_t max, int64_t* value) {
  int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end || number < min || number > max) {
    return absl::InvalidArgumentError(
        absl::StrCat("must be a whole number between ", min, " and ", max));
  }
  *value = number;
  return absl::OkStatus();
}

absl::Status ParseDurationMs(std::string_view text, int64_t min_ms, int64_t max_ms,
                             int64_t* value_ms) {
  absl::Duration duration;
  const bool parsed = absl::ParseDuration({text.data(), text.size()}, &duration);
  const int64_t ms = absl::ToInt64Milliseconds(duration);
  if (!parsed || ms < min_ms || ms > max_ms) {
    return absl::InvalidArgumentError(absl::StrCat("must be a time with its unit, such as 500ms, ",
                                                   "10s or 2h, between ", DurationText(min_ms),
                                                   " and ", DurationText(max_ms)));
  }
  *value_ms = ms;
  return absl::OkStatus();
}

// "--listen must be host:port (got 'x')".
absl::Status Complain(std::string_view who, const absl::Status& why, std::string_view got) {
  return absl::InvalidArgumentError(
      absl::StrCat(std::string(who), " ", why.message(), " (got '", std::string(got), "')"));
}

}  // namespace

struct Flags::Flag {
  std::string name;
  std::string help;
  std::string metavar;  // empty for a switch
  std::function<absl::Status(std::string_view)> set;
  std::function<std::string()> text;
  std::vector<std::string> given;  // what the arguments said; the last counts
  std::function<std::string(std::string_view)> shown = {};  // of a wrong value; empty: as it is
  bool empty_is_unset = true;                               // of its variable; else `set` is asked

  std::string Shown(std::string_view value) const {
    return shown ? shown(value) : std::string(value);
  }
};

struct Flags::Alias {
  std::string variable;
  std::string name;  // of the flag
  std::string help;
  std::function<absl::Status(std::string_view)> set;
};

Flags::Flags(std::string program, std::string description, std::string env_prefix)
    : program_(std::move(program)),
      description_(std::move(description)),
      env_prefix_(std::move(env_prefix)) {}

Flags::~Flags() = default;

void Flags::Add(Flag flag) {
  flags_.push_back(std::move(flag));
}

void Flags::String(std::string* value, std::string name, std::string help) {
  Add({.name = std::move(name),
       .help = std::move(help),
       .metavar = "TEXT",
       .set =
           [value](std::string_view text) {
             *value = text;
             return absl::OkStatus();
           },
       .text = [value] { return *value; },
       .given = {}});
}

void Flags::File(std::string* value, std::string name, std::string help) {
  auto set = [value](std::string_view text) {
    if (text.empty()) {
      return absl::InvalidArgumentError("must name a file, or be left out altogether");
    }
    *value = text;
    return absl::OkStatus();
  };
  Add({.name = std::move(name),
       .help = std::move(help),
       .metavar = "FILE",
       .set = std::move(set),
       .text = [value] { return *value; },
       .given = {},
       .empty_is_unset = false});
}

void Flags::Choice(std::string* value, std::string name, std::vector<std::string> choices,
                   std::string help) {
  std::string metavar = absl::StrJoin(choices, "|");
  auto set = [value, choices = std::move(choices)](std::string_view text) {
    for (const std::string& choice : choices) {
      if (choice != text) continue;
      *value = choice;
      return absl::OkStatus();
    }
    return absl::InvalidArgumentError(
        absl::StrCat("must be one of ", absl::StrJoin(choices, ", ")));
  };
  Add({.name = std::move(name),
       .help = std::move(help),
       .metavar = std::move(metavar),
       .set = std::move(set),
       .text = [value] { return *value; },
       .given = {}});
}

void Flags::Int(int64_t* value, std::string name, int64_t min, int64_t max, std::string help) {
  Add({.name = std::move(name),
       .help = std::move(help),
       .metavar = "NUMBER",
       .set = [=](std::string_view text) { return ParseInt(text, min, max, value); },
       .text = [value] { return absl::StrCat(*value); },
       .given = {}});
}

void Flags::Bool(bool* value, std::string name, std::string help) {
  Add({.name = std::move(name),
       .help = std::move(help),
       .metavar = "",
       .set = [value](std::string_view text) { return ParseBool(text, value); },
       .text = [value] { return *value ? "true" : "false"; },
       .given = {}});
}

void Flags::DurationMs(int64_t* value_ms, std::string name, int64_t min_ms, int64_t max_ms,
                       std::string help) {
  Add({.name = std::move(name),
       .help = std::move(help),
       .metavar = "TIME",
       .set = [=](std::string_view t) { return ParseDurationMs(t, min_ms, max_ms, value_ms); },
       .text = [value_ms] { return DurationText(*value_ms); },
       .given = {}});
}

void Flags::Address(HostPort* value, std::string name, std::string help) {
  auto set = [value](std::string_view text) {
    const std::string port = text.ends_with(':') ? absl::StrCat(value->port) : "";
    absl::StatusOr<HostPort> address = ParseHostPort(std::string(text) + port);
    if (!address.ok()) return address.status();
    *value = *std::move(address);
    return absl::OkStatus();
  };
  Add({.name = std::move(name),
       .help = std::move(help),
       .metavar = "HOST:PORT",
       .set = set,
       .text = [value] { return value->ToString(); },
       .given = {}});
}

void Flags::Custom(std::string name, std::string metavar, std::string help,
                   std::function<absl::Status(std::string_view)> set,
                   std::function<std::string()> text,
                   std::function<std::string(std::string_view)> shown) {
  Add({.name = std::move(name),
       .help = std::move(help),
       .metavar = std::move(metavar),
       .set = std::move(set),
       .text = std::move(text),
       .given = {},
       .shown = std::move(shown)});
}

void Flags::EnvAlias(std::string variable, std::string name, std::string help,
                     std::function<absl::Status(std::string_view)> set) {
  aliases_.push_back({std::move(variable), std::move(name), std::move(help), std::move(set)});
}

void Flags::Check(std::function<absl::Status()> check) {
  checks_.push_back(std::move(check));
}

std::string Flags::VariableOf(const Flag& flag) const {
  return env_prefix_ + absl::AsciiStrToUpper(absl::StrReplaceAll(flag.name, {{"-", "_"}}));
}

std::string Flags::HelpOf(const Flag& flag) const {
  return absl::StrCat(flag.help, " [", flag.text(), "] (", VariableOf(flag), ")");
}

std::string Flags::Config() const {
  std::string lines;
  for (const Flag& flag : flags_) absl::StrAppend(&lines, flag.name, "=", flag.text(), "\n");
  return lines;
}

bool Flags::IsGiven(const std::string& name) const {
  return std::any_of(flags_.begin(), flags_.end(), [&name](const Flag& flag) {
    return flag.name == name && !flag.given.empty();
  });
}

absl::Status Flags::ApplyEnvironment() {
  for (const Alias& alias : aliases_) {
    if (IsGiven(alias.name)) continue;
    const char* text = std::getenv(alias.variable.c_str());
    if (text == nullptr || *text == '\0') continue;
    const absl::Status status = alias.set(text);
    if (!status.ok()) return Complain(alias.variable, status, text);
  }
  for (const Flag& flag : flags_) {
    if (!flag.given.empty()) continue;
    const std::string variable = VariableOf(flag);
    const char* text = std::getenv(variable.c_str());
    if (text == nullptr || (*text == '\0' && flag.empty_is_unset)) continue;
    const absl::Status status = flag.set(text);
    if (!status.ok()) return Complain(variable, status, flag.Shown(text));
  }
  return absl::OkStatus();
}

absl::Status Flags::ReadArguments(int argc, const char* const* argv) {
  std::string footer;
  for (const Alias& alias : aliases_) {
    absl::StrAppend(&footer, alias.variable, ": ", alias.help, "\n");
  }
  CLI::App app(description_, program_);
  app.footer(footer);
  app.set_version_flag("--version", VersionLine(program_), "print the version and exit");
  print_config_ = false;
  app.add_flag("--print-config", print_config_, "print every setting as it would be and exit");
  for (Flag& flag : flags_) {
    flag.given.clear();
    CLI::Option* option = flag.metavar.empty()
                              ? app.add_flag("--" + flag.name, flag.given, HelpOf(flag))
                              : app.add_option("--" + flag.name, flag.given, HelpOf(flag));
    if (!flag.metavar.empty()) option->expected(1)->type_name(flag.metavar);
    option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    answer_ = app.help();
  } catch (const CLI::CallForVersion& version) {
    answer_ = absl::StrCat(version.what(), "\n");
  } catch (const CLI::Error& error) {
    return absl::InvalidArgumentError(absl::StrCat(error.what(), " (see --help)"));
  }
  return absl::OkStatus();
}

absl::Status Flags::ApplyArguments() {
  for (const Flag& flag : flags_) {
    if (flag.given.empty()) continue;
    const absl::Status status = flag.set(flag.given.back());
    if (!status.ok()) return Complain("--" + flag.name, status, flag.Shown(flag.given.back()));
  }
  return absl::OkStatus();
}

absl::Status Flags::CheckAll() const {
  for (const auto& check : checks_) {
    if (absl::Status status = check(); !status.ok()) return status;
  }
  return absl::OkStatus();
}

std::optional<int> Flags::Parse(int argc, const char* const* argv) {
  answer_.reset();
  absl::Status status = ReadArguments(argc, argv);
  if (status.ok() && !answer_.has_value()) {
    status = ApplyEnvironment();
    if (status.ok()) status = ApplyArguments();
    if (status.ok()) status = CheckAll();
    if (print_config_) answer_ = Config();
  }
  if (!status.ok()) {
    std::fprintf(stderr, "%s: %s\n", program_.c_str(), std::string(status.message()).c_str());
    return 2;
  }
  if (!answer_.has_value()) return std::nullopt;
  std::fputs(answer_->c_str(), stdout);
  std::fflush(stdout);
  return 0;
}

}  // namespace seatlock::runtime
