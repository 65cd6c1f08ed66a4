#include "tests/bench/crowd.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace seatlock::bench {
namespace {

// More than any server has to say to one connection between two reads, so that frames are rarely
// cut in two.
constexpr size_t kBufferBytes = 256 * 1024;
constexpr size_t kEvents = 512;
constexpr milliseconds kPoll{50};
// Browsers come from several addresses, so that ports last.
constexpr int kSourceAddresses = 8;
// What tells a change from other texts, and where it stands: {"type":"seat_status_change",…
constexpr std::string_view kChange = "seat_";
constexpr size_t kChangeAt = 9;
// What a stoppable connection has: the segments of the smallest network there is, whose size the
// server's send buffer follows, and a small window.
constexpr int kSmallSegment = 536;
constexpr int kSmallWindow = 4096;

constexpr int kText = 1;
constexpr int kBinary = 2;
constexpr int kClose = 8;
constexpr int kPing = 9;
constexpr int kPong = 10;

sockaddr_in Loopback(uint32_t last_byte, uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl((127U << 24) | last_byte);
  return address;
}

template <typename T>
void SetOption(int fd, int level, int name, T value) {
  setsockopt(fd, level, name, &value, sizeof value);
}

uint16_t PortOf(const std::string& address) {
  return static_cast<uint16_t>(std::atoi(address.c_str() + address.rfind(':') + 1));
}

// A frame of a server at the start of `bytes`.
struct Header {
  size_t size = 0;  // 0: it is not there in whole
  uint64_t payload = 0;
};

Header ReadHeader(std::string_view bytes) {
  if (bytes.size() < 2) return {};
  const auto at = [bytes](size_t i) { return static_cast<uint8_t>(bytes[i]); };
  const uint8_t length = at(1) & 0x7f;
  if (length < 126) return {2, length};
  const size_t more = length == 126 ? 2 : 8;
  if (bytes.size() < 2 + more) return {};
  Header header{2 + more, 0};
  for (size_t i = 0; i < more; ++i) header.payload = header.payload << 8 | at(2 + i);
  return header;
}

}  // namespace

