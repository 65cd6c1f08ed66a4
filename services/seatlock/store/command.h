// `seatlockd store …`: what an operator does with a store's files.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "common/base/clock.h"

namespace seatlock::store {

// Where a command writes, and what time it is for its progress.
struct Console {
  std::FILE* out;
  std::FILE* err;
  const base::Clock& clock;
};

// Runs the command that `args` say, without "seatlockd store". The exit code: 0 only if all is
// well; 1 after one line on `err`, or after verify's report of a fault; 2 after one line on `err`
// that says what is wrong with `args`.
int RunStoreCommand(const std::vector<std::string>& args, const Console& console);

}  // namespace seatlock::store
