#include "services/seatlock/rpc/raw_message.h"

namespace seatlock::rpc {
namespace {

grpc::Slice Share(const engine::Bytes& bytes) {
  auto* owner = new engine::Bytes(bytes);
  return grpc::Slice(
      const_cast<char*>(bytes->data()), bytes->size(),
      [](void* data) { delete static_cast<engine::Bytes*>(data); }, owner);
}

}  // namespace

grpc::ByteBuffer Share(const std::vector<engine::Bytes>& parts) {
  std::vector<grpc::Slice> slices;
  slices.reserve(parts.size());
  for (const engine::Bytes& part : parts) slices.push_back(Share(part));
  return grpc::ByteBuffer(slices.data(), slices.size());
}

}  // namespace seatlock::rpc
