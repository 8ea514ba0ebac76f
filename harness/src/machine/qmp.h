// QEMU's monitor protocol over a connected socket.
#pragma once

#include <boost/asio/local/stream_protocol.hpp>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "async/wake.h"
#include "base/result.h"

namespace luf::machine {

/// One monitor. Several tasks may have commands under way. Thread: the io_context's.
/// Source: QEMU docs/interop/qmp-spec.rst.
class Qmp {
 public:
  using OnEvent = std::function<void(const std::string& name, const nlohmann::json& data)>;

  /// `on_event` is called for every event, and with an empty name when the other side has closed.
  Qmp(const boost::asio::any_io_executor& executor, Clock& clock, OnEvent on_event)
      : executor_(executor),
        clock_(clock),
        on_event_(std::move(on_event)),
        socket_(executor),
        greeting_(executor, clock) {}

  /// Creates the connection; returns the end for QEMU, which the caller closes. Errors: infra.
  Result<int> open();

  /// Reads until the other side closes. To be run in a task group beside the calls of `execute`.
  Task<void> read();

  /// Waits for the greeting and leaves negotiation mode. Errors: timeout, infra.
  Task<Result<void>> negotiate(TimePoint deadline);

  /// Runs a command and returns what it returned. Errors: timeout, infra.
  Task<Result<nlohmann::json>> execute(std::string command, TimePoint deadline,
                                       nlohmann::json arguments = nlohmann::json::object());

  bool closed() const { return closed_; }

 private:
  /// A command under way; known by its id while it lives.
  struct Pending {
    Pending(Qmp& qmp, std::uint64_t number) : owner(qmp), id(number), wake(qmp.executor_, qmp.clock_) {
      owner.pending_[id] = this;
    }
    Pending(const Pending&) = delete;
    Pending& operator=(const Pending&) = delete;
    ~Pending() { owner.pending_.erase(id); }
    Qmp& owner;
    std::uint64_t id;
    Wake wake;
    std::optional<nlohmann::json> answer;
  };
  void take(const std::string& line);
  boost::asio::any_io_executor executor_;
  Clock& clock_;
  OnEvent on_event_;
  boost::asio::local::stream_protocol::socket socket_;
  Wake greeting_;
  bool greeted_ = false;
  bool closed_ = false;
  std::uint64_t next_id_ = 0;
  std::map<std::uint64_t, Pending*> pending_;
};

}  // namespace luf::machine
