// Messages that are serialised already, to and from gRPC. Pure.
#pragma once

#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/byte_buffer.h>

#include <string>
#include <vector>

#include "services/seatlock/engine/message.h"

namespace seatlock::rpc {

// A buffer of `parts`, one after the other, which it shares with everybody else who is sent them.
grpc::ByteBuffer Share(const std::vector<engine::Bytes>& parts);

// False: `bytes` is no such message.
template <typename Message>
bool Parse(const grpc::ByteBuffer& bytes, Message* message) {
  grpc::ByteBuffer copy(bytes);  // shares the slices
  return grpc::SerializationTraits<Message>::Deserialize(&copy, message).ok();
}

}  // namespace seatlock::rpc
