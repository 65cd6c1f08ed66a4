// Every bound on tokens and their keys, each with its reason.
#pragma once

#include <cstddef>
#include <cstdint>

namespace seatlock::jwt {

// A JWKS file. 16 RSA keys of 8192 bits have 30 KiB; certificate chains beside them (x5c) are what
// makes such files long.
inline constexpr size_t kJwksBytesMax = 256 << 10;
// Keys in one set: the one in use, the next one, and those of a few issuers. A token that names no
// key is tried against all of its algorithm, so this bounds what a wrong one costs.
inline constexpr size_t kKeysMax = 16;
inline constexpr size_t kKeyIdBytesMax = 128;

// A token: large ones of identity providers, with groups in them, have 4 KiB. Half of what gRPC
// takes for all of a call's metadata.
inline constexpr size_t kTokenBytesMax = 8 << 10;
// How deep its JSON may nest: what we read lies one or two deep.
inline constexpr size_t kJsonDepthMax = 8;

// NIST SP 800-131A: RSA below 2048 bits is not to be used. Above 8192 each check is a burden.
inline constexpr int kRsaBitsMin = 2048;
inline constexpr int kRsaBitsMax = 8192;
// RFC 7518, 3.2: a key of HS256 has at least as many bytes as the hash.
inline constexpr size_t kHmacBytesMin = 32;
inline constexpr size_t kHmacBytesMax = 1024;

// The subject (a session, or who calls) and each showtime of a token: ids of the contract.
inline constexpr size_t kSubjectBytesMax = 128;
// A scheme, a host of 253 bytes, and a port.
inline constexpr size_t kOriginBytesMax = 300;
inline constexpr size_t kShowtimesMax = 100;
inline constexpr size_t kScopesMax = 64;

// How far the issuer's clock may be ahead of ours, for `nbf` and `iat`. None for `exp`: a token
// ends when it says so.
inline constexpr int64_t kLeewayMs = 60'000;

}  // namespace seatlock::jwt
