// The table: what a server of RFC 6455 has to stand, in the classes of the Autobahn test suite,
// whose sections the names of the functions follow (its numbers stand beside the cases). Autobahn
// wants an echo server; the edge echoes the showtimeId of an unsubscribe, answers {"type":"ping"}
// with a pong, and takes text alone, of at most 4 KiB. Where Autobahn lets "non-strict" pass, this
// table does not.
#pragma once

#include <string>
#include <vector>

#include "tests/integration/edge/rfc6455_runner.h"

namespace seatlock::testing::rfc6455 {

std::vector<Case> FramingCases();        // 1
std::vector<Case> PingCases();           // 2
std::vector<Case> ReservedBitCases();    // 3
std::vector<Case> OpcodeCases();         // 4
std::vector<Case> FragmentationCases();  // 5
std::vector<Case> Utf8Cases();           // 6
std::vector<Case> FailFastCases();       // 6.4, for every bad sequence
std::vector<Case> CloseCases();          // 7
std::vector<Case> LimitCases();          // 9, 10
std::vector<Case> UpgradeCases();        // Frames on the heels of the upgrade's request.

// A message of the contract and its answer.
inline constexpr std::string_view kPingText = R"({"type":"ping"})";
Answer PongText();
// A message that is answered by the very `id`; for an id without control characters.
std::string EchoText(std::string_view id);
Answer EchoOf(std::string_view id);

// A message in frames of `bytes` payload bytes each.
std::string InFragments(std::string_view message, size_t bytes);

}  // namespace seatlock::testing::rfc6455
