// Load for tests that kill servers: workers that retry what a crash left open, followers that
// resume by position. What workers note down is judged by JudgeByModel.
#pragma once

#include "tests/testing/load_follower.h"  // IWYU pragma: export
#include "tests/testing/load_progress.h"  // IWYU pragma: export
#include "tests/testing/load_worker.h"    // IWYU pragma: export
