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
  } else if (message.contains("event")) {
    on_event_(message.at("event").get<std::string>(), message.value("data", nlohmann::json::object()));
  } else if (message.value("id", std::uint64_t{0}) == next_id_) {
    answer_ = std::move(message);  // an answer to a command that was given up has another id
  }
  changed_.notify();
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
  changed_.notify();
}

Task<Result<void>> Qmp::negotiate(TimePoint deadline) {
  while (!greeted_ && !closed_ && clock_.now() < deadline) co_await changed_.wait_until(deadline);
  if (closed_) co_return fail(Blame::kInfra, "QEMU closed its monitor before it greeted");
  if (!greeted_) co_return fail(Blame::kTimeout, "QEMU's monitor did not greet in time");
  const Result<nlohmann::json> answer = co_await execute("qmp_capabilities", deadline);
  if (!answer) co_return pass_on(answer);
  co_return Result<void>();
}

Task<Result<nlohmann::json>> Qmp::execute(std::string command, TimePoint deadline, nlohmann::json arguments) {
  answer_.reset();
  nlohmann::json request{{"execute", command}, {"id", ++next_id_}};
  if (!arguments.empty()) request["arguments"] = std::move(arguments);
  const std::string line = request.dump() + "\n";
  const auto bytes = boost::asio::buffer(line);
  const auto token = boost::asio::as_tuple(boost::asio::use_awaitable);
  // A few bytes always fit into the socket's own buffer: this does not wait for QEMU.
  const auto [error, length] = co_await boost::asio::async_write(socket_, bytes, token);
  if (error) co_return fail(Blame::kInfra, "cannot send \"{}\" to QEMU: {}", command, error.message());
  while (!answer_ && !closed_ && clock_.now() < deadline) co_await changed_.wait_until(deadline);
  if (!answer_ && closed_) co_return fail(Blame::kInfra, "QEMU closed its monitor during \"{}\"", command);
  if (!answer_) co_return fail(Blame::kTimeout, "QEMU did not answer \"{}\" in time", command);
  if (answer_->contains("error"))
    co_return fail(Blame::kInfra, "QEMU refused \"{}\": {}", command, answer_->at("error").dump());
  co_return answer_->value("return", nlohmann::json::object());
}

}  // namespace luf::machine
