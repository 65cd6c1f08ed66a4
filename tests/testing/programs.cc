#include "tests/testing/programs.h"

#include <signal.h>

#include <boost/json.hpp>

namespace seatlock::testing {
namespace {

absl::StatusOr<std::string> WaitForAddress(Process& process, const std::string& msg) {
  absl::StatusOr<std::string> line = process.WaitForLine(
      [&msg](const std::string& text) { return LogField(text, "msg") == msg; }, kStartTimeout);
  if (!line.ok()) return line.status();
  std::string address = LogField(*line, "address");
  if (address.empty()) return absl::InternalError("no address in: " + *line);
  return address;
}

absl::StatusOr<std::unique_ptr<Program>> Start(const ProgramOptions& options,
                                               const std::string& first_arg) {
  ProcessOptions process_options{
      .binary = options.binary,
      .args = {first_arg, "--listen=" + options.listen, "--admin-listen=" + options.admin_listen},
      .env = options.env,
      .working_dir = ""};
  process_options.args.insert(process_options.args.end(), options.args.begin(), options.args.end());
  absl::StatusOr<std::unique_ptr<Process>> process = Process::Start(process_options);
  if (!process.ok()) return process.status();
  absl::StatusOr<std::string> address = WaitForAddress(**process, "listening");
  if (!address.ok()) return address.status();
  absl::StatusOr<std::string> admin = WaitForAddress(**process, "admin listening");
  if (!admin.ok()) return admin.status();
  return std::make_unique<Program>(*std::move(process), *std::move(address), *std::move(admin));
}

}  // namespace

absl::StatusOr<ProcessExit> Program::Stop(Process::Milliseconds timeout) {
  process_->Signal(SIGTERM);
  return process_->Wait(timeout);
}

absl::StatusOr<std::unique_ptr<Program>> StartSeatlockd(const ProgramOptions& options) {
  return Start(options, "--store=" + options.store);
}

absl::StatusOr<std::unique_ptr<Program>> StartEdge(const ProgramOptions& options) {
  return Start(options, "--upstream=" + options.upstream);
}

std::string SanitizerReport(const Process& process) {
  std::string report;
  for (const std::string& line : process.StderrLines()) {
    const bool starts = line.find("Sanitizer:") != std::string::npos ||
                        line.find("runtime error:") != std::string::npos;
    if (starts || !report.empty()) report += line + "\n";
  }
  return report;
}

std::string LogField(const std::string& line, const std::string& name) {
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(line, error);
  if (error || !value.is_object()) return "";
  const boost::json::value* field = value.as_object().if_contains(name);
  if (field == nullptr || !field->is_string()) return "";
  return std::string(field->as_string());
}

}  // namespace seatlock::testing
