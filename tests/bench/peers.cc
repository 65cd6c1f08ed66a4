// The peers of seatlock-edge, each in the leanest configuration that does the same: no compression,
// no log of requests, no more history than the latest message, one thread that serves.
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <utility>

#include "tests/bench/contestant.h"
#include "tests/bench/feed.h"
#include "tests/testing/programs.h"
#include "tests/testing/temp_dir.h"

namespace seatlock::bench {
namespace {

namespace fs = std::filesystem;

constexpr char kPeers[] = BENCH_PEERS_DIR;
constexpr milliseconds kListenTimeout{10'000};

// Where a program is; empty where it is not installed.
std::string InPath(const std::string& program) {
  for (const char* folder : {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin"}) {
    const fs::path path = fs::path(folder) / program;
    if (access(path.c_str(), X_OK) == 0) return path;
  }
  return "";
}

std::string BunBinary() {
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(fs::path(kPeers) / "node_modules/@oven", none)) {
    const fs::path binary = entry.path() / "bin/bun";
    if (access(binary.c_str(), X_OK) == 0) return binary;
  }
  return "";
}

class Peer : public Contestant {
 public:
  void Say(const std::string& room, int changes) final {
    std::string bytes;
    uint64_t& said = said_[room];
    for (int i = 0; i < changes; ++i) Append(room, ChangeText(room, said++), bytes);
    feed_.Write(bytes);
  }

  std::string address() const final { return address_; }
  pid_t pid() const final { return process_->pid(); }

 protected:
  // Adds one change to what is written to the feed.
  virtual void Append(const std::string& room, const std::string& text, std::string& bytes) = 0;

  absl::Status Run(const std::string& cores, std::vector<std::string> args) {
    auto process = StartOnCores(cores, std::move(args), dir_.path());
    if (!process.ok()) return process.status();
    process_ = *std::move(process);
    return absl::OkStatus();
  }

  absl::Status Listens(const std::string& address, const std::string& feed) {
    address_ = address;
    const absl::Status status = feed_.Connect(feed, kListenTimeout);
    if (status.ok()) return status;
    std::string said(status.message());
    for (const std::string& line : process_->StderrLines()) said += "; " + line;
    return absl::UnavailableError(said);
  }

  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(dir_.File(name)) << text;
    return dir_.File(name);
  }

  const testing::TempDir dir_;
  std::unique_ptr<testing::Process> process_;
  Feed feed_;

 private:
  std::string address_;
  std::map<std::string, uint64_t> said_;
};

// ws and bun: a script that says where it listens.
class ScriptPeer final : public Peer {
 public:
  absl::Status Start(const std::string& cores, const std::string& runtime, const char* script) {
    if (absl::Status status = Run(cores, {runtime, fmt::format("{}/{}", kPeers, script)});
        !status.ok()) {
      return status;
    }
    const auto line = process_->WaitForText("\"listening\"", testing::kStartTimeout);
    if (!line.ok()) return line.status();
    return Listens(testing::LogField(*line, "address"), testing::LogField(*line, "feed"));
  }

 private:
  void Append(const std::string& room, const std::string& text, std::string& bytes) override {
    fmt::format_to(std::back_inserter(bytes), "{{\"showtimeId\":\"{}\",\"update\":{}}}\n", room,
                   text);
  }
};

// One process (no master), so that it ends with its only one.
constexpr char kNginxConfig[] = R"(
load_module {0};
daemon off;
master_process off;
pid {1}/nginx.pid;
error_log stderr error;
worker_rlimit_nofile 20000;
events {{
  worker_connections 19900;
  multi_accept on;
}}
http {{
  access_log off;
  client_body_temp_path {1}/body;
  proxy_temp_path {1}/proxy;
  fastcgi_temp_path {1}/fastcgi;
  uwsgi_temp_path {1}/uwsgi;
  scgi_temp_path {1}/scgi;
  keepalive_requests 100000000;
  tcp_nodelay on;
  nchan_message_buffer_length 1;
  server {{
    listen 127.0.0.1:{2} backlog=4096;
    location = /subscribe {{
      nchan_subscriber websocket;
      nchan_subscriber_first_message newest;
      nchan_channel_id $arg_id;
    }}
    location = /publish {{
      nchan_publisher http;
      nchan_channel_id $arg_id;
    }}
  }}
}}
)";

class NchanPeer final : public Peer {
 public:
  absl::Status Start(const std::string& cores, const std::string& nginx,
                     const std::string& module) {
    const int port = FreePort();
    const std::string config =
        Write("nginx.conf", fmt::format(kNginxConfig, module, dir_.path().string(), port));
    if (absl::Status status = Run(cores, {nginx, "-p", dir_.path(), "-c", config, "-e", "stderr"});
        !status.ok()) {
      return status;
    }
    const std::string address = fmt::format("127.0.0.1:{}", port);
    return Listens(address, address);
  }

