// Small files read whole: keys, tokens, certificates. Free functions, thread-safe; they block for
// the disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace seatlock::base {

// What tells one content of a file from the next without reading it. The same stamp at two looks a
// second apart: nobody has written meanwhile.
struct FileStamp {
  bool there = false;
  uint64_t device = 0;
  uint64_t inode = 0;
  int64_t bytes = 0;
  int64_t modified_ns = 0;
  int64_t changed_ns = 0;

  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

// Of the file that `path` leads to, through links. `there` is false if there is none.
FileStamp StampOf(const std::string& path);

// The whole of a regular file. An error, in words that begin with the path, if it cannot be opened
// or read (NOT_FOUND if it is not there), is no regular file, or has more than `bytes_max` bytes.
// An error never repeats what is in the file.
absl::StatusOr<std::string> ReadFile(const std::string& path, size_t bytes_max);

// Whether users who need not may read or write the file: everybody, or its group if the file is
// this process's own. The group of somebody else's file is how this process comes to read it.
bool OpenToOthers(const std::string& path);

}  // namespace seatlock::base
