// Whole files of stores: copied while a server writes, taken into use, made smaller.
//
// Each function blocks for as long as the disk takes. Errors are UNAVAILABLE, FAILED_PRECONDITION
// (the file is not there, no store, in use where it must not be) and DATA_LOSS.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/seatlock/log/sqlite/mark.h"

namespace seatlock::log {

// Of `total`, `done` are done. False: stop.
using ProgressCallback = std::function<bool(int64_t done, int64_t total)>;

// 16 MiB a step: a step's own costs vanish, and progress moves.
inline constexpr int kCopyPages = 4096;

// Copies the store at `from` as it is at one moment into the new file `to`, which says of itself
// that it is a copy (schema.h, is_copy), and syncs it. Writers of `from` go on meanwhile, and cost
// no second pass, unless nobody had it open before (one_moment.h). CANCELLED: `progress` said stop.
absl::Status CopyStore(const std::string& from, const std::string& to,
                       const ProgressCallback& progress, int pages_a_step = kCopyPages);

// Makes the copy at `path` a store to be used: brings it up to date, gives it another generation,
// leaves it as one synced file. What its mark is to say.
absl::StatusOr<MarkRecord> AdoptCopy(const std::string& path);

// Moves all of the store's write-ahead log into its file, and removes it. Another file's log is
// moved aside (opening.h). Nobody may have the store open; its lock is held. Returns what an
// operator should hear; empty for nothing.
absl::StatusOr<std::string> MakeOneFile(const std::string& path);

// Writes the store's file anew without what was trimmed from it. Meanwhile it needs the space of
// the new content twice in the store's folder: in a temporary file, if this is the process's first
// use of SQLite, and in the write-ahead log. As MakeOneFile.
absl::StatusOr<std::string> Compact(const std::string& path);

}  // namespace seatlock::log
