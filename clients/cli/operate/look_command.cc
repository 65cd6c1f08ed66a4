// The commands that look once and print: status and doctor.
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "clients/cli/operate/commands.h"
#include "clients/cli/operate/deployment.h"
#include "clients/cli/operate/doctor.h"
#include "clients/cli/operate/doctor_facts.h"
#include "clients/cli/operate/limits.h"
#include "clients/cli/operate/status.h"
#include "clients/cli/operate/terminal.h"

namespace seatlock::cli::operate {
namespace {

// False if nobody could read it.
bool Print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  return std::fflush(stdout) == 0;
}

}  // namespace

int RunStatus(const CommonArgs& common, const Args& args) {
  const Look look = LookAt(args.admins, args.servers, common.tls,
                           std::min(kLookMax, std::chrono::milliseconds(common.timeout_ms)));
  const std::string text =
      common.json ? StatusJson(look) : StatusTable(look, UsesColor(args.no_color));
  return Print(text) && look.AllWell() ? kExitOk : kExitFailed;
}

int RunDoctor(const CommonArgs& common, const Args& args) {
  const std::vector<Finding> findings = Diagnose(LookForDoctor(common, args));
  const std::string text =
      common.json ? FindingsJson(findings) : FindingsText(findings, UsesColor(args.no_color));
  return Print(text) && AllRight(findings) ? kExitOk : kExitFailed;
}

}  // namespace seatlock::cli::operate
