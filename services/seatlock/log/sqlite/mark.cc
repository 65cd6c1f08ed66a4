#include "services/seatlock/log/sqlite/mark.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/seatlock/log/chain.h"
#include "services/seatlock/log/showtime_log.h"
#include "services/seatlock/log/sqlite/files.h"

namespace seatlock::log {
namespace {

constexpr std::string_view kMagic("SLMARK1\n", 8);
constexpr size_t kGenerationChars = 2 * kGenerationBytes;
// magic, sequence, commits, floor, restoring, generation; then a checksum.
constexpr size_t kBodyBytes = 8 + 8 + 8 + 8 + 8 + kGenerationChars;
constexpr size_t kSlotBytes = kBodyBytes + 16;
constexpr off_t kSlotOffset = 4096;  // the second slot's, in another page

void PutNumber(std::string& out, uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}

uint64_t NumberAt(std::string_view bytes, size_t offset) {
  uint64_t value = 0;
  for (size_t i = 0; i < 8; ++i) value = value << 8 | static_cast<uint8_t>(bytes[offset + i]);
  return value;
}

std::string ChecksumOf(std::string_view body) {
  const Chain hash = ChainNext(Chain{}, domain::Revision(0), body);
  return std::string(reinterpret_cast<const char*>(hash.data()), kSlotBytes - kBodyBytes);
}

std::string Encode(const MarkRecord& record, uint64_t sequence) {
  std::string bytes(kMagic);
  PutNumber(bytes, sequence);
  PutNumber(bytes, record.commits);
  PutNumber(bytes, record.floor);
  PutNumber(bytes, record.restoring ? 1 : 0);
  bytes += record.generation;
  bytes.resize(kBodyBytes, '\0');
  return bytes + ChecksumOf(bytes);
}

// The slot's record and its sequence; none where the slot was never written, or only in part.
std::optional<std::pair<uint64_t, MarkRecord>> Decode(std::string_view slot) {
  if (slot.size() != kSlotBytes || slot.substr(0, kMagic.size()) != kMagic) return std::nullopt;
  if (ChecksumOf(slot.substr(0, kBodyBytes)) != slot.substr(kBodyBytes)) return std::nullopt;
  MarkRecord record;
  record.commits = NumberAt(slot, 16);
  record.floor = NumberAt(slot, 24);
  record.restoring = NumberAt(slot, 32) != 0;
  record.generation = std::string(slot.substr(40, kGenerationChars));
  return std::pair{NumberAt(slot, 8), std::move(record)};
}

std::string SlotAt(int fd, off_t offset) {
  std::string slot(kSlotBytes, '\0');
  const ssize_t got = pread(fd, slot.data(), slot.size(), offset);
  slot.resize(got < 0 ? 0 : static_cast<size_t>(got));
  return slot;
}

struct Slots {
  std::optional<std::pair<uint64_t, MarkRecord>> newer;
  std::optional<std::pair<uint64_t, MarkRecord>> older;
};

Slots SlotsOf(int fd) {
  Slots slots{.newer = Decode(SlotAt(fd, 0)), .older = Decode(SlotAt(fd, kSlotOffset))};
  const bool swapped = !slots.newer || (slots.older && slots.older->first > slots.newer->first);
  if (swapped) std::swap(slots.newer, slots.older);
  return slots;
}

absl::Status Failed(const std::string& path) {
  return absl::UnavailableError(absl::StrCat("cannot write ", path, ": ", std::strerror(errno)));
}

}  // namespace

std::optional<MarkRecord> Mark::Read(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  Slots slots = SlotsOf(fd);
  close(fd);
  if (!slots.newer) return std::nullopt;
  return std::move(slots.newer->second);
}

absl::StatusOr<Mark> Mark::Create(const std::string& path, MarkRecord record) {
  const std::string made = path + ".new";
  absl::StatusOr<Mark> mark = CreateAs(made, path, std::move(record));
  if (!mark.ok()) unlink(made.c_str());  // half of it takes space that the disk may lack
  return mark;
}

absl::StatusOr<Mark> Mark::CreateAs(const std::string& made, const std::string& path,
                                    MarkRecord record) {
  const int fd = open(made.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return Failed(made);
  Mark mark(fd, std::move(record));
  const std::string slot = Encode(mark.record_, mark.sequence_);
  // Both slots are there from the start, so that writing one later needs no space.
  for (const off_t offset : {off_t{0}, kSlotOffset}) {
    const ssize_t wrote = pwrite(fd, slot.data(), slot.size(), offset);
    if (wrote != static_cast<ssize_t>(slot.size())) return Failed(made);
  }
  if (fsync(fd) != 0 || rename(made.c_str(), path.c_str()) != 0) return Failed(path);
  if (absl::Status status = SyncFolderOf(path); !status.ok()) return status;
  return mark;
}

absl::StatusOr<Mark> Mark::GoOn(const std::string& path, MarkRecord record) {
  const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return Failed(path);
  Mark mark(fd, std::move(record));
  const Slots slots = SlotsOf(fd);
  if (!slots.older) return absl::UnavailableError(path + " is damaged");
  mark.sequence_ = slots.newer->first;
  absl::Status status = mark.Write(mark.record_.commits, mark.record_.floor);
  if (status.ok() && fdatasync(fd) != 0) status = Failed(path);
  if (!status.ok()) return status;
  return mark;
}

Mark::~Mark() {
  if (fd_ >= 0) close(fd_);
}

Mark::Mark(Mark&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      record_(std::move(other.record_)),
      sequence_(other.sequence_) {}

Mark& Mark::operator=(Mark&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(record_, other.record_);
  std::swap(sequence_, other.sequence_);
  return *this;
}

absl::Status Mark::Write(uint64_t commits, uint64_t floor) {
  record_.commits = commits;
  record_.floor = floor;
  const std::string slot = Encode(record_, ++sequence_);
  const off_t offset = sequence_ % 2 == 0 ? kSlotOffset : 0;
  const ssize_t wrote = pwrite(fd_, slot.data(), slot.size(), offset);
  return wrote == static_cast<ssize_t>(slot.size()) ? absl::OkStatus() : Failed("the mark");
}

void Mark::Sync() {
  static_cast<void>(fdatasync(fd_));
}

}  // namespace seatlock::log
