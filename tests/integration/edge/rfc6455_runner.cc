#include "tests/integration/edge/rfc6455_runner.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <cerrno>
#include <cstring>
#include <ostream>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace seatlock::testing::rfc6455 {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kUpgrade =
    "GET /ws/seat-updates HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n"
    "Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Version: 13\r\n\r\n";
// What RFC 6455, 1.3, answers to that key.
constexpr std::string_view kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

constexpr uint8_t kFinBit = 0x80;
constexpr uint8_t kMaskBit = 0x80;
constexpr uint8_t kLength2 = 126;
constexpr uint8_t kLength8 = 127;

std::string BigEndian(uint64_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text.push_back(static_cast<char>(value >> (8 * i)));
  return text;
}

uint64_t FromBigEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<uint8_t>(c);
  return value;
}

template <typename... Parts>
absl::Status Wrong(const Parts&... parts) {
  return absl::FailedPreconditionError(absl::StrCat(parts...));
}

std::string Shown(std::string_view bytes) {
  constexpr size_t kShownMax = 200;
  return absl::CHexEscape({bytes.data(), std::min(bytes.size(), kShownMax)});
}

struct ServerFrame {
  uint8_t opcode = 0;
  std::string payload;
};

std::string Describe(const ServerFrame& frame) {
  return absl::StrCat("opcode ", frame.opcode, " \"", Shown(frame.payload), "\"");
}

std::string Describe(const Answer& answer) {
  switch (answer.kind) {
    case Answer::Kind::kJson:
      return answer.text;
    case Answer::Kind::kPong:
      return absl::StrCat("pong \"", Shown(answer.text), "\"");
    case Answer::Kind::kClose:
      return absl::StrCat("close ", answer.code);
  }
  return "";
}

// ---- The connection ----------------------------------------------------------------------------

// A TCP connection whose every wait ends at one deadline.
class Connection {
 public:
  explicit Connection(Clock::time_point deadline) : deadline_(deadline) {}
  ~Connection() {
    if (fd_ >= 0) close(fd_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  absl::Status Open(uint16_t port) {
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
      return Wrong("connecting: ", std::strerror(errno));
    }
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return absl::OkStatus();
  }

  // A server that has closed already takes no more: what it sent will say whether that was right.
  absl::Status Send(std::string_view bytes, size_t bytes_a_write = 0) {
    while (!bytes.empty()) {
      if (!Wait(POLLOUT)) return Wrong("the server reads no more");
      const size_t piece =
          bytes_a_write == 0 ? bytes.size() : std::min(bytes_a_write, bytes.size());
      const ssize_t sent = send(fd_, bytes.data(), piece, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) {
        reset_ = reset_ || errno == ECONNRESET;  // Told once: no read says it again.
        return absl::OkStatus();
      }
      if (sent > 0) bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return absl::OkStatus();
  }

  // Has `count` bytes in `text`, or what came before the end where the connection ended.
  absl::Status Fill(size_t count, std::string& text) {
    while (input_.size() < count && !ended_) {
      if (absl::Status read = ReadSome(); !read.ok()) return read;
    }
    text = input_.substr(0, count);
    return absl::OkStatus();
  }
  void Consume(size_t count) { input_.erase(0, count); }

  // The HTTP answer's head.
  absl::StatusOr<std::string> ReadHead() {
    constexpr std::string_view kEnd = "\r\n\r\n";
    while (true) {
      const size_t end = input_.find(kEnd);
      if (end != std::string::npos) {
        std::string head = input_.substr(0, end + 2);
        Consume(end + kEnd.size());
        return head;
      }
      if (ended_) return Wrong("no HTTP answer: ", Shown(input_));
      if (absl::Status read = ReadSome(); !read.ok()) return read;
    }
  }

 private:
  bool Wait(short events) {
    while (true) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - Clock::now()).count();
      pollfd waiting{fd_, events, 0};
      const int ready = poll(&waiting, 1, static_cast<int>(std::max<int64_t>(left, 0)));
      if (ready > 0) return true;
      if (ready == 0 && left <= 0) return false;
    }
  }

  absl::Status ReadSome() {
    if (!Wait(POLLIN)) return absl::DeadlineExceededError("nothing came");
    char buffer[4096];
    const ssize_t count = recv(fd_, buffer, sizeof(buffer), MSG_DONTWAIT);
    if (count > 0) {
      input_.append(buffer, static_cast<size_t>(count));
    } else if (count == 0 && !reset_) {
      ended_ = true;
    } else if (count == 0) {
      return Wrong("the connection broke: ", std::strerror(ECONNRESET));
    } else if (errno != EAGAIN && errno != EINTR) {
      return Wrong("the connection broke: ", std::strerror(errno));
    }
    return absl::OkStatus();
  }

  const Clock::time_point deadline_;
  int fd_ = -1;
  std::string input_;
  bool ended_ = false;
  bool reset_ = false;
};

