// TLS and mTLS between real programs: who is let in, what stops a start, and certificates that are
// replaced while calls come.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <boost/json.hpp>
#include <cmath>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "common/base/host_port.h"
#include "seatlock/client.h"
#include "tests/integration/start_edge.h"
#include "tests/integration/test_server.h"
#include "tests/testing/certificates.h"
#include "tests/testing/eventually.h"
#include "tests/testing/metric.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/ws_client.h"

namespace seatlock::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kEnds[] = "seatlock_certificate_end_seconds";

uint16_t PortOf(const std::string& address) {
  return base::ParseHostPort(address).value_or(base::HostPort{}).port;
}

// The version that a handshake with at most `version_max` ends with; empty if it is refused.
std::string Handshake(const std::string& address, int version_max) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_security_level(context, 0);  // Debian's own bound is TLS 1.2.
  SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
  SSL_CTX_set_max_proto_version(context, version_max);
  SSL* ssl = SSL_new(context);
  const unsigned char h2[] = {2, 'h', '2'};
  SSL_set_alpn_protos(ssl, h2, sizeof(h2));
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(PortOf(address));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof(to)), 0);
  SSL_set_fd(ssl, fd);
  const std::string version = SSL_connect(ssl) == 1 ? SSL_get_version(ssl) : "";
  SSL_free(ssl);
  SSL_CTX_free(context);
  ::close(fd);
  return version;
}

class TlsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    WriteSecret(ca_file_, ca_.pem());
    WriteSecret(File("other.pem"), other_.pem());
    WriteServer(ca_.Issue({}));
    Write("client", ca_.Issue({.name = "api"}));
    Write("stranger", other_.Issue({.name = "api"}));
  }

  std::string File(const std::string& name) const { return dir_.File(name); }
  void Write(const std::string& name, const Issued& issued) const {
    WriteSecret(File(name + ".pem"), issued.cert_pem);
    WriteSecret(File(name + ".key"), issued.key_pem);
  }
  void WriteServer(const Issued& issued) const { Write("server", issued); }

  std::vector<std::string> ServerFlags() const {
    return {"--tls-cert=" + File("server.pem"), "--tls-key=" + File("server.key")};
  }
  std::vector<std::string> MutualFlags() const {
    std::vector<std::string> flags = ServerFlags();
    flags.push_back("--tls-client-ca=" + ca_file_);
    return flags;
  }
  client::TlsOptions Trusting(const std::string& ca, const std::string& own = "") const {
    client::TlsOptions tls{.ca = File(ca + ".pem")};
    if (!own.empty()) tls.cert = File(own + ".pem"), tls.key = File(own + ".key");
    return tls;
  }

  // A lock over a connection of its own, once.
  static absl::Status Lock(const std::string& address,
                           const std::optional<client::TlsOptions>& tls) {
    client::ClientOptions options;
    options.servers = {address};
    options.tls = tls;
    options.retries = 0;
    client::Client client(options);
    v1::LockSeatRequest lock;
    lock.set_showtime_id("123");
    lock.set_seat_id("A06");
    lock.set_session_id("alice");
    return client.LockSeat(lock).status();
  }

  struct Ended {
    int code = -1;
    std::vector<std::string> errors;
  };
  // Of a program that ends by itself.
  static Ended Run(const char* binary, std::vector<std::string> args,
                   std::vector<std::pair<std::string, std::string>> env = {}) {
    auto process =
        Process::Start({.binary = binary, .args = std::move(args), .env = std::move(env)});
    EXPECT_THAT(process, IsOk());
    const auto exit = (*process)->Wait(kStartTimeout);
    EXPECT_THAT(exit, IsOk());
    return {exit.value_or(ProcessExit{}).code, (*process)->StderrLines()};
  }
  // One that must not start: with this code, after one line that has `text`.
  static void ExpectRefused(const Ended& ended, int code, const std::string& text) {
    EXPECT_EQ(ended.code, code);
    EXPECT_THAT(ended.errors, ElementsAre(HasSubstr(text)));
  }

  // How many of its log lines have `text`.
  static int Warnings(const Process& process, const std::string& text) {
    int warnings = 0;
    for (const std::string& line : process.StderrLines()) {
      warnings += line.find(text) != std::string::npos ? 1 : 0;
    }
    return warnings;
  }

  const TempDir dir_;
  const std::string ca_file_ = dir_.File("ca.pem");
  const Authority ca_{"ca"};
  const Authority other_{"other"};
};

