// Ctrl-C, seen from the tasks that must stop.
#pragma once

#include "async/wake.h"

namespace luf::run {

/// Whether the user asked to stop, and whom to wake when that happens. Thread: the io_context's.
class Interrupt {
 public:
  bool asked() const { return asked_; }
  void ask() {
    asked_ = true;
    for (const Listener* listener = first_; listener != nullptr; listener = listener->next_)
      listener->wake_.notify();
  }

  /// Names a waiter while it lives.
  class Listener {
   public:
    Listener(Interrupt& interrupt, Wake& wake) : interrupt_(interrupt), wake_(wake), next_(interrupt.first_) {
      interrupt_.first_ = this;
    }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    ~Listener() {
      Listener** at = &interrupt_.first_;
      while (*at != this) at = &(*at)->next_;
      *at = next_;
    }

   private:
    friend class Interrupt;
    Interrupt& interrupt_;
    Wake& wake_;
    Listener* next_;
  };

 private:
  bool asked_ = false;
  Listener* first_ = nullptr;
};

}  // namespace luf::run
