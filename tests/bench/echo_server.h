// The floor that the service is measured against: a server whose LockSeat does nothing.
#pragma once

namespace seatlock::bench {

// Serves until the process is killed; prints {"msg":"listening","address":…} as our programs do.
[[noreturn]] void RunEchoServer();

}  // namespace seatlock::bench
