#include "services/seatlock/log/redis/keys.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "services/seatlock/log/redis/limits.h"

namespace seatlock::log {

int PartitionOf(const domain::ShowtimeId& showtime) {
  // FNV-1a: in the names of the keys, so it must never change.
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : showtime.value()) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return static_cast<int>((hash ^ (hash >> 32)) % kRedisPartitions);
}

std::string EncodedId(const domain::ShowtimeId& showtime) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : showtime.value()) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || c == '-' || c == '_' || c == '.' || c == '~') {
      encoded += c;
    } else {
      encoded += '%';
      encoded += kDigits[byte >> 4];
      encoded += kDigits[byte & 15];
    }
  }
  return encoded;
}

std::string PartitionKey(absl::string_view prefix, int partition, absl::string_view name) {
  return absl::StrCat("{", prefix, ":", absl::Dec(partition, absl::kZeroPad2), "}:", name);
}

std::string ShowtimeKey(absl::string_view prefix, const domain::ShowtimeId& showtime,
                        absl::string_view name) {
  return absl::StrCat(PartitionKey(prefix, PartitionOf(showtime), name), ":", EncodedId(showtime));
}

std::string HintChannel(absl::string_view prefix, int partition) {
  return absl::StrCat(prefix, ":", absl::Dec(partition, absl::kZeroPad2));
}

std::string InstallationKey(absl::string_view prefix) {
  return absl::StrCat("{", prefix, ":meta}:installation");
}

}  // namespace seatlock::log
