// The public keys (or shared secrets) that tokens are checked with: a JSON Web Key Set, RFC 7517.
//
// A set is taken whole or not at all. What could weaken it is refused, so that it is noticed when
// the program starts and not when somebody uses it: a key without an `alg`, an algorithm other than
// RS256, ES256 and HS256, a short key, a key meant for something else (`use`, `key_ops`), a private
// key, two keys of one `kid`, a field that is not known here.
//
// Immutable after Parse; movable; thread-safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace seatlock::jwt {

// What a key signs with (RFC 7518). A token never chooses: its header must name its key's.
enum class Alg { kRs256, kEs256, kHs256 };
std::string_view NameOf(Alg alg);

// Whether secrets that both sides share (HS256, kty "oct") are allowed in a set. Whoever can check
// a token with one can make tokens, too.
enum class SharedSecrets { kRefused, kAllowed };

class Key;

class KeySet {
 public:
  // Reads a JWKS. INVALID_ARGUMENT says in one line which key is wrong and why, and repeats no key.
  static absl::StatusOr<KeySet> Parse(std::string_view json, SharedSecrets secrets);

  KeySet(KeySet&&) noexcept;
  KeySet& operator=(KeySet&&) noexcept;
  ~KeySet();

  // Whether one of the keys made `signature` (raw bytes) over `signed_text` by `alg`. With a
  // `key_id` that key alone is tried, else all keys of that algorithm.
  bool Verify(Alg alg, const std::string* key_id, std::string_view signed_text,
              std::string_view signature) const;

  size_t size() const { return keys_.size(); }

 private:
  KeySet();
  std::vector<std::unique_ptr<const Key>> keys_;
};

}  // namespace seatlock::jwt