TEST_F(TlsTest, OnlyCallersWhoTrustTheAuthorityAreServed) {
  TestServer server(ServerFlags());
  ASSERT_THAT(server.Start(), IsOk());
  EXPECT_THAT(Lock(server.address(), Trusting("ca")), IsOk());
  EXPECT_THAT(Lock(server.address(), std::nullopt), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(Lock(server.address(), Trusting("other")), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(TlsTest, TheServerIsKnownByItsNameOrAddress) {
  WriteServer(ca_.Issue({.hosts = {"localhost", "seats.internal"}}));
  TestServer server(ServerFlags());
  ASSERT_THAT(server.Start(), IsOk());
  const std::string port = std::to_string(PortOf(server.address()));
  client::TlsOptions tls = Trusting("ca");
  EXPECT_THAT(Lock("localhost:" + port, tls), IsOk());
  EXPECT_THAT(Lock("127.0.0.1:" + port, tls), StatusIs(absl::StatusCode::kUnavailable));
  tls.server_name = "seats.internal";
  EXPECT_THAT(Lock("127.0.0.1:" + port, tls), IsOk());
  tls.server_name = "else.internal";
  EXPECT_THAT(Lock("localhost:" + port, tls), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(TlsTest, TlsBefore12IsRefused) {
  TestServer server(ServerFlags());
  ASSERT_THAT(server.Start(), IsOk());
  EXPECT_EQ(Handshake(server.address(), TLS1_1_VERSION), "");
  EXPECT_EQ(Handshake(server.address(), TLS1_2_VERSION), "TLSv1.2");
  EXPECT_EQ(Handshake(server.address(), TLS1_3_VERSION), "TLSv1.3");
}

TEST_F(TlsTest, WithClientAuthoritiesOnlyTheirCertificatesAreServed) {
  TestServer server(MutualFlags());
  ASSERT_THAT(server.Start(), IsOk());
  EXPECT_THAT(Lock(server.address(), Trusting("ca", "client")), IsOk());
  EXPECT_THAT(Lock(server.address(), Trusting("ca")), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(Lock(server.address(), Trusting("ca", "stranger")),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(TlsTest, SeatctlSpeaksTls) {
  TestServer server(MutualFlags());
  ASSERT_THAT(server.Start(), IsOk());
  std::vector<std::string> tls = {"--ca=" + ca_file_, "--cert=" + File("client.pem"),
                                  "--key=" + File("client.key"), "--server=" + server.address()};
  const auto seatctl = [&tls](std::vector<std::string> args) {
    args.insert(args.end(), tls.begin(), tls.end());
    return Run(SEATCTL_BINARY, args).code;
  };
  EXPECT_EQ(seatctl({"lock", "123", "A06", "--session=s"}), 0);
  EXPECT_EQ(seatctl({"status", "--admin=" + server.admin_address()}), 0);
  EXPECT_EQ(seatctl({"bench", "lock", "--rate=50", "--count=20"}), 0);
  tls = {"--server=" + server.address(), "--timeout=2s"};
  EXPECT_EQ(seatctl({"get", "123"}), 3);
  const Ended health =
      Run(SEATLOCKD_BINARY, {"health", "--admin-listen=" + server.admin_address()});
  EXPECT_EQ(health.code, 0);
}

TEST_F(TlsTest, SeatctlRefusesFlagsThatDoNotFit) {
  const auto seatctl = [](std::vector<std::string> args,
                          std::vector<std::pair<std::string, std::string>> env = {}) {
    args.insert(args.begin(), {std::string("get"), std::string("123")});
    return Run(SEATCTL_BINARY, args, std::move(env));
  };
  const std::string cert = "--cert=" + File("client.pem");
  const std::string key = "--key=" + File("client.key");
  ExpectRefused(seatctl({cert, key}), 2, "--cert and --key need --ca");
  ExpectRefused(seatctl({"--ca=" + ca_file_, cert}), 2, "go together");
  ExpectRefused(seatctl({"--ca=" + File("no.pem")}), 2, File("no.pem"));
  ExpectRefused(seatctl({"--ca=" + ca_file_, cert, "--key=" + File("stranger.key")}), 2,
                "is not the key of the certificate");
  ExpectRefused(seatctl({}, {{"SEATCTL_CA", ""}}), 2, "SEATCTL_CA must name a file");
}

TEST_F(TlsTest, SeatlockdDoesNotStartWithTlsThatProtectsNothing) {
  const auto seatlockd = [](std::vector<std::string> args,
                            std::vector<std::pair<std::string, std::string>> env = {}) {
    for (const char* flag :
         {"--store=memory:", "--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0"})
      args.insert(args.begin(), flag);
    return Run(SEATLOCKD_BINARY, args, std::move(env));
  };
  const std::string cert = "--tls-cert=" + File("server.pem");
  const std::string key = "--tls-key=" + File("server.key");
  ExpectRefused(seatlockd({"--listen=0.0.0.0:0"}), 2,
                "--listen=0.0.0.0:0 is open beyond this machine");
  ExpectRefused(seatlockd({"--listen=[::]:0"}), 2, "--allow-plaintext");
  ExpectRefused(seatlockd({cert}), 2, "go together");
  ExpectRefused(seatlockd({key}), 2, "go together");
  ExpectRefused(seatlockd({"--tls-client-ca=" + ca_file_}), 2, "--tls-client-ca needs --tls-cert");
  for (const char* variable : {"SEATLOCK_TLS_CERT", "SEATLOCK_TLS_KEY", "SEATLOCK_TLS_CLIENT_CA"}) {
    ExpectRefused(seatlockd({}, {{variable, ""}}), 2, std::string(variable) + " must name a file");
  }
  ExpectRefused(seatlockd({cert, "--tls-key=" + File("client.key")}), 1,
                "client.key is not the key of the certificate in");
  ExpectRefused(seatlockd({cert, "--tls-key=" + File("no.key")}), 1, "no.key");
  ExpectRefused(seatlockd({cert, key, "--tls-client-ca=" + File("server.key")}), 1,
                "server.key has no certificate");
}

TEST_F(TlsTest, TheEdgeDoesNotStartWithTlsThatProtectsNothing) {
  const auto edge = [](std::vector<std::string> args,
                       std::vector<std::pair<std::string, std::string>> env = {}) {
    for (const char* flag : {"--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0"})
      args.insert(args.begin(), flag);
    return Run(EDGE_BINARY, args, std::move(env));
  };
  const std::string ca = "--upstream-ca=" + ca_file_;
  const std::string cert = "--upstream-cert=" + File("client.pem");
  ExpectRefused(edge({"--upstream=127.0.0.1:1,10.0.0.1:50051"}), 2,
                "--upstream=10.0.0.1:50051 is beyond this machine");
  ExpectRefused(edge({"--upstream=seats.internal:50051"}), 2, "--allow-plaintext");
  ExpectRefused(edge({ca, cert}), 2, "go together");
  ExpectRefused(edge({cert, "--upstream-key=" + File("client.key")}), 2, "need --upstream-ca");
  ExpectRefused(edge({}, {{"SEATLOCK_EDGE_UPSTREAM_CA", ""}}), 2, "must name a file");
  ExpectRefused(edge({ca, cert, "--upstream-key=" + File("stranger.key")}), 1,
                "stranger.key is not the key");
}

TEST_F(TlsTest, PlaintextBeyondLoopbackIsServedIfItIsAllowed) {
  auto server = StartSeatlockd(
      {.binary = SEATLOCKD_BINARY, .listen = "0.0.0.0:0", .args = {"--allow-plaintext"}});
  ASSERT_THAT(server, IsOk());
  EXPECT_THAT(Lock("127.0.0.1:" + std::to_string(PortOf((*server)->address())), std::nullopt),
              IsOk());
  EXPECT_TRUE(std::isnan(MetricOf((*server)->admin_address(), kEnds)));
}

TEST_F(TlsTest, AKeyThatOthersCanReadIsOneWarning) {
  std::filesystem::permissions(File("server.key"), std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  TestServer server(ServerFlags());
  ASSERT_THAT(server.Start(), IsOk());
  EXPECT_EQ(Warnings(server.process(), "others can read the key"), 1);
}

// Callers with a connection for each call, and one that stays; every certificate replaces the one
// before in two writes, between which the pair does not fit.
TEST_F(TlsTest, CertificatesAreReplacedUnderLoadAndNoCallFails) {
  constexpr int kSwaps = 4;
  TestServer server(ServerFlags());
  ASSERT_THAT(server.Start(), IsOk());
  std::atomic<bool> stop{false};
  std::atomic<int> calls{0};
  std::vector<std::string> failures;
  std::thread fresh([&] {
    while (!stop) {
      const absl::Status status = Lock(server.address(), Trusting("ca"));
      if (!status.ok()) failures.push_back(status.ToString());
      ++calls;
    }
  });
  for (int swap = 1; swap <= kSwaps; ++swap) {
    const Issued next = ca_.Issue({.end_seconds = 24 * 3600 + swap * 600});
    const double before = MetricOf(server.admin_address(), kEnds);
    WriteSecret(File("server.pem"), next.cert_pem);
    // From here on to the next write all handshakes meet a pair that does not fit.
    EXPECT_TRUE(Eventually(
        [&] { return Warnings(server.process(), "the new certificate cannot be used") == swap; }));
    const int seen = calls;
    EXPECT_TRUE(
        Eventually([&] { return calls > seen + 1; }));  // Some within the half-written pair.
    WriteSecret(File("server.key"), next.key_pem);
    EXPECT_TRUE(Eventually([&] { return MetricOf(server.admin_address(), kEnds) > before; }));
  }
  stop = true;
  fresh.join();
  EXPECT_THAT(failures, ElementsAre());
  EXPECT_GE(calls, 2 * kSwaps);
}

TEST_F(TlsTest, TheEdgeFollowsOverTlsAndReadsItsFilesAnew) {
  TestServer server(MutualFlags());
  ASSERT_THAT(server.Start(), IsOk());
  std::unique_ptr<Program> edge;
  ProgramOptions tls;
  tls.args = {"--upstream-ca=" + ca_file_, "--upstream-cert=" + File("client.pem"),
              "--upstream-key=" + File("client.key")};
  ASSERT_NO_FATAL_FAILURE(StartEdgeOn(server.address(), edge, tls));
  auto browser = WsClient::Connect("127.0.0.1", PortOf(edge->address()), {});
  ASSERT_THAT(browser, IsOk());
  ASSERT_THAT((*browser)->SendText(R"({"type":"subscribe","showtimeId":"123"})"), IsOk());
  ASSERT_THAT((*browser)->NextOfType("current_seat_status"), IsOk());
  ASSERT_THAT(Lock(server.address(), Trusting("ca", "client")), IsOk());
  EXPECT_THAT((*browser)->NextOfType("seat_status_change"), IsOk());
  // Another authority signs everybody's certificates.
  server.Kill();
  WriteServer(other_.Issue({}));
  Write("client", other_.Issue({.name = "edge"}));
  WriteSecret(ca_file_, other_.pem());
  ASSERT_THAT(server.Start(), IsOk());
  absl::StatusOr<boost::json::object> status;
  do {
    status = (*browser)->NextOfType("stream_status", kStartTimeout);
  } while (status.ok() && !status->at("live").as_bool());
  EXPECT_THAT(status, IsOk());
}

TEST_F(TlsTest, TheCppClientReadsItsFilesAnew) {
  TestServer server(MutualFlags());
  ASSERT_THAT(server.Start(), IsOk());
  client::ClientOptions options;
  options.servers = {server.address()};
  options.tls = Trusting("ca", "client");
  client::Client client(options);
  v1::GetShowtimeRequest request;
  request.set_showtime_id("123");
  EXPECT_THAT(client.GetShowtime(request), IsOk());
  server.Kill();
  WriteServer(other_.Issue({}));
  Write("client", other_.Issue({.name = "api"}));
  WriteSecret(ca_file_, other_.pem());
  ASSERT_THAT(server.Start(), IsOk());
  EXPECT_TRUE(Eventually([&] { return client.GetShowtime(request).ok(); }));
}

TEST_F(TlsTest, WrongFilesOfTheCppClientAreAnErrorOfEachCall) {
  client::TlsOptions tls = Trusting("ca", "client");
  tls.key.clear();
  EXPECT_THAT(Lock("127.0.0.1:1", tls), StatusIs(absl::StatusCode::kInvalidArgument));
  const absl::Status away = Lock("127.0.0.1:1", Trusting("no-such"));
  EXPECT_THAT(away, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(away.message()), HasSubstr("no-such.pem"));
}

}  // namespace
}  // namespace seatlock::testing
