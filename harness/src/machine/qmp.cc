#include "machine/qmp.h"

#include <sys/socket.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <cstring>

namespace luf::machine {

Result<int> Qmp::open() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return fail(Blame::kInfra, "cannot create a socket for QEMU's monitor: {}", std::strerror(errno));
  }
  socket_.assign(boost::asio::local::stream_protocol(), ends[0]);
  return ends[1];
}

void Qmp::take(const std::string& line) {
  nlohmann::json message = nlohmann::json::parse(line, nullptr, false);
  if (!message.is_object()) return;
  if (message.contains("QMP")) {
    greeted_ = true;
    greeting_.notify();
  } else if (message.contains("event")) {
    on_event_(message.at("event").get<std::string>(), message.value("data", nlohmann::json::object()));
  } else if (const auto found = pending_.find(message.value("id", std::uint64_t{0}));
             found != pending_.end()) {
    found->second->answer = std::move(message);  // one to a command that was given up finds nobody
    found->second->wake.notify();
  }
}

Task<void> Qmp::read() {
  std::string buffer;
  while (true) {
    auto dynamic = boost::asio::dynamic_buffer(buffer);
    const auto token = boost::asio::as_tuple(boost::asio::use_awaitable);
    const auto [error, length] = co_await boost::asio::async_read_until(socket_, dynamic, '\n', token);
    if (error) break;
    const std::string line = buffer.substr(0, length);
    buffer.erase(0, length);
    take(line);
  }
  closed_ = true;
  greeting_.notify();
  for (const auto& [id, pending] : pending_) pending->wake.notify();
  on_event_("", nlohmann::json::object());
}

Task<Result<void>> Qmp::negotiate(TimePoint deadline) {
  while (!greeted_ && !closed_ && clock_.now() < deadline) co_await greeting_.wait_until(deadline);
  if (closed_) co_return fail(Blame::kInfra, "QEMU closed its monitor before it greeted");
  if (!greeted_) co_return fail(Blame::kTimeout, "QEMU's monitor did not greet in time");
  const Result<nlohmann::json> answer = co_await execute("qmp_capabilities", deadline);
  if (!answer) co_return pass_on(answer);
  co_return Result<void>();
}

Task<Result<nlohmann::json>> Qmp::execute(std::string command, TimePoint deadline, nlohmann::json arguments) {
  Pending pending(*this, ++next_id_);
  nlohmann::json request{{"execute", command}, {"id", pending.id}};
  if (!arguments.empty()) request["arguments"] = std::move(arguments);
  const std::string line = request.dump() + "\n";
  // A few bytes always fit into the socket's own buffer: this does not wait for QEMU, and two do not mix.
  boost::system::error_code error;
  boost::asio::write(socket_, boost::asio::buffer(line), error);
  if (error) co_return fail(Blame::kInfra, "cannot send \"{}\" to QEMU: {}", command, error.message());
  while (!pending.answer && !closed_ && clock_.now() < deadline) co_await pending.wake.wait_until(deadline);
  if (!pending.answer && closed_)
    co_return fail(Blame::kInfra, "QEMU closed its monitor during \"{}\"", command);
  if (!pending.answer) co_return fail(Blame::kTimeout, "QEMU did not answer \"{}\" in time", command);
  if (pending.answer->contains("error"))
    co_return fail(Blame::kInfra, "QEMU refused \"{}\": {}", command, pending.answer->at("error").dump());
  co_return pending.answer->value("return", nlohmann::json::object());
}

}  // namespace luf::machine
