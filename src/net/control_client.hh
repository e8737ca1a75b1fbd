#pragma once
// ControlClient: one connection of the control socket. Inside of ControlServer; see there.

#include <condition_variable>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "net/control_server.hh"

namespace steward::net {

class ControlClient final : public FdHandler, public std::enable_shared_from_this<ControlClient> {
 public:
  static Result<std::shared_ptr<ControlClient>> open(ControlServer& server, FileDescriptor fd);

  // Any thread.
  bool write(std::string_view line);
  void finish();

  // Loop's thread.
  void on_ready(Ready ready) override;
  void when_writable(std::function<void()> resume);
  [[nodiscard]] std::any& kept() { return kept_; }
  void close();
  void check_time(uint64_t now_ms);
  void place(std::list<std::shared_ptr<ControlClient>>::iterator place) { place_ = place; }

 private:
  ControlClient(ControlServer& server, FileDescriptor fd);

  void read();
  void take_lines();
  void flush();
  void finished();
  void settle();

  ControlServer* server_;  ///< null once closed
  const ControlConfig config_;
  const std::shared_ptr<Mailbox> mailbox_;
  FileDescriptor fd_;
  std::unique_ptr<FdWatch> watch_;
  std::string input_;
  bool input_ended_ = false;
  size_t in_flight_ = 0;
  std::vector<std::function<void()>> resumes_;
  std::any kept_;
  uint64_t progress_ms_ = 0;
  std::list<std::shared_ptr<ControlClient>>::iterator place_;

  // Shared with the writers of other threads.
  std::mutex mutex_;
  std::condition_variable room_;
  std::string output_;
  size_t output_at_ = 0;
  bool closed_ = false;
  bool flush_posted_ = false;
};

}  // namespace steward::net
