#include "net/loop.hh"

#include <uv.h>

#include <cassert>
#include <new>

namespace steward::net {
namespace {

template <class H>
void close_and_free(H* handle) {
  handle->data = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(handle), [](uv_handle_t* closed) { delete reinterpret_cast<H*>(closed); });
}

/// `init` has the shape of uv_*_init. A handle whose init failed was never registered, so it is freed and not closed.
template <class H, class Init>
Result<std::unique_ptr<H, CloseHandle>> make_handle(std::string_view what, Init init) {
  auto fresh = std::make_unique<H>();
  if (const int error = init(fresh.get()); error != 0)
    return fail(Errc::Io, std::string(what) + ": " + uv_strerror(error));
  return std::unique_ptr<H, CloseHandle>(fresh.release());
}

}  // namespace

void CloseHandle::operator()(uv_async_s* handle) const { close_and_free(handle); }
void CloseHandle::operator()(uv_timer_s* handle) const { close_and_free(handle); }
void CloseHandle::operator()(uv_signal_s* handle) const { close_and_free(handle); }
void CloseHandle::operator()(uv_poll_s* handle) const { close_and_free(handle); }

void CloseLoop::operator()(uv_loop_s* loop) const {
  // Closed handles are freed a turn later. Handles that are still open are an error of their owner's: the loop is
  // then left to leak, since they point into it.
  for (int turn = 0; turn < 4 && uv_loop_alive(loop) != 0; ++turn) uv_run(loop, UV_RUN_NOWAIT);
  const bool closed = uv_loop_close(loop) == 0;
  assert(closed);
  if (closed) delete loop;
}

bool Mailbox::post(std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  if (!wake_) return false;
  tasks_.push_back(std::move(task));
  // One wake-up serves all that is in the box.
  if (tasks_.size() == 1) uv_async_send(wake_.get());
  return true;
}

void Mailbox::deliver() {
  std::vector<std::function<void()>> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(tasks_);
  }
  for (auto& task : tasks) task();
}

Result<std::unique_ptr<Loop>> Loop::open() {
  auto fresh = std::make_unique<uv_loop_t>();
  if (const int error = uv_loop_init(fresh.get()); error != 0)
    return fail(Errc::Io, std::string("event loop: ") + uv_strerror(error));
  std::unique_ptr<Loop> loop(new Loop);
  loop->loop_.reset(fresh.release());
  auto wake = make_handle<uv_async_t>("event loop", [&](uv_async_t* handle) {
    return uv_async_init(loop->native(), handle,
                         [](uv_async_t* async) noexcept { static_cast<Mailbox*>(async->data)->deliver(); });
  });
  if (!wake) return tl::unexpected(wake.error());
  loop->mailbox_->wake_ = std::move(*wake);
  loop->mailbox_->wake_->data = loop->mailbox_.get();
  return loop;
}

Loop::~Loop() {
  std::vector<std::function<void()>> never_run;
  std::unique_ptr<uv_async_s, CloseHandle> wake;
  const std::lock_guard lock(mailbox_->mutex_);
  wake = std::move(mailbox_->wake_);
  never_run.swap(mailbox_->tasks_);
}

void Loop::run() {
  mailbox_->runner_ = std::this_thread::get_id();
  uv_run(native(), UV_RUN_DEFAULT);
  mailbox_->runner_ = std::thread::id{};
}

void Loop::stop() {
  post([this] { uv_stop(native()); });
}

uint64_t Loop::now_ms() const { return uv_now(native()); }

Timer::Timer(Loop& loop) : handle_(new uv_timer_t) {
  uv_timer_init(loop.native(), handle_.get());  // cannot fail
  handle_->data = this;
}

void Timer::start(std::chrono::milliseconds first, std::chrono::milliseconds repeat, std::function<void()> action) {
  action_ = std::move(action);
  const auto fire = [](uv_timer_t* handle) noexcept {
    if (handle->data == nullptr) return;
    const auto call =
        static_cast<Timer*>(handle->data)->action_;  // a copy: the action may destroy or restart the timer
    call();
  };
  // The time of the turn's beginning may be long past after heavy work; a timer set now counts from now.
  uv_update_time(handle_->loop);
  uv_timer_start(handle_.get(), fire, static_cast<uint64_t>(first.count()), static_cast<uint64_t>(repeat.count()));
}

void Timer::after(std::chrono::milliseconds delay, std::function<void()> action) {
  start(delay, std::chrono::milliseconds(0), std::move(action));
}
void Timer::every(std::chrono::milliseconds period, std::function<void()> action) {
  start(period, period, std::move(action));
}
void Timer::cancel() { uv_timer_stop(handle_.get()); }
bool Timer::is_set() const { return uv_is_active(reinterpret_cast<const uv_handle_t*>(handle_.get())) != 0; }

Result<std::unique_ptr<SignalWatch>> SignalWatch::open(Loop& loop, int signal, std::function<void()> action) {
  auto handle =
      make_handle<uv_signal_t>("signal watch", [&](uv_signal_t* h) { return uv_signal_init(loop.native(), h); });
  if (!handle) return tl::unexpected(handle.error());
  std::unique_ptr<SignalWatch> watch(new SignalWatch);
  watch->handle_ = std::move(*handle);
  watch->handle_->data = watch.get();
  watch->action_ = std::move(action);
  const auto fire = [](uv_signal_t* h, int) noexcept {
    if (h->data == nullptr) return;
    const auto call = static_cast<SignalWatch*>(h->data)->action_;
    call();
  };
  if (const int error = uv_signal_start(watch->handle_.get(), fire, signal); error != 0)
    return fail(Errc::Io, "signal " + std::to_string(signal) + ": " + uv_strerror(error));
  return watch;
}

Result<std::unique_ptr<FdWatch>> FdWatch::open(Loop& loop, int fd, FdHandler& handler) {
  auto handle =
      make_handle<uv_poll_t>("descriptor watch", [&](uv_poll_t* h) { return uv_poll_init(loop.native(), h, fd); });
  if (!handle) return tl::unexpected(handle.error());
  std::unique_ptr<FdWatch> watch(new FdWatch);
  watch->handle_ = std::move(*handle);
  watch->handle_->data = &handler;
  return watch;
}

void FdWatch::want(Ready ready) {
  // libuv stops a watch by itself when it reports an error; who still reads what came before is to hear of it again.
  const bool stopped = uv_is_active(reinterpret_cast<const uv_handle_t*>(handle_.get())) == 0;
  if (ready == wanted_ && (ready == Ready::None || !stopped)) return;
  wanted_ = ready;
  if (ready == Ready::None) {
    uv_poll_stop(handle_.get());
    return;
  }
  const auto fire = [](uv_poll_t* handle, int status, int events) noexcept {
    if (handle->data == nullptr) return;
    const auto ready_for = (status < 0 || (events & UV_READABLE) != 0 ? Ready::Read : Ready::None) |
                           (status < 0 || (events & UV_WRITABLE) != 0 ? Ready::Write : Ready::None);
    static_cast<FdHandler*>(handle->data)->on_ready(ready_for);
  };
  const int events = (has(ready, Ready::Read) ? UV_READABLE : 0) | (has(ready, Ready::Write) ? UV_WRITABLE : 0);
  uv_poll_start(handle_.get(), events, fire);
}

}  // namespace steward::net
