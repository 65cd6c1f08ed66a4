// What is cheap for a peer and would be dear for the edge, done from raw sockets while a good
// client watches: its frames keep coming, others come in, and memory stays bounded.
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "edge/limits.h"
#include "tests/integration/edge/edge_test_base.h"
#include "tests/integration/edge/raw_peer.h"
#include "tests/testing/http_get.h"

namespace seatlock::testing {
namespace {

using Millis = WsClient::Millis;

// Another address of loopback than the good clients'.
constexpr char kElsewhere[] = "127.0.0.2";
// A sanitizer's build keeps shadows of memory and holds back what was freed.
#if defined(SEATLOCK_SANITIZED)
constexpr int64_t kRoomForSanitizers = 4;
#else
constexpr int64_t kRoomForSanitizers = 1;
#endif

class AttacksTest : public EdgeTest {
 protected:
  AttacksTest() {
    EXPECT_THAT(runtime::RaiseOpenFilesLimit(), IsOk());
    StartEdgeWith({"--threads=2"});
    watcher_ = Follow("1");
  }

  int64_t Metric(const std::string& name) {
    const auto answer = HttpGet(edge_->admin_address(), "/metrics");
    EXPECT_THAT(answer, IsOk());
    std::istringstream lines(answer.ok() ? answer->body : "");
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with(name + " ")) {
        return static_cast<int64_t>(std::stod(line.substr(name.size() + 1)));
      }
    }
    ADD_FAILURE() << name << " is missing";
    return -1;
  }

  // What the edge holds in memory, in bytes.
  int64_t Resident() {
    std::ifstream status(absl::StrCat("/proc/", edge_->process().pid(), "/status"));
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("VmRSS:")) return std::stol(line.substr(6)) << 10;
    }
    return 0;
  }

  // A change comes to the good client, as ever.
  void ExpectFrames() {
    ASSERT_NE(watcher_, nullptr);
    service_.Say("1", ChangeOf(v1::CHANGE_CAUSE_LOCK, {LockedSeat("A01", "s")}));
    EXPECT_THAT(watcher_->NextOfType("seat_status_change"), IsOk());
  }
  // So does a new client from `address`, which is then served.
  void ExpectNewcomer(const char* address) {
    RawPeer peer(port_, address);
    ASSERT_TRUE(peer.Upgrade()) << address;
    peer.Send(RawPeer::Frame(0x81, R"({"type":"subscribe","showtimeId":"1"})"));
    EXPECT_NE(peer.ReadUntil("current_seat_status"), "") << address;
  }

  std::unique_ptr<WsClient> watcher_;
};

// ---- Frames ------------------------------------------------------------------------------------

struct Flood {
  std::string name;
  std::string first;  // Sent once,
  std::string again;  // and then this without end.
};

class FloodsTest : public AttacksTest, public ::testing::WithParamInterface<Flood> {};

constexpr uint8_t kText = 0x81, kFirst = 0x01, kMore = 0x00, kLast = 0x80, kPing = 0x89,
                  kPong = 0x8a;