// The length that a frame's first bytes give, and how many bytes there are up to the payload.
struct Length {
  uint64_t payload = 0;
  size_t header = 2;
};

absl::StatusOr<Length> ReadLength(Connection& connection, uint8_t short_length) {
  if (short_length < kLength2) return Length{short_length, 2};
  const size_t bytes = short_length == kLength2 ? 2 : 8;
  std::string header;
  if (absl::Status read = connection.Fill(2 + bytes, header); !read.ok()) return read;
  if (header.size() < 2 + bytes) return Wrong("the end within a length");
  const uint64_t length = FromBigEndian(std::string_view(header).substr(2));
  if (length < kLength2 || (bytes == 8 && length <= 0xffff)) {
    return Wrong("a length of ", length, " in ", bytes, " bytes");
  }
  return Length{length, 2 + bytes};
}

// The next frame, held to the RFC; none at the connection's end.
absl::StatusOr<std::optional<ServerFrame>> ReadFrame(Connection& connection) {
  std::string bytes;
  if (absl::Status read = connection.Fill(2, bytes); !read.ok()) return read;
  if (bytes.empty()) return std::nullopt;
  if (bytes.size() < 2) return Wrong("the end within a header");
  const auto first = static_cast<uint8_t>(bytes[0]);
  const auto second = static_cast<uint8_t>(bytes[1]);
  const uint8_t opcode = first & 0x0f;
  if ((first & 0xf0) != kFinBit) return Wrong("a first byte of ", absl::Hex(first));
  if ((second & kMaskBit) != 0) return Wrong("a masked frame");
  if (opcode != kText && opcode != kClose && opcode != kPing && opcode != kPong) {
    return Wrong("an opcode of ", opcode);
  }
  if (opcode != kText && second >= kLength2) return Wrong("a control frame above 125 bytes");
  const absl::StatusOr<Length> length = ReadLength(connection, second);
  if (!length.ok()) return length.status();
  const size_t size = length->header + length->payload;
  if (absl::Status read = connection.Fill(size, bytes); !read.ok()) return read;
  if (bytes.size() < size) return Wrong("the end within a frame: ", Shown(bytes));
  connection.Consume(size);
  return ServerFrame{opcode, bytes.substr(length->header)};
}

// ---- What came against what should have --------------------------------------------------------

absl::Status MatchJson(const Answer& answer, const ServerFrame& frame) {
  boost::system::error_code ec;
  boost::json::value came = boost::json::parse(frame.payload, ec);
  if (ec || !came.is_object()) return Wrong("no JSON object but ", Describe(frame));
  for (const char* field : {"timestamp", "message", "sessionId"}) came.as_object().erase(field);
  if (came == boost::json::parse(answer.text)) return absl::OkStatus();
  return Wrong("no ", answer.text, " but ", Describe(frame));
}

// JSON's parser checks it, and its serializer escapes all that JSON forbids beside.
bool IsUtf8(const std::string& text) {
  boost::system::error_code ec;
  boost::json::parse(boost::json::serialize(boost::json::string(text)), ec);
  return !ec;
}

// Whatever the reason says.
absl::Status MatchClose(const Answer& answer, const ServerFrame& frame) {
  const std::string& payload = frame.payload;
  if (payload.empty() && answer.code == 0) return absl::OkStatus();
  if (payload.size() < 2) return Wrong("no ", Describe(answer), " but ", Describe(frame));
  const uint64_t code = FromBigEndian(std::string_view(payload).substr(0, 2));
  if (code != answer.code && !(answer.code == 0 && code == 1000)) {
    return Wrong("no ", Describe(answer), " but close ", code, " ", Shown(payload.substr(2)));
  }
  const std::string reason = payload.substr(2);
  return IsUtf8(reason) ? absl::OkStatus() : Wrong("a close reason of ", Shown(reason));
}

absl::Status Match(const Answer& answer, const ServerFrame& frame) {
  switch (answer.kind) {
    case Answer::Kind::kJson:
      if (frame.opcode == kText) return MatchJson(answer, frame);
      break;
    case Answer::Kind::kPong:
      if (frame.opcode == kPong && frame.payload == answer.text) return absl::OkStatus();
      break;
    case Answer::Kind::kClose:
      if (frame.opcode == kClose) return MatchClose(answer, frame);
      break;
  }
  return Wrong("no ", Describe(answer), " but ", Describe(frame));
}

// The server's own pings, which come by the clock, are passed over.
absl::StatusOr<std::optional<ServerFrame>> NextFrame(Connection& connection) {
  while (true) {
    absl::StatusOr<std::optional<ServerFrame>> frame = ReadFrame(connection);
    if (!frame.ok() || !frame->has_value() || (*frame)->opcode != kPing) return frame;
  }
}

