// A first-in first-out queue that owns no memory while it is empty. (std::deque always holds half a kilobyte, and most of the
// queues of a server with many documents and connections are empty.)
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>
#include <vector>

namespace diaryx::sync::relay {

template <typename T>
class Fifo {
 public:
  bool empty() const { return head_ == items_.size(); }
  T& front() { return items_[head_]; }
  const T& front() const { return items_[head_]; }
  T& back() { return items_.back(); }
  void push_back(T item) { items_.push_back(std::move(item)); }

  void pop_front() {
    ++head_;
    if (empty()) {
      clear();
    } else if (head_ > kKept && head_ > items_.size() / 2) {
      items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(head_));
      head_ = 0;
    }
  }

  template <typename Predicate>
  void erase_if(Predicate predicate) {
    if (empty()) return;
    const auto first = items_.begin() + static_cast<std::ptrdiff_t>(head_);
    items_.erase(std::remove_if(first, items_.end(), predicate), items_.end());
    if (empty()) clear();
  }

  /// Gives up memory that is kept for more.
  void shrink() {
    if (empty()) items_ = std::vector<T>();
  }

  /// Everything that is left, in order.
  std::vector<T> take() {
    std::vector<T> rest(std::make_move_iterator(items_.begin() + static_cast<std::ptrdiff_t>(head_)),
                        std::make_move_iterator(items_.end()));
    items_ = std::vector<T>();
    head_ = 0;
    return rest;
  }

 private:
  void clear() {
    head_ = 0;
    if (items_.capacity() > kKept) items_ = std::vector<T>();
    items_.clear();
  }

  static constexpr size_t kKept = 512;  // places that stay when the queue of somebody busy runs empty
  std::vector<T> items_;  // from `head_` on
  size_t head_ = 0;
};

}  // namespace diaryx::sync::relay
