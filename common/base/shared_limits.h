// Bounds that the service and the edge must agree on. One number is chosen here, the streams of a
// connection; the others follow from it, in the limits.h of each program.
#pragma once

#include <cstddef>

namespace seatlock::base {

// Calls at one time on one gRPC connection. An edge follows each of its showtimes by a stream of
// its own on one connection, so this bounds what one edge can follow. Each watch of a showtime that
// nobody else asks for costs the service 25 KiB (measured with 8,000): 200 MiB a connection.
inline constexpr size_t kStreamsPerConnectionMax = 8'192;

// Of those an edge leaves unused: for its backfills, and for streams that it has given up and that
// have not ended yet. If it used all, the next showtime would wait for a stream without a word.
inline constexpr size_t kStreamsKeptFree = 192;

// Watches of one service. No connection can take more than a third, so one edge, however many
// showtimes its browsers invent, leaves room for the other edges and for API servers.
inline constexpr size_t kWatchesMax = 3 * kStreamsPerConnectionMax;

}  // namespace seatlock::base
