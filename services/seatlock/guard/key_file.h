// The file of --auth-keys: who may call, and with which scopes.
//
//   # one caller a line; blank lines and those that begin with # count for nothing
//   shop        sha256:9f86d0…  lock,book
//   box-office  cert:2c26b4…    book
//
// A line has an id, the SHA-256 in hexadecimal of a key or of a client certificate (its DER form),
// and scopes. Whoever reads the file learns no key. One id may stand in several lines, so that a
// new key works before the old one is struck off. Immutable after Parse; movable; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "services/seatlock/domain/limits.h"
#include "services/seatlock/guard/scopes.h"

namespace seatlock::guard {

// Somebody who may call.
struct Identity {
  std::string principal{};  // the id of a key or certificate, or a token's subject
  ScopeSet scopes{};
};

inline constexpr size_t kKeyFileBytesMax = 1 << 20;
// A key for each server of a large shop, and a second one for each while they are replaced.
inline constexpr size_t kKeysMax = 10'000;
// As other ids have, so that records and log lines can take it.
inline constexpr size_t kPrincipalBytesMax = 128;
static_assert(kPrincipalBytesMax <= domain::kPrincipalBytesMax);

class KeyFile {
 public:
  // INVALID_ARGUMENT is one line that begins with `name` and the line's number, such as
  // "keys.txt:3: ...", and repeats nothing of the file.
  static absl::StatusOr<KeyFile> Parse(std::string_view text, std::string_view name);

  // Null: nobody's. Both take the SHA-256, 32 bytes.
  const Identity* OfKey(std::string_view digest) const { return keys_.Find(digest); }
  const Identity* OfCertificate(std::string_view digest) const {
    return certificates_.Find(digest);
  }
  bool has_certificates() const { return !certificates_.empty(); }

 private:
  // By the first bytes of the digest; the whole of it is compared in constant time.
  class Table {
   public:
    // False: it is there already.
    bool Add(std::string digest, Identity identity);
    const Identity* Find(std::string_view digest) const;
    bool empty() const { return entries_.empty(); }
    size_t size() const { return entries_.size(); }

   private:
    struct Entry {
      std::string digest;
      Identity identity;
    };
    absl::flat_hash_map<uint64_t, Entry> entries_;
  };

  absl::Status AddLine(std::string_view line);

  Table keys_;
  Table certificates_;
};

// The line for a file as above. `digest`: of the key, 32 bytes.
std::string KeyLine(const std::string& id, std::string_view digest, ScopeSet scopes);

// Whether `id` may stand in a key file: 1 to 128 bytes of printable ASCII without blanks, and it
// does not begin with '#'.
bool IsKeyId(std::string_view id);

// SHA-256, 32 bytes.
std::string Sha256(std::string_view bytes);

}  // namespace seatlock::guard
