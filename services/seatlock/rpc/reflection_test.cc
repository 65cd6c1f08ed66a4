#include "services/seatlock/rpc/reflection.h"

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.pb.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "seatlock/v1/seatlock_service.pb.h"

namespace seatlock::rpc {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

template <typename Version>
class ReflectionTest : public ::testing::Test {
 protected:
  using Api = typename Version::Api;
  using Request = typename Version::Request;
  using Response = typename Version::Response;

  ReflectionTest() {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    for (const auto& service : services_) builder.RegisterService(service.get());
    server_ = builder.BuildAndStart();
    stub_ = Api::NewStub(grpc::CreateChannel("127.0.0.1:" + std::to_string(port),
                                             grpc::InsecureChannelCredentials()));
    // What is not used is not linked, and a type that is not linked cannot be asked for.
    v1::LockSeatRequest::descriptor();
  }

  // The answers to `requests`, on one stream.
  std::vector<Response> Ask(const std::vector<Request>& requests) {
    grpc::ClientContext context;
    const auto stream = stub_->ServerReflectionInfo(&context);
    std::vector<Response> answers(requests.size());
    for (size_t i = 0; i < requests.size(); ++i) {
      EXPECT_TRUE(stream->Write(requests[i]));
      EXPECT_TRUE(stream->Read(&answers[i]));
      EXPECT_EQ(answers[i].original_request().SerializeAsString(), requests[i].SerializeAsString());
    }
    stream->WritesDone();
    EXPECT_TRUE(stream->Finish().ok());
    return answers;
  }
  Response Ask(const Request& request) { return Ask(std::vector{request})[0]; }

  static Request Symbol(const std::string& name) {
    Request request;
    request.set_host("seats.example");
    request.set_file_containing_symbol(name);
    return request;
  }
  static std::vector<std::string> Files(const Response& response) {
    std::vector<std::string> names;
    for (const std::string& bytes : response.file_descriptor_response().file_descriptor_proto()) {
      google::protobuf::FileDescriptorProto file;
      EXPECT_TRUE(file.ParseFromString(bytes));
      names.push_back(file.name());
    }
    return names;
  }

  std::vector<std::unique_ptr<grpc::Service>> services_ =
      ReflectionServices({"seatlock.v1.SeatLockService"});
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<typename Api::Stub> stub_;
};

struct V1 {
  using Api = grpc::reflection::v1::ServerReflection;
  using Request = grpc::reflection::v1::ServerReflectionRequest;
  using Response = grpc::reflection::v1::ServerReflectionResponse;
};
struct V1Alpha {
  using Api = grpc::reflection::v1alpha::ServerReflection;
  using Request = grpc::reflection::v1alpha::ServerReflectionRequest;
  using Response = grpc::reflection::v1alpha::ServerReflectionResponse;
};
using Versions = ::testing::Types<V1, V1Alpha>;
TYPED_TEST_SUITE(ReflectionTest, Versions);

TYPED_TEST(ReflectionTest, ListsWhatIsServed) {
  typename TypeParam::Request request;
  request.set_list_services("*");
  std::vector<std::string> names;
  const auto answer = this->Ask(request);
  for (const auto& service : answer.list_services_response().service()) {
    names.push_back(service.name());
  }
  EXPECT_THAT(names,
              ElementsAre("seatlock.v1.SeatLockService", "grpc.reflection.v1.ServerReflection",
                          "grpc.reflection.v1alpha.ServerReflection"));
}

TYPED_TEST(ReflectionTest, GivesAFileWithAllThatItImportsEachOnce) {
  typename TypeParam::Request by_name;
  by_name.set_file_by_filename("seatlock/v1/seatlock_service.proto");
  const auto answers = this->Ask({this->Symbol("seatlock.v1.SeatLockService.LockSeat"), by_name,
                                  this->Symbol("seatlock.v1.LockSeatRequest"),
                                  this->Symbol("seatlock.v1.SEAT_STATUS_LOCKED")});
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(
        this->Files(answers[i]),
        UnorderedElementsAre("seatlock/v1/seatlock_service.proto", "seatlock/v1/seats.proto",
                             "google/protobuf/duration.proto", "google/protobuf/timestamp.proto"));
    EXPECT_EQ(this->Files(answers[i])[0], "seatlock/v1/seatlock_service.proto");
  }
  EXPECT_THAT(this->Files(answers[3]), Contains("seatlock/v1/seats.proto"));
  EXPECT_EQ(answers[0].valid_host(), "seats.example");
}

TYPED_TEST(ReflectionTest, DescribesItself) {
  EXPECT_THAT(this->Files(this->Ask(this->Symbol("grpc.reflection.v1.ServerReflection"))),
              ElementsAre("grpc/reflection/v1/reflection.proto"));
  EXPECT_THAT(this->Files(this->Ask(this->Symbol("grpc.reflection.v1alpha.ServerReflection"))),
              ElementsAre("grpc/reflection/v1alpha/reflection.proto"));
}

TYPED_TEST(ReflectionTest, ATypeThatNobodyExtendsHasNoExtensions) {
  // Nothing that is linked extends anything, but this type could be.
  typename TypeParam::Request numbers;
  numbers.set_all_extension_numbers_of_type("google.protobuf.FieldOptions");
  const auto answer = this->Ask(numbers);
  EXPECT_EQ(answer.all_extension_numbers_response().base_type_name(),
            "google.protobuf.FieldOptions");
  EXPECT_THAT(answer.all_extension_numbers_response().extension_number(), IsEmpty());
}

TYPED_TEST(ReflectionTest, WhatIsNotThereIsAnErrorAndTheStreamGoesOn) {
  constexpr int kInvalid = grpc::StatusCode::INVALID_ARGUMENT;
  constexpr int kNotFound = grpc::StatusCode::NOT_FOUND;
  typename TypeParam::Request name;
  name.set_file_by_filename("../etc/passwd");
  typename TypeParam::Request extension;
  extension.mutable_file_containing_extension()->set_containing_type("seatlock.v1.Seat");
  extension.mutable_file_containing_extension()->set_extension_number(1);
  typename TypeParam::Request numbers;
  numbers.set_all_extension_numbers_of_type("no.such.Type");
  std::vector<int> codes;
  const auto answers =
      this->Ask({this->Symbol("no.such.Symbol"), this->Symbol(""), name, extension, numbers, {}});
  for (const auto& answer : answers) {
    codes.push_back(answer.error_response().error_code());
  }
  EXPECT_THAT(codes, ElementsAre(kNotFound, kNotFound, kNotFound, kNotFound, kNotFound, kInvalid));
}

}  // namespace
}  // namespace seatlock::rpc
