// Bounds of the C++ client that no option changes, each with its reason. Constants.
#pragma once

#include <chrono>
#include <cstddef>

#include "common/base/rendezvous.h"

namespace seatlock::client {

inline constexpr size_t kServersMax = base::kServersMax;

// How long a call waits for a connection before it takes the next server of a list. gRPC gives up
// an attempt to connect after the same time: see ChannelArgs in servers.cc.
inline constexpr std::chrono::milliseconds kConnectMax{1'000};

// How long a first call waits for what its names stand for. After that the names themselves are the
// servers, and gRPC looks them up: the call then may go to another server than the preferred one.
inline constexpr std::chrono::milliseconds kLookUpWaitMax{2'000};

// How often names are looked up again: an address that is new must be found without a restart.
inline constexpr std::chrono::milliseconds kLookUpEvery{30'000};
// The same once a server is away: its name may stand for another address by now.
inline constexpr std::chrono::milliseconds kLookUpEveryWhileAway{5'000};
static_assert(kLookUpEveryWhileAway < kLookUpEvery);

// How long a call that tries a server again waits for a connection that failed before. gRPC does
// not say that such an attempt failed anew, and a server that is back takes a connection within
// this.
inline constexpr std::chrono::milliseconds kReconnectMax{100};
static_assert(kReconnectMax < kConnectMax);

}  // namespace seatlock::client
