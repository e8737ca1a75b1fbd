// Cookies: the vectors of RFC 9018 Appendix A, and the rules of RFC 7873.

#include <doctest/doctest.h>

#include "ask.hh"
#include "serve/cookie.hh"

using namespace steward;
using namespace steward::test;
using dns::Rcode;
using dns::RrType;
using serve::CookieState;

namespace {

Bytes hex(std::string_view text) {
  Bytes out;
  for (size_t i = 0; i + 1 < text.size(); i += 2)
    out.push_back(static_cast<uint8_t>(std::stoul(std::string(text.substr(i, 2)), nullptr, 16)));
  return out;
}
std::array<uint8_t, 16> secret(std::string_view text) {
  std::array<uint8_t, 16> out{};
  const Bytes octets = hex(text);
  std::copy(octets.begin(), octets.end(), out.begin());
  return out;
}
Bytes address(std::string_view text) {
  const SocketAddress parsed = *SocketAddress::from_text(text);
  return Bytes(parsed.octets().begin(), parsed.octets().end());
}
Bytes joined(ByteView client, const serve::ServerCookie& server) {
  Bytes out(client.begin(), client.end());
  append(out, server);
  return out;
}

const serve::CookieSecrets example_secrets{secret("e5e973e5a6b2a43f48e7dc849e37bfcf"), {}, false};

struct Fixture : Server {
  Fixture() {
    snapshot.add_zone("example.test.", "@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1");
    context.cookies = example_secrets;
    context.unix_seconds = 0x5cf79f11;
    client = *SocketAddress::from_text("198.51.100.100@5300");
  }
  Response with(const Bytes& cookie, Transport transport = Transport::Udp) {
    return ask("ns.example.test.", RrType::A, QueryEdns{1232, false, 0, {{10, cookie}}}, transport);
  }
  std::optional<Response> without_question(const std::optional<Bytes>& cookie) {
    QueryEdns edns;
    if (cookie) edns.options = {{10, *cookie}};
    Bytes query = make_query(".", RrType::A, edns);
    query.erase(query.begin() + 12, query.begin() + 17);
    query[5] = 0;
    return ask(query);
  }
};

const std::string client_cookie = "2464c4abcf10c957";
const std::string valid_cookie = "2464c4abcf10c957010000005cf79f111f8130c3eee29480";

}  // namespace

TEST_CASE("cookie: learning a new server cookie [RFC 9018 A.1]") {
  serve::ServerCookie reply;
  const Bytes client = hex(client_cookie);
  CHECK(check_cookie(client, example_secrets, address("198.51.100.100"), 0x5cf79f11, reply) == CookieState::New);
  CHECK(joined(client, reply) == hex(valid_cookie));
}

TEST_CASE("cookie: the same client learns a renewed one after half an hour [RFC 9018 A.2]") {
  serve::ServerCookie reply;
  const Bytes cookie = hex(valid_cookie);
  CHECK(check_cookie(cookie, example_secrets, address("198.51.100.100"), 0x5cf7a871, reply) == CookieState::Valid);
  CHECK(joined(ByteView(cookie).first(8), reply) == hex("2464c4abcf10c957010000005cf7a871d4a564a1442aca77"));
}

TEST_CASE("cookie: another client, whose reserved octets are not zero, learns a renewed one [RFC 9018 A.3]") {
  serve::ServerCookie reply;
  const Bytes cookie = hex("fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5");
  const Bytes from = address("203.0.113.203");
  // Over an hour old when it arrives; its hash is right all the same.
  CHECK(check_cookie(cookie, example_secrets, from, 0x5cf7a9ac, reply) == CookieState::Rejected);
  CHECK(joined(ByteView(cookie).first(8), reply) == hex("fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e"));
  CHECK(check_cookie(cookie, example_secrets, from, 0x5cf78f71 + 60, reply) == CookieState::Valid);
  CHECK(joined(ByteView(cookie).first(8), reply) == cookie);
}

TEST_CASE("cookie: over IPv6 with a secret that was rolled over [RFC 9018 A.4]") {
  serve::ServerCookie reply;
  const serve::CookieSecrets rolled{secret("445536bcd2513298075a5d379663c962"),
                                    secret("dd3bdf9344b678b185a6f5cb60fca715"), true};
  const Bytes cookie = hex("22681ab97d52c298010000005cf7c57926556bd0934c72f8");
  const Bytes from = address("2001:db8:220:1:59de:d0f4:8769:82b8");
  CHECK(check_cookie(cookie, rolled, from, 0x5cf7c609, reply) == CookieState::Valid);
  CHECK(joined(ByteView(cookie).first(8), reply) == hex("22681ab97d52c298010000005cf7c609a6bb79d16625507a"));
  const serve::CookieSecrets forgotten{rolled.current, {}, false};
  CHECK(check_cookie(cookie, forgotten, from, 0x5cf7c609, reply) == CookieState::Rejected);
}

