#include "services/seatlock/store/redis_address.h"

#include <algorithm>
#include <cstdlib>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace seatlock {
namespace {

constexpr absl::string_view kScheme = "redis://";
constexpr absl::string_view kForm =
    "redis://HOST:PORT[,HOST:PORT...][/DB][?profile=strict|relaxed&replicas=N&sentinel=NAME"
    "&prefix=TEXT]";

absl::Status Wrong(absl::string_view what) {
  return absl::InvalidArgumentError(what);
}

// Digits alone, from 0 to `most`.
bool ParseNumber(absl::string_view text, int most, int* number) {
  return !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit) &&
         absl::SimpleAtoi(text, number) && *number <= most;
}

// Letters, digits and what of `others` there is: nothing that means something in keys, in patterns
// or in commands.
bool IsName(absl::string_view text, absl::string_view others, size_t most) {
  return !text.empty() && text.size() <= most &&
         std::all_of(text.begin(), text.end(), [others](char c) {
           return absl::ascii_isalnum(c) || absl::StrContains(others, c);
         });
}

absl::Status ParseHosts(absl::string_view text, RedisStoreAddress* address) {
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    absl::StatusOr<runtime::HostPort> host = runtime::ParseHostPort({part.data(), part.size()});
    if (!host.ok() || host->port == 0) {
      return Wrong(absl::StrCat("must be ", kForm, ": '", part,
                                "' is no host:port with a port from 1 to 65535"));
    }
    if (std::count(address->hosts.begin(), address->hosts.end(), *host) > 0) {
      return Wrong(absl::StrCat("must name each address once: ", part, " is there twice"));
    }
    address->hosts.push_back(*std::move(host));
  }
  if (address->hosts.size() <= kRedisAddressesMax) return absl::OkStatus();
  return Wrong(absl::StrCat("must name at most ", kRedisAddressesMax, " addresses"));
}

absl::Status SetParameter(absl::string_view name, absl::string_view value,
                          RedisStoreAddress* address) {
  if (name == "profile") {
    if (value != "strict" && value != "relaxed") {
      return Wrong("must have profile=strict or profile=relaxed");
    }
    address->profile = value == "strict" ? log::RedisProfile::kStrict : log::RedisProfile::kRelaxed;
    return absl::OkStatus();
  }
  if (name == "replicas") {
    if (ParseNumber(value, kRedisReplicasMax, &address->replicas)) return absl::OkStatus();
    return Wrong(absl::StrCat("must have replicas=N with N from 0 to ", kRedisReplicasMax));
  }
  if (name == "sentinel") {
    address->sentinel = std::string(value);
    if (IsName(value, "-_.:", kRedisSentinelBytesMax)) return absl::OkStatus();
    return Wrong(absl::StrCat("must have sentinel= with 1 to ", kRedisSentinelBytesMax,
                              " letters, digits or any of - _ . :"));
  }
  if (name == "prefix") {
    address->prefix = std::string(value);
    if (IsName(value, "-_", kRedisPrefixBytesMax)) return absl::OkStatus();
    return Wrong(absl::StrCat("must have prefix= with 1 to ", kRedisPrefixBytesMax,
                              " letters, digits or any of - _"));
  }
  return Wrong(absl::StrCat("has the unknown parameter '", name,
                            "': it must be profile, replicas, sentinel or prefix"));
}

