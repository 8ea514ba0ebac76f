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
    if (wake_ != nullptr) wake_->notify();
  }

  /// Names the one waiter while it lives.
  class Listener {
   public:
    Listener(Interrupt& interrupt, Wake& wake) : interrupt_(interrupt) { interrupt_.wake_ = &wake; }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    ~Listener() { interrupt_.wake_ = nullptr; }

   private:
    Interrupt& interrupt_;
  };

 private:
  bool asked_ = false;
  Wake* wake_ = nullptr;
};

}  // namespace luf::run
