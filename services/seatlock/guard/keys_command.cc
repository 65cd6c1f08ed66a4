#include "services/seatlock/guard/keys_command.h"

#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/base/random.h"
#include "services/seatlock/guard/key_file.h"

namespace seatlock::guard {
namespace {

constexpr char kHelp[] = R"(A key for somebody who calls seatlockd.

Usage: seatlockd keys new --scopes SCOPES [--id NAME]

  --scopes SCOPES   what its owner may do: lock, book, watch, admin, with commas between
  --id NAME         who that is, for records and logs [key- and 8 random digits]

The first line is the key: give it to its owner, it is kept nowhere. The second line is for the
file that --auth-keys names; it tells nobody the key.
)";

constexpr size_t kKeyBytes = 32;
constexpr size_t kIdBytes = 4;

struct Arguments {
  std::string id;
  std::optional<ScopeSet> scopes;
};

absl::Status Wrong(std::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat(std::string(what), " (see seatlockd keys --help)"));
}

absl::Status Set(const std::string& name, const std::string& value, Arguments* arguments) {
  if (name == "--id") {
    if (!IsKeyId(value)) {
      return Wrong("--id must have 1 to 128 printable ASCII characters, and not begin with #");
    }
    arguments->id = value;
    return absl::OkStatus();
  }
  if (name != "--scopes") return Wrong("only --scopes and --id are known");
  absl::StatusOr<ScopeSet> scopes = ScopeSet::Parse(value);
  if (!scopes.ok()) return Wrong(absl::StrCat("--scopes ", scopes.status().message()));
  arguments->scopes = *scopes;
  return absl::OkStatus();
}

// --name=value or --name value.
absl::StatusOr<Arguments> Parse(const std::vector<std::string>& args) {
  if (args.empty() || args[0] != "new") return Wrong("the command must be: new");
  Arguments arguments;
  for (size_t i = 1; i < args.size(); ++i) {
    const size_t equals = args[i].find('=');
    const bool joined = equals != std::string::npos;
    if (!joined && i + 1 == args.size()) return Wrong("--scopes and --id need a value");
    const std::string name = args[i].substr(0, equals);
    const std::string value = joined ? args[i].substr(equals + 1) : args[++i];
    if (absl::Status status = Set(name, value, &arguments); !status.ok()) return status;
  }
  if (!arguments.scopes) return Wrong("--scopes must be given");
  if (arguments.id.empty()) arguments.id = absl::StrCat("key-", base::RandomHex(kIdBytes));
  return arguments;
}

}  // namespace

int RunKeysCommand(const std::vector<std::string>& args, std::FILE* out, std::FILE* err) {
  for (const std::string& arg : args) {
    if (arg != "--help" && arg != "-h") continue;
    std::fputs(kHelp, out);
    return 0;
  }
  const absl::StatusOr<Arguments> arguments = Parse(args);
  if (!arguments.ok()) {
    std::fprintf(err, "seatlockd: %s\n", std::string(arguments.status().message()).c_str());
    return 2;
  }
  const std::string key =
      absl::WebSafeBase64Escape(absl::HexStringToBytes(base::RandomHex(kKeyBytes)));
  std::fprintf(out, "%s\n%s\n", key.c_str(),
               KeyLine(arguments->id, Sha256(key), *arguments->scopes).c_str());
  return 0;
}

}  // namespace seatlock::guard
