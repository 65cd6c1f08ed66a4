#include "common/runtime/logging.h"

#include <fmt/chrono.h>
#include <spdlog/formatter.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <mutex>
#include <utility>

#include "common/runtime/flags.h"
#include "common/runtime/json_text.h"

namespace seatlock::runtime {
namespace {

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

const char* LevelName(spdlog::level::level_enum level) {
  if (level <= spdlog::level::debug) return "debug";
  if (level == spdlog::level::info) return "info";
  return level == spdlog::level::warn ? "warn" : "error";
}

std::string JsonValue(const LogField::Any& value) {
  if (const auto* text = std::get_if<std::string_view>(&value)) return JsonQuoted(*text);
  if (const auto* number = std::get_if<double>(&value)) {
    return std::isfinite(*number) ? fmt::format("{}", *number) : "null";
  }
  return std::visit([](const auto& v) { return fmt::format("{}", v); }, value);
}

// As it stands where that is one plain word, else as a JSON string.
std::string TextValue(const LogField::Any& value) {
  const auto* text = std::get_if<std::string_view>(&value);
  if (text == nullptr) return JsonValue(value);
  const auto plain = [](unsigned char c) { return c > ' ' && c < 0x7F && c != '"' && c != '\\'; };
  for (const char c : *text) {
    if (!plain(static_cast<unsigned char>(c))) return JsonQuoted(*text);
  }
  return text->empty() ? "\"\"" : std::string(*text);
}

std::string JsonPayload(std::string_view message, LogFields fields) {
  std::string payload = "\"msg\":" + JsonQuoted(message);
  for (const LogField& field : fields) {
    payload += "," + JsonQuoted(field.key) + ":" + JsonValue(field.value);
  }
  return payload;
}

// A message on a terminal may not move its cursor or start another line.
std::string TextPayload(std::string_view message, LogFields fields) {
  const std::string quoted = JsonQuoted(message);
  const bool plain = quoted.size() == message.size() + 2;
  std::string payload = plain ? std::string(message) : quoted;
  for (const LogField& field : fields) {
    payload += " " + std::string(field.key) + "=" + TextValue(field.value);
  }
  return payload;
}

// Puts the time, level and program before what JsonPayload made.
class JsonFormatter final : public spdlog::formatter {
 public:
  explicit JsonFormatter(std::string program) : program_(std::move(program)) {}

  void format(const spdlog::details::log_msg& msg, spdlog::memory_buf_t& dest) override {
    const auto since_epoch = msg.time.time_since_epoch();
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count();
    fmt::format_to(
        std::back_inserter(dest),
        "{{\"ts\":\"{:%Y-%m-%dT%H:%M:%S}.{:03}Z\",\"level\":\"{}\",\"program\":{},{}}}\n",
        fmt::gmtime(static_cast<std::time_t>(ms / 1000)), ms % 1000, LevelName(msg.level),
        JsonQuoted(program_), std::string_view(msg.payload.data(), msg.payload.size()));
  }

  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<JsonFormatter>(program_);
  }

 private:
  const std::string program_;
};

// Writes whole lines, so that lines of several threads and processes do not mix.
class FileSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit FileSink(std::FILE* out) : out_(out) {}

 private:
  void sink_it_(const spdlog::details::log_msg& msg) override {
    spdlog::memory_buf_t line;
    formatter_->format(msg, line);
    std::fwrite(line.data(), 1, line.size(), out_);
    std::fflush(out_);
  }
  void flush_() override { std::fflush(out_); }

  std::FILE* const out_;
};

LogFormat FormatOf(std::string_view text) {
  if (text == "json") return LogFormat::kJson;
  return text == "text" ? LogFormat::kText : LogFormat::kAuto;
}

LogLevel LevelOf(std::string_view text) {
  if (text == "debug") return LogLevel::kDebug;
  if (text == "warn") return LogLevel::kWarn;
  return text == "error" ? LogLevel::kError : LogLevel::kInfo;
}

std::unique_ptr<Logger>& ProcessLogger() {
  static auto* const logger = new std::unique_ptr<Logger>(
      std::make_unique<Logger>("seatlock", LogFormat::kText, LogLevel::kInfo, stderr));
  return *logger;
}

}  // namespace

struct Logger::Impl {
  bool json;
  spdlog::logger logger;
};

Logger::Logger(std::string program, LogFormat format, LogLevel level, std::FILE* out) {
  const bool terminal = isatty(fileno(out)) == 1;
  const bool json = format == LogFormat::kJson || (format == LogFormat::kAuto && !terminal);
  impl_ =
      std::make_unique<Impl>(Impl{json, spdlog::logger(program, std::make_shared<FileSink>(out))});
  impl_->logger.set_level(ToSpdlog(level));
  if (json) {
    impl_->logger.set_formatter(std::make_unique<JsonFormatter>(std::move(program)));
  } else {
    impl_->logger.set_pattern("%H:%M:%S.%e %^%-5l%$ %n: %v");
  }
}

Logger::~Logger() = default;

void Logger::Log(LogLevel level, std::string_view message, LogFields fields) {
  if (!Logs(level)) return;
  const std::string line =
      impl_->json ? JsonPayload(message, fields) : TextPayload(message, fields);
  impl_->logger.log(ToSpdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

bool Logger::Logs(LogLevel level) const {
  return impl_->logger.should_log(ToSpdlog(level));
}

void AddLoggingFlags(LoggingOptions* options, Flags* flags) {
  flags->Choice(&options->format, "log-format", {"auto", "json", "text"},
                "how the log on stderr is written; auto is text on a terminal, else json");
  flags->Choice(&options->level, "log-level", {"debug", "info", "warn", "error"},
                "the least level that is logged");
}

void InitLogging(std::string program, LogFormat format, LogLevel level) {
  ProcessLogger() = std::make_unique<Logger>(std::move(program), format, level, stderr);
}

void InitLogging(std::string program, const LoggingOptions& options) {
  InitLogging(std::move(program), FormatOf(options.format), LevelOf(options.level));
}

bool LogsDebug() {
  return ProcessLogger()->Logs(LogLevel::kDebug);
}

void LogDebug(std::string_view message, LogFields fields) {
  ProcessLogger()->Log(LogLevel::kDebug, message, fields);
}
void LogInfo(std::string_view message, LogFields fields) {
  ProcessLogger()->Log(LogLevel::kInfo, message, fields);
}
void LogWarn(std::string_view message, LogFields fields) {
  ProcessLogger()->Log(LogLevel::kWarn, message, fields);
}
void LogError(std::string_view message, LogFields fields) {
  ProcessLogger()->Log(LogLevel::kError, message, fields);
}

}  // namespace seatlock::runtime
