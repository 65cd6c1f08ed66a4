// One way to call the log: through the gate, with the result handled on an executor.
#pragma once

#include <memory>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "services/seatlock/engine/context.h"

namespace seatlock::engine {

// Runs `call` with the callback to hand to the log; `handle` then gets the result on `executor`,
// exactly once. After the engine has stopped nothing is called and `handle` gets `when_stopped`.
template <typename R>
void CallLog(std::shared_ptr<Context> context, base::Executor& executor,
             absl::AnyInvocable<void(absl::AnyInvocable<void(R) &&>) &&> call,
             absl::AnyInvocable<void(R) &&> handle, R when_stopped) {
  if (!context->gate.Enter()) {
    executor.Post([handle = std::move(handle), result = std::move(when_stopped)]() mutable {
      std::move(handle)(std::move(result));
    });
    return;
  }
  std::move(call)(
      [context = std::move(context), &executor, handle = std::move(handle)](R result) mutable {
        executor.Post([context = std::move(context), handle = std::move(handle),
                       result = std::move(result)]() mutable {
          std::move(handle)(std::move(result));
          context->gate.Leave();
        });
      });
}

}  // namespace seatlock::engine
