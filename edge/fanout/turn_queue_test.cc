#include "edge/fanout/turn_queue.h"

#include <gtest/gtest.h>

#include <vector>

namespace seatlock::edge {
namespace {

// A pointer that counts how often one is looked at or written over.
struct CountedPtr {
  explicit CountedPtr(int* i) : item(i) {}
  CountedPtr(CountedPtr&&) = default;
  CountedPtr(const CountedPtr&) = default;
  CountedPtr& operator=(std::nullptr_t) {
    ++touched;
    item = nullptr;
    return *this;
  }
  friend bool operator==(const CountedPtr& a, const CountedPtr& b) {
    ++touched;
    return a.item == b.item;
  }

  int* item;
  static int64_t touched;
};
int64_t CountedPtr::touched = 0;

TEST(TurnQueueTest, GivesInOrderAndNullForWhatWasRemoved) {
  int items[4] = {};
  TurnQueue<int*> queue;
  std::vector<uint32_t> numbers;
  for (int& item : items) numbers.push_back(queue.Push(&item));
  EXPECT_EQ(queue.Pop(), &items[0]);
  queue.Remove(numbers[2]);
  EXPECT_EQ(queue.Pop(), &items[1]);
  const uint32_t again = queue.Push(&items[0]);
  EXPECT_EQ(queue.Pop(), nullptr);
  queue.Remove(again);
  EXPECT_EQ(queue.Pop(), &items[3]);
  EXPECT_EQ(queue.Pop(), nullptr);
  EXPECT_TRUE(queue.empty());
}

TEST(TurnQueueTest, ACrowdThatLeavesAtOnceTouchesEachPlaceOnce) {
  constexpr int kCrowd = 10'000;
  int item = 0;
  TurnQueue<CountedPtr> queue;
  std::vector<uint32_t> numbers;
  for (int i = 0; i < kCrowd; ++i) numbers.push_back(queue.Push(CountedPtr(&item)));
  CountedPtr::touched = 0;
  for (auto number = numbers.rbegin(); number != numbers.rend(); ++number) queue.Remove(*number);
  EXPECT_EQ(CountedPtr::touched, kCrowd);
  for (int i = 0; i < kCrowd; ++i) EXPECT_EQ(queue.Pop().item, nullptr);
}

}  // namespace
}  // namespace seatlock::edge
