// Whom a change is told to, and when again.

#include "daemon/notifier.hh"

#include <doctest/doctest.h>

#include "daemon/tell_again.hh"

namespace steward::daemon {
namespace {

dns::Name name(std::string_view text) { return dns::Name::from_text(text).value(); }

/// A registry's feed whose parent cannot be called.
struct Telling {
  Telling() {
    calls.configure(nullptr, {});
    calls.set_registries({[this](const dns::Name&) -> Result<crypto::TlsClientOptions> {
                            ++asked;
                            return fail(Errc::Refused, "no certificates yet");
                          },
                          [](const dns::Message& message) { return message.build(); }});
    config::Peer parent;
    parent.address = *SocketAddress::from_text("127.0.0.1@8530");
    parent.tls.emplace().registry = name("com.s.example.");
    zone.name = name("eu-4f2a._feed.acme.com.s.example.");
    zone.notify = {parent};
    notifier.configure({zone});
  }
  void pass(std::chrono::milliseconds time) {
    net::Timer end(*loop);
    end.after(time, [this] { loop->stop(); });
    loop->run();
  }

  std::unique_ptr<net::Loop> loop = std::move(*net::Loop::open());
  SystemClock clock;
  PeerCalls calls{*loop, clock};
  config::ZoneConfig zone;
  int asked = 0;
  Notifier notifier{calls, [](const dns::Name& apex) { return serve::SoaRecord{apex, 60, Bytes(22)}; }};
};

}  // namespace

TEST_CASE("notifier: a registry that cannot be told is told again after 2 s, a change begins anew [RFC 1996 §3.6]") {
  Telling at;
  at.notifier.changed(at.zone.name);
  CHECK(at.asked == 1);
  CHECK(at.notifier.figures().sent == 1);
  at.pass(std::chrono::milliseconds(2'400));
  CHECK(at.asked == 2);
  CHECK(at.notifier.figures().repeated == 1);
  at.notifier.changed(at.zone.name);
  CHECK(at.asked == 3);
  CHECK(at.notifier.figures().sent == 2);
  CHECK(at.notifier.figures().given_up == 0);
}

TEST_CASE("notifier: a registry that is not in the configuration any more is told no more") {
  Telling at;
  at.notifier.changed(at.zone.name);
  at.notifier.configure({});
  at.pass(std::chrono::milliseconds(2'200));
  CHECK(at.asked == 1);
}

TEST_CASE("tell again: with growing waits, up to 5 minutes, for the most of an hour") {
  std::chrono::milliseconds sum{0};
  std::chrono::milliseconds last{0};
  unsigned failures = 1;
  for (; const auto wait = wait_to_tell_again(failures); ++failures) {
    CHECK(*wait >= last);
    CHECK(*wait <= std::chrono::minutes(5));
    last = *wait;
    sum += last;
  }
  CHECK(wait_to_tell_again(1) == std::chrono::seconds(2));
  CHECK(sum > std::chrono::minutes(30));
  CHECK(sum < std::chrono::hours(1));
  CHECK_FALSE(wait_to_tell_again(0));
}

}  // namespace steward::daemon
