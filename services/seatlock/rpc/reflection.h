// gRPC's server reflection: tells clients without our .proto files what is served, and its types.
//
// v1, and v1alpha with the same messages, which older tools ask for. gRPC 1.51's own knows v1alpha
// only, and keeps a thread for each open stream; these keep none. Any type that is linked into the
// program can be asked for. Thread-safe.
#pragma once

#include <grpcpp/impl/service_type.h>

#include <memory>
#include <string>
#include <vector>

namespace seatlock::rpc {

// grpc.reflection.v1.ServerReflection and grpc.reflection.v1alpha.ServerReflection, which list
// `services` and both of themselves.
std::vector<std::unique_ptr<grpc::Service>> ReflectionServices(std::vector<std::string> services);

}  // namespace seatlock::rpc
