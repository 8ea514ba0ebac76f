// A connection to libvirt, for all the guests of this program.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "async/wake.h"
#include "base/result.h"
#include "base/scratch.h"

struct _virConnect;

namespace luf::machine {

/// Calls libvirt on a thread of its own, since its calls block, and hands events to the io_context. Thread: the
/// io_context's, unless said otherwise.
class LibvirtHost {
 public:
  /// Runs on the worker's thread. Errors are to be made there: libvirt keeps its last error for each thread.
  using Call = std::function<Result<std::string>(_virConnect*)>;
  /// An event of QEMU's monitor; or, with the name kGone, that the domain is no more.
  using OnEvent = std::function<void(const std::string& name, const nlohmann::json& data)>;
  static constexpr const char* kGone = "gone";

  LibvirtHost(boost::asio::any_io_executor executor, Clock& clock);
  LibvirtHost(const LibvirtHost&) = delete;
  LibvirtHost& operator=(const LibvirtHost&) = delete;
  /// Closes the connection. A daemon then ends the domains that are left.
  ~LibvirtHost();

  /// Connects. An empty `uri` means the driver inside this program, without a daemon, its files in a scratch directory.
  /// Errors: infra, in one line; timeout. At most once.
  Task<Result<void>> open(std::string uri, TimePoint deadline);

  /// Errors: those of `what`; timeout, when the call then still goes on.
  Task<Result<std::string>> call(Call what, TimePoint deadline);

  /// Hands the events of that domain to `on_event` until `unwatch`.
  void watch(const std::string& domain, OnEvent on_event) { watchers_[domain] = std::move(on_event); }
  void unwatch(const std::string& domain) { watchers_.erase(domain); }

  /// As connected: with the embedded driver's directory.
  const std::string& uri() const { return uri_; }
  /// "+UID:+GID" where libvirt would else run QEMU as a user who cannot read our files; else empty.
  const std::string& owner() const { return owner_; }
  /// True when this program is the driver, so that its QEMUs outlive it if it is killed.
  bool embedded() const { return root_.has_value(); }

 private:
  struct Worker;
  struct EventLoop;
  struct Route;
  void dispatch(const std::string& domain, const std::string& name, const nlohmann::json& data);
  Result<void> make_root();
  Task<Result<void>> look_around(TimePoint deadline);
  boost::asio::any_io_executor executor_;
  Clock& clock_;
  std::optional<Scratch> root_;
  std::string uri_;
  std::string owner_;
  std::shared_ptr<EventLoop> loop_;
  std::shared_ptr<Route> route_;  ///< from libvirt's event thread to here
  std::shared_ptr<Worker> worker_;
  std::map<std::string, OnEvent> watchers_;
};

/// Libvirt's last error of this thread as an error, after `attempt`. Thread: the worker's.
tl::unexpected<Error> libvirt_error(const std::string& attempt);

}  // namespace luf::machine
