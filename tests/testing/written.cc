#include "tests/testing/written.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/mutex.h"

namespace seatlock::testing {
namespace {

void AppendTo(const char* folder_variable, pid_t pid, std::string_view bytes) {
  static base::Mutex mu;
  const char* folder = std::getenv(folder_variable);
  if (folder == nullptr) return;
  base::MutexLock lock(mu);
  std::ofstream file(absl::StrCat(folder, "/", getpid(), "-", pid), std::ios::app);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace

void RegisterSecret(std::string_view secret) {
  AppendTo("SEATLOCK_TEST_SECRETS", getpid(), std::string(secret) + "\n");
}

void KeepOutput(pid_t pid, std::string_view bytes) {
  AppendTo("SEATLOCK_TEST_LOGS", pid, bytes);
}

}  // namespace seatlock::testing
