#include "machine/libvirt_host.h"

#include <libvirt/libvirt-qemu.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <pwd.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/post.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "base/file.h"

namespace luf::machine {
namespace {

constexpr int kLoopTickMs = 100;

std::string one_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  for (std::size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at))
    text.replace(at, 1, "; ");
  return text;
}

/// The embedded driver's configuration: QEMU runs as who we are, nothing of the host is changed for it, and its words
/// go to plain files instead of a daemon that cuts them.
constexpr const char* kQemuConf =
    "stdio_handler = \"file\"\n"
    "security_driver = \"none\"\n"
    "namespaces = []\n"
    "cgroup_controllers = []\n"
    "remember_owner = 0\n";

constexpr const char* kDriversUser = "libvirt-qemu";

void no_free(void*) {}

}  // namespace

tl::unexpected<Error> libvirt_error(const std::string& attempt) {
  const virErrorPtr error = ::virGetLastError();
  const char* words = error != nullptr && error->message != nullptr ? error->message : "no reason given";
  return fail(Blame::kInfra, "{}: {}", attempt, one_line(words));
}

/// Runs libvirt's event loop while a connection needs it. The library knows one loop a process.
struct LibvirtHost::EventLoop {
  static std::shared_ptr<EventLoop> get() {
    static std::weak_ptr<EventLoop> current;
    std::shared_ptr<EventLoop> loop = current.lock();
    if (!loop) current = loop = std::make_shared<EventLoop>();
    return loop;
  }
  EventLoop() {
    // Its words come back as errors of calls; what else it has to say would go to our standard error.
    ::setenv("LIBVIRT_LOG_OUTPUTS", "4:file:/dev/null", 0);
    static const bool registered = ::virInitialize() == 0 && ::virEventRegisterDefaultImpl() == 0;
    ::virSetErrorFunc(nullptr, [](void*, virErrorPtr) {});
    timer_ = registered ? ::virEventAddTimeout(
                              kLoopTickMs, [](int, void*) {}, nullptr, no_free)
                        : -1;
    thread_ = std::jthread([this] {
      while (!over_ && ::virEventRunDefaultImpl() == 0) continue;
    });
  }
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  ~EventLoop() {
    over_ = true;  // seen at the next tick
    thread_.join();
    if (timer_ >= 0) ::virEventRemoveTimeout(timer_);
  }

 private:
  std::atomic<bool> over_ = false;
  int timer_ = -1;
  std::jthread thread_;
};

/// Where events go. Libvirt's thread may hold it longer than the host lives. Partner: ~LibvirtHost.
struct LibvirtHost::Route {
  boost::asio::any_io_executor executor;
  LibvirtHost* host = nullptr;  ///< only touched on the executor

  static void post(void* opaque, virDomainPtr domain, std::string name, std::string details) {
    auto* self = static_cast<std::shared_ptr<Route>*>(opaque);
    std::string domain_name = ::virDomainGetName(domain);
    boost::asio::post((*self)->executor, [route = *self, domain_name = std::move(domain_name),
                                          name = std::move(name), details = std::move(details)] {
      if (route->host == nullptr) return;
      nlohmann::json data = nlohmann::json::parse(details, nullptr, false);
      if (!data.is_object()) data = nlohmann::json::object();
      route->host->dispatch(domain_name, name, data);
    });
  }
  static void free(void* opaque) { delete static_cast<std::shared_ptr<Route>*>(opaque); }
};

struct LibvirtHost::Worker {
  std::mutex mutex;
  std::condition_variable more;
  std::deque<std::function<void()>> jobs;
  bool over = false;
  bool busy = false;
  virConnectPtr connection = nullptr;  ///< only touched by the thread
  std::thread thread;

  static void work(const std::shared_ptr<Worker>& worker) {
    std::unique_lock lock(worker->mutex);
    while (true) {
      worker->more.wait(lock, [&] { return worker->over || !worker->jobs.empty(); });
      if (worker->jobs.empty()) break;
      const std::function<void()> job = std::move(worker->jobs.front());
      worker->jobs.pop_front();
      worker->busy = true;
      lock.unlock();
      job();
      lock.lock();
      worker->busy = false;
    }
    lock.unlock();
    if (worker->connection != nullptr) ::virConnectClose(worker->connection);
  }
};

LibvirtHost::LibvirtHost(boost::asio::any_io_executor executor, Clock& clock)
    : executor_(std::move(executor)),
      clock_(clock),
      loop_(EventLoop::get()),
      route_(std::make_shared<Route>(Route{executor_, this})),
      worker_(std::make_shared<Worker>()) {
  worker_->thread = std::thread([worker = worker_] { Worker::work(worker); });
}

LibvirtHost::~LibvirtHost() {
  route_->host = nullptr;
  bool stuck = false;
  {
    const std::lock_guard lock(worker_->mutex);
    worker_->over = true;
    worker_->jobs.clear();  // given up as well
    worker_->more.notify_all();
    stuck = worker_->busy;  // a call that was given up
  }
  if (stuck) {
    worker_->thread.detach();
  } else {
    worker_->thread.join();
  }
}

