// What `seatctl doctor` makes of what it saw: findings, each with the command or setting that mends
// it. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "clients/cli/operate/doctor_facts.h"

namespace seatlock::cli::operate {

// kNote: could not be seen, and how to see it.
enum class Level { kOk, kNote, kWarn, kWrong };

struct Finding {
  Level level = Level::kOk;
  std::string check;  // "descriptors", "clock" ...
  std::string what;
  std::string mend;  // empty if nothing is to be mended
};

// Every rule on every fact, in the order of the checks.
std::vector<Finding> Diagnose(const Facts& facts);

// Whether nothing is wrong. Warnings are not.
bool AllRight(const std::vector<Finding>& findings);

std::string FindingsText(const std::vector<Finding>& findings, bool color);
// One line.
std::string FindingsJson(const std::vector<Finding>& findings);

}  // namespace seatlock::cli::operate