// As many as make a write worth while.
std::string Often(const std::string& frames) {
  std::string all;
  while (all.size() < 64'000) all += frames;
  return all;
}

std::string GreatestInOneByteFragments() {
  std::string frames = RawPeer::Frame(kFirst, "{");
  for (int i = 2; i < 4096; ++i) frames += RawPeer::Frame(kMore, " ");
  return frames + RawPeer::Frame(kLast, "}");
}

TEST_P(FloodsTest, EndWith4129AndDisturbNobody) {
  constexpr int kPeers = 10;
  const std::string again = Often(GetParam().again);
  std::vector<RawPeer> peers;
  std::vector<std::string> heard(kPeers);
  std::vector<size_t> at(kPeers, 0);
  for (int i = 0; i < kPeers; ++i) {
    peers.emplace_back(port_, kElsewhere);
    ASSERT_TRUE(peers.back().Upgrade());
    peers.back().Send(GetParam().first);
  }
  const int64_t before = Resident();
  const std::string close("\x10\x21too many messages");  // 4129
  const auto closed = [&close](const std::string& text) {
    return text.find(close) != std::string::npos;
  };
  const auto deadline = std::chrono::steady_clock::now() + WsClient::kPatience;
  while (!std::all_of(heard.begin(), heard.end(), closed) &&
         std::chrono::steady_clock::now() < deadline) {
    for (int i = 0; i < kPeers; ++i) {
      at[i] += peers[i].Send(std::string_view(again).substr(at[i]));
      if (at[i] == again.size()) at[i] = 0;
      heard[i] += peers[i].ReadSome();
    }
    ExpectFrames();
  }
  for (const std::string& text : heard) EXPECT_TRUE(closed(text)) << text.size();
  EXPECT_LT(Resident() - before, kRoomForSanitizers * (16 << 20));
  ExpectNewcomer(kElsewhere);
}

INSTANTIATE_TEST_SUITE_P(
    Table, FloodsTest,
    ::testing::Values(Flood{"EmptyFragments", RawPeer::Frame(kFirst, ""),
                            RawPeer::Frame(kMore, "")},
                      Flood{"PingsBetweenFragments", RawPeer::Frame(kFirst, "{"),
                            RawPeer::Frame(kMore, "") + RawPeer::Frame(kPing, "p")},
                      Flood{"MessagesInOneByteFragments", "", GreatestInOneByteFragments()},
                      Flood{"Pings", "", RawPeer::Frame(kPing, "p")},
                      Flood{"PingsOf125Bytes", "", RawPeer::Frame(kPing, std::string(125, 'p'))},
                      Flood{"Pongs", "", RawPeer::Frame(kPong, "")},
                      Flood{"EmptyPongs", RawPeer::Frame(kFirst, ""), RawPeer::Frame(kPong, "")},
                      Flood{"Messages", "", RawPeer::Frame(kText, R"({"type":"ping"})")}),
    [](const auto& row) { return row.param.name; });

// ---- Handshakes --------------------------------------------------------------------------------

class HandshakesTest : public AttacksTest {
 protected:
  // More than may shake hands at a time, as far as files go.
  static size_t Crowd() {
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    return std::min<size_t>(5'000, files.rlim_cur - 64);
  }
};

// Each sends most of a head and nothing more: as many as may from one address, and then more from
// others.
TEST_F(HandshakesTest, ThatNeverEndKeepNobodyOutAndHoldBoundedMemory) {
  const std::string half = std::string(kRawUpgrade) + "Cookie: " + std::string(16 << 10, 'x');
  const int64_t before = Resident();
  std::vector<RawPeer> peers;
  while (peers.size() < Crowd()) {
    const std::string other = absl::StrCat("127.0.1.", 1 + peers.size() % 250);
    peers.emplace_back(port_, peers.size() < Crowd() / 2 ? kElsewhere : other.c_str());
    ASSERT_TRUE(peers.back().connected()) << peers.size();
    peers.back().Send(half);
    if (peers.size() % 500 == 0) {
      ExpectFrames();
      ExpectNewcomer("127.0.0.1");
      ExpectNewcomer(kElsewhere);
    }
  }
  ExpectFrames();
  ExpectNewcomer("127.0.0.1");
  ExpectNewcomer(kElsewhere);
  EXPECT_LE(Metric("seatlock_edge_handshakes"), 4'096);
  EXPECT_GT(Metric("seatlock_edge_handshakes_displaced_total"), 0);
  // 4,096 heads of 32 KiB are the bound.
  EXPECT_LT(Resident() - before, kRoomForSanitizers * (160 << 20));
}

// After a pause of the process, say: more wait in the kernel than there are places, and each has
// sent its whole request. A thread accepts 256 before it reads from the first of them, and of many
// threads each has fewer places.
TEST_F(HandshakesTest, ThatOnlyHaveToBeReadAreAnsweredThoughPlacesRunOut) {
  watcher_.reset();
  StartEdgeWith({"--threads=32"});
  const std::string request = std::string(kRawUpgrade) + "\r\n";
  std::vector<RawPeer> peers;
  edge_->process().Signal(SIGSTOP);
  while (peers.size() < Crowd()) {
    peers.emplace_back(port_, kElsewhere);
    ASSERT_TRUE(peers.back().connected()) << peers.size();
    ASSERT_EQ(peers.back().Send(request), request.size());
  }
  edge_->process().Signal(SIGCONT);
  size_t upgraded = 0;
  for (RawPeer& peer : peers) {
    if (peer.ReadUntil("connection_established").find("HTTP/1.1 101 ") == 0) ++upgraded;
  }
  EXPECT_EQ(upgraded, peers.size());
  EXPECT_EQ(Metric("seatlock_edge_handshakes_displaced_total"), 0);
}

// One address never takes the place of another's handshake, however many it begins and whatever
// they send. Its own have a moment first, so they come until the first of them had it.
TEST_F(HandshakesTest, OfOneAddressPushOutTheirOwnAlone) {
  for (const std::string& text : {std::string(), std::string(kRawUpgrade)}) {
    RawPeer patient(port_, "127.0.0.1");
    ASSERT_EQ(patient.Send(text), text.size());
    const int64_t before = Metric("seatlock_edge_handshakes_displaced_total");
    const auto deadline = std::chrono::steady_clock::now() + WsClient::kPatience;
    std::vector<RawPeer> peers;
    while (peers.size() < Crowd() ||
           (Metric("seatlock_edge_handshakes_displaced_total") == before &&
            std::chrono::steady_clock::now() < deadline)) {
      if (peers.size() >= Crowd()) peers.pop_back();
      peers.emplace_back(port_, kElsewhere);
      ASSERT_TRUE(peers.back().connected()) << peers.size();
      peers.back().Send(text);
    }
    ExpectFrames();
    EXPECT_GT(Metric("seatlock_edge_handshakes_displaced_total"), before);
    patient.Send(text.empty() ? std::string(kRawUpgrade) + "\r\n" : "\r\n");
    EXPECT_NE(patient.ReadUntil("connection_established"), "") << text;
  }
}

// A handshake that has sent nothing keeps its place for kHandshakeGraceMs, however much of their
// heads others have sent. A busy machine may take longer than that until the first of them is
// pushed out; then the test tries again.
TEST_F(HandshakesTest, ThatKeepMuchPushOutNobodyThatKeepsNothing) {
  using Clock = std::chrono::steady_clock;
  const std::string half = std::string(kRawUpgrade) + "Cookie: " + std::string(16 << 10, 'x');
  const auto displaced = [this] { return Metric("seatlock_edge_handshakes_displaced_total"); };
  const auto deadline = Clock::now() + WsClient::kPatience;
  std::vector<RawPeer> peers;
  const auto begin_another = [&] {
    peers.emplace_back(port_, absl::StrCat("127.0.1.", 1 + peers.size() % 250).c_str());
    ASSERT_TRUE(peers.back().connected()) << peers.size();
    peers.back().Send(half);
  };
  while (peers.size() < Crowd() / 2) begin_another();
  while (Clock::now() < deadline) {
    const auto since = Clock::now();
    RawPeer patient(port_, "127.0.0.1");
    const int64_t before = displaced();
    while (peers.size() > Crowd() / 2) peers.pop_back();
    while (peers.size() < Crowd() * 3 / 5) begin_another();
    // A busy edge reads what they sent some time after.
    while (displaced() == before && Clock::now() < deadline) ExpectFrames();
    const bool upgraded = patient.Upgrade();
    if (Clock::now() - since > std::chrono::milliseconds(edge::kHandshakeGraceMs)) continue;
    EXPECT_TRUE(upgraded);
    return;
  }
  FAIL() << "nobody was pushed out while another had not had its time";
}

// More than its places: each asks a moment after it connected, as browsers far away do.
TEST_F(HandshakesTest, OfACrowdBehindOneAddressAreAllAnsweredWhileDescriptorsAreFree) {
  const size_t crowd = Crowd() * 3 / 5;
  std::vector<RawPeer> peers;
  while (peers.size() < crowd) {
    peers.emplace_back(port_, kElsewhere);
    ASSERT_TRUE(peers.back().connected()) << peers.size();
  }
  const auto taken = [this] {
    return static_cast<size_t>(Metric("seatlock_edge_handshakes") +
                               Metric("seatlock_edge_handshakes_displaced_total"));
  };
  const auto deadline = std::chrono::steady_clock::now() + WsClient::kPatience;
  while (taken() < crowd && std::chrono::steady_clock::now() < deadline) ExpectFrames();
  const std::string request = std::string(kRawUpgrade) + "\r\n";
  for (RawPeer& peer : peers) peer.Send(request);
  size_t upgraded = 0;
  for (RawPeer& peer : peers) {
    if (peer.ReadUntil("connection_established").find("HTTP/1.1 101 ") == 0) ++upgraded;
  }
  EXPECT_EQ(upgraded, crowd);
  EXPECT_EQ(Metric("seatlock_edge_handshakes_displaced_total"), 0);
}

TEST_F(HandshakesTest, WhoseLinesEndOtherwiseAreAnswered400) {
  for (const char* end : {"\n", "\r"}) {
    RawPeer peer(port_, kElsewhere);
    peer.Send(absl::StrCat("GET /ws/seat-updates HTTP/1.1", end));
    peer.Send(absl::StrCat("Host: x", end, end));
    EXPECT_EQ(peer.ReadUntil("CR LF").find("HTTP/1.1 400 "), 0U) << (*end == '\n' ? "LF" : "CR");
  }
}

// ---- What the kernel holds ---------------------------------------------------------------------

TEST_F(AttacksTest, ReadersThatDoNotReadHoldLittleOfTheKernelsMemory) {
  constexpr int kReaders = 200;
  constexpr int64_t kEachMax = 400 << 10;
  // 20,000 seats of 40 bytes: a snapshot of 860 KB.
  for (int first = 0; first < 20'000; first += 1'000) {
    std::vector<v1::Seat> seats;
    for (int i = first; i < first + 1'000; ++i) {
      seats.push_back(
          SeatOf(absl::StrCat("a-seat-with-the-longest-id-", absl::Dec(i, absl::kZeroPad13)),
                 v1::SEAT_STATUS_BOOKED));
    }
    service_.Say("hall", ChangeOf(v1::CHANGE_CAUSE_BOOK, seats));
  }
  // So that the snapshot is encoded, and counted before.
  const auto quick = Follow("hall");
  const int64_t bytes_before = Metric("seatlock_edge_frame_bytes_total");
  const int64_t before = Resident();
  std::vector<RawPeer> readers;
  for (int i = 0; i < kReaders; ++i) {
    readers.emplace_back(port_, kElsewhere, 4096);
    ASSERT_TRUE(readers.back().Upgrade());
    readers.back().Send(RawPeer::Frame(kText, R"({"type":"subscribe","showtimeId":"hall"})"));
  }
  const auto deadline = std::chrono::steady_clock::now() + WsClient::kPatience;
  while (Metric("seatlock_edge_connections_blocked") < kReaders &&
         std::chrono::steady_clock::now() < deadline) {
    ExpectFrames();
  }
  EXPECT_EQ(Metric("seatlock_edge_connections_blocked"), kReaders);
  // What it handed to the kernel, of which the readers' own buffers have a few KB.
  EXPECT_LT((Metric("seatlock_edge_frame_bytes_total") - bytes_before) / kReaders, kEachMax);
  EXPECT_LT(Resident() - before, kRoomForSanitizers * (16 << 20));
  ExpectFrames();
  // One that reads on has all of it.
  EXPECT_NE(readers.front().ReadUntil("\"a-seat-with-the-longest-id-0000000019999\"").find("19999"),
            std::string::npos);
}

}  // namespace
}  // namespace seatlock::testing
