#include "tests/testing/redis_server.h"

#include <arpa/inet.h>
#include <hiredis/hiredis.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "tests/testing/eventually.h"

namespace seatlock::testing {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kStartMax{20'000};
constexpr int kPortTries = 5;

[[noreturn]] void Die(const std::string& why) {
  std::cerr << "redis: " << why << "\n";
  std::abort();
}

// One that was free a moment ago; whoever starts on it tries another if it is taken meanwhile.
uint16_t FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (fd < 0 || bind(fd, any, size) != 0 || getsockname(fd, any, &size) != 0) Die("no port");
  close(fd);
  return ntohs(address.sin_port);
}

std::string TextOf(const redisReply& reply) {
  switch (reply.type) {
    case REDIS_REPLY_ERROR:
      return "-" + std::string(reply.str, reply.len);
    case REDIS_REPLY_INTEGER:
      return std::to_string(reply.integer);
    case REDIS_REPLY_ARRAY: {
      std::string text;
      for (size_t i = 0; i < reply.elements; ++i) {
        text += (i == 0 ? "" : "\n") + TextOf(*reply.element[i]);
      }
      return text;
    }
    case REDIS_REPLY_NIL:
      return "";
    default:
      return std::string(reply.str, reply.len);
  }
}

// The answer, or none if nobody answers.
std::optional<std::string> Ask(uint16_t port, const std::vector<std::string>& command,
                               const std::string& password = "") {
  redisContext* context = redisConnectWithTimeout("127.0.0.1", port, timeval{5, 0});
  if (context == nullptr) return std::nullopt;
  redisSetTimeout(context, timeval{20, 0});
  std::vector<const char*> texts;
  std::vector<size_t> sizes;
  for (const std::string& each : command) {
    texts.push_back(each.data());
    sizes.push_back(each.size());
  }
  std::optional<std::string> text;
  if (context->err == 0 && !password.empty()) {
    freeReplyObject(redisCommand(context, "AUTH %s", password.c_str()));
  }
  if (context->err == 0) {
    auto* const reply = static_cast<redisReply*>(
        redisCommandArgv(context, static_cast<int>(texts.size()), texts.data(), sizes.data()));
    if (reply != nullptr) {
      text = TextOf(*reply);
      freeReplyObject(reply);
    }
  }
  redisFree(context);
  return text;
}

std::unique_ptr<Process> Launch(const std::string& config, const std::vector<std::string>& more) {
  ProcessOptions options{.binary = "/usr/bin/redis-server", .args = {config}};
  options.args.insert(options.args.end(), more.begin(), more.end());
  auto process = Process::Start(options);
  if (!process.ok()) Die(std::string(process.status().message()));
  return *std::move(process);
}

}  // namespace

RedisServer::RedisServer(Options options) : options_(std::move(options)), port_(FreePort()) {
  for (int i = 0; i < kPortTries; ++i) {
    if (TryStart()) return;
    port_ = FreePort();
  }
  Die("cannot be started");
}

RedisServer::~RedisServer() {
  Continue();  // a stopped process is killed just as well; this is for its children
}

bool RedisServer::TryStart(const std::vector<std::vector<std::string>>& more) {
  {
    std::ofstream config(dir_.File("redis.conf"));
    config << "port " << port_ << "\nbind 127.0.0.1\ndir " << dir_.path().string() << "\n"
           << "save \"\"\nappendonly yes\nappendfsync always\nno-appendfsync-on-rewrite no\n"
           << "maxmemory-policy noeviction\nrepl-diskless-sync-delay 0\nlogfile redis.log\n"
           << "enable-debug-command local\n";
    if (options_.replica_of != 0) config << "replicaof 127.0.0.1 " << options_.replica_of << "\n";
    std::vector<std::vector<std::string>> settings = options_.settings;
    settings.insert(settings.end(), more.begin(), more.end());
    for (const auto& setting : settings) {
      for (const std::string& word : setting) config << word << " ";
      config << "\n";
    }
  }
  process_ = Launch(dir_.File("redis.conf"), {});
  const auto answers = [&] {
    const std::optional<std::string> pong = Ask(port_, {"PING"});
    return pong.has_value() && pong->rfind("-LOADING", 0) != 0;
  };
  return Eventually([&] { return answers() || !process_->Running(); }, kStartMax) &&
         process_->Running();
}

void RedisServer::Start(const std::vector<std::vector<std::string>>& more) {
  if (!TryStart(more)) Die("cannot be started again");
}

void RedisServer::Kill() {
  process_->Kill();
}

void RedisServer::Stop() {
  process_->Signal(SIGTERM);
  if (!process_->Wait(kStartMax).ok()) Die("does not stop");
}

void RedisServer::WipeData() {
  for (const auto& entry : std::filesystem::directory_iterator(dir_.path())) {
    std::filesystem::remove_all(entry.path());
  }
}

void RedisServer::RemoveData(const std::string& name) {
  std::filesystem::remove_all(dir_.path() / name);
}

void RedisServer::Pause() {
  process_->Signal(SIGSTOP);
}

void RedisServer::Continue() {
  process_->Signal(SIGCONT);
}

std::string RedisServer::Run(const std::vector<std::string>& command) const {
  std::optional<std::string> answer = Ask(port_, command);
  if (!answer.has_value()) Die(command[0] + " is not answered");
  return *std::move(answer);
}

std::string RedisServer::Info(const std::string& field) const {
  const std::string info = Run({"INFO"});
  const size_t at = info.find("\n" + field + ":");
  if (at == std::string::npos) return "";
  const size_t begin = at + field.size() + 2;
  return info.substr(begin, info.find('\r', begin) - begin);
}

bool RedisServer::AwaitInfo(const std::string& field, const std::string& value) const {
  return Eventually([&] { return Info(field) == value; }, kStartMax);
}

RedisSentinel::RedisSentinel(uint16_t primary, int quorum, int down_after_ms,
                             const std::string& password)
    : password_(password) {
  for (int i = 0; i < kPortTries; ++i) {
    port_ = FreePort();
    const std::string path = dir_.File("sentinel.conf");
    std::ofstream(path) << "port " << port_ << "\nbind 127.0.0.1\ndir " << dir_.path().string()
                        << "\nsentinel monitor seats 127.0.0.1 " << primary << " " << quorum
                        << "\nsentinel down-after-milliseconds seats " << down_after_ms
                        << "\nsentinel failover-timeout seats 5000\nlogfile sentinel.log\n"
                        << (password_.empty()
                                ? ""
                                : "requirepass " + password_ + "\nsentinel auth-pass seats " +
                                      password_ + "\n");
    process_ = Launch(path, {"--sentinel"});
    if (Eventually([&] { return Ask(port_, {"PING"}).has_value() || !process_->Running(); },
                   kStartMax) &&
        process_->Running()) {
      return;
    }
  }
  Die("sentinel cannot be started");
}

uint16_t RedisSentinel::Primary() const {
  const std::optional<std::string> answer =
      Ask(port_, {"SENTINEL", "GET-MASTER-ADDR-BY-NAME", "seats"}, password_);
  if (!answer.has_value() || answer->find('\n') == std::string::npos) return 0;
  return static_cast<uint16_t>(std::stoi(answer->substr(answer->find('\n') + 1)));
}

std::string RedisSentinel::Run(const std::vector<std::string>& command) const {
  std::optional<std::string> answer = Ask(port_, command, password_);
  if (!answer.has_value()) Die("sentinel: " + command[0] + " is not answered");
  return *std::move(answer);
}

}  // namespace seatlock::testing
