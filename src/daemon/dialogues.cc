#include "daemon/dialogues.hh"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <optional>

namespace steward::daemon {
namespace {

constexpr uint16_t udp_size = 1232;
constexpr std::chrono::milliseconds resolver_patience{5'000};

}  // namespace

struct Dialogues::Talk {
  std::vector<Bytes> questions;
  std::vector<std::optional<dns::Message>> answers;
  Done done;
  std::unique_ptr<net::StreamCall> call;
  std::string problem;

  /// True while more is expected.
  bool take(ByteView message) {
    for (size_t i = 0; i < questions.size(); ++i) {
      if (answers[i] || !net::is_reply_to(questions[i], message)) continue;
      auto parsed = dns::Message::parse(message);
      if (!parsed) {
        problem = parsed.error().what;
        return false;
      }
      answers[i] = *std::move(parsed);
      break;
    }
    return !is_whole();
  }
  [[nodiscard]] bool is_whole() const {
    return std::all_of(answers.begin(), answers.end(), [](const auto& answer) { return answer.has_value(); });
  }
  [[nodiscard]] Result<std::vector<dns::Message>> result(const std::string& why) {
    if (!problem.empty()) return fail(Errc::Invalid, problem);
    if (!is_whole()) return fail(Errc::Io, why);
    std::vector<dns::Message> all;
    for (auto& answer : answers) all.push_back(*std::move(answer));
    return all;
  }
};

void Dialogues::start(net::StreamCall::Options options, std::vector<Bytes> questions, Done done) {
  const auto at = talks_.insert(talks_.end(), std::make_shared<Talk>());
  Talk& talk = **at;
  talk.answers.resize(questions.size());
  talk.questions = std::move(questions);
  talk.done = std::move(done);
  if (!options.source) options.source = calls_.source_for(options.peer);
  talk.call = net::StreamCall::start(calls_.loop(), std::move(options),
                                     {.on_message = [&talk](ByteView message) { return talk.take(message); },
                                      .on_end =
                                          [this, at](net::CallEnd, const std::string& why) {
                                            const std::shared_ptr<Talk> ended = std::move(*at);
                                            talks_.erase(at);
                                            ended->done(ended->result(why));
                                          }});
  for (const Bytes& question : talk.questions) talk.call->send(question);
}

Result<Bytes> Dialogues::question(const dns::Name& name, dns::RrType type, bool recursive) {
  dns::Message message;
  message.header.id = net::random_message_id();
  message.header.rd = recursive;
  message.header.ad = recursive;
  message.question.push_back({name, type, dns::RrClass::IN});
  message.additional.push_back(dns::make_opt(udp_size, true));
  return message.build();
}

std::vector<Bytes> rdatas_of(const dns::Message& message, dns::RrType type) {
  std::vector<Bytes> rdatas;
  for (const dns::Record& record : message.answer)
    if (record.type == type) rdatas.push_back(record.rdata);
  return rdatas;
}

std::vector<SocketAddress> system_resolvers() {
  std::vector<SocketAddress> resolvers;
  std::ifstream file("/etc/resolv.conf");
  for (std::string word, address; file >> word;) {
    if (word == "nameserver" && file >> address)
      if (const auto parsed = SocketAddress::from_text(address + "@53")) resolvers.push_back(*parsed);
    std::getline(file, word);
  }
  return resolvers;
}

void NameLookup::ask(const dns::Name& name, dns::RrType type, Done done) {
  if (anchored_ && name.view().is_at_or_below(apex_)) return anchored_->ask(name, type, std::move(done));
  if (resolvers_.empty()) resolvers_ = system_resolvers();
  ask_from(0, name, type, "no resolver is known", std::move(done));
}

void NameLookup::ask_from(size_t resolver, dns::Name name, dns::RrType type, std::string why, Done done) {
  const auto question = resolver < resolvers_.size() ? Dialogues::question(name, type, true)
                                                     : Result<Bytes>(fail(Errc::Io, fmt::format("{} {}: {}", name.to_text(), to_text(type), why)));
  if (!question) return done(tl::unexpected<Error>(question.error()));
  net::StreamCall::Options options;
  options.peer = resolvers_[resolver];
  options.idle = resolver_patience;
  options.whole = resolver_patience;
  dialogues_.start(std::move(options), {*question}, [this, resolver, name, type, done](Result<std::vector<dns::Message>> answers) {
    if (!answers) return ask_from(resolver + 1, name, type, answers.error().what, done);
    const dns::Message& answer = answers->front();
    if (answer.rcode() == dns::Rcode::NXDOMAIN) return done(std::vector<Bytes>{});
    if (answer.rcode() != dns::Rcode::NOERROR)
      return ask_from(resolver + 1, name, type,
                      fmt::format("{} says {}", resolvers_[resolver].to_text(), to_text(answer.rcode())), done);
    done(rdatas_of(answer, type));
  });
}

}  // namespace steward::daemon