Crowd::Crowd(CrowdOptions options)
    : options_(std::move(options)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      connections_(options_.connections),
      rooms_(options_.rooms.size()),
      buffer_(kBufferBytes) {
  for (int i = 0; i < options_.connections; ++i) {
    Connection& connection = connections_[i];
    connection.room = i % static_cast<int>(rooms_.size());
    connection.tracked = options_.stoppable_every == 0 || i % options_.stoppable_every != 0;
  }
}

Crowd::~Crowd() {
  CutAll();
  close(epoll_);
}

absl::Status Crowd::Open(int in_flight, milliseconds timeout) {
  const auto deadline = SteadyClock::now() + timeout;
  next_ = 0;
  while (next_ < options_.connections || pending_ > 0) {
    if (SteadyClock::now() > deadline) {
      return absl::DeadlineExceededError(absl::StrCat(ready_, " of ", options_.connections,
                                                      " connections follow their room, ", refused_,
                                                      " were refused"));
    }
    while (next_ < options_.connections && pending_ < in_flight) Connect(next_++);
    Poll(kPoll);
  }
  return absl::OkStatus();
}

void Crowd::CutAll() {
  for (Connection& connection : connections_) Close(connection);
  for (Room& room : rooms_) room = {};
  pending_ = ready_ = 0;
  missing_ = 0;
}

void Crowd::StopReading() {
  for (Connection& connection : connections_) {
    if (!connection.tracked && connection.fd >= 0) {
      epoll_ctl(epoll_, EPOLL_CTL_DEL, connection.fd, nullptr);
    }
  }
}

void Crowd::Handed(int room, int changes, SteadyClock::time_point when) {
  for (int i = 1; i <= changes; ++i) {
    rooms_[room].changes.push_back({when, rooms_[room].readers, 0, i == changes});
  }
  missing_ += static_cast<uint64_t>(rooms_[room].readers) * static_cast<uint64_t>(changes);
}

void Crowd::PollUntil(SteadyClock::time_point until) {
  while (true) {
    const auto left = std::chrono::ceil<milliseconds>(until - SteadyClock::now());
    if (left <= milliseconds(0)) return;
    Poll(std::min(left, kPoll));
  }
}

bool Crowd::PollUntilArrived(milliseconds timeout) {
  const auto deadline = SteadyClock::now() + timeout;
  while (missing_ > 0 && SteadyClock::now() < deadline) Poll(kPoll);
  return missing_ == 0;
}

void Crowd::StartPhase() {
  samples_ms_.clear();
  deliveries_ = payload_bytes_ = 0;
}

// --- connections ---------------------------------------------------------------------------------

void Crowd::Connect(int index) {
  Connection& connection = connections_[index];
  connection.greetings = 0;
  connection.changes = 0;
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) {
    ++refused_;
    return;
  }
  connection.fd = fd;
  SetOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  SetOption(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  SetOption(fd, SOL_SOCKET, SO_LINGER, linger{.l_onoff = 1, .l_linger = 0});
  if (!connection.tracked) {
    SetOption(fd, IPPROTO_TCP, TCP_MAXSEG, kSmallSegment);
    SetOption(fd, SOL_SOCKET, SO_RCVBUF, kSmallWindow);
  }
  const sockaddr_in from = Loopback(2 + index % kSourceAddresses, 0);
  const sockaddr_in to = Loopback(1, PortOf(options_.address));
  ++pending_;
  connection.stage = Stage::kConnecting;
  const bool bound = bind(fd, reinterpret_cast<const sockaddr*>(&from), sizeof from) == 0;
  if (!bound || (connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0 &&
                 errno != EINPROGRESS)) {
    Refuse(connection);
    return;
  }
  epoll_event event{.events = EPOLLOUT, .data = {.u32 = static_cast<uint32_t>(index)}};
  epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
}

void Crowd::Close(Connection& connection) {
  if (connection.fd >= 0) close(connection.fd);
  connection.fd = -1;
  connection.stage = Stage::kNone;
  connection.carry = {};
}

void Crowd::Refuse(Connection& connection) {
  ++refused_;
  --pending_;
  Close(connection);
}

// The server has closed it. What it was still owed will not come.
void Crowd::Lose(Connection& connection) {
  if (connection.stage != Stage::kReady) {
    Refuse(connection);
    return;
  }
  ++closed_;
  --ready_;
  Close(connection);
  if (!connection.tracked) return;
  Room& room = rooms_[connection.room];
  --room.readers;
  for (size_t i = connection.changes; i < room.changes.size(); ++i) {
    --room.changes[i].expected;
    --missing_;
    ++lost_;
  }
}

void Crowd::Handle(int index, uint32_t events) {
  Connection& connection = connections_[index];
  if (connection.stage == Stage::kNone) return;
  if (connection.stage == Stage::kConnecting) {
    Connected(connection, index);
  } else if (events != 0) {
    Read(connection);
  }
}

void Crowd::Connected(Connection& connection, int index) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(connection.fd, SOL_SOCKET, SO_ERROR, &error, &size);
  const std::string request = absl::StrCat(
      "GET ", InRoom(options_.dialect.path, connection.room),
      " HTTP/1.1\r\nHost: ", options_.address, "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  if (error != 0 || send(connection.fd, request.data(), request.size(), MSG_NOSIGNAL) !=
                        static_cast<ssize_t>(request.size())) {
    Refuse(connection);
    return;
  }
  connection.stage = Stage::kUpgrading;
  epoll_event event{.events = EPOLLIN, .data = {.u32 = static_cast<uint32_t>(index)}};
  epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.fd, &event);
}

void Crowd::Read(Connection& connection) {
  const size_t carried = connection.carry.size();
  std::copy(connection.carry.begin(), connection.carry.end(), buffer_.begin());
  const ssize_t size =
      recv(connection.fd, buffer_.data() + carried, buffer_.size() - carried, MSG_DONTWAIT);
  if (size < 0 && errno == EAGAIN) return;
  if (size <= 0) {
    Lose(connection);
    return;
  }
  const std::string_view bytes(buffer_.data(), carried + static_cast<size_t>(size));
  const size_t taken = Take(connection, bytes);
  if (connection.stage == Stage::kNone || (carried == 0 && taken == bytes.size())) return;
  connection.carry.assign(bytes.substr(taken));
}

size_t Crowd::Take(Connection& connection, std::string_view bytes) {
  size_t taken = 0;
  if (connection.stage == Stage::kUpgrading) {
    taken = TakeUpgrade(connection, bytes);
    if (taken == 0) return 0;
  }
  while (connection.stage != Stage::kNone) {
    const std::string_view rest = bytes.substr(taken);
    const Header header = ReadHeader(rest);
    if (header.size == 0 || rest.size() - header.size < header.payload) break;
    taken += header.size + header.payload;
    OnFrame(connection, rest[0] & 0x0f, rest.substr(header.size, header.payload));
  }
  return taken;
}

