// `seatlockd keys new`: a key for somebody who calls.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

namespace seatlock::guard {

// Runs the command that `args` say, without "seatlockd keys". `new --scopes SCOPES [--id NAME]`
// writes a new key alone on the first line of `out`, then the line for the file of --auth-keys,
// from which the key cannot be found out. The exit code: 0, or 2 after one line on `err`.
int RunKeysCommand(const std::vector<std::string>& args, std::FILE* out, std::FILE* err);

}  // namespace seatlock::guard
