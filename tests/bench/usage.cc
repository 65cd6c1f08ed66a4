#include "tests/bench/usage.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace seatlock::bench {
namespace {

std::string Folder(pid_t pid) {
  return "/proc/" + std::to_string(pid);
}

std::vector<std::filesystem::path> Threads(pid_t pid) {
  std::vector<std::filesystem::path> threads;
  std::error_code gone;
  for (const auto& entry : std::filesystem::directory_iterator(Folder(pid) + "/task", gone)) {
    threads.push_back(entry.path());
  }
  return threads;
}

}  // namespace

std::vector<pid_t> WithChildren(pid_t pid) {
  std::vector<pid_t> all = {pid};
  for (size_t i = 0; i < all.size(); ++i) {
    for (const std::filesystem::path& thread : Threads(all[i])) {
      std::ifstream children(thread / "children");
      for (pid_t child = 0; children >> child;) all.push_back(child);
    }
  }
  return all;
}

uint64_t CpuNs(const std::vector<pid_t>& pids) {
  uint64_t sum = 0;
  for (const pid_t pid : pids) {
    for (const std::filesystem::path& thread : Threads(pid)) {
      uint64_t on_core = 0;
      if (std::ifstream(thread / "schedstat") >> on_core) sum += on_core;
    }
  }
  return sum;
}

uint64_t AnonymousBytes(const std::vector<pid_t>& pids) {
  uint64_t kib = 0;
  for (const pid_t pid : pids) {
    std::ifstream rollup(Folder(pid) + "/smaps_rollup");
    for (std::string line; std::getline(rollup, line);) {
      std::istringstream fields(line);
      std::string name;
      uint64_t size = 0;
      if (fields >> name >> size && name == "Anonymous:") kib += size;
    }
  }
  return kib * 1024;
}

}  // namespace seatlock::bench