size_t Crowd::TakeUpgrade(Connection& connection, std::string_view bytes) {
  const size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return 0;
  if (bytes.substr(0, bytes.find("\r\n")).find(" 101") == std::string_view::npos) {
    Refuse(connection);
    return 0;
  }
  connection.stage = Stage::kGreeting;
  const Dialect& dialect = options_.dialect;
  if (!dialect.hello.empty()) {
    SendFrame(connection, dialect.nats ? kBinary : kText, InRoom(dialect.hello, connection.room));
  }
  if (dialect.greetings == 0 && !dialect.nats) Ready(connection);
  return end + 4;
}

void Crowd::SendFrame(Connection& connection, int opcode, std::string_view payload) {
  // Masked with zero. Texts of ours are short.
  std::string frame;
  frame.push_back(static_cast<char>(0x80 | opcode));
  if (payload.size() < 126) {
    frame.push_back(static_cast<char>(0x80 | payload.size()));
  } else {
    frame.push_back(static_cast<char>(0x80 | 126));
    frame.push_back(static_cast<char>(payload.size() >> 8));
    frame.push_back(static_cast<char>(payload.size() & 0xff));
  }
  frame.append(4, '\0').append(payload);
  // One that does not fit into an empty socket is a connection that fails, which shows.
  if (send(connection.fd, frame.data(), frame.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) return;
}

std::string Crowd::InRoom(const std::string& text, int room) const {
  return absl::StrReplaceAll(text, {{"{room}", options_.rooms[room]}});
}

// --- what arrives --------------------------------------------------------------------------------

void Crowd::OnFrame(Connection& connection, int opcode, std::string_view payload) {
  if (opcode == kPing) {
    SendFrame(connection, kPong, payload);
  } else if (opcode == kClose) {
    Lose(connection);
  } else if (opcode == kText) {
    OnText(connection, payload);
  } else if (opcode == kBinary && options_.dialect.nats) {
    OnNats(connection, payload);
  }
}

void Crowd::OnText(Connection& connection, std::string_view payload) {
  if (connection.stage == Stage::kGreeting) {
    if (++connection.greetings == options_.dialect.greetings) Ready(connection);
  } else if (payload.size() > kChangeAt && payload.substr(kChangeAt).starts_with(kChange)) {
    Delivered(connection, payload.size());
  }
}

// Several messages may share a frame: INFO {…}, MSG room 1 SIZE and its text, PING, PONG.
void Crowd::OnNats(Connection& connection, std::string_view payload) {
  while (payload.size() > 2) {
    const size_t end = std::min(payload.find("\r\n"), payload.size() - 2);
    const std::string_view line = payload.substr(0, end);
    payload.remove_prefix(end + 2);
    if (line.starts_with("MSG ")) {
      const size_t size = std::strtoul(line.data() + line.rfind(' ') + 1, nullptr, 10);
      payload.remove_prefix(std::min(payload.size(), size + 2));
      Delivered(connection, size);
    } else if (line == "PING") {
      SendFrame(connection, kBinary, "PONG\r\n");
    } else if (line == "PONG" && connection.stage == Stage::kGreeting) {
      Ready(connection);
    }
  }
}

void Crowd::Ready(Connection& connection) {
  connection.stage = Stage::kReady;
  --pending_;
  ++ready_;
  if (connection.tracked) ++rooms_[connection.room].readers;
}

void Crowd::Delivered(Connection& connection, size_t bytes) {
  ++deliveries_;
  payload_bytes_ += bytes;
  Room& room = rooms_[connection.room];
  const uint32_t number = connection.changes++;
  if (!connection.tracked || number >= room.changes.size()) return;
  --missing_;
  Change& change = room.changes[number];
  if (++change.arrived == change.expected && change.is_last) {
    samples_ms_.push_back(
        std::chrono::duration<double, std::milli>(SteadyClock::now() - change.handed).count());
  }
}

void Crowd::Poll(milliseconds timeout) {
  std::array<epoll_event, kEvents> events;
  const int count =
      epoll_wait(epoll_, events.data(), events.size(), static_cast<int>(timeout.count()));
  for (int i = 0; i < count; ++i) {
    Handle(static_cast<int>(events[i].data.u32), events[i].events);
  }
}

}  // namespace seatlock::bench
