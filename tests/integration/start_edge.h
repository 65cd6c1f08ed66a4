// Starts a real seatlock-edge of a test.
#pragma once

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <utility>

#include "tests/testing/programs.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::testing {

// In front of `upstream`, a list of servers; a failure is the test's. If `edge` has run before, the
// new one has its port.
inline void StartEdgeOn(const std::string& upstream, std::unique_ptr<Program>& edge,
                        ProgramOptions options = {}) {
  options.binary = EDGE_BINARY;
  options.upstream = upstream;
  if (edge != nullptr) options.listen = edge->address();
  auto started = StartEdge(options);
  ASSERT_THAT(started, IsOk());
  edge = *std::move(started);
}

}  // namespace seatlock::testing
