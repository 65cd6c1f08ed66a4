// What a test run writes, and which secrets it used, for the search at its end
// (tests/checks/written_secrets.py). Both do nothing unless `./dev test` asked for it by the
// variables SEATLOCK_TEST_LOGS and SEATLOCK_TEST_SECRETS, which name folders. Thread-safe; both
// block for the disk.
#pragma once

#include <sys/types.h>

#include <string_view>

namespace seatlock::testing {

// A key, a token, a cookie: what must stand in no log. 16 bytes or more, in one line; a private key
// in PEM is registered by its lines.
void RegisterSecret(std::string_view secret);

// Output of the child process `pid`.
void KeepOutput(pid_t pid, std::string_view bytes);

}  // namespace seatlock::testing