absl::Status Expect(Connection& connection, const Answer& answer) {
  const absl::StatusOr<std::optional<ServerFrame>> frame = NextFrame(connection);
  if (!frame.ok()) return Wrong("no ", Describe(answer), ": ", frame.status().message());
  if (!frame->has_value()) return Wrong("no ", Describe(answer), " but the connection's end");
  return Match(answer, **frame);
}

absl::Status ExpectEnd(Connection& connection) {
  const absl::StatusOr<std::optional<ServerFrame>> frame = ReadFrame(connection);
  if (!frame.ok()) return Wrong("no end after the close: ", frame.status().message());
  if (frame->has_value()) return Wrong("after the close ", Describe(**frame));
  return absl::OkStatus();
}

absl::Status Play(Connection& connection, const Step& step, size_t bytes_a_write) {
  if (absl::Status sent = connection.Send(step.bytes, bytes_a_write); !sent.ok()) return sent;
  for (const Answer& answer : step.answers) {
    if (absl::Status came = Expect(connection, answer); !came.ok()) return came;
  }
  return absl::OkStatus();
}

absl::Status Upgrade(Connection& connection, std::string_view request,
                     std::string_view first_bytes) {
  if (request.empty()) request = kUpgrade;
  const absl::Status sent =
      connection.Send(absl::StrCat(std::string(request), std::string(first_bytes)));
  if (!sent.ok()) return sent;
  const absl::StatusOr<std::string> head = connection.ReadHead();
  if (!head.ok()) return head.status();
  if (head->rfind("HTTP/1.1 101 ", 0) != 0) return Wrong("no upgrade but ", *head);
  if (head->find(absl::StrCat(": ", std::string(kAccept), "\r\n")) == std::string::npos) {
    return Wrong("another Sec-WebSocket-Accept: ", *head);
  }
  return Expect(connection, Json(R"({"type":"connection_established"})"));
}

// The steps, and in a conversation that lives at their end its proof.
std::vector<Step> WithItsEnd(const Case& of) {
  std::vector<Step> steps = of.steps;
  const bool ends = !steps.empty() && !steps.back().answers.empty() &&
                    steps.back().answers.back().kind == Answer::Kind::kClose;
  if (!ends) {
    steps.push_back({ClientFrame(kPing, kLastPing), {Pong(std::string(kLastPing))}});
    steps.push_back({ClientFrame(kClose, ClosePayload(1000)), {Closed(1000)}});
  } else if (!of.client_closes) {
    steps.push_back({ClientFrame(kClose, ClosePayload(steps.back().answers.back().code))});
  }
  return steps;
}

}  // namespace

std::string ClientFrame(uint8_t opcode, std::string_view payload, const Odd& odd) {
  const uint64_t length = odd.announced.value_or(payload.size());
  const int fewest = length < kLength2 ? 0 : length <= 0xffff ? 2 : 8;
  const int bytes = odd.length_bytes != 0 ? odd.length_bytes : fewest;
  std::string frame;
  frame.push_back(static_cast<char>((odd.fin ? kFinBit : 0) | odd.reserved_bits << 4 | opcode));
  const auto short_length = bytes == 0   ? static_cast<uint8_t>(length)
                            : bytes == 2 ? kLength2
                                         : kLength8;
  frame.push_back(static_cast<char>((odd.masked ? kMaskBit : 0) | short_length));
  frame += BigEndian(length, bytes);
  if (!odd.masked) return frame + std::string(payload);
  const std::string mask = BigEndian(odd.mask, 4);
  frame += mask;
  for (size_t i = 0; i < payload.size(); ++i) {
    frame.push_back(static_cast<char>(payload[i] ^ mask[i % mask.size()]));
  }
  return frame;
}

std::string ClosePayload(uint16_t code, std::string_view reason) {
  return BigEndian(code, 2) + std::string(reason);
}

Answer Json(std::string object) {
  return {Answer::Kind::kJson, std::move(object), 0};
}
Answer Pong(std::string payload) {
  return {Answer::Kind::kPong, std::move(payload), 0};
}
Answer Closed(uint16_t code) {
  return {Answer::Kind::kClose, "", code};
}

void PrintTo(const Case& of, std::ostream* out) {
  *out << of.name;
}

absl::Status RunCase(const Case& of, uint16_t port, std::chrono::milliseconds patience) {
  Connection connection(Clock::now() + patience);
  if (absl::Status opened = connection.Open(port); !opened.ok()) return opened;
  std::vector<Step> steps = WithItsEnd(of);
  std::string first_bytes;
  if (of.with_upgrade) std::swap(first_bytes, steps.front().bytes);
  if (absl::Status up = Upgrade(connection, of.request, first_bytes); !up.ok()) return up;
  for (size_t i = 0; i < steps.size(); ++i) {
    const absl::Status played = Play(connection, steps[i], of.bytes_a_write);
    if (!played.ok()) return Wrong("step ", i, ": ", played.message());
  }
  return ExpectEnd(connection);
}

}  // namespace seatlock::testing::rfc6455