  Dialect dialect() const override {
    return {.path = "/subscribe?id={room}", .hello = "", .greetings = 0};
  }

 private:
  void Append(const std::string& room, const std::string& text, std::string& bytes) override {
    fmt::format_to(std::back_inserter(bytes),
                   "POST /publish?id={} HTTP/1.1\r\nHost: bench\r\nContent-Length: {}\r\n\r\n{}",
                   room, text.size(), text);
  }
};

constexpr char kNatsConfig[] = R"(
listen: "127.0.0.1:{0}"
max_connections: 19900
ping_interval: "1h"
websocket {{
  listen: "127.0.0.1:{1}"
  no_tls: true
  compression: false
}}
)";

class NatsPeer final : public Peer {
 public:
  absl::Status Start(const std::string& cores, const std::string& binary) {
    const int port = FreePort();
    const int websocket = FreePort();
    const std::string config = Write("nats.conf", fmt::format(kNatsConfig, port, websocket));
    if (absl::Status status = Run(cores, {binary, "-c", config}); !status.ok()) return status;
    // The listener for browsers is the last to come.
    if (const auto line = process_->WaitForText("Server is ready", testing::kStartTimeout);
        !line.ok()) {
      return line.status();
    }
    if (absl::Status status =
            Listens(fmt::format("127.0.0.1:{}", websocket), fmt::format("127.0.0.1:{}", port));
        !status.ok()) {
      return status;
    }
    feed_.Write("CONNECT {\"verbose\":false,\"pedantic\":false}\r\n");
    return absl::OkStatus();
  }

  Dialect dialect() const override {
    return {.path = "/",
            .hello = "CONNECT {\"verbose\":false,\"pedantic\":false}\r\nSUB {room} 1\r\nPING\r\n",
            .greetings = 0,
            .nats = true};
  }

 private:
  void Append(const std::string& room, const std::string& text, std::string& bytes) override {
    fmt::format_to(std::back_inserter(bytes), "PUB {} {}\r\n{}\r\n", room, text.size(), text);
  }
};

absl::StatusOr<std::unique_ptr<Contestant>> StartScript(const StartOptions& options,
                                                        const std::string& runtime,
                                                        const char* script) {
  auto peer = std::make_unique<ScriptPeer>();
  if (absl::Status status = peer->Start(options.cores, runtime, script); !status.ok()) {
    return status;
  }
  return peer;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Contestant>> StartWs(const StartOptions& options) {
  const std::string node = InPath("node");
  if (node.empty()) return absl::NotFoundError("node is not installed");
  if (!fs::exists(fs::path(kPeers) / "node_modules/ws")) {
    return absl::NotFoundError("npm's ws is not installed");
  }
  return StartScript(options, node, "ws_server.js");
}

absl::StatusOr<std::unique_ptr<Contestant>> StartBun(const StartOptions& options) {
  const std::string bun = BunBinary();
  if (bun.empty()) return absl::NotFoundError("npm's bun is not installed");
  return StartScript(options, bun, "bun_server.js");
}

absl::StatusOr<std::unique_ptr<Contestant>> StartNchan(const StartOptions& options) {
  constexpr char kModule[] = "/usr/lib/nginx/modules/ngx_nchan_module.so";
  const std::string nginx = InPath("nginx");
  if (nginx.empty()) return absl::NotFoundError("nginx is not installed");
  if (!fs::exists(kModule)) return absl::NotFoundError("libnginx-mod-nchan is not installed");
  auto peer = std::make_unique<NchanPeer>();
  if (absl::Status status = peer->Start(options.cores, nginx, kModule); !status.ok()) return status;
  return peer;
}

absl::StatusOr<std::unique_ptr<Contestant>> StartNats(const StartOptions& options) {
  const std::string nats = InPath("nats-server");
  if (nats.empty()) return absl::NotFoundError("nats-server is not installed");
  auto peer = std::make_unique<NatsPeer>();
  if (absl::Status status = peer->Start(options.cores, nats); !status.ok()) return status;
  return peer;
}

}  // namespace seatlock::bench
