#include "common/runtime/version.h"

#include "absl/strings/str_cat.h"
#include "common/runtime/json_text.h"
#include "seatlock_revision.h"

namespace seatlock::runtime {

std::string_view Version() {
  return SEATLOCK_VERSION;
}

std::string_view GitRevision() {
  return SEATLOCK_GIT_REVISION;
}

std::string VersionLine(std::string_view program) {
  return absl::StrCat(std::string(program), " ", std::string(Version()), " (",
                      std::string(GitRevision()), ")");
}

std::string VersionJson(std::string_view program) {
  return absl::StrCat("{\"program\":", JsonQuoted(program), ",\"version\":", JsonQuoted(Version()),
                      ",\"revision\":", JsonQuoted(GitRevision()), "}\n");
}

}  // namespace seatlock::runtime
