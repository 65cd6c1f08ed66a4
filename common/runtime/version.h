// What this build is: the project's version and the git revision it was built from. Immutable.
#pragma once

#include <string>
#include <string_view>

namespace seatlock::runtime {

// "0.1.0".
std::string_view Version();

// The first 12 digits of the commit, or "unknown" where the build was not made from a git checkout.
std::string_view GitRevision();

// "seatlockd 0.1.0 (0123456789ab)".
std::string VersionLine(std::string_view program);

// {"program":"seatlockd","version":"0.1.0","revision":"0123456789ab"}
std::string VersionJson(std::string_view program);

}  // namespace seatlock::runtime
