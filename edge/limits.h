// Every bound of the edge, each with its reason. "contract" means that callers were promised it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/base/rendezvous.h"
#include "common/base/shared_limits.h"
#include "common/base/token_bucket.h"

namespace seatlock::edge {

inline constexpr int64_t kSecondMs = 1000;

// What a client may send (contract). Ids in bytes, as the service bounds them.
inline constexpr size_t kIdBytesMax = 128;
inline constexpr size_t kMessageBytesMax = 4096;
inline constexpr size_t kSubscriptionsMax = 64;
inline constexpr int kBadMessagesMax = 3;

// Messages a client may send: a page subscribes once or 64 times at its start, then now and then.
inline constexpr int64_t kMessageBurst = 128;
inline constexpr int64_t kMessagesPerSecond = 20;
inline constexpr base::TokenRate kMessageRate = {.burst = kMessageBurst,
                                                 .per_second = kMessagesPerSecond};

// Showtimes that a connection may open while the edge does not follow them yet (contract): a page
// opens all of its own at once. Each costs a stream and a full state, for 60 bytes.
inline constexpr base::TokenRate kNewShowtimeRate = {
    .burst = static_cast<int64_t>(kSubscriptionsMax), .per_second = 2};

// Bytes that a connection's subscribes may buy: `subscribed`, what was missed, the snapshot. A page
// gets 64 showtimes of 50 KB at once, and one every half second from then on. A subscribe makes
// work also if its connection leaves before the answer, so each costs so much beside what it
// brings.
inline constexpr base::TokenRate kBoughtBytesRate = {.burst = 8 << 20, .per_second = 256 << 10};
inline constexpr int64_t kSubscribeBytes = 64 << 10;

// Tokens that a thread remembers as verified, twice (token_gate.h): every page of 10,000 that come
// back at once, at some hundred bytes each, and never above 4 KiB as no message is.
inline constexpr size_t kTokensRememberedMax = 8'192;

// What a refused subscribe is told as `retryAfterMs`: a time of its own (retry_turns.h), so that a
// connection with 64 refused showtimes does not talk too much. Its own are at least so far apart
// that they take half of the messages that it may send.
inline constexpr int64_t kRetryTurnMsMin = kSecondMs;
inline constexpr int64_t kRetryTurnMsMax = 60 * kSecondMs;
inline constexpr int64_t kRetryTurnsApartMs = 2 * kSecondMs / kMessagesPerSecond;

// So many frames of one message count as a message more: a frame costs as much to read as a small
// message, whether it is empty or not, and a message of empty frames never has to end. Browsers
// send a message in one frame; the greatest message in frames of one byte uses up half a burst.
inline constexpr int kFragmentsAMessage = 64;

// Liveness (contract: a ping at least every 25 s, a heartbeat every 15 s). Both are looked at once
// a tick, so each falls due a tick early. A peer that was silent through two pings is dead.
inline constexpr int64_t kTickMs = kSecondMs;
inline constexpr int64_t kPingEveryMs = 20 * kSecondMs;
inline constexpr int64_t kHeartbeatEveryMs = 15 * kSecondMs;
inline constexpr int64_t kPeerSilentMsMax = 60 * kSecondMs - kTickMs;
inline constexpr int64_t kFirstSubscribeMsMax = 60 * kSecondMs;

// How long the HTTP upgrade, and a close handshake, may take.
inline constexpr int64_t kHandshakeMsMax = 10 * kSecondMs;
// The head of a request: nginx passes on as much (large_client_header_buffers, 4 of 8 KiB), and
// a site's cookies alone may have 8 KiB and more.
inline constexpr size_t kHttpHeaderBytesMax = 32 * 1024;
// A burst of connections waits in the kernel's queue, as long as the system lets it be
// (net.core.somaxconn), and is taken in turns. Out of descriptors or places, others may give some
// back.
inline constexpr int kListenBacklog = 65'535;
inline constexpr int kAcceptsATurn = 256;
inline constexpr int64_t kAcceptPauseMs = 20;
// What a thread reads into: several messages of a client at once, for all its clients.
inline constexpr size_t kReceiveBytes = 16 * 1024;
inline constexpr int kReceivesATurn = 4;
inline constexpr int64_t kThreadsMax = 64;
// Descriptors kept back for the upstream, the admin listener, logs and what libraries open, and
// those of a thread's own: its reactor, its listener, and a connection that was just accepted.
inline constexpr uint64_t kReservedFiles = 64;
inline constexpr uint64_t kReservedFilesAThread = 8;
// Of the other descriptors one in so many is for handshakes, so that who finds no room is told, and
// no more than kHandshakesMax of all threads together: a handshake takes milliseconds, and holds up
// to kHttpHeaderBytesMax. If all places are taken, the oldest handshake goes once it has had
// kHandshakeGraceMs; until then newcomers take what descriptors there are, and then wait in the
// kernel (oldest_out.h). Measured: when 5,000 connections were cut and came back at once, half of
// them were pushed out without that, before they could ask; 15,000 that waited in the kernel
// took 1.4 s longer.
inline constexpr int64_t kHandshakeFilesShare = 8;
inline constexpr int64_t kHandshakesMax = 4096;
inline constexpr int64_t kHandshakeGraceMs = 3 * kSecondMs;
// Of a thread's places one address may have seven in eight, and more for kHandshakeGraceMs while
// descriptors are free: a crowd behind one address comes in as fast as any, and cannot push out
// anybody else's handshake. Measured: of 5,000 connections of one address that asked 5 to 100 ms
// after they came, 2,820 were pushed out without that time.
constexpr size_t HandshakesAnAddressMax(size_t handshakes_max) {
  return handshakes_max - handshakes_max / 8;
}
// Showtimes that the edge does not follow yet and one address may open at once, if nothing else is
// said; a hundredth of it comes back each second (contract). So many addresses are remembered, at
// some 100 bytes each.
inline constexpr int64_t kNewShowtimesPerAddress = 2'000;
inline constexpr int64_t kNewShowtimesPerAddressMax = 1'000'000;
inline constexpr size_t kShowtimeBudgetsMax = 65'536;
// How long a refused peer may go on sending before it is cut off.
inline constexpr int64_t kDrainReadMsMax = 5 * kSecondMs;

// What the kernel may hold of one connection, beside all budgets: bytes that were not sent yet,
// above which a socket counts as full, and all that was not acknowledged (the kernel doubles it for
// its own overhead). A snapshot of 100 KB, the greatest of a hall of 10,000 seats, still goes out
// in one call, and 128 KiB a round trip are more than any showtime says.
inline constexpr int kNotSentBytes = 64 * 1024;
inline constexpr int kSendBufferBytes = 128 * 1024;

// One call to a socket: enough to empty a burst at once, few enough for one sendmsg (IOV_MAX 1024).
inline constexpr size_t kGatherPiecesMax = 64;
inline constexpr size_t kGatherBytesMax = 128 * 1024;
// How many connections are written to before the thread looks at what else there is: some
// milliseconds of work.
inline constexpr size_t kFlushPortion = 256;

// Slow readers. A reader that the room's history has passed by gets the snapshot in place of what
// it missed, and is closed where it has not taken that in time. Replies are small and as many as
// its messages, which are limited.
inline constexpr int64_t kLagMsMax = 30 * kSecondMs;
inline constexpr size_t kReplyBytesMax = 1 << 20;
// What all connections together may hold back, where nothing else is said; no more than a TiB.
inline constexpr int64_t kMemoryBudgetMib = 256;
inline constexpr int64_t kMemoryBudgetMibMax = 1 << 20;

// Rooms. Each is a stream of the one connection to the service, so there are as many as that
// allows, but for what is kept free. Beyond the bound a showtime is refused
// (SHOWTIME_UNAVAILABLE). A showtime in which something was sold lingers after its last viewer,
// because pages are reloaded.
inline constexpr size_t kRoomsMax = base::kStreamsPerConnectionMax - base::kStreamsKeptFree;
inline constexpr int64_t kRoomLingerMs = 30 * kSecondMs;
// When a showtime that there was no place for is worth another try. Clients add jitter.
inline constexpr int64_t kRefusedRetryMs = 5 * kSecondMs;
// A showtime that was served, and is refused when its stream has to be begun again, is given up
// only if it is still refused after this: its viewers do not lose it for a moment's overload.
inline constexpr int64_t kRefusedMsMax = 10 * kSecondMs;
// Refused showtimes that are remembered for as long as their clients were told to wait. While so
// many are, no others are asked for: an overloaded service is asked at most 200 times a second for
// newcomers.
inline constexpr size_t kRefusalsMax = 1024;

// What is kept of a showtime for resumes and slow readers: minutes of a busy sale. All showtimes
// together keep at most the total; beyond it the longest quiet ones give up history, down to the
// least each (history_budget.h).
inline constexpr size_t kHistoryChangesMax = 1024;
inline constexpr size_t kHistoryBytesMax = 1 << 20;
inline constexpr size_t kHistoryBytesMin = 16 * 1024;
inline constexpr size_t kHistoryBytesTotal = 256 << 20;

// Backfills: short second watches for who comes with a position that a room does not cover. As many
// changes as the service promises to keep; more is a snapshot. A crowd comes within seconds.
inline constexpr size_t kBackfillsMax = 16;
inline constexpr uint64_t kBackfillChangesMax = 10'000;
inline constexpr size_t kBackfillBytesMax = 8 << 20;
inline constexpr int64_t kBackfillMsMax = 5 * kSecondMs;
inline constexpr int64_t kBackfillKeepMs = 5 * kSecondMs;
inline constexpr size_t kBackfillKeepBytesMax = 64 << 20;

// What may be under way to a thread of one showtime: more, and its stream is not read on until the
// thread has caught up, which is looked at this often.
inline constexpr int64_t kMailboxEventsMax = 1024;
inline constexpr int64_t kFullLookMs = 5;

// What a stream reads before the strand has taken what it read before: a burst at once. Measured
// with 20 changes at once and 5,000 connections: one at a time, each change waited for a portion of
// the crowd to be flushed, and everybody was written to twice.
inline constexpr size_t kReadAheadMessagesMax = 64;
inline constexpr size_t kReadAheadBytesMax = 256 * 1024;

// A stream that does not come alive within this time counts as away; subscribers are told.
inline constexpr int64_t kLiveMsMax = kSecondMs;
// The service says progress right after what a resumed stream missed. An older one says it only on
// a quiet stream, within 15 s; past this, the stream is begun anew with a snapshot.
inline constexpr int64_t kCatchUpMsMax = 20 * kSecondMs;

// One batch a room (contract). Who missed more seats than this gets a snapshot, not a batch of
// them.
inline constexpr int64_t kBatchEveryMs = 50;
inline constexpr size_t kBatchMissedSeatsMax = 5'000;

// Upstream. The service says something every 15 s; three times silence is a dead stream. Current
// again within 2 s of the service's return: the channel's back-off stays well below that.
inline constexpr int64_t kStreamSilentMsMax = 45 * kSecondMs;
inline constexpr int64_t kStreamBackoffMsMin = 100;
inline constexpr int64_t kStreamBackoffMsMax = 2 * kSecondMs;
// How long the service may ask to be left alone (RetryInfo): its own word is a second.
inline constexpr int64_t kStreamRetryMsMax = 60 * kSecondMs;
inline constexpr int64_t kChannelBackoffMsMin = 100;
inline constexpr int64_t kChannelBackoffMsMax = 700;
inline constexpr int64_t kChannelConnectMsMax = kSecondMs;
inline constexpr int64_t kKeepaliveMs = 20 * kSecondMs;
// Several servers. A list is written by hand, or is what a name stands for.
inline constexpr size_t kServersMax = base::kServersMax;
// A showtime whose server goes away is called away only if no other has taken over within this: as
// long as a new one may take to come alive.
inline constexpr int64_t kTakeoverMsMax = kLiveMsMax;
// How long a server may say nothing to a new stream before another one is tried. Long, because a
// server that thousands of showtimes come to at once reads their history first, and going
// elsewhere would only begin that anew.
inline constexpr int64_t kTryMsMax = 5 * kSecondMs;
// Showtimes leave a server that drains over a second, and return to one that is back over some,
// so that it isn't hit by thousands at once; not in the first two, because it may go again. A move
// that failed is tried again later.
inline constexpr int64_t kLeaveMsMax = kSecondMs;
inline constexpr int64_t kReturnMsMin = 2 * kSecondMs;
inline constexpr int64_t kReturnMsMax = 10 * kSecondMs;
inline constexpr int64_t kMoveAgainMsMin = 10 * kSecondMs;
inline constexpr int64_t kMoveAgainMsMax = 30 * kSecondMs;
// A server that knows no health service is asked whether it is there this often.
inline constexpr int64_t kHealthAgainMs = 5 * kSecondMs;
// Names are looked up this often: the least while something is amiss, with growing pauses.
inline constexpr int64_t kResolveMsMin = kSecondMs;
inline constexpr int64_t kResolveMsMax = 30 * kSecondMs;
// The service going and coming is one log line each, at most one in this time.
inline constexpr int64_t kUpstreamNoticeEveryMs = kSecondMs;

// On SIGTERM clients are sent away over a window: kDrainMsAClient for each of all threads, so that
// those who come back do not come to others at once; at least kDrainWindowMsMin, and at most
// kDrainWindowMs, if nothing else is said. kDrainMsMax after it the rest is cut off.
inline constexpr int64_t kDrainWindowMsMin = 2 * kSecondMs;
inline constexpr int64_t kDrainWindowMs = 30 * kSecondMs;
inline constexpr int64_t kDrainWindowMsMax = 600 * kSecondMs;
inline constexpr int64_t kDrainDelayMsMax = 600 * kSecondMs;
inline constexpr int64_t kDrainWaveEveryMs = 50;
inline constexpr int64_t kDrainMsAClient = 1;
inline constexpr int64_t kDrainMsMax = 5 * kSecondMs;
constexpr int64_t DrainWindow(int64_t connections, int64_t window_ms_max) {
  const int64_t crowd_ms = connections * kDrainMsAClient;
  const int64_t window_ms = crowd_ms > kDrainWindowMsMin ? crowd_ms : kDrainWindowMsMin;
  return window_ms < window_ms_max ? window_ms : window_ms_max;
}

static_assert(kReceiveBytes >= kMessageBytesMax);
static_assert(static_cast<size_t>(kHandshakesMax) * kHttpHeaderBytesMax <= 128 << 20);
static_assert(kHandshakesMax >= 2 * kThreadsMax);
static_assert(kTickMs < kHandshakeMsMax && kTickMs < kDrainReadMsMax);
static_assert(kPingEveryMs + kTickMs <= 25 * kSecondMs);
static_assert(2 * (kPingEveryMs + kTickMs) < kPeerSilentMsMax);
static_assert(kMessageBurst > static_cast<int64_t>(kSubscriptionsMax));
static_assert(static_cast<int64_t>(kSubscriptionsMax) * (kSubscribeBytes + 50'000) <=
              kBoughtBytesRate.burst);
static_assert(kMessageBytesMax / kFragmentsAMessage <= kMessageBurst / 2);
static_assert(kDrainWindowMsMin <= kDrainWindowMs && kDrainWindowMs <= kDrainWindowMsMax);
static_assert(kDrainWaveEveryMs < kDrainWindowMsMin);
static_assert(kLagMsMax < kPeerSilentMsMax);
static_assert(kChannelBackoffMsMax + kChannelConnectMsMax < 2 * kSecondMs);
static_assert(kRoomsMax + kBackfillsMax + 1 < base::kStreamsPerConnectionMax,
              "all streams, and the question for health, fit on one server's connection");
static_assert(kReturnMsMin > kTakeoverMsMax && kMoveAgainMsMin >= kReturnMsMax);
static_assert(kRoomsMax * kHistoryBytesMin + 16 * kHistoryBytesMax <= kHistoryBytesTotal,
              "if all others keep the least, a showtime that changes need not give up any");
static_assert(kRoomsMax <= base::kWatchesMax / 3, "one edge leaves watches to others");

}  // namespace seatlock::edge
