#include "common/jwt/token.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/jwt/base64url.h"
#include "common/jwt/limits.h"

namespace seatlock::jwt {
namespace {

namespace json = boost::json;

absl::Status Wrong(std::string what) {
  return absl::InvalidArgumentError(std::move(what));
}

// header.payload.signature
struct Parts {
  json::object header;
  json::object payload;
  std::string signature;
  std::string_view signed_text;
};

absl::StatusOr<json::object> ParseObject(std::string_view encoded, const char* what) {
  std::string text;
  if (!DecodeBase64Url(encoded, &text)) return Wrong(absl::StrCat(what, " is no base64url"));
  json::error_code error;
  json::value value = json::parse(text, error, {}, {.max_depth = kJsonDepthMax});
  if (error || !value.is_object()) return Wrong(absl::StrCat(what, " is no JSON object"));
  return std::move(value.get_object());
}

absl::StatusOr<Parts> Split(std::string_view token) {
  if (token.size() > kTokenBytesMax) return Wrong("is too long");
  const std::vector<absl::string_view> texts =
      absl::StrSplit(absl::string_view(token.data(), token.size()), '.');
  if (texts.size() != 3) return Wrong("is no signed token");
  const auto at = [&](int i) { return std::string_view(texts[i].data(), texts[i].size()); };
  Parts parts;
  absl::StatusOr<json::object> header = ParseObject(at(0), "has a header that");
  if (!header.ok()) return header.status();
  absl::StatusOr<json::object> payload = ParseObject(at(1), "has a payload that");
  if (!payload.ok()) return payload.status();
  if (!DecodeBase64Url(at(2), &parts.signature)) {
    return Wrong("has a signature that is no base64url");
  }
  parts.header = *std::move(header);
  parts.payload = *std::move(payload);
  parts.signed_text = token.substr(0, texts[0].size() + 1 + texts[1].size());
  return parts;
}

// A claim or header field that must be a text of at most `bytes_max` without control characters;
// nothing if it is not there.
absl::StatusOr<std::optional<std::string>> Text(const json::object& object, const char* name,
                                                size_t bytes_max) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr) return std::nullopt;
  const json::string* text = value->if_string();
  const auto control = [](char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)); };
  if (text == nullptr || text->empty() || text->size() > bytes_max ||
      std::any_of(text->begin(), text->end(), control)) {
    return Wrong(absl::StrCat("has a bad ", name));
  }
  return std::string(text->data(), text->size());
}

// A NumericDate in milliseconds; nothing if it is not there.
absl::StatusOr<std::optional<int64_t>> TimeMs(const json::object& payload, const char* name) {
  constexpr double kSecondsMax = 253402300799;  // the last second of the year 9999
  const json::value* value = payload.if_contains(name);
  if (value == nullptr) return std::nullopt;
  double seconds = -1;
  if (value->is_int64()) seconds = static_cast<double>(value->get_int64());
  if (value->is_uint64()) seconds = static_cast<double>(value->get_uint64());
  if (value->is_double()) seconds = value->get_double();
  if (!(seconds >= 0 && seconds <= kSecondsMax)) return Wrong(absl::StrCat("has a bad ", name));
  return static_cast<int64_t>(seconds * 1000);
}

absl::StatusOr<Alg> CheckHeader(const json::object& header) {
  if (header.contains("crit")) return Wrong("asks for extensions (crit)");
  // RFC 8725, 3.11: a token made for another purpose says so.
  absl::StatusOr<std::optional<std::string>> type = Text(header, "typ", kKeyIdBytesMax);
  if (!type.ok()) return type.status();
  if (*type && !absl::EqualsIgnoreCase(**type, "JWT") &&
      !absl::EqualsIgnoreCase(**type, "at+jwt") &&
      !absl::EqualsIgnoreCase(**type, "application/at+jwt")) {
    return Wrong("is of another type (typ)");
  }
  absl::StatusOr<std::optional<std::string>> name = Text(header, "alg", kKeyIdBytesMax);
  if (!name.ok()) return name.status();
  for (const Alg alg : {Alg::kRs256, Alg::kEs256, Alg::kHs256}) {
    if (*name && **name == NameOf(alg)) return alg;
  }
  return Wrong("has an alg that is not allowed");
}

absl::Status CheckSignature(const KeySet& keys, const Parts& parts) {
  const absl::StatusOr<Alg> alg = CheckHeader(parts.header);
  if (!alg.ok()) return alg.status();
  const absl::StatusOr<std::optional<std::string>> kid = Text(parts.header, "kid", kKeyIdBytesMax);
  if (!kid.ok()) return kid.status();
  if (!keys.Verify(*alg, *kid ? &**kid : nullptr, parts.signed_text, parts.signature)) {
    return Wrong("is signed by no key that is known here");
  }
  return absl::OkStatus();
}

