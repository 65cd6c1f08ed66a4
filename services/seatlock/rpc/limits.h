// Every bound of the rpc layer, each with its reason.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/base/shared_limits.h"
#include "services/seatlock/domain/limits.h"
#include "services/seatlock/engine/limits.h"

namespace seatlock::rpc {

// One message of a watch's snapshot, and the whole of GetShowtime's (the contract).
inline constexpr size_t kSnapshotMessageBytesMax = 1 << 20;
inline constexpr size_t kShowtimeBytesMax = 3 << 20;
// Left in a message for what is not seats.
inline constexpr size_t kEnvelopeBytesMax = domain::kEnvelopeBytesMax;

// WatchShowtime's request, which gRPC keeps as long as the stream: of all watches 192 MiB.
inline constexpr size_t kWatchRequestBytesMax = 8 << 10;
// Field violations in one refusal: all details together must fit into a client's metadata, 8 KiB in
// gRPC's C core by default.
inline constexpr int kViolationsMax = 20;

// Showtimes in one page of ListShowtimes; unless the caller says how many, a screenful or a few.
inline constexpr int kListPageDefault = 100;
inline constexpr int kListPageMax = 1000;
// What one of them may have in the answer: an id, an epoch of as many bytes, and seven numbers.
inline constexpr size_t kSummaryBytesMax = 512;
// A page_token: a showtime's id of 128 bytes in base64 has 172.
inline constexpr size_t kPageTokenBytesMax = 256;

// A request (the contract). The largest that is in bounds books 100 seats with their fences and has
// 10 KiB (BadInputTest.TheLargestRequestsFit); gRPC refuses one above this before it is parsed.
inline constexpr int kRequestBytesMax = 64 << 10;
// A call's metadata; gRPC's own default is 8 KiB, proxies and tracers add to that.
inline constexpr int kMetadataBytesMax = 16 << 10;
// Calls on one connection: an edge opens a stream a showtime.
inline constexpr int kStreamsPerConnectionMax = base::kStreamsPerConnectionMax;

// The largest request that is in bounds, and what gRPC holds for an open call beside its request
// (measured).
inline constexpr size_t kRequestInBoundsBytesMax = 10 << 10;
inline constexpr size_t kCallBytes = 4 << 10;
// What gRPC may hold for all connections: open calls and what was read of requests. It guards
// against many connections that each send a part of a request, or open calls and leave them: above
// it gRPC closes idle connections, then ends calls with RESOURCE_EXHAUSTED. All watches and all
// commands that may wait need 1.6 GiB if each has the largest request; a quarter more is for calls
// that are being answered. So callers whose requests are in bounds do not meet it by themselves,
// but whoever fills it with what is not in bounds costs others their calls, too.
inline constexpr size_t kGrpcBytesMax =
    (engine::kWatchersMax * (kCallBytes + kWatchRequestBytesMax) +
     engine::kPendingMax * (kCallBytes + kRequestInBoundsBytesMax)) /
    4 * 5;

// Keepalive: clients may ping every 10 s, also while idle; a peer that is gone is noticed within
// 50 s. Both ends of an idle watch stream are set together (docs/operating.md).
inline constexpr int kPingIntervalMsMin = 10'000;
inline constexpr int kKeepaliveMs = 30'000;
inline constexpr int kKeepaliveTimeoutMs = 20'000;

// From asking a connection to go, which is done after --max-connection-age, until it is cut with
// what is still open on it: twice what our clients give a call. Only watches are open for so long;
// they go on over another connection from their position.
inline constexpr int kConnectionGraceMsMax = 20'000;

// At shutdown: from the last answer being handed over until connections are cut.
inline constexpr int kFlushMs = 500;

static_assert(kSnapshotMessageBytesMax < kShowtimeBytesMax);
// Both are exceeded by no seat: one that does not fit any more begins the next message, or is
// refused. The largest change and answer: domain/limits.h.
static_assert(kShowtimeBytesMax < domain::kMessageBytesMax);
static_assert(kListPageMax * kSummaryBytesMax + kPageTokenBytesMax < domain::kMessageBytesMax);
static_assert(kPageTokenBytesMax > (domain::kShowtimeIdBytesMax + 1) / 3 * 4 + 4);
static_assert(kEnvelopeBytesMax + domain::kSeatBytesMax <= kSnapshotMessageBytesMax);
static_assert(kWatchRequestBytesMax < static_cast<size_t>(kRequestBytesMax));
static_assert(kRequestInBoundsBytesMax < static_cast<size_t>(kRequestBytesMax));
// Two lists of seats, or one with fences, four ids, a request_id, and 16 bytes for whatever stands
// around each.
static_assert(2 * domain::kSeatsPerCallMax * (domain::kSeatIdBytesMax + 16) +
                  5 * (domain::kShowtimeIdBytesMax + 16) <
              static_cast<size_t>(kRequestBytesMax));
// No connection can use up the watches, nor all watches the showtimes in memory.
static_assert(2 * static_cast<size_t>(kStreamsPerConnectionMax) <= engine::kWatchersMax);
static_assert(2 * engine::kWatchersMax < engine::kLiveShowtimesMax);

}  // namespace seatlock::rpc
