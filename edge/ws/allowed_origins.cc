#include "edge/ws/allowed_origins.h"

#include <algorithm>
#include <boost/url/authority_view.hpp>
#include <boost/url/host_type.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/look_up.h"
#include "common/base/port.h"

namespace seatlock::edge {

namespace urls = boost::urls;

namespace {

constexpr std::string_view kAnySubdomain = "*.";
constexpr uint16_t kHttpPort = 80;
constexpr uint16_t kHttpsPort = 443;

// With absl's own string_view, which is not std's in every build.
std::string Text(const absl::string_view& text) {
  return std::string(text.data(), text.size());
}

absl::Status Unfit(std::string_view text, std::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("must be origins such as https://a.example or https://*.a.example, separated by "
                   "commas: '",
                   std::string(text), "' ", std::string(why)));
}

bool IsLabel(std::string_view label) {
  return !label.empty() && std::all_of(label.begin(), label.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '_';
  });
}

// Browsers take a name whose last label is a number for an IPv4 address, and write it in full.
bool IsNumber(std::string_view label) {
  const bool hex = label.starts_with("0x");
  if (hex) label.remove_prefix(2);
  return std::all_of(label.begin(), label.end(), [hex](unsigned char c) {
    return hex ? absl::ascii_isxdigit(c) : absl::ascii_isdigit(c);
  });
}

// A name in lower case; it may end with a dot, which browsers keep.
bool IsName(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  std::string_view label;
  while (true) {
    const size_t dot = host.find('.');
    label = host.substr(0, dot);
    if (!IsLabel(label)) return false;
    if (dot == std::string_view::npos) return !IsNumber(label);
    host.remove_prefix(dot + 1);
  }
}

uint16_t DefaultPort(std::string_view scheme) {
  return scheme == "http" ? kHttpPort : scheme == "https" ? kHttpsPort : 0;
}

// 0: none that is good. Boost.URL's own port_number() counts modulo 65,536.
uint16_t PortOf(const urls::url_view& url) {
  return base::ParsePort({url.port().data(), url.port().size()}).value_or(0);
}

// Why a browser sends no such Origin, none if it may.
std::optional<std::string_view> Misfit(const urls::url_view& url) {
  if (!url.has_authority() || url.encoded_host().empty()) return "has no host";
  if (url.has_userinfo()) return "has a user name";
  if (url.encoded_path() == "/") return "ends with a slash";
  // Boost.URL takes what cannot be a port for a path.
  if (!url.encoded_path().empty()) {
    return url.encoded_path().starts_with('/') ? "has a path" : "has no good host or port";
  }
  if (url.has_query() || url.has_fragment()) return "has more than scheme, host and port";
  if (url.has_port() && PortOf(url) == 0) return "has no good port";
  if (url.scheme_id() == urls::scheme::ws || url.scheme_id() == urls::scheme::wss) {
    return "is the address of the WebSocket, not of the page";
  }
  return std::nullopt;
}

// As ParseOne has it; a host that is none is "".
std::string HostIn(std::string_view authority) {
  const auto parsed = urls::parse_authority({authority.data(), authority.size()});
  if (!parsed) return "";
  if (parsed->host_type() == urls::host_type::ipv6) return parsed->host_ipv6_address().to_string();
  const auto host = parsed->encoded_host();
  return absl::AsciiStrToLower(Text({host.data(), host.size()}));
}

}  // namespace

AllowedOrigins AllowedOrigins::SameHost() {
  AllowedOrigins allowed;
  allowed.same_host_ = true;
  return allowed;
}

absl::StatusOr<AllowedOrigins::Origin> AllowedOrigins::ParseOne(std::string_view text) {
  if (text == "null") return Unfit(text, "is what any sandboxed page sends");
  if (std::any_of(text.begin(), text.end(), [](char c) { return (c & 0x80) != 0; })) {
    return Unfit(text, "is not ASCII: browsers send the host as xn--...");
  }
  const auto url = urls::parse_uri({text.data(), text.size()});
  if (!url) return Unfit(text, "is none");
  if (const auto why = Misfit(*url)) return Unfit(text, *why);
  Origin origin;
  origin.scheme = absl::AsciiStrToLower(Text({url->scheme().data(), url->scheme().size()}));
  origin.port = url->has_port() ? PortOf(*url) : DefaultPort(origin.scheme);
  const auto encoded = url->encoded_host();
  origin.host = absl::AsciiStrToLower(Text({encoded.data(), encoded.size()}));
  if (url->host_type() == urls::host_type::ipv6) {
    origin.host = url->host_ipv6_address().to_string();
    return origin;
  }
  if (url->host_type() == urls::host_type::ipv4) return origin;
  if (origin.host.starts_with(kAnySubdomain)) {
    origin.subdomains = true;
    origin.host.erase(0, kAnySubdomain.size() - 1);
  }
  const std::string_view name = std::string_view(origin.host).substr(origin.subdomains ? 1 : 0);
  if (absl::StrContains(Text({name.data(), name.size()}), "*")) {
    return Unfit(text, "has a * elsewhere than in place of the first labels");
  }
  if (!IsName(name)) return Unfit(text, "has a host that no browser sends");
  return origin;
}

absl::StatusOr<AllowedOrigins> AllowedOrigins::Parse(std::string_view text) {
  AllowedOrigins allowed;
  if (text.empty() || text == "*") return allowed;
  const std::vector<std::string> parts = absl::StrSplit(std::string(text), ',');
  for (const std::string& part : parts) {
    absl::StatusOr<Origin> origin = ParseOne(Text(absl::StripAsciiWhitespace(part)));
    if (!origin.ok()) return origin.status();
    allowed.origins_.push_back(*std::move(origin));
  }
  return allowed;
}

bool AllowedOrigins::Allows(std::string_view origin, std::string_view host) const {
  if (any() || origin.empty()) return true;
  const absl::StatusOr<Origin> page = ParseOne(origin);
  if (!page.ok() || page->subdomains) return false;
  if (same_host_) {
    const std::string asked = HostIn(host);
    if (page->scheme != "http" && page->scheme != "https") return false;
    return page->host == asked || (base::IsLoopback(page->host) && base::IsLoopback(asked));
  }
  return std::any_of(origins_.begin(), origins_.end(), [&page](const Origin& one) {
    if (one.scheme != page->scheme || one.port != page->port) return false;
    if (!one.subdomains) return one.host == page->host;
    return page->host.size() > one.host.size() && page->host.ends_with(one.host);
  });
}

}  // namespace seatlock::edge
