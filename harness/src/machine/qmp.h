// QEMU's monitor protocol over a connected socket.
#pragma once

#include <boost/asio/local/stream_protocol.hpp>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "async/wake.h"
#include "base/result.h"

namespace luf::machine {

/// One monitor. One command at a time. Thread: the io_context's.
/// Source: QEMU docs/interop/qmp-spec.rst.
class Qmp {
 public:
  using OnEvent = std::function<void(const std::string& name, const nlohmann::json& data)>;

  /// `changed` is notified on every answer and event; the caller of `execute` is its only waiter.
  Qmp(const boost::asio::any_io_executor& executor, Clock& clock, Wake& changed, OnEvent on_event)
      : clock_(clock), changed_(changed), on_event_(std::move(on_event)), socket_(executor) {}

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
  void take(const std::string& line);
  Clock& clock_;
  Wake& changed_;
  OnEvent on_event_;
  boost::asio::local::stream_protocol::socket socket_;
  bool greeted_ = false;
  bool closed_ = false;
  std::uint64_t next_id_ = 0;
  std::optional<nlohmann::json> answer_;
};

}  // namespace luf::machine
