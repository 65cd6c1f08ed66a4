// Every bound of the rpc layer, each with its reason.
#pragma once

#include <cstddef>

#include "services/seatlock/domain/limits.h"

namespace seatlock::rpc {

// One message of a watch's snapshot, and the whole of GetShowtime's (the contract). gRPC's clients
// take 4 MiB by default.
inline constexpr size_t kSnapshotMessageBytesMax = 1 << 20;
inline constexpr size_t kShowtimeBytesMax = 3 << 20;

// Left in a message for what is not seats.
inline constexpr size_t kEnvelopeBytesMax = domain::kEnvelopeBytesMax;

// WatchShowtime's request, which gRPC keeps as long as the stream: 10,000 of them are 80 MiB.
inline constexpr size_t kWatchRequestBytesMax = 8 << 10;
// Field violations in one refusal: all details together must fit into a client's metadata, 8 KiB in
// gRPC's C core by default.
inline constexpr int kViolationsMax = 20;

// A request; gRPC's own default. The largest that is in bounds has 26 KiB.
inline constexpr int kRequestBytesMax = 4 << 20;
// A call's metadata; gRPC's own default is 8 KiB, proxies and tracers add to that.
inline constexpr int kMetadataBytesMax = 16 << 10;
// Calls on one connection: an edge opens a stream a showtime.
inline constexpr int kStreamsPerConnectionMax = 16'384;

// Keepalive: clients may ping every 10 s, also while idle; a peer that is gone is noticed within
// 50 s. Both ends of an idle watch stream are set together (docs/operating.md).
inline constexpr int kPingIntervalMsMin = 10'000;
inline constexpr int kKeepaliveMs = 30'000;
inline constexpr int kKeepaliveTimeoutMs = 20'000;

// At shutdown: from the last answer being handed over until connections are cut.
inline constexpr int kFlushMs = 500;

static_assert(kSnapshotMessageBytesMax < kShowtimeBytesMax);
// Both are exceeded by no seat: one that does not fit any more begins the next message, or is
// refused. The largest change and answer: domain/limits.h.
static_assert(kShowtimeBytesMax <= domain::kMessageBytesMax);
static_assert(kEnvelopeBytesMax + domain::kSeatBytesMax <= kSnapshotMessageBytesMax);

}  // namespace seatlock::rpc