TEST_CASE("cookie: an hour old and five minutes ahead are the limits, across the end of the clock [RFC 9018 §4.3]") {
  serve::ServerCookie reply;
  const Bytes client = hex(client_cookie);
  const Bytes from = address("192.0.2.1");
  for (const uint32_t made : {1000000U, 0xffffff00U, 0x00000010U}) {
    const Bytes cookie = joined(client, serve::make_server_cookie(client, example_secrets.current, from, made));
    const auto at = [&](uint32_t now) { return check_cookie(cookie, example_secrets, from, now, reply); };
    CHECK(at(made) == CookieState::Valid);
    CHECK(at(made + 1800) == CookieState::Valid);
    CHECK(joined(client, reply) == cookie);
    CHECK(at(made + 1801) == CookieState::Valid);
    CHECK(joined(client, reply) != cookie);
    CHECK(at(made + 3600) == CookieState::Valid);
    CHECK(at(made + 3601) == CookieState::Rejected);
    CHECK(at(made - 300) == CookieState::Valid);
    CHECK(at(made - 301) == CookieState::Rejected);
  }
}

TEST_CASE("cookie: another address, version, length or client cookie is not accepted [RFC 9018 §4]") {
  serve::ServerCookie reply;
  const auto state = [&](std::string_view cookie, std::string_view from) {
    return check_cookie(hex(cookie), example_secrets, address(from), 0x5cf79f11, reply);
  };
  CHECK(state(valid_cookie, "198.51.100.100") == CookieState::Valid);
  CHECK(state(valid_cookie, "198.51.100.101") == CookieState::Rejected);
  CHECK(state("2464c4abcf10c956010000005cf79f111f8130c3eee29480", "198.51.100.100") == CookieState::Rejected);
  CHECK(state("2464c4abcf10c957020000005cf79f111f8130c3eee29480", "198.51.100.100") == CookieState::Rejected);
  CHECK(state("2464c4abcf10c957010000005cf79f111f8130c3eee29481", "198.51.100.100") == CookieState::Rejected);
  CHECK(state(valid_cookie + "00", "198.51.100.100") == CookieState::Rejected);
}

TEST_CASE_FIXTURE(Fixture, "cookie: the response carries the client's and ours, whoever asks [RFC 7873 §5.2]") {
  const Response fresh = with(hex(client_cookie));
  CHECK(fresh.rcode == Rcode::NOERROR);
  CHECK(fresh.answer.size() == 1);
  REQUIRE(fresh.opt->find(10) != nullptr);
  CHECK(fresh.opt->find(10)->data == hex(valid_cookie));
  CHECK(with(hex(valid_cookie)).opt->find(10)->data == hex(valid_cookie));
  CHECK(with(hex("2464c4abcf10c9570000000000000000")).opt->find(10)->data == hex(valid_cookie));
  settings.cookies = serve::CookiePolicy::Off;
  CHECK(with(hex(client_cookie)).opt->find(10) == nullptr);
}

TEST_CASE_FIXTURE(Fixture, "cookie: a length that cannot be is FORMERR [RFC 7873 §5.2.2]") {
  for (const size_t size : {0U, 1U, 7U, 9U, 15U, 41U, 100U}) CHECK(with(Bytes(size)).rcode == Rcode::FORMERR);
  for (const size_t size : {8U, 16U, 24U, 40U}) CHECK(with(Bytes(size)).rcode == Rcode::NOERROR);
}

TEST_CASE_FIXTURE(Fixture, "cookie: BADCOOKIE where policy asks for one, over UDP only [RFC 7873 §5.2.3, §5.2.4]") {
  settings.cookies = serve::CookiePolicy::Required;
  const Response r = with(hex(client_cookie));
  CHECK(r.rcode == Rcode::BADCOOKIE);
  CHECK(r.answer.empty());
  CHECK(r.opt->find(10)->data == hex(valid_cookie));
  CHECK(with(hex(valid_cookie)).rcode == Rcode::NOERROR);
  CHECK(with(hex(client_cookie), Transport::Tcp).rcode == Rcode::NOERROR);
  CHECK(ask("ns.example.test.", RrType::A, QueryEdns{}).rcode == Rcode::NOERROR);
}

TEST_CASE_FIXTURE(Fixture, "cookie: without a question the cookie alone is answered [RFC 7873 §5.4]") {
  const auto fresh = without_question(hex(client_cookie));
  CHECK(fresh->rcode == Rcode::NOERROR);
  CHECK(fresh->question_count == 0);
  CHECK(fresh->opt->find(10)->data == hex(valid_cookie));
  CHECK(without_question(hex(valid_cookie))->rcode == Rcode::NOERROR);
  CHECK(without_question(Bytes(24))->rcode == Rcode::BADCOOKIE);
  CHECK(without_question(std::nullopt)->rcode == Rcode::FORMERR);
}