absl::Status ParseParameters(absl::string_view text, RedisStoreAddress* address) {
  std::set<absl::string_view> seen;
  for (const absl::string_view part : absl::StrSplit(text, '&')) {
    const size_t equals = part.find('=');
    if (equals == absl::string_view::npos) {
      return Wrong(
          absl::StrCat("must have parameters of the form NAME=VALUE: '", part, "' is none"));
    }
    const absl::string_view name = part.substr(0, equals);
    if (!seen.insert(name).second) {
      return Wrong(absl::StrCat("must have each parameter once: ", name, "= is there twice"));
    }
    absl::Status status = SetParameter(name, part.substr(equals + 1), address);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

// Without a replica that has every acknowledged change, whatever takes over has lost some.
absl::Status CheckTogether(const RedisStoreAddress& address) {
  if (address.profile == log::RedisProfile::kRelaxed || address.replicas > 0) {
    return absl::OkStatus();
  }
  if (!address.sentinel.empty()) {
    return Wrong(
        "must have replicas=1 or more with sentinel= (profile=strict): a failover would lose what "
        "no replica has");
  }
  if (address.hosts.size() > 1) {
    return Wrong(
        "must have replicas=1 or more with several addresses (profile=strict): the next one would "
        "lack what no replica has");
  }
  return absl::OkStatus();
}

}  // namespace

bool IsRedisAddress(std::string_view text) {
  return text.starts_with("redis:") || text.starts_with("rediss:");
}

absl::StatusOr<RedisStoreAddress> ParseRedisAddress(std::string_view given) {
  absl::string_view text(given.data(), given.size());
  if (given.starts_with("rediss:")) {
    return Wrong(
        "must be redis://: TLS to Redis is not supported, so reach it over a private network or a "
        "tunnel");
  }
  if (!absl::ConsumePrefix(&text, kScheme)) return Wrong(absl::StrCat("must be ", kForm));
  if (absl::StrContains(text, '@')) {
    return Wrong(
        "must not hold user or password: set SEATLOCK_REDIS_USER and SEATLOCK_REDIS_PASSWORD");
  }
  RedisStoreAddress address;
  const size_t question = text.find('?');
  const bool has_parameters = question != absl::string_view::npos;
  const absl::string_view parameters = has_parameters ? text.substr(question + 1) : "";
  text = text.substr(0, question);
  const size_t slash = text.find('/');
  absl::Status status = ParseHosts(text.substr(0, slash), &address);
  if (!status.ok()) return status;
  if (slash != absl::string_view::npos &&
      !ParseNumber(text.substr(slash + 1), kRedisDatabaseMax, &address.database)) {
    return Wrong(
        absl::StrCat("must have a database from 0 to ", kRedisDatabaseMax, " after the slash"));
  }
  if (has_parameters) status = ParseParameters(parameters, &address);
  if (status.ok()) status = CheckTogether(address);
  if (!status.ok()) return status;
  return address;
}

std::string RedisStoreAddress::ToString() const {
  std::string text(kScheme);
  for (size_t i = 0; i < hosts.size(); ++i) {
    absl::StrAppend(&text, i == 0 ? "" : ",", hosts[i].ToString());
  }
  absl::StrAppend(&text, "/", database,
                  "?profile=", profile == log::RedisProfile::kStrict ? "strict" : "relaxed",
                  "&replicas=", replicas);
  if (!sentinel.empty()) absl::StrAppend(&text, "&sentinel=", sentinel);
  absl::StrAppend(&text, "&prefix=", prefix);
  return text;
}

std::string WithoutCredentials(std::string_view text) {
  const size_t at = text.rfind('@');
  const size_t colon = text.find(':');
  if (at == std::string_view::npos || colon > at || text.starts_with("sqlite:")) {
    return std::string(text);
  }
  return absl::StrCat(std::string(text.substr(0, colon)), "://...@",
                      std::string(text.substr(at + 1)));
}

log::RedisOptions OptionsOf(const RedisStoreAddress& address, const RedisCredentials& credentials) {
  log::RedisOptions options;
  for (const runtime::HostPort& host : address.hosts) {
    options.addresses.push_back({host.host, host.port});
  }
  options.sentinel = address.sentinel;
  options.database = address.database;
  options.profile = address.profile;
  options.replicas = address.replicas;
  options.prefix = address.prefix;
  options.user = credentials.user;
  options.password = credentials.password;
  return options;
}

absl::StatusOr<RedisCredentials> ReadRedisCredentials() {
  const char* user = std::getenv("SEATLOCK_REDIS_USER");
  const char* password = std::getenv("SEATLOCK_REDIS_PASSWORD");
  RedisCredentials credentials{user == nullptr ? "" : user, password == nullptr ? "" : password};
  if (credentials.user.empty() || !credentials.password.empty()) return credentials;
  return absl::InvalidArgumentError("SEATLOCK_REDIS_USER needs SEATLOCK_REDIS_PASSWORD beside it");
}

}  // namespace seatlock
