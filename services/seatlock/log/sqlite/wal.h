// Makes certain that what a store shows is on the disk, whoever has it open besides.
#pragma once

#include "absl/status/status.h"
#include "services/seatlock/log/sqlite/connection.h"
#include "services/seatlock/log/sqlite/schema.h"

namespace seatlock::log {

// Afterwards all that `connection` shows is on the disk, and nothing that it does not show can
// come back: after an fsync that failed, by this process or one that died, the page cache may show
// what the disk lacks, and the write-ahead log may hold a commit that nobody was told of.
//
// Writes the valid part of the write-ahead log once more, as it is, cuts off what lies behind it,
// and syncs. Readers, of this process or of others, neither hinder it nor notice. Needs the write
// lock; UNAVAILABLE where another program holds that, or the disk fails. docs/adr/0014.
absl::Status MakeDurable(Connection& connection, Durability durability);

}  // namespace seatlock::log
