#include "client/registry_call.hh"

#include <optional>

namespace steward::client {

class RegistryCall::State {
 public:
  State(Options options, std::unique_ptr<net::Loop> loop) : options_(std::move(options)), loop_(std::move(loop)) {}

  tl::expected<std::vector<Bytes>, Lost> exchange(std::span<const Bytes> queries) {
    const bool fresh = !call_ || ended_;
    auto done = attempt(queries);
    if (done || fresh || answered_ > 0) return done;
    call_.reset();
    return attempt(queries);
  }

  tl::expected<Bytes, Lost> exchange_once(const Bytes& message) {
    auto done = attempt({&message, 1});
    if (!done) return tl::unexpected(std::move(done.error()));
    return std::move(done->front());
  }

  [[nodiscard]] const SocketAddress& address() const { return options_.address; }
  [[nodiscard]] std::string text() const { return options_.address.to_text() + (options_.tls ? " over TLS" : ""); }

 private:
  tl::expected<std::vector<Bytes>, Lost> attempt(std::span<const Bytes> queries) {
    queries_ = queries;
    responses_.assign(queries.size(), {});
    answered_ = 0;
    lost_.reset();
    if (ended_) call_.reset();
    if (!call_) connect();
    for (const Bytes& query : queries) call_->send(query);
    net::Timer timer(*loop_);
    timer.after(options_.timeout, [this] { give_up("no answer in time"); });
    loop_->run();
    if (!lost_) return std::move(responses_);
    call_.reset();
    return tl::unexpected(std::move(*lost_));
  }

  void connect() {
    connected_ = ended_ = false;
    net::StreamCall::Options options{.peer = options_.address, .tls = options_.tls};
    options.connect = options_.timeout;
    options.idle = options_.timeout * 2;
    call_ = net::StreamCall::start(*loop_, std::move(options),
                                   {.on_connect = [this] { connected_ = true; },
                                    .on_message = [this](ByteView message) { return take(message); },
                                    .on_end = [this](net::CallEnd, const std::string& why) { end(why); }});
  }

  bool take(ByteView message) {
    for (size_t i = 0; i < queries_.size(); ++i) {
      if (!responses_[i].empty() || !net::is_reply_to(queries_[i], message)) continue;
      responses_[i].assign(message.begin(), message.end());
      if (++answered_ == queries_.size()) loop_->stop();
      break;
    }
    return true;
  }

  void end(const std::string& why) {
    if (answered_ < queries_.size()) lost_ = Lost{connected_, why};
    ended_ = true;
    loop_->stop();
  }

  void give_up(const std::string& why) {
    lost_ = Lost{connected_, options_.address.to_text() + ": " + why};
    loop_->stop();
  }

  const Options options_;
  std::unique_ptr<net::Loop> loop_;
  std::unique_ptr<net::StreamCall> call_;  // before loop_ goes
  bool connected_ = false;
  bool ended_ = false;
  std::span<const Bytes> queries_;
  std::vector<Bytes> responses_;
  size_t answered_ = 0;
  std::optional<Lost> lost_;
};

Result<RegistryCall> RegistryCall::open(Options options) {
  auto loop = net::Loop::open();
  if (!loop) return tl::unexpected(loop.error());
  return RegistryCall(std::make_unique<State>(std::move(options), std::move(*loop)));
}

RegistryCall::RegistryCall(std::unique_ptr<State> state) : state_(std::move(state)) {}
RegistryCall::RegistryCall(RegistryCall&&) noexcept = default;
RegistryCall& RegistryCall::operator=(RegistryCall&&) noexcept = default;
RegistryCall::~RegistryCall() = default;

tl::expected<std::vector<Bytes>, RegistryCall::Lost> RegistryCall::exchange(std::span<const Bytes> queries) {
  return state_->exchange(queries);
}
tl::expected<Bytes, RegistryCall::Lost> RegistryCall::exchange_once(const Bytes& message) {
  return state_->exchange_once(message);
}
const SocketAddress& RegistryCall::address() const { return state_->address(); }
std::string RegistryCall::text() const { return state_->text(); }

}  // namespace steward::client