absl::Status CheckIssuer(const json::object& payload, const Expected& expected) {
  const json::value* issuer = payload.if_contains("iss");
  if (expected.issuer.empty()) return absl::OkStatus();
  if (issuer == nullptr || !issuer->is_string() ||
      std::string_view(issuer->get_string().data(), issuer->get_string().size()) !=
          expected.issuer) {
    return Wrong("is of another issuer");
  }
  return absl::OkStatus();
}

absl::Status CheckAudience(const json::object& payload, const Expected& expected) {
  if (expected.audience.empty()) return absl::OkStatus();
  const json::value* audience = payload.if_contains("aud");
  const json::value wanted(expected.audience);
  const json::array* list = audience ? audience->if_array() : nullptr;
  const bool listed = list && std::find(list->begin(), list->end(), wanted) != list->end();
  if (listed || (audience != nullptr && *audience == wanted)) return absl::OkStatus();
  return Wrong("is for another audience");
}

// Of `exp`, `nbf` and `iat`; the first of these goes into `claims`.
absl::Status CheckTimes(const json::object& payload, int64_t now_ms, Claims* claims) {
  const absl::StatusOr<std::optional<int64_t>> expire_ms = TimeMs(payload, "exp");
  if (!expire_ms.ok()) return expire_ms.status();
  if (!*expire_ms) return Wrong("has no exp");
  claims->expire_ms = **expire_ms;
  for (const char* name : {"nbf", "iat"}) {
    const absl::StatusOr<std::optional<int64_t>> from_ms = TimeMs(payload, name);
    if (!from_ms.ok()) return from_ms.status();
    if (*from_ms && **from_ms > now_ms + kLeewayMs) {
      return Wrong(absl::StrCat("is not good yet (", name, ")"));
    }
  }
  return absl::OkStatus();
}

absl::Status ReadScopes(const json::object& payload, Claims* claims) {
  absl::StatusOr<std::optional<std::string>> scope = Text(payload, "scope", kTokenBytesMax);
  if (!scope.ok()) return scope.status();
  if (!*scope) return absl::OkStatus();
  claims->scopes = absl::StrSplit(**scope, ' ', absl::SkipEmpty());
  return claims->scopes.size() > kScopesMax ? Wrong("has too many scopes") : absl::OkStatus();
}

absl::Status ReadShowtimes(const json::object& payload, Claims* claims) {
  const json::value* value = payload.if_contains("showtimes");
  if (value == nullptr) return absl::OkStatus();
  if (const json::string* text = value->if_string(); text != nullptr && *text == "*") {
    claims->all_showtimes = true;
    return absl::OkStatus();
  }
  const json::array* list = value->if_array();
  if (list == nullptr || list->size() > kShowtimesMax) return Wrong("has bad showtimes");
  for (const json::value& id : *list) {
    const json::string* text = id.if_string();
    if (text == nullptr || text->empty() || text->size() > kSubjectBytesMax) {
      return Wrong("has bad showtimes");
    }
    claims->showtimes.emplace_back(text->data(), text->size());
  }
  return absl::OkStatus();
}

absl::StatusOr<Claims> Check(const KeySet& keys, std::string_view token, const Expected& expected,
                             int64_t now_ms) {
  const absl::StatusOr<Parts> parts = Split(token);
  if (!parts.ok()) return parts.status();
  Claims claims;
  const auto text = [&](const char* name, size_t bytes_max, std::string* to) -> absl::Status {
    absl::StatusOr<std::optional<std::string>> value = Text(parts->payload, name, bytes_max);
    if (value.ok() && *value) *to = **std::move(value);
    return value.status();
  };
  absl::Status status = CheckSignature(keys, *parts);
  if (status.ok()) status = CheckIssuer(parts->payload, expected);
  if (status.ok()) status = CheckAudience(parts->payload, expected);
  if (status.ok()) status = CheckTimes(parts->payload, now_ms, &claims);
  if (status.ok()) status = text("sub", kSubjectBytesMax, &claims.subject);
  if (status.ok()) status = text("origin", kOriginBytesMax, &claims.origin);
  if (status.ok()) status = ReadScopes(parts->payload, &claims);
  if (status.ok()) status = ReadShowtimes(parts->payload, &claims);
  if (!status.ok()) return status;
  return claims;
}

}  // namespace

std::variant<Claims, Rejected> Verify(const KeySet& keys, std::string_view token,
                                      const Expected& expected, int64_t now_ms) {
  absl::StatusOr<Claims> claims = Check(keys, token, expected, now_ms);
  if (!claims.ok()) return Rejected{false, std::string(claims.status().message())};
  if (claims->expire_ms <= now_ms) return Rejected{true, "has expired"};
  return *std::move(claims);
}

}  // namespace seatlock::jwt
