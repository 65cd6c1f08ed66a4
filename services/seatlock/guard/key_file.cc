#include "services/seatlock/guard/key_file.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace seatlock::guard {
namespace {

absl::string_view View(std::string_view text) {
  return {text.data(), text.size()};
}

// The first 8 bytes.
uint64_t SlotOf(std::string_view digest) {
  uint64_t slot = 0;
  std::memcpy(&slot, digest.data(), sizeof(slot));
  return slot;
}

bool IsDigest(absl::string_view hex) {
  return hex.size() == 2 * SHA256_DIGEST_LENGTH && std::all_of(hex.begin(), hex.end(), [](char c) {
           return absl::ascii_isxdigit(static_cast<unsigned char>(c));
         });
}

}  // namespace

std::string Sha256(std::string_view bytes) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

bool IsKeyId(std::string_view id) {
  return !id.empty() && id.size() <= kPrincipalBytesMax && id.front() != '#' &&
         std::all_of(id.begin(), id.end(),
                     [](char c) { return absl::ascii_isgraph(static_cast<unsigned char>(c)); });
}

std::string KeyLine(const std::string& id, std::string_view digest, ScopeSet scopes) {
  return absl::StrCat(id, " sha256:", absl::BytesToHexString(View(digest)), " ", scopes.ToString());
}

bool KeyFile::Table::Add(std::string digest, Identity identity) {
  const uint64_t slot = SlotOf(digest);
  return entries_.emplace(slot, Entry{std::move(digest), std::move(identity)}).second;
}

// Which entry is looked at tells at most the first bytes of the digest of what the caller sent, and
// nothing of how to make it another.
const Identity* KeyFile::Table::Find(std::string_view digest) const {
  if (digest.size() != SHA256_DIGEST_LENGTH) return nullptr;
  const auto found = entries_.find(SlotOf(digest));
  if (found == entries_.end()) return nullptr;
  const bool same =
      CRYPTO_memcmp(found->second.digest.data(), digest.data(), SHA256_DIGEST_LENGTH) == 0;
  return same ? &found->second.identity : nullptr;
}

absl::Status KeyFile::AddLine(std::string_view line) {
  const std::vector<absl::string_view> words =
      absl::StrSplit(View(line), absl::ByAnyChar(" \t"), absl::SkipEmpty());
  if (words.size() != 3) {
    return absl::InvalidArgumentError("must be: ID sha256:HEX SCOPES, or ID cert:HEX SCOPES");
  }
  const std::string id(words[0]);
  if (!IsKeyId(id)) {
    return absl::InvalidArgumentError("the id must have 1 to 128 printable ASCII characters");
  }
  absl::string_view hex = words[1];
  const bool is_certificate = absl::ConsumePrefix(&hex, "cert:");
  if ((!is_certificate && !absl::ConsumePrefix(&hex, "sha256:")) || !IsDigest(hex)) {
    return absl::InvalidArgumentError(
        "the second word must be sha256: or cert: and 64 hexadecimal digits");
  }
  absl::StatusOr<ScopeSet> scopes = ScopeSet::Parse({words[2].data(), words[2].size()});
  if (!scopes.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("scopes ", scopes.status().message()));
  }
  Table& table = is_certificate ? certificates_ : keys_;
  if (keys_.size() + certificates_.size() == kKeysMax) {
    return absl::InvalidArgumentError(absl::StrCat("more than ", kKeysMax, " keys"));
  }
  if (!table.Add(absl::HexStringToBytes(hex), {id, *scopes})) {
    return absl::InvalidArgumentError("the same key stands in an earlier line");
  }
  return absl::OkStatus();
}

absl::StatusOr<KeyFile> KeyFile::Parse(std::string_view text, std::string_view name) {
  KeyFile file;
  size_t number = 0;
  for (const absl::string_view raw : absl::StrSplit(View(text), '\n')) {
    ++number;
    const absl::string_view line = absl::StripAsciiWhitespace(raw);
    if (line.empty() || line.front() == '#') continue;
    const absl::Status status = file.AddLine({line.data(), line.size()});
    if (!status.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(View(name), ":", number, ": ", status.message()));
    }
  }
  if (file.keys_.empty() && file.certificates_.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(View(name), ": has no key"));
  }
  return file;
}

}  // namespace seatlock::guard
