// A vector that keeps its first few elements in itself: most transactions change one range of one client in one root, and a
// heap allocation costs more than all the rest of a keystroke.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <type_traits>
#include <utility>

#include "diaryx/base/result.h"

namespace diaryx {

/// Elements are contiguous; the first `kInline` need no allocation. Iterators are pointers and are invalid after any growth and
/// any move of the vector. At most 2^32-1 elements.
template <typename T, uint32_t kInline>
class InlineVector {
 public:
  using value_type = T;
  using iterator = T*;
  using const_iterator = const T*;

  InlineVector() {}  // not defaulted: the room for elements is left as it is
  InlineVector(const InlineVector& other) { append(other.begin(), other.end()); }
  InlineVector(InlineVector&& other) noexcept { take(other); }
  InlineVector& operator=(const InlineVector& other) {
    if (this == &other) return *this;
    clear();
    append(other.begin(), other.end());
    return *this;
  }
  InlineVector& operator=(InlineVector&& other) noexcept {
    if (this == &other) return *this;
    clear();
    release();
    take(other);
    return *this;
  }
  ~InlineVector() {
    std::destroy(begin(), end());
    if (!is_inline()) std::allocator<T>{}.deallocate(data_, capacity_);
  }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T* data() { return data_; }
  const T* data() const { return data_; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }
  T& operator[](size_t at) { return data_[at]; }
  const T& operator[](size_t at) const { return data_[at]; }
  T& back() { return data_[size_ - 1]; }
  const T& back() const { return data_[size_ - 1]; }

  /// An argument that refers to an element is read before elements move.
  template <typename... Arguments>
  T& emplace_back(Arguments&&... arguments) {
    if (size_ == capacity_) [[unlikely]] {
      T made(std::forward<Arguments>(arguments)...);
      grow(size_ + 1);
      return *std::construct_at(data_ + size_++, std::move(made));
    }
    return *std::construct_at(data_ + size_++, std::forward<Arguments>(arguments)...);
  }
  void push_back(T value) { emplace_back(std::move(value)); }

  void pop_back() {
    --size_;
    std::destroy_at(data_ + size_);
  }

  void insert(T* at, T value) {
    const auto place = at - data_;
    push_back(std::move(value));
    std::rotate(data_ + place, end() - 1, end());
  }
  /// Appends [from, to), which lies elsewhere.
  template <typename Iterator>
  void append(Iterator from, Iterator to) {
    reserve(size_ + static_cast<size_t>(to - from));
    for (; from != to; ++from) emplace_back(*from);
  }
  void erase(T* from, T* to) {
    if (from == to) return;
    T* const kept = std::move(to, end(), from);
    std::destroy(kept, end());
    size_ = static_cast<uint32_t>(kept - data_);
  }
  /// Drops what is beyond the first `size` elements.
  void truncate(size_t size) { erase(data_ + size, end()); }
  void clear() {
    std::destroy(begin(), end());
    size_ = 0;
  }
  void reserve(size_t size) {
    if (size > capacity_) grow(size);
  }

  /// Bytes outside the object itself.
  size_t heap_bytes() const { return is_inline() ? 0 : size_t{capacity_} * sizeof(T); }

  friend bool operator==(const InlineVector& a, const InlineVector& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  bool is_inline() const { return data_ == own(); }

  /// Seldom; kept out of the code that calls it, which is a few instructions without.
  [[gnu::noinline]] void grow(size_t needed) {
    const size_t capacity = std::max<size_t>(needed, size_t{capacity_} * 2);
    DX_ASSERT(capacity <= 0xffffffffu);
    T* const moved = std::allocator<T>{}.allocate(capacity);
    std::uninitialized_move(begin(), end(), moved);
    std::destroy(begin(), end());
    release();
    data_ = moved;
    capacity_ = static_cast<uint32_t>(capacity);
  }

  /// Frees what is allocated; the elements are gone already.
  void release() {
    if (!is_inline()) std::allocator<T>{}.deallocate(data_, capacity_);
    data_ = own();
    capacity_ = kInline;
  }

  void take(InlineVector& other) {
    size_ = other.size_;
    if (other.is_inline()) {
      if constexpr (std::is_trivially_copyable_v<T>) {
        std::memcpy(inline_, other.inline_, sizeof inline_);  // of a size that the compiler knows: no call, no loop
      } else {
        std::uninitialized_move(other.begin(), other.end(), data_);
      }
      other.clear();
    } else {
      data_ = std::exchange(other.data_, other.own());
      capacity_ = std::exchange(other.capacity_, kInline);
      other.size_ = 0;
    }
  }

  T* own() { return reinterpret_cast<T*>(inline_); }
  const T* own() const { return reinterpret_cast<const T*>(inline_); }

  alignas(T) std::byte inline_[kInline * sizeof(T)];
  T* data_ = own();
  uint32_t size_ = 0;
  uint32_t capacity_ = kInline;
};

}  // namespace diaryx
