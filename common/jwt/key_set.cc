#include "common/jwt/key_set.h"

#include <boost/json/parse.hpp>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/jwt/key.h"
#include "common/jwt/limits.h"

namespace seatlock::jwt {
namespace {

namespace json = boost::json;

// The "keys" of the set. `root` keeps them.
absl::StatusOr<const json::array*> KeysOf(const json::value& root) {
  const json::object* set = root.if_object();
  const json::value* value = set ? set->if_contains("keys") : nullptr;
  const json::array* keys = value ? value->if_array() : nullptr;
  if (keys == nullptr || set->size() != 1) {
    return absl::InvalidArgumentError("must be {\"keys\": [...]} and nothing else");
  }
  if (keys->empty() || keys->size() > kKeysMax) {
    return absl::InvalidArgumentError(absl::StrCat("must have 1 to ", kKeysMax, " keys"));
  }
  return keys;
}

}  // namespace

std::string_view NameOf(Alg alg) {
  switch (alg) {
    case Alg::kRs256:
      return "RS256";
    case Alg::kEs256:
      return "ES256";
    case Alg::kHs256:
      return "HS256";
  }
  return "";
}

KeySet::KeySet() = default;
KeySet::KeySet(KeySet&&) noexcept = default;
KeySet& KeySet::operator=(KeySet&&) noexcept = default;
KeySet::~KeySet() = default;

absl::StatusOr<KeySet> KeySet::Parse(std::string_view text, SharedSecrets secrets) {
  if (text.size() > kJwksBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat("has more than ", kJwksBytesMax, " bytes"));
  }
  json::error_code error;
  const json::value root =
      json::parse({text.data(), text.size()}, error, {}, {.max_depth = kJsonDepthMax});
  if (error) return absl::InvalidArgumentError("is no JSON, or nests too deep");
  const absl::StatusOr<const json::array*> list = KeysOf(root);
  if (!list.ok()) return list.status();
  KeySet set;
  for (const json::value& entry : **list) {
    const std::string which = absl::StrCat("key ", set.keys_.size() + 1, " ");
    const json::object* jwk = entry.if_object();
    if (jwk == nullptr) return absl::InvalidArgumentError(absl::StrCat(which, "is no object"));
    absl::StatusOr<std::unique_ptr<const Key>> key = Key::Parse(*jwk, secrets);
    if (!key.ok()) return absl::InvalidArgumentError(absl::StrCat(which, key.status().message()));
    for (const auto& other : set.keys_) {
      if ((*key)->id().empty() || other->id() != (*key)->id()) continue;
      return absl::InvalidArgumentError(absl::StrCat(which, "has the kid of another"));
    }
    set.keys_.push_back(*std::move(key));
  }
  return set;
}

bool KeySet::Verify(Alg alg, const std::string* key_id, std::string_view signed_text,
                    std::string_view signature) const {
  for (const auto& key : keys_) {
    if (key->alg() != alg || (key_id != nullptr && key->id() != *key_id)) continue;
    if (key->Verify(signed_text, signature)) return true;
  }
  return false;
}

}  // namespace seatlock::jwt
