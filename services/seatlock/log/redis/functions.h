// The function library that runs inside Redis (functions.lua), and the names of its functions.
#pragma once

#include <cstdint>

namespace seatlock::log {

// The library's text, for FUNCTION LOAD.
extern const char kFunctionLibrary[];
// What kFnVersion answers of it. Functions of one library are replaced by newer ones while servers
// of the older version run, so they stay compatible; what cannot gets a library of a new name.
inline constexpr int64_t kFunctionVersion = 3;

inline constexpr char kFnAppend[] = "seatlock1_append";
inline constexpr char kFnAppendIfRoom[] = "seatlock1_append_if_room";
inline constexpr char kFnPage[] = "seatlock1_page";
inline constexpr char kFnLoad[] = "seatlock1_load";
inline constexpr char kFnSnapshot[] = "seatlock1_snapshot";
inline constexpr char kFnTrim[] = "seatlock1_trim";
inline constexpr char kFnClaim[] = "seatlock1_claim";
inline constexpr char kFnDelete[] = "seatlock1_delete";
inline constexpr char kFnBarrier[] = "seatlock1_barrier";
inline constexpr char kFnLook[] = "seatlock1_look";
inline constexpr char kFnInstall[] = "seatlock1_install";
inline constexpr char kFnRights[] = "seatlock1_rights";
inline constexpr char kFnVersion[] = "seatlock1_version";

// The first number of a function's answer.
enum class FunctionAnswer : int64_t { kDone = 0, kConflict = 1, kDamaged = 2, kNotInHistory = 3 };

}  // namespace seatlock::log
