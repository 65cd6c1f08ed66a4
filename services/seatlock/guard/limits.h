// Every bound of the guard, each with its reason.
#pragma once

#include <cstddef>
#include <cstdint>

namespace seatlock::guard {

// Buckets that are kept, a list's node and a place in a table each: some 10 MiB. A session is
// forgotten early only if so many others asked for locks since; principals are as many as there are
// keys, or as an issuer has subjects.
inline constexpr size_t kSessionBucketsMax = 100'000;
inline constexpr size_t kPrincipalBucketsMax = 10'000;

// After which a refused call is worth another try, at least. The next token is there sooner, but
// not for all who are refused now: told that, they would come back in a crowd, several times each.
inline constexpr int64_t kRetryMsMin = 1'000;

}  // namespace seatlock::guard
