// seatctl's flags for TLS to the servers.
#pragma once

#include <optional>
#include <string>

#include "seatlock/tls_options.h"

namespace CLI {
class App;
}

namespace seatlock::cli {

// Adds --ca, --cert and --key, and their variables. `tls` outlives the parse.
void AddTlsFlags(client::TlsOptions* tls, CLI::App* app);

// After the parse: what the commands get, nothing for plaintext. Reads the files. Returns what is
// wrong in one line, empty if nothing is: a variable that is set to nothing, a flag that is
// missing, a file that cannot be used.
std::string TakeTls(const client::TlsOptions& tls, const CLI::App& app,
                    std::optional<client::TlsOptions>* taken);

}  // namespace seatlock::cli