void LibvirtHost::dispatch(const std::string& domain, const std::string& name, const nlohmann::json& data) {
  const auto watcher = watchers_.find(domain);
  if (watcher != watchers_.end()) watcher->second(name, data);
}

Task<Result<std::string>> LibvirtHost::call(Call what, TimePoint deadline) {
  struct Answer {
    Answer(const boost::asio::any_io_executor& executor, Clock& clock) : wake(executor, clock) {}
    Wake wake;
    std::optional<Result<std::string>> result;
  };
  const auto answer = std::make_shared<Answer>(executor_, clock_);
  {
    const std::lock_guard lock(worker_->mutex);
    worker_->jobs.emplace_back(
        [worker = worker_.get(), executor = executor_, answer, what = std::move(what)] {
          Result<std::string> result = what(worker->connection);
          boost::asio::post(executor, [answer, result = std::move(result)] {
            answer->result = result;
            answer->wake.notify();
          });
        });
    worker_->more.notify_all();
  }
  while (!answer->result && clock_.now() < deadline) co_await answer->wake.wait_until(deadline);
  if (!answer->result) co_return fail(Blame::kTimeout, "libvirt did not answer in time");
  co_return *answer->result;
}

Result<void> LibvirtHost::make_root() {
  // The driver asks for it before it reads which user it is to take.
  if (::geteuid() == 0 && ::getpwnam(kDriversUser) == nullptr)
    return fail(Blame::kInfra, "libvirt's driver needs the user {0} when root runs it: useradd --system {0}",
                kDriversUser);
  Result<Scratch> made = Scratch::directory("lufbed-virt-");
  if (!made) return pass_on(made);
  root_.emplace(std::move(*made));
  if (auto done = make_directories(root_->path() / "etc"); !done) return done;
  // What it learns about each QEMU, which takes seconds, it keeps for the next lufbed.
  const std::filesystem::path known = cache_directory() / "libvirt";
  if (auto done = make_directories(known); !done) return done;
  std::error_code error;
  std::filesystem::create_directory_symlink(known, root_->path() / "cache", error);
  std::string conf = kQemuConf;
  if (::geteuid() == 0) conf += "user = \"+0\"\ngroup = \"+0\"\n";
  if (auto done = write_file(root_->path() / "etc" / "qemu.conf", conf); !done) return done;
  uri_ = "qemu:///embed?root=" + root_->path().string();
  return {};
}

Task<Result<void>> LibvirtHost::open(std::string uri, TimePoint deadline) {
  uri_ = std::move(uri);
  if (uri_.empty()) {
    const Result<void> made = make_root();
    if (!made) co_return made;
  }
  const Call connect = [worker = worker_.get(), uri = uri_](_virConnect*) -> Result<std::string> {
    worker->connection = ::virConnectOpen(uri.c_str());
    if (worker->connection == nullptr) return libvirt_error("cannot connect to libvirt at " + uri);
    return ::virConnectGetType(worker->connection);
  };
  const Result<std::string> type = co_await call(connect, deadline);
  if (!type) co_return pass_on(type);
  if (*type != "QEMU")
    co_return fail(Blame::kInfra, "libvirt at {} runs no QEMU guests but those of its driver {}", uri_,
                   *type);
  co_return co_await look_around(deadline);
}

Task<Result<void>> LibvirtHost::look_around(TimePoint deadline) {
  const Call look = [route = route_, uri = uri_](_virConnect* connection) -> Result<std::string> {
    const auto lifecycle = [](virConnectPtr, virDomainPtr domain, int event, int, void* opaque) {
      if (event == VIR_DOMAIN_EVENT_STOPPED) Route::post(opaque, domain, kGone, {});
      return 0;
    };
    const auto monitor = [](virConnectPtr, virDomainPtr domain, const char* event, long long, unsigned,
                            const char* details, void* opaque) {
      Route::post(opaque, domain, event, details != nullptr ? details : "");
    };
    const int id = ::virConnectDomainEventRegisterAny(
        connection, nullptr, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
        VIR_DOMAIN_EVENT_CALLBACK(static_cast<virConnectDomainEventCallback>(lifecycle)),
        new std::shared_ptr<Route>(route), Route::free);
    if (id < 0) return libvirt_error("cannot follow the domains at " + uri);
    if (::virConnectDomainQemuMonitorEventRegister(connection, nullptr, nullptr, monitor,
                                                   new std::shared_ptr<Route>(route), Route::free, 0) < 0)
      return libvirt_error("cannot follow QEMU's events at " + uri);
    char* text = ::virConnectGetCapabilities(connection);
    if (text == nullptr) return libvirt_error("cannot ask libvirt at " + uri + " for its capabilities");
    const std::string capabilities = text;
    ::free(text);
    return capabilities;
  };
  const Result<std::string> capabilities = co_await call(look, deadline);
  if (!capabilities) co_return pass_on(capabilities);
  if (capabilities->find("<model>dac</model>") != std::string::npos)
    owner_ = fmt::format("+{}:+{}", ::geteuid(), ::getegid());
  co_return Result<void>();
}

}  // namespace luf::machine
