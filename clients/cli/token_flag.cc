#include "clients/cli/token_flag.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "common/base/token_file.h"

namespace seatlock::cli {
namespace {

constexpr char kFlag[] = "--token-file";
constexpr char kVariable[] = "SEATCTL_TOKEN_FILE";

}  // namespace

void AddTokenFlag(std::string* path, CLI::App* app) {
  app->add_option(kFlag, *path, "the key or token that says who calls, alone in a file")
      ->envname(kVariable)
      ->type_name("FILE");
}

std::string TakeToken(const std::string& path, const CLI::App& app,
                      std::function<std::string()>* taken) {
  const char* variable = std::getenv(kVariable);
  if (path.empty()) {
    if (app.count(kFlag) > 0) return absl::StrCat(kFlag, " must name a file");
    return variable == nullptr ? "" : absl::StrCat(kVariable, " must name a file, or not be set");
  }
  const absl::StatusOr<std::string> token = base::ReadTokenFile(path);
  if (!token.ok()) return std::string(token.status().message());
  *taken = [path] { return base::ReadTokenFile(path).value_or(""); };
  return "";
}

}  // namespace seatlock::cli
