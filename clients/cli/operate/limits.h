// Every bound of `status`, `top`, `map` and `doctor`, each with its reason. Constants.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "common/base/rendezvous.h"

namespace seatlock::cli::operate {

// Admin addresses in --admin: as many as there may be servers, and as many edges again.
inline constexpr size_t kAdminsMax = 2 * base::kServersMax;

// One look at one program, all of its pages together, if --timeout does not say less. A page is
// made in milliseconds; a program that takes longer than this is paused or cut off.
inline constexpr std::chrono::milliseconds kLookMax{2'000};

// An admin page: /metrics of an edge with 64 servers has 40 KiB. What is longer is no page of ours.
inline constexpr size_t kPageBytesMax = 1 << 20;
// Samples of a page: lines of 16 bytes and more fit into the page so often.
inline constexpr size_t kSamplesMax = kPageBytesMax / 16;
// The head of an HTTP answer, as the edge takes one.
inline constexpr uint32_t kHeadBytesMax = 32 * 1024;
// A message of the edge before anything was subscribed to: connection_established has 100 bytes.
inline constexpr size_t kFirstMessageBytesMax = 4 * 1024;
// What is shown of a text that a program sent.
inline constexpr size_t kShownTextMax = 200;

// Of `top`. A page of 1,000 showtimes takes the service up to 27 ms (docs/operating.md), so more
// than ten of them each look would be a load of their own.
inline constexpr uint64_t kTopShowtimesDefault = 1'000;
inline constexpr uint64_t kTopShowtimesMax = 10'000;
inline constexpr int64_t kIntervalMsDefault = 2'000;
// Two looks closer than this would count single calls.
inline constexpr int64_t kIntervalMsMin = 200;
inline constexpr int64_t kIntervalMsMax = 3'600'000;

// Of `map`. A hall has 10,000 seats (an opera house 2,500, an arena 20,000); a showtime remembers
// at most 250,000.
inline constexpr size_t kLayoutBytesMax = 16 << 20;
inline constexpr size_t kSeatsMax = 250'000;
// Places in a row, gaps and aisles included, and rows: what is longer is no hall, and one seat
// numbered 2000000000 must not make a row of so many places.
inline constexpr int kColumnsMax = 2'000;
inline constexpr size_t kRowsMax = 20'000;
// Redrawn at most so often: nobody reads faster.
inline constexpr std::chrono::milliseconds kFramePause{50};
// The same if it is no terminal, where each frame is a page of text.
inline constexpr std::chrono::milliseconds kPlainFramePause{1'000};
// How often the age of the last change, and whether the watch is live, are looked at.
inline constexpr std::chrono::milliseconds kMapLook{500};

// A watch hears something at least every 15 s (progress). After this it is not called live, though
// nothing says yet that its connection is gone.
inline constexpr std::chrono::milliseconds kSilentMax{20'000};

// Of `doctor`: how long an idle connection is held at most.
inline constexpr int64_t kIdleMsMax = 3'600'000;

// A terminal that says it is smaller than this is drawn as if it were this large, and one that says
// it is larger as if it were that large.
inline constexpr int kWidthMin = 20;
inline constexpr int kHeightMin = 4;
inline constexpr int kWidthMax = 1'000;
inline constexpr int kHeightMax = 500;
// If it is no terminal.
inline constexpr int kPlainWidth = 100;

}  // namespace seatlock::cli::operate
