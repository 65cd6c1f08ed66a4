// The mark beside a store's file: which history the file held last, and how far it had come.
//
// A file that was put back to an earlier state holds nothing that says so; its mark does. It keeps
// the generation, a lower bound of the file's commits (written after each commit and before that is
// acknowledged), and a lower bound of what the main file holds without its write-ahead log.
//
// Writing costs one small write into the page cache, which outlives the process; a power cut may
// lose the newest ones, and the bound is then lower, never too high. Two slots in different pages
// are written in turn, so that one is whole whatever is cut short.
//
// Thread-compatible.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace seatlock::log {

struct MarkRecord {
  std::string generation;  // kGenerationBytes, as hexadecimal digits
  uint64_t commits = 0;    // the store has at least so many
  uint64_t floor = 0;      // the main file alone has at least so many
  bool restoring = false;  // a restore has begun and not ended

  friend bool operator==(const MarkRecord&, const MarkRecord&) = default;
};

class Mark {
 public:
  // What the mark at `path` says. None: it is not there, or cannot be made sense of.
  static std::optional<MarkRecord> Read(const std::string& path);

  // Writes a new mark in place of what is at `path`, for certain. UNAVAILABLE: it cannot.
  static absl::StatusOr<Mark> Create(const std::string& path, MarkRecord record);

  // Goes on with the mark that is at `path`, in place: needs no space on the disk. UNAVAILABLE: it
  // cannot, or one slot of it is damaged.
  static absl::StatusOr<Mark> GoOn(const std::string& path, MarkRecord record);

  ~Mark();
  Mark(Mark&& other) noexcept;
  Mark& operator=(Mark&& other) noexcept;

  // Raises the bounds. Not synced: see above.
  absl::Status Write(uint64_t commits, uint64_t floor);
  // Makes sure that what was written outlives a power cut.
  void Sync();

  const MarkRecord& record() const { return record_; }

 private:
  // Makes it as the file `made`, and renames that.
  static absl::StatusOr<Mark> CreateAs(const std::string& made, const std::string& path,
                                       MarkRecord record);

  Mark(int fd, MarkRecord record) : fd_(fd), record_(std::move(record)) {}

  int fd_;
  MarkRecord record_;
  uint64_t sequence_ = 1;  // of the last slot written
};

}  // namespace seatlock::log
