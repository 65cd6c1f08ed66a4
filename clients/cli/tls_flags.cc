#include "clients/cli/tls_flags.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <array>
#include <cstdlib>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/tls/certificate_files.h"

namespace seatlock::cli {
namespace {

struct Flag {
  const char* name;
  const char* variable;
  const char* help;
  std::string client::TlsOptions::*value;
};

constexpr std::array kFlags = {
    Flag{"--ca", "SEATCTL_CA",
         "PEM: who may have signed the servers' certificates; turns TLS on. Public authorities are "
         "in /etc/ssl/certs/ca-certificates.crt",
         &client::TlsOptions::ca},
    Flag{"--cert", "SEATCTL_CERT", "PEM: your own certificate, if the servers ask for one",
         &client::TlsOptions::cert},
    Flag{"--key", "SEATCTL_KEY", "PEM: the key of --cert", &client::TlsOptions::key},
};

}  // namespace

void AddTlsFlags(client::TlsOptions* tls, CLI::App* app) {
  for (const Flag& flag : kFlags) {
    app->add_option(flag.name, tls->*flag.value, flag.help)
        ->envname(flag.variable)
        ->type_name("FILE");
  }
}

std::string TakeTls(const client::TlsOptions& tls, const CLI::App& app,
                    std::optional<client::TlsOptions>* taken) {
  for (const Flag& flag : kFlags) {
    const char* variable = std::getenv(flag.variable);
    const bool left_empty = variable != nullptr && *variable == '\0' && app.count(flag.name) == 0;
    if (left_empty) return absl::StrCat(flag.variable, " must name a file, or not be set");
    if (app.count(flag.name) > 0 && (tls.*flag.value).empty()) {
      return absl::StrCat(flag.name, " must name a file");
    }
  }
  if (tls.cert.empty() != tls.key.empty()) return "--cert and --key go together: one is missing";
  if (tls.ca.empty()) return tls.cert.empty() ? "" : "--cert and --key need --ca";
  absl::Status read = tls::LoadAuthorities(tls.ca).status();
  if (read.ok() && !tls.cert.empty()) read = tls::LoadIdentity(tls.cert, tls.key).status();
  if (!read.ok()) return std::string(read.message());
  *taken = tls;
  return "";
}

}  // namespace seatlock::cli
