#include "clients/cli/operate/doctor.h"

#include <gmock/gmock.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "tests/testing/temp_dir.h"

namespace seatlock::cli::operate {
namespace {

using seatlock::testing::TempDir;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Optional;
using ::testing::Pair;

constexpr char kRedis[] =
    "seatlock_store_info{store=\"redis\",profile=\"strict\"} 1\n"
    "seatlock_store_generation_info{generation=\"ab\"} 1\n"
    "process_open_fds 50\nprocess_max_fds 524288\nseatlock_clock_offset_seconds 0.01\n";
constexpr char kEdge[] =
    "process_open_fds 50\nprocess_max_fds 524288\n"
    "seatlock_edge_connections 10\nseatlock_edge_connections_max 500000\n";

ProgramLook Program(const std::string& address, const std::string& name,
                    const std::string& metrics) {
  ProgramLook look;
  look.address = address;
  look.program = name;
  look.version = "0.1.0";
  look.revision = "abc";
  look.ready = true;
  look.ready_text = "ok";
  look.metrics = *ParsePrometheus(metrics);
  return look;
}

// A deployment and a machine with which nothing is wrong, seen behind nginx.
Facts Healthy() {
  Facts facts;
  facts.shell_files_soft = 1'024;
  facts.shell_files_hard = 524'288;
  facts.kernel = {.somaxconn = 4'096,
                  .port_range = {{32'768, 60'999}},
                  .conntrack_max = 262'144,
                  .conntrack_count = 100,
                  .tcp_mem_pressure_pages = 10'000,
                  .tcp_mem_used_pages = 10,
                  .files_max = 1'000'000,
                  .files_used = 1'000,
                  .overcommit_memory = 1,
                  .huge_pages = "madvise",
                  .redis_here = true};
  facts.clock.synchronised = true;
  facts.look.programs = {Program("a:9101", "seatlockd", kRedis),
                         Program("b:9101", "seatlockd", kRedis),
                         Program("a:9102", "seatlock-edge", kEdge)};
  facts.look.servers = {{.address = "a:50051", .answered = true, .serving = true}};
  facts.servers = {{.address = "a:50051",
                    .offset_ms = 3,
                    .round_trip_ms = 2,
                    .watched = true,
                    .held_ms = 70'000}};
  facts.ws_url = "wss://seats.example/ws/seat-updates";
  facts.ws.status = 101;
  facts.ws.server = "nginx";
  facts.ws.first_message = R"({"type":"connection_established","sessionId":"x"})";
  facts.forwarded_trusted = 1;
  facts.forwarded_untrusted = 0;
  return facts;
}

auto Is(Level level, const std::string& check, const std::string& what) {
  return AllOf(Field(&Finding::level, level), Field(&Finding::check, check),
               Field(&Finding::what, HasSubstr(what)));
}
auto Mended(Level level, const std::string& check, const std::string& what,
            const std::string& mend) {
  return AllOf(Is(level, check, what), Field(&Finding::mend, HasSubstr(mend)));
}

TEST(DoctorTest, NothingIsWrongWithAHealthyDeployment) {
  const auto findings = Diagnose(Healthy());
  EXPECT_THAT(findings, Each(Field(&Finding::level, Level::kOk))) << FindingsText(findings, false);
  EXPECT_THAT(findings, Each(Field(&Finding::mend, "")));
  EXPECT_TRUE(AllRight(findings));
}

TEST(DoctorTest, WarningsAreNotWrongAndWhatIsWrongFails) {
  EXPECT_TRUE(AllRight({{Level::kWarn, "a", "b", "c"}, {Level::kNote, "a", "b", "c"}}));
  EXPECT_FALSE(AllRight({{Level::kOk, "a", "b", ""}, {Level::kWrong, "a", "b", "c"}}));
}

TEST(DoctorTest, ProgramsThatAreNotUpOrNotReadyAreWrong) {
  Facts facts = Healthy();
  facts.look.programs[0].error = "no answer in time";
  facts.look.programs[2].ready = false;
  facts.look.programs[2].ready_text = "draining";
  facts.look.servers[0] = {.address = "a:50051", .text = "connection refused"};
  const auto findings = Diagnose(facts);
  EXPECT_THAT(findings, Contains(Mended(Level::kWrong, "up", "no answer in time", "--admin")));
  EXPECT_THAT(findings, Contains(Mended(Level::kWrong, "up", "draining", "log")));
  EXPECT_THAT(findings, Contains(Mended(Level::kWrong, "up", "connection refused", "--server")));
}

TEST(DoctorTest, VersionsMustBeEqual) {
  Facts facts = Healthy();
  facts.look.programs[1].version = "0.2.0";
  EXPECT_THAT(Diagnose(facts), Contains(Mended(Level::kWarn, "versions", "0.2.0 (abc) at b:9101",
                                               "install the same version")));
}

TEST(DoctorTest, StoresThatLoseOrAreNotSharedAreTold) {
  const auto with = [](const std::string& store, size_t services) {
    Facts facts = Healthy();
    facts.look.programs.resize(services);
    for (ProgramLook& program : facts.look.programs) {
      program.metrics = *ParsePrometheus(absl::StrCat("seatlock_store_info{", store, "} 1\n"));
    }
    return Diagnose(facts);
  };
  EXPECT_THAT(with("store=\"memory\",profile=\"\"", 1),
              Contains(Mended(Level::kWarn, "store", "memory", "--store=sqlite:")));
  EXPECT_THAT(with("store=\"redis\",profile=\"relaxed\"", 2),
              Contains(Mended(Level::kWarn, "store", "last second", "profile=strict")));
  EXPECT_THAT(with("store=\"sqlite\",profile=\"\"", 1),
              Contains(Is(Level::kOk, "store", "sqlite")));
  EXPECT_THAT(with("store=\"sqlite\",profile=\"\"", 2),
              Contains(Mended(Level::kWrong, "store", "sold twice", "redis://")));
}

TEST(DoctorTest, ServersThatSeeOtherGenerationsAreWrong) {
  Facts facts = Healthy();
  facts.look.programs[1].metrics = *ParsePrometheus(
      "seatlock_store_info{store=\"redis\",profile=\"strict\"} 1\n"
      "seatlock_store_generation_info{generation=\"cd\"} 1\n");
  EXPECT_THAT(Diagnose(facts), Contains(Is(Level::kWrong, "store", "ab, cd")));
}

TEST(DoctorTest, ClocksAreJudgedBeyondWhatTheCallTook) {
  const auto with = [](int64_t offset_ms, int64_t round_trip_ms) {
    Facts facts = Healthy();
    facts.servers[0].offset_ms = offset_ms;
    facts.servers[0].round_trip_ms = round_trip_ms;
    return Diagnose(facts);
  };
  EXPECT_THAT(with(900, 0), Contains(Is(Level::kOk, "clock", "0.900 s ahead")));
  EXPECT_THAT(with(1'900, 2'000), Contains(Is(Level::kOk, "clock", "1.900 s ahead")));
  EXPECT_THAT(with(-1'900, 2),
              Contains(Mended(Level::kWarn, "clock", "1.900 s behind", "chronyc")));
  EXPECT_THAT(with(-61'000, 2), Contains(Is(Level::kWrong, "clock", "61.000 s behind")));
}

TEST(DoctorTest, ClocksThatNobodyKeepsOrThatJumpedAreTold) {
  Facts facts = Healthy();
  facts.clock.synchronised = false;
  facts.look.programs[0].metrics = *ParsePrometheus("seatlock_clock_offset_seconds -3600\n");
  facts.look.programs[2].metrics = *ParsePrometheus("seatlock_edge_clock_offset_seconds 5\n");
  const auto findings = Diagnose(facts);
  EXPECT_THAT(findings, Contains(Mended(Level::kWarn, "clock", "nothing keeps", "timedatectl")));
  EXPECT_THAT(findings, Contains(Is(Level::kWrong, "clock", "a:9101")));
  EXPECT_THAT(findings, Contains(Is(Level::kWarn, "clock", "a:9102")));
}

TEST(DoctorTest, DescriptorsThatRunOutAreTold) {
  const auto edge = [](const std::string& metrics) {
    Facts facts = Healthy();
    facts.look.programs[2].metrics = *ParsePrometheus(metrics);
    return Diagnose(facts);
  };
  EXPECT_THAT(edge("process_open_fds 60\nprocess_max_fds 1024\n"),
              Contains(Mended(Level::kWarn, "descriptors", "60 of 1024", "LimitNOFILE")));
  EXPECT_THAT(edge("process_open_fds 8500\nprocess_max_fds 10000\n"),
              Contains(Is(Level::kWarn, "descriptors", "8500 of 10000")));
  EXPECT_THAT(edge("process_open_fds 9900\nprocess_max_fds 10000\n"),
              Contains(Is(Level::kWrong, "descriptors", "9900 of 10000")));
  EXPECT_THAT(edge("process_open_fds 60\nprocess_max_fds 10000\nseatlock_edge_connections 99\n"
                   "seatlock_edge_connections_max 100\n"),
              Contains(Is(Level::kWrong, "descriptors", "99 of 100 connections")));
  Facts facts = Healthy();
  facts.shell_files_hard = 4'096;
  EXPECT_THAT(Diagnose(facts), Contains(Mended(Level::kWarn, "descriptors", "shell", "ulimit")));
}

TEST(DoctorTest, AnIdleWatchThatIsCutIsWrong) {
  Facts facts = Healthy();
  facts.servers[0].held_ms = 60'000;
  facts.servers[0].watch_ended = "Stream removed";
  EXPECT_THAT(Diagnose(facts), Contains(Mended(Level::kWrong, "keepalive", "cut after 60.0 s",
                                               "grpc_read_timeout")));
}

TEST(DoctorTest, WhatTheProxyAnsweredSaysWhatToMend) {
  const std::pair<int, const char*> cases[] = {{400, "proxy_set_header Upgrade"},
                                               {426, "proxy_http_version 1.1"},
                                               {403, "--allowed-origins"},
                                               {404, "/ws/seat-updates"},
                                               {429, "--trusted-proxies"},
                                               {502, "--listen"},
                                               {503, "seatctl status"},
                                               {301, "wss://"},
                                               {0, "certificate"}};
  for (const auto& [status, mend] : cases) {
    Facts facts = Healthy();
    facts.ws.status = status;
    facts.ws.error = "no upgrade";
    EXPECT_THAT(Diagnose(facts), Contains(Mended(Level::kWrong, "proxy", "no upgrade", mend)));
  }
}

TEST(DoctorTest, AProxyMustSayWhomItForwardsAndBeTrusted) {
  const auto with = [](std::optional<double> trusted, std::optional<double> untrusted) {
    Facts facts = Healthy();
    facts.forwarded_trusted = trusted;
    facts.forwarded_untrusted = untrusted;
    return Diagnose(facts);
  };
  EXPECT_THAT(with(0, 1),
              Contains(Mended(Level::kWrong, "proxy", "does not trust", "--trusted-proxies")));
  EXPECT_THAT(with(0, 0), Contains(Mended(Level::kWrong, "proxy", "no X-Forwarded-For",
                                          "$proxy_add_x_forwarded_for")));
  EXPECT_THAT(with(std::nullopt, std::nullopt),
              Contains(Mended(Level::kNote, "proxy", "no edge told", "--admin")));
}

TEST(DoctorTest, WebSocketsThatAreCutOrLeadElsewhereAreWrong) {
  Facts facts = Healthy();
  facts.ws.held_ms = 15'000;
  facts.ws.ended = "closed";
  EXPECT_THAT(Diagnose(facts),
              Contains(Mended(Level::kWrong, "proxy", "cut after 15.0 s", "proxy_read_timeout")));
  facts.ws.ended.clear();
  EXPECT_THAT(Diagnose(facts), Contains(Is(Level::kOk, "proxy", "lasted 15.0 s")));
  facts.ws.first_message = "hello";
  EXPECT_THAT(Diagnose(facts), Contains(Is(Level::kWrong, "proxy", "no edge: hello")));
}

TEST(DoctorTest, TheKernelsBoundsAreTold) {
  Facts facts = Healthy();
  facts.kernel.somaxconn = 128;
  facts.kernel.conntrack_count = 260'000;
  facts.kernel.tcp_mem_used_pages = 9'000;
  facts.kernel.files_used = 850'000;
  facts.kernel.overcommit_memory = 0;
  facts.kernel.huge_pages = "always";
  facts.look.programs[2].metrics = *ParsePrometheus("seatlock_edge_connections 28000\n");
  const auto findings = Diagnose(facts);
  EXPECT_THAT(findings,
              Contains(Mended(Level::kWarn, "kernel", "somaxconn: 128", "somaxconn=65535")));
  EXPECT_THAT(findings,
              Contains(Mended(Level::kWrong, "kernel", "260000 of 262144", "conntrack_max")));
  EXPECT_THAT(findings, Contains(Mended(Level::kWarn, "kernel", "TCP memory", "tcp_mem")));
  EXPECT_THAT(findings, Contains(Mended(Level::kWarn, "kernel", "850000 of 1000000", "file-max")));
  EXPECT_THAT(findings,
              Contains(Mended(Level::kWarn, "kernel", "overcommit", "overcommit_memory=1")));
  EXPECT_THAT(findings, Contains(Mended(Level::kNote, "kernel", "huge pages", "madvise")));
  EXPECT_THAT(findings,
              Contains(Mended(Level::kWrong, "kernel", "28232 connections", "port_range")));
}

TEST(DoctorTest, WhatCannotBeSeenIsANoteAndNeverWrong) {
  Facts facts;
  facts.shell_files_hard = 524'288;
  facts.look.programs = {Program("a:9101", "seatlockd", ""),
                         Program("a:9102", "seatlock-edge", "")};
  facts.servers = {{.address = "a:50051"}};
  const auto findings = Diagnose(facts);
  EXPECT_TRUE(AllRight(findings)) << FindingsText(findings, false);
  EXPECT_THAT(findings, Each(Field(&Finding::level, Not(Level::kWarn))));
  EXPECT_THAT(findings, Contains(Mended(Level::kNote, "proxy", "no WebSocket", "--ws")));
  EXPECT_THAT(findings, Contains(Is(Level::kNote, "store", "does not tell")));
  EXPECT_THAT(findings, Contains(Is(Level::kNote, "descriptors", "a:9102")));
}

TEST(DoctorTest, FindingsAreLinesAndJson) {
  const std::vector<Finding> findings = {{Level::kOk, "store", "sqlite", ""},
                                         {Level::kWrong, "up", "down", "start it"}};
  EXPECT_EQ(FindingsText(findings, false),
            "ok     store        sqlite\n"
            "wrong  up           down\n"
            "                    -> start it\n"
            "1 wrong, 0 to look at, 0 not seen, 1 ok\n");
  const auto json = boost::json::parse(FindingsJson(findings));
  EXPECT_EQ(json.at("ok"), false);
  EXPECT_EQ(json.at("findings").at(1).at("mend"), "start it");
  EXPECT_TRUE(json.at("findings").at(0).at("mend").is_null());
}

TEST(DoctorTest, KernelIsReadFromItsFiles) {
  const TempDir dir;
  const auto write = [&dir](const std::string& path, const std::string& text) {
    const std::filesystem::path file = dir.File("root") + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  };
  write("/proc/sys/net/core/somaxconn", "128\n");
  write("/proc/sys/net/ipv4/ip_local_port_range", "32768\t60999\n");
  write("/proc/sys/net/ipv4/tcp_mem", "10\t20\t30\n");
  write("/proc/net/sockstat", "sockets: used 5\nTCP: inuse 1 orphan 0 tw 0 alloc 1 mem 7\n");
  write("/proc/sys/fs/file-nr", "1000\t0\t5000\n");
  write("/proc/sys/vm/overcommit_memory", "zero\n");  // no number
  write("/sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
  write("/proc/77/comm", "redis-server\n");
  write("/proc/self/comm", "redis\n");
  const KernelFacts kernel = ReadKernel(dir.File("root"));
  EXPECT_THAT(kernel.somaxconn, Optional(128));
  EXPECT_THAT(kernel.port_range, Optional(Pair(32'768, 60'999)));
  EXPECT_THAT(kernel.tcp_mem_pressure_pages, Optional(20));
  EXPECT_THAT(kernel.tcp_mem_used_pages, Optional(7));
  EXPECT_THAT(kernel.files_used, Optional(1'000));
  EXPECT_EQ(kernel.files_max, std::nullopt);
  EXPECT_EQ(kernel.overcommit_memory, std::nullopt);
  EXPECT_EQ(kernel.conntrack_max, std::nullopt);
  EXPECT_THAT(kernel.huge_pages, Optional(std::string("madvise")));
  EXPECT_TRUE(kernel.redis_here);
}

}  // namespace
}  // namespace seatlock::cli::operate
