// Every bound of the guard, each with its reason.
#pragma once

#include <cstddef>

namespace seatlock::guard {

// Buckets that are kept, about 100 bytes each: 10 MiB. A session is forgotten early only if so many
// others asked for locks since; principals are as many as there are keys, or as an issuer has
// subjects.
inline constexpr size_t kSessionBucketsMax = 100'000;
inline constexpr size_t kPrincipalBucketsMax = 10'000;

}  // namespace seatlock::guard
