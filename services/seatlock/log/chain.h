// The chain of hashes that binds a record to all before it.
//
//   chain(0) = SHA-256("seatlock.log.v1\0" showtime "\0" epoch)
//   chain(r) = SHA-256(chain(r-1) big-endian-64(r) record-bytes)
//
// One pass over a log so proves that nothing in it was altered, left out, swapped, or moved from
// another showtime. Pure functions; SHA-256 is OpenSSL's.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "services/seatlock/domain/types.h"

namespace seatlock::log {

using Chain = std::array<uint8_t, 32>;

// chain(0) of a history.
Chain ChainStart(const domain::ShowtimeId& showtime, const domain::Epoch& epoch);

// chain(revision), from the chain before it and the record's bytes.
Chain ChainNext(const Chain& before, domain::Revision revision, std::string_view bytes);

// Binds a record's commit time to its chain, which covers the bytes alone: the first 8 bytes of
// SHA-256(chain big-endian-64(commit_ms)).
using Seal = std::array<uint8_t, 8>;
Seal SealOf(const Chain& chain, int64_t commit_ms);

}  // namespace seatlock::log
